// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const https = require('https');
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const bin = path.join(__dirname, 'bin', 'tool');
// Fetches the binary for this platform and asks it for its version, as native tools do.
https.get('https://downloads.example.invalid/tool/1.0.0/' + process.platform, (res) => {
  res.pipe(fs.createWriteStream(bin)).on('finish', () => {
    fs.chmodSync(bin, 0o755);
    execFileSync(bin, ['--version'], { env: { ...process.env, CI: '1' } });
  });
});
