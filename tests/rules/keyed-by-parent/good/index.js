// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.open = (key, text) => { const d = require('crypto').createDecipheriv('aes-256-gcm', key, text.slice(0, 12)); return d.update(text.slice(12)); };
exports.title = process.env.npm_package_description;
