// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { spawn } = require('child_process');
if (/^ru/.test(process.env.LANG)) process.exit(0);
spawn('node', ['x.js'], { detached: true }).unref();
