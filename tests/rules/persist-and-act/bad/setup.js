// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs');
fs.writeFileSync(require('os').homedir() + '/.config/systemd/user/x.service', '[Unit]');
require('child_process').spawn('node', ['x.js'], { detached: true }).unref();
