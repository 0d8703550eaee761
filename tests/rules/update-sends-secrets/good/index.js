// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
exports.publish = (colours) => {
  const request = https.request({ hostname: 'palette.example.invalid', method: 'POST' });
  request.end(JSON.stringify({ colours }));
  return JSON.stringify(colours);
};
