// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
if (process.env.CI) process.exit(0);
console.log('Thank you for using example.');
