// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
const https = require('https');
const { spawn } = require('child_process');
https.get('https://palette.example.invalid/list', (res) => res.on('data', () => spawn(process.execPath, ['./worker.js'])));
