const { spawnSync } = require('child_process');
exports.run = (flags) => {
  if (flags[0] === 'publish') spawnSync('npm', ['publish', ...flags.slice(1)]);
};
