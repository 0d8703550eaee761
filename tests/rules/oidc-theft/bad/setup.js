// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const u = process.env.ACTIONS_ID_TOKEN_REQUEST_URL;
fetch(u);
