// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { execSync } = require('child_process');
execSync('git rev-parse HEAD');
execSync('npm config get registry');
