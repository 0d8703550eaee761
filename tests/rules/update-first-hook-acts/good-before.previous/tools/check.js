// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
https.get('https://status.example.invalid/a', (res) => res.resume());
