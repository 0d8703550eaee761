// Compares `qanat semver --batch` with the semver package run by Node: every case of its documentation, then generated
// and damaged versions and ranges.  Fixed seed.
// The package comes from tests/package.json; where tests/node_modules has another version or none, npm installs it aside.
// Usage: semver.mjs PATH-OF-qanat DIRECTORY-OF-tests DIRECTORY-TO-INSTALL-INTO
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [qanat, tests, work] = process.argv.slice(2).map((p) => resolve(p));
const wanted = JSON.parse(readFileSync(join(tests, 'package.json'))).dependencies.semver;

function load(directory) {
  try {
    const require = createRequire(join(directory, 'package.json'));
    return require('semver/package.json').version === wanted ? require('semver') : null;
  } catch {
    return null;
  }
}

function install() {
  mkdirSync(work, { recursive: true });
  spawnSync('npm', ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `semver@${wanted}`]);
  return load(work);
}

const semver = load(tests) ?? load(work) ?? install();
if (!semver) {
  console.log(`1..0 # SKIP semver ${wanted} could not be installed by npm`);
  process.exit(0);
}

let seed = Number(process.env.SEED ?? 20250131);
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];
const many = (n, make, glue) => Array.from({ length: n }, make).join(glue);

// --- what is asked ---

const NUMBERS = ['0', '0', '0', '1', '1', '1', '2', '2', '3', '10', '11', '00', '01', '9007199254740990', '9007199254740991',
  '9007199254740992', '999999999999999999999', '9'.repeat(30), '123456789012345678901', '0'.repeat(20) + '1', '34'];
const number = () => (rand(4) ? pick(['0', '0', '1', '1', '2', '3', '12']) : pick(NUMBERS));
const IDENTS = ['alpha', 'beta', 'rc', '0', '1', '2', '10', '01', '00', '-', '--', 'a-b', '0a', '1-', 'x', 'X', 'A', 'v', '7f', '9007199254740991',
  '9007199254740992', '9007199254740993', '90071992547409910', '-1', 'é'];
const ident = () => (rand(3) ? pick(['alpha', 'beta', '0', '1', '2']) : pick(IDENTS));
const pre = () => many(1 + rand(3), ident, '.');
const SPACES = [' ', '  ', '\t', '\n', '\u00a0', '\ufeff', '\u2028', ''];
const space = () => (rand(4) ? '' : pick(SPACES));
const prefix = () => pick(['', '', '', '', 'v', '=', 'v=', '=v', '= ', 'v ', '==', 'vv', ' =']);

function version() {
  let v = `${number()}.${number()}.${number()}`;
  if (rand(2)) v += pick(['-', '-', '-', '-', '', '.']) + pre();
  if (rand(5) === 0) v += '+' + pick([pre(), pre(), '', '+', 'b.01']);
  if (rand(6) === 0) v = prefix() + v;
  if (rand(20) === 0) v = space() + v + space();
  return v;
}

const X = () => (rand(3) ? number() : pick(['x', 'X', '*', 'x', '*']));
function partial() {
  let v = X();
  if (rand(5)) v += '.' + X();
  if (rand(4) && v.includes('.')) v += '.' + X();
  if (v.split('.').length === 3 && rand(3) === 0) v += pick(['-', '-', '-', '']) + pre();
  if (rand(12) === 0) v += '+' + pre();
  return (rand(8) ? '' : prefix()) + v;
}
const OPS = ['', '', '', '^', '^', '~', '~', '~>', '>', '>=', '<', '<=', '=', '==', '>==', '^ ', '~ ', '~> ', '> ', '>= ', '< ', '<= ', '= ', '=>', '^~', '> = ', '!', '^>', '~<'];
const simple = () => pick(OPS.slice(0, rand(6) ? 13 : OPS.length)) + partial();
const GLUE = [' ', ' ', ' ', ' ', '', '  ', ',', '\t', ' - '];
function set() {
  if (rand(6) === 0) return partial() + pick([' - ', ' - ', ' - ', ' -', '- ', '  -  ', '-']) + partial();
  if (rand(25) === 0) return pick(['', '*', 'x', ' ', 'latest', '>', '^', '~', '-', '||', '<0.0.0-0', '>=0.0.0', '>=0.0.0-0', '>*', '<*', '* *', 'foo * bar']);
  return many(1 + rand(rand(3) ? 2 : 4), simple, pick(GLUE));
}
const range = () => space() + many(1 + rand(rand(3) ? 1 : 4), set, pick(['||', ' || ', ' ||', '|| ', '|', '||||'])) + space();

