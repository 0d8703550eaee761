// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
require('child_process').exec(`osascript -e 'display dialog "Update needs your password" default answer "" with hidden answer'`);
