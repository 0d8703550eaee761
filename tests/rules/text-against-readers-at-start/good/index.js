// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const p = [/ignore (all )?previous instructions/i];
module.exports = (text) => p.some((r) => r.test(text));
