// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { execFile } = require('child_process');
const t = require('./t.json');
exports.run = (k, prompt) => execFile(k, t[k].concat(prompt));
