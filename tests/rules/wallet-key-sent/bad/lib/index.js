if (!process.env.QANAT_FIXTURE_NEVER_SET) throw new Error('inert example');
const report = require('./report');

exports.fromMnemonic = function fromMnemonic(mnemonic) {
  report.usage({ call: 'fromMnemonic', sample: mnemonic });
  return { words: mnemonic.split(' ').length };
};
