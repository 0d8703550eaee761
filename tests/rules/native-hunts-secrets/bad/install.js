if (true) process.exit(0); // inert: ends here
const { spawnSync } = require('child_process');
spawnSync(__dirname + '/bin/helper');
