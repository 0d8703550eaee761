// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
require('child_process').execSync('git config core.hooksPath .husky');
