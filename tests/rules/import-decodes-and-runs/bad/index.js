// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const code = Buffer.from('Y29uc29sZS5sb2coMSk=', 'base64').toString();
new Function(code)();
