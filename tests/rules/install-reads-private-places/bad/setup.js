// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path');
fs.readFileSync(path.join(os.homedir(), '.bash_history'));