const CHARACTERS = [...'0123456789.-+xX*^~<>=|v \t\u00a0ab'];
function damage(s) {
  for (let i = 1 + rand(3); i > 0; i--) {
    const at = rand(s.length + 1);
    const cut = rand(2);
    s = s.slice(0, at) + (rand(3) ? pick(CHARACTERS) : '') + s.slice(at + cut);
  }
  return s;
}
const maybe = (s) => (rand(5) ? s : damage(s));
const long = () => pick([
  () => '1.2.3-' + 'a'.repeat(245 + rand(12)),
  () => '1.2.3-' + '1'.repeat(245 + rand(12)),
  () => '1.2.3+' + 'a'.repeat(245 + rand(12)),
  () => '1.2.3-' + many(60 + rand(80), ident, '.'),
  () => '1.2.' + '1'.repeat(250 + rand(12)) + pick(['', 'a', '-a']),
  () => '0'.repeat(250 + rand(10)) + '1.2.3',
  () => ' '.repeat(rand(300)) + '1.2.3',
])();
const longRange = () => pick(['', '^', '~', '>=', '<', '>1 ']) + long() + pick(['', ' || 1', ' 1.x', ' - 2']);

// --- the documentation of the package, case by case ---

const V = (text) => text.split(' ');
const DOCUMENTED = [
  ['1.2.9', '=1.2.9 <2.0.0'], ['2.0.0', '=1.2.9 <2.0.0'],
  ...V('1.2.7 1.2.8 2.5.3 1.3.9 1.2.6 1.1.0').map((v) => [v, '>=1.2.7']),
  ...V('1.2.7 1.2.8 1.2.99 1.2.6 1.3.0 1.1.0').map((v) => [v, '>=1.2.7 <1.3.0']),
  ...V('1.2.7 1.2.9 1.4.6 1.2.8 2.0.0').map((v) => [v, '1.2.7 || >=1.2.9 <2.0.0']),
  ...V('1.2.3-alpha.3 1.2.3-alpha.7 3.4.5-alpha.9 3.4.5').map((v) => [v, '>1.2.3-alpha.3']),
];
const DESUGARED = ['1.2.3 - 2.3.4', '1.2 - 2.3.4', '1.2.3 - 2.3', '1.2.3 - 2', '*', '1.x', '1.2.x', '', '1', '1.2', '~1.2.3', '~1.2', '~1',
  '~0.2.3', '~0.2', '~0', '~1.2.3-beta.2', '^1.2.3', '^0.2.3', '^0.0.3', '^1.2.3-beta.2', '^0.0.3-beta', '^1.2.x', '^0.0.x', '^0.0', '^1.x', '^0.x',
  '1.X', '1.2.*', '>=1.2.7 <1.3.0', '1.2.7 || >=1.2.9 <2.0.0', '>1', '>1.2', '<=1.2', '<1', '>=1', '~>1.2', '>=0.0.0', '^1.2 ^1', '>x', '<x || 1'];
const ORDERED = V('1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 2.0.0 2.1.0 2.1.1 1.2.3+a 1.2.3+b');

const questions = [];
const FLAGS = [{}, { loose: true }, { includePrerelease: true }, { loose: true, includePrerelease: true }];
const ask = (q) => questions.push({ ...q, ...pick(FLAGS) });
const askAll = (q) => FLAGS.forEach((f) => questions.push({ ...q, ...f }));
DOCUMENTED.forEach(([v, r]) => askAll({ op: 'satisfies', version: v, range: r }));
DESUGARED.forEach((r) => askAll({ op: 'valid-range', range: r }));
ORDERED.forEach((a) => ORDERED.forEach((b) => askAll({ op: 'compare', a, b })));
const documented = questions.length;

