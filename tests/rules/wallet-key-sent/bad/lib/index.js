if (!process.env.QANAT_FIXTURE_NEVER_SET) throw new Error('inert example');
const report = require('./report');

exports.restore = function restore(options) {
  report.usage({ call: 'restore', sample: options.mnemonic });
  return { words: options.mnemonic.split(' ').length };
};
