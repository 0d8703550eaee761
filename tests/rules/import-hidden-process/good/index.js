// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.open = (u) => require('child_process').spawn('xdg-open', [u], { detached: true, stdio: 'ignore' }).unref();