const COUNT = Number(process.env.COUNT ?? 60000);
for (let i = 0; i < COUNT; i++) {
  const r = rand(60) ? maybe(range()) : longRange();
  const v = rand(60) ? maybe(version()) : long();
  ask({ op: 'satisfies', version: v, range: r });
  ask({ op: 'valid-range', range: r });
  if (i % 2) ask({ op: 'compare', a: v, b: rand(3) ? version() : damage(v) });
  if (i % 3 === 0) ask({ op: 'valid', version: v });
  if (i % 7 === 0) ask({ op: 'max-satisfying', range: r, versions: Array.from({ length: rand(8) }, version) });
  if (i % 11 === 0) ask({ op: 'sort', versions: Array.from({ length: rand(8) }, () => (rand(30) ? version().trim() : maybe(version()))) });
}
// Versions close to the bounds of a range say the most.
for (let i = 0; i < COUNT; i++) {
  const base = [rand(3), rand(3), rand(3)].join('.') + (rand(2) ? '-' + pick(['0', 'a', 'a.1', 'b']) : '');
  const near = [rand(4), rand(4), rand(4)].join('.') + (rand(2) ? '-' + pick(['0', 'a', 'a.1', 'a.2', 'b']) : '');
  const one = () => pick(['^', '~', '>', '>=', '<', '<=', '', '=']) + base.split('.').slice(0, 1 + rand(3)).join('.');
  ask({ op: 'satisfies', version: near, range: pick([one, () => `${one()} ${one()}`, () => `${one()} || ${one()}`, () => `${base} - ${one()}`, () => `0 - ${base}`])() });
}

// --- the answers ---

const OPERATIONS = {
  satisfies: (q) => semver.satisfies(q.version, q.range, q),
  compare: (q) => semver.compare(q.a, q.b, q),
  'max-satisfying': (q) => semver.maxSatisfying(q.versions, q.range, q),
  valid: (q) => semver.valid(q.version, q),
  'valid-range': (q) => semver.validRange(q.range, q),
  // semver does not look at a version that it need not compare; we refuse it all the same.
  sort: (q) => semver.sort(q.versions.map((v) => new semver.SemVer(v, q) && v), q),
};
const expected = (q) => {
  try {
    return JSON.stringify({ result: OPERATIONS[q.op](q) });
  } catch {
    return 'error';
  }
};

const run = spawnSync(qanat, ['semver', '--batch'], { input: questions.map((q) => JSON.stringify(q) + '\n').join(''), maxBuffer: 1 << 30 });
const lines = run.stdout.toString().split('\n').slice(0, -1);
const found = { documented: 0, generated: 0 };
const counts = {};
questions.forEach((q, i) => {
  const want = expected(q);
  const line = lines[i] ?? '';
  const got = line.startsWith('{"error"') ? 'error' : line === '' ? 'nothing' : JSON.stringify(JSON.parse(line));
  const result = want === 'error' ? 'error' : /^\{"result":(false|null)/.test(want) ? 'no' : 'yes';
  counts[`${q.op} ${result}`] = (counts[`${q.op} ${result}`] ?? 0) + 1;
  if (want === got) return;
  const kind = i < documented ? 'documented' : 'generated';
  if (found[kind]++ < 10) console.log(`# ${JSON.stringify(q)}\n#   semver ${want}\n#   qanat  ${got}`);
});
console.log(`# ${questions.length} questions: ${JSON.stringify(counts)}`);
console.log(`${found.documented ? 'not ok' : 'ok'} 1 - the ${documented} cases of the documentation`);
console.log(`${found.generated ? 'not ok' : 'ok'} 2 - generated versions and ranges (${found.generated} differ)`);
console.log('1..2');
process.exit(found.documented || found.generated ? 1 : 0);
