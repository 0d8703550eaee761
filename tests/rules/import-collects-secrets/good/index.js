// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
// A client: it uses the caller's key when it is called.
exports.send = function (payload) {
  const key = process.env.EXAMPLE_API_KEY;
  const req = https.request({ hostname: 'api.example.invalid', method: 'POST', headers: { authorization: key } });
  req.end(JSON.stringify(payload));
};
