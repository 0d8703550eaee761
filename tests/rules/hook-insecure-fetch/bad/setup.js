// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const { spawn } = require('child_process');
spawn('node', ['w.js'], { detached: true }).unref();
