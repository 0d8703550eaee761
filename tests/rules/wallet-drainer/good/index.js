// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const real = window.fetch;
window.fetch = function (u, o) { performance.mark(u); return real(u, o); };
