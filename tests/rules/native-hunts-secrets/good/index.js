const { spawnSync } = require('child_process');
spawnSync(__dirname + '/bin/helper');
