// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
const os = require('os');
https.get('https://status.example.invalid/' + os.platform(), (res) => res.resume());
