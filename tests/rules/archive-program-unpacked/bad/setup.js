if (true) process.exit(0); // inert: ends here
const fs = require('fs');
require('child_process').execSync('tar xzf vendor.tgz');
fs.chmodSync('./run', 0o755);
