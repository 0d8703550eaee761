// Compares our choice of a version from a packument with the one of npm's own npm-pick-manifest, on generated packuments.
// Fixed seed.  Usage: pick.mjs PATH-OF-pick-echo
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

function load() {
  try {
    return createRequire(import.meta.url)('npm-pick-manifest');
  } catch {
    console.log('1..0 # SKIP npm-pick-manifest of tests/package.json is not installed');
    process.exit(0);
  }
}
const pickManifest = load();

let seed = Number(process.env.SEED ?? 4711);
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];
const version = () => `${rand(3)}.${rand(3)}.${rand(3)}` + (rand(4) ? '' : '-' + pick(['0', 'a', 'rc.1', 'rc.2'])) + (rand(15) ? '' : '+b');
const DATES = ['2020-01-01', '2020-02-01', '2020-03-01', '2020-04-01'].map((d) => `${d}T00:00:00.000Z`);

function packument() {
  const versions = {};
  const time = { created: DATES[0], modified: DATES[3] };
  for (let i = rand(8); i > 0; i--) {
    const v = version();
    versions[v] = { name: 'p', version: v };
    if (rand(3) === 0) versions[v].deprecated = pick(['old', '', true, false]);
    if (rand(3) === 0) versions[v].engines = pick([{ node: '>=99' }, { node: '>=4' }, { node: '' }, { npm: '>=99' }, ['x'], { node: 7 }]);
    if (rand(6)) time[v] = pick(DATES);
  }
  const known = Object.keys(versions);
  const tags = {};
  for (const tag of ['latest', 'next', 'beta']) if (rand(3)) tags[tag] = rand(6) && known.length ? pick(known) : version();
  const doc = { name: 'p', 'dist-tags': tags, versions };
  if (rand(4)) doc.time = time;
  return doc;
}

const OPS = ['^', '~', '>=', '<', '<=', '>', '', '=', 'v'];
const spec = () => pick([() => '', () => '*', () => pick(['latest', 'next', 'beta', 'none']), version, () => pick(OPS) + version(), () => pick(OPS) + rand(3),
  () => `${rand(3)}.x || ${version()}`, () => `>=${version()} <${version()}`, () => ` ${version()} `])();

const questions = Array.from({ length: 20000 }, () => ({
  packument: packument(),
  spec: spec(),
  ...(rand(3) ? {} : { before: pick(DATES) }),
  ...(rand(2) ? { node: 'v20.1.0' } : {}),
  ...(rand(4) ? {} : { npm: '10.0.0' }),
  ...(rand(5) ? {} : { tag: pick(['next', 'beta']) }),
}));

function expected(q) {
  try {
    return pickManifest(q.packument, q.spec, { before: q.before ?? null, nodeVersion: q.node ?? null, npmVersion: q.npm ?? null, defaultTag: q.tag ?? 'latest' }).version;
  } catch {
    return 'none';
  }
}

const run = spawnSync(process.argv[2], { input: questions.map((q) => JSON.stringify(q) + '\n').join(''), maxBuffer: 1 << 28 });
const lines = run.stdout.toString().split('\n').slice(0, -1);
let bad = run.status === 0 && lines.length === questions.length ? 0 : 1;
let chosen = 0;
questions.forEach((q, i) => {
  const want = expected(q);
  chosen += want !== 'none';
  if (want !== lines[i] && bad++ < 10) console.log(`# ${JSON.stringify(q)}\n#   npm ${want}, ours ${lines[i]}`);
});
console.log(`# ${questions.length} questions, ${chosen} with a choice, ${bad} differ`);
console.log(`${bad ? 'not ok' : 'ok'} 1 - the choice of npm-pick-manifest\n1..1`);
process.exit(bad ? 1 : 0);
