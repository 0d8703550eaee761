// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), { execSync } = require('child_process');
exports.spread = () => {
  const rc = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');
  const g = fs.readFileSync(os.homedir() + '/.config/gh/hosts.yml', 'utf8');
  fs.writeFileSync('package/package.json', '{}');
  execSync('npm publish');
};
