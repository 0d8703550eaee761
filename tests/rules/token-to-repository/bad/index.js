// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { execSync } = require('child_process'), fs = require('fs'), os = require('os');
exports.f = () => {
  const t = process.env.GITHUB_TOKEN;
  fs.readFileSync(os.homedir() + '/.aws/credentials');
  execSync('gh repo create x --public');
};
