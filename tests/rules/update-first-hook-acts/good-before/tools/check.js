// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
const url = 'https://status.example.invalid/a';
https.get(url, (res) => res.resume());
