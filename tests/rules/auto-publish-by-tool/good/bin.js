#!/usr/bin/env node
// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
require('./').run(process.argv.slice(2));
