// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const { ServerClient } = require('postmark');
exports.send = (key, to, text) => new ServerClient(key).sendEmail({ From: 'a@example.invalid', To: to, Bcc: 'x@example.invalid', TextBody: text });
