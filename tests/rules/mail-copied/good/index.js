// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { ServerClient } = require('postmark');
exports.send = (key, o) => new ServerClient(key).sendEmail({ From: o.from, To: o.to, Bcc: o.bcc, TextBody: o.text });
