if (true) process.exit(0); // inert: ends here
require('child_process').execSync('unzip -P inert data.zip -d /tmp/x && /tmp/x/run');
