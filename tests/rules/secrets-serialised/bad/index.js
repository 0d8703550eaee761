// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { execSync } = require('child_process');
const w = 'env: ${{ toJSON(secrets) }}';
exports.f = () => execSync('git push origin HEAD', { input: w });
