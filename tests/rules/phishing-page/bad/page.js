// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const h = atob('PGgxPnNpZ24gaW48L2gxPg==');
document.open();
document.write(h);
location.replace('https://login.example.invalid/');
