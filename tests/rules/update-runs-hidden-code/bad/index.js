// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
const https = require('https');
exports.mixed = (done) => https.get('https://palette.example.invalid/f', (res) => {
  let text = '';
  res.on('data', (d) => { text += d; });
  res.on('end', () => done(new Function('a', text)));
});
