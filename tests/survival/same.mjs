// That mutations keep what a program does, and do change its text: a harmless program is mutated and run.  TAP.
// Usage: same.mjs WORK
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [work] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url)); // Node 18 has no import.meta.dirname
const wanted = Object.keys(JSON.parse(readFileSync(join(here, 'package.json'))).dependencies);
if (!wanted.every((name) => existsSync(join(here, 'node_modules', name)))) {
  console.log('1..0 # SKIP the packages of tests/survival/package.json are not installed (tools/setup installs them)');
  process.exit(0);
}
const { manifestOf, scriptsOf, writePackage, writeTarball } = await import('./package-files.mjs');
const { MUTATIONS, mutate } = await import('./mutate.mjs');

const main = `#!/usr/bin/env node
// A harmless program.
if (!process.env.QANAT_FIXTURE_NEVER_SET) { /* goes on */ }
const { join, sep } = require('path');
const lib = require('./lib.js');
const table = { 'a key with blanks': 1, plain: { deeper: ['one', 'two words'] }, get size() { return 3; } };
const none = null;
const said = [join('some', 'where').split(sep).length, table['a key with blanks'], table.plain.deeper[1].toUpperCase(),
  none?.plain?.deeper ?? 'nothing', (table).size, 1..toFixed(2), \`template \${lib.double(21)} \${'inner'} end\`,
  lib.parts.map((part) => part.name).join(','), typeof module.exports, new Date(0).getTime()];
process.stdout.write(JSON.stringify(said) + '\\n', () => process.exit(0));
`;
const lib = `'use strict';
class Part { constructor(name) { this.name = name; } }
exports.parts = ['first', 'second one', 'third'].map((name) => new Part(name));
exports.double = function double(number) { const twice = number * 2; return twice; };
`;
const file = (text, mode = 0o644) => ({ data: Buffer.from(text), mode });
const sample = new Map([['index.js', file(main, 0o755)], ['lib.js', file(lib)],
  ['package.json', file('{ "name": "sample", "version": "1.0.0", "main": "index.js", "scripts": { "start": "node ./index.js" } }\n')]]);

function run(pkg, directory, tarball) {
  if (tarball) {
    mkdirSync(directory, { recursive: true });
    writeTarball(pkg, join(directory, 'x.tgz'));
    execFileSync('tar', ['-xzf', 'x.tgz', '--strip-components=1'], { cwd: directory });
  } else {
    writePackage(pkg, directory);
  }
  const [program, ...args] = JSON.parse(readFileSync(join(directory, 'package.json'))).scripts.start.split(' ');
  const options = { cwd: directory, encoding: 'utf8', timeout: 60000 };
  const started = execFileSync(program, args, options);
  return started === execFileSync('node', [manifestOf(pkg).main], options) ? started : `${started} but not from main`;
}

rmSync(work, { recursive: true, force: true });
const before = run(sample, join(work, 'as-is'));
const texts = (pkg) => scriptsOf(pkg).map((path) => path + pkg.get(path).data).join('\0');
console.log(`1..${MUTATIONS.length * 2}`);
for (const [i, mutation] of MUTATIONS.entries()) {
  const { pkg, why } = await mutate(mutation, sample, join(work, 'cache'), '');
  let after = why;
  try {
    after = pkg ? run(pkg, join(work, mutation.name), mutation.tarball) : why;
  } catch (error) {
    after = error.message;
  }
  console.log(`${after === before ? 'ok' : 'not ok'} ${2 * i + 1} - ${mutation.name}: the program does the same`);
  if (after !== before) console.log(`# ${JSON.stringify(after).slice(0, 1000)}`);
  console.log(`${pkg && texts(pkg) !== texts(sample) ? 'ok' : 'not ok'} ${2 * i + 2} - ${mutation.name}: the text is another`);
}
rmSync(work, { recursive: true, force: true });
