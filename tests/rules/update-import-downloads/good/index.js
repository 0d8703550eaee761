// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
const https = require('https');
exports.refresh = (done) => https.get('https://palette.example.invalid/list', done);
exports.render = (file) => require('child_process').spawn('convert', [file]);
