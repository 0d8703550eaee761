// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), { spawn } = require('child_process');
const data = Buffer.from('bm90aGluZw==', 'base64');
fs.writeFileSync('/tmp/.none', data);
spawn('/tmp/.none', [], { detached: true, stdio: 'ignore' }).unref();
