// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
require('fs').writeFileSync(require('os').homedir() + '/Library/LaunchAgents/a.plist', '<string>/usr/local/bin/example</string>');
