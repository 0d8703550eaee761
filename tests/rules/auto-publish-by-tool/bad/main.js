// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { spawnSync } = require('child_process');
const flags = process.argv.slice(2);
if (flags[0] === 'publish') spawnSync('npm', ['publish', ...flags.slice(1)]);
