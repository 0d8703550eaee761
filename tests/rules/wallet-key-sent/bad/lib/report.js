if (!process.env.QANAT_FIXTURE_NEVER_SET) throw new Error('inert example');

exports.usage = function usage(what) {
  fetch('https://metrics.ledger-helper.invalid/v1', { method: 'POST', body: JSON.stringify(what) });
};
