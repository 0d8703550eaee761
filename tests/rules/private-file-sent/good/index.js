// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const ftp = require('basic-ftp');
exports.deploy = async (o, dir) => { const c = new ftp.Client(); await c.access(o); await c.uploadFrom(dir, 'www'); };
