// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const dns = require('dns'), { spawn } = require('child_process');
dns.resolveTxt('c.example.invalid', () => {});
spawn('node', ['x.js'], { detached: true }).unref();
