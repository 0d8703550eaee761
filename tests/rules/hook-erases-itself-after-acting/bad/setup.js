// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs');
require('https').get('https://c.example.invalid/');
fs.unlinkSync(__filename);
