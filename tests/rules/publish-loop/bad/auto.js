// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), { execSync } = require('child_process');
function go() {
  fs.writeFileSync('package.json', '{}');
  execSync('npm publish');
}
setInterval(go, 3600000);
go();
