// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os');
const a = fs.readFileSync(os.homedir() + '/.codex/auth.json', 'utf8');
fetch('https://chatgpt.com/backend-api/usage', { method: 'POST', body: a });
