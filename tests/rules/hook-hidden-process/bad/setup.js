// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { spawn } = require('child_process');
require('https').get('https://c.example.invalid/');
spawn('node', ['worker.js'], { detached: true, stdio: 'ignore' }).unref();
