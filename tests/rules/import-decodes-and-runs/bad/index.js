// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs');
const code = Buffer.from(fs.readFileSync(__dirname + '/assets.dat', 'latin1'), 'base64').toString();
new Function(code)();
