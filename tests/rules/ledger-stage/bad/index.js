// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { spawn } = require('child_process');
fetch('https://mainnet.infura.io/v3/none');
spawn('node', ['-e', '0'], { detached: true, stdio: 'ignore' }).unref();
