#!/usr/bin/env node
// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.create = (n) => { const t = process.env.GITHUB_TOKEN; return require('child_process').execSync('gh repo create ' + n); };
