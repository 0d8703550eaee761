// Where the npm of this machine keeps its own packages: npmPackage() makes a require() for them.
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function npmPackage() {
  const program = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return createRequire(join(dirname(dirname(realpathSync(program))), 'package.json'));
}
