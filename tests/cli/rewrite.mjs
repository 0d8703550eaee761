// Compares our rewriting of registry documents with a plain one in JavaScript, and asks npm's own npm-pick-manifest what it makes
// of the result: on generated documents, many of them odd, and on the real ones in npm's cache of this machine.
// Fixed seed.  Usage: rewrite.mjs PATH-OF-rewrite-echo
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

function load() {
  try {
    const require = createRequire(import.meta.url);
    return [require('npm-pick-manifest'), require('semver')];
  } catch {
    console.log('1..0 # SKIP npm-pick-manifest and semver of tests/package.json are not installed');
    process.exit(0);
  }
}
const [pickManifest, semver] = load();

let seed = Number(process.env.SEED ?? 4711);
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];
const version = () => `${rand(3)}.${rand(3)}.${rand(2)}` + (rand(3) ? '' : '-' + pick(['0', 'a', 'rc.1', 'rc.2'])) + (rand(15) ? '' : '+b');
const BASE = 'https://gate.example/npm';

// --- the reference ---

const plain = (v) => /^[0-9][0-9A-Za-z.+-]*$/.test(v) && semver.parse(v) !== null;
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const filled = (v) => typeof v === 'string' && v !== '';
const address = (name, v) => `${BASE}/${name}/-/${name.split('/').pop()}-${v}.tgz`;

const FIELDS = ['deprecated', 'dependencies', 'optionalDependencies', 'devDependencies', 'bundleDependencies', 'peerDependencies',
  'peerDependenciesMeta', 'acceptDependencies', 'bin', 'directories', 'engines', 'cpu', 'os', 'libc', 'funding', '_hasShrinkwrap'];

function manifest(name, key, m, short) {
  const dist = { ...(isObject(m.dist) ? m.dist : {}), tarball: address(name, key) };
  if (!short) return { ...m, dist };
  const out = { name, version: key, dist };
  for (const f of FIELDS) if (Object.hasOwn(m, f)) out[f] = m[f];
  if (!Object.hasOwn(m, 'bundleDependencies') && Object.hasOwn(m, 'bundledDependencies')) out.bundleDependencies = m.bundledDependencies;
  const s = isObject(m.scripts) ? m.scripts : {};
  if (['preinstall', 'install', 'postinstall'].some((h) => Object.hasOwn(s, h) && filled(s[h])) || m.gypfile === true || m.hasInstallScript === true)
    out.hasInstallScript = true;
  return out;
}

const order = (a, b) => semver.compareBuild(a, b) || (a < b ? -1 : 1);

function move(target, allowed) {
  if (typeof target !== 'string') return undefined;
  if (allowed.includes(target)) return target;
  if (!semver.parse(target)) return undefined;
  const pre = semver.prerelease(target);
  return allowed.filter((v) => semver.compare(v, target) <= 0 && (pre || !semver.prerelease(v))).sort(order).at(-1);
}

function reference(q) {
  const doc = JSON.parse(q.text);
  if (!isObject(doc) || doc.name !== q.name || !isObject(doc.versions)) return -22;
  const blocked = new Map(q.blocked);
  const fits = ([k, m]) => plain(k) && isObject(m) && m.name === q.name && m.version === k;
  const kept = Object.entries(doc.versions).filter((e) => fits(e) && !blocked.has(e[0]));
  const allowed = kept.map((e) => e[0]);
  const tags = Object.fromEntries(Object.entries(isObject(doc['dist-tags']) ? doc['dist-tags'] : {}).map(([t, v]) => [t, move(v, allowed)]).filter((e) => e[1]));
  if (q.tags) return tags;
  if (q.only) {
    const key = Object.hasOwn(doc.versions, q.only) ? q.only : tags[q.only];
    if (key && allowed.includes(key)) return manifest(q.name, key, doc.versions[key], q.short);
    const meant = Object.hasOwn(doc.versions, q.only) ? q.only : doc['dist-tags']?.[q.only];
    return blocked.has(meant) ? -13 : -2;
  }
  const versions = Object.fromEntries(kept.map(([k, m]) => [k, manifest(q.name, k, m, q.short)]));
  const gone = Object.keys(doc.versions).filter((v) => plain(v) && blocked.has(v));
  const time = Object.fromEntries(Object.entries(isObject(doc.time) ? doc.time : {}).filter(([k, v]) =>
    k === 'unpublished' || (typeof v === 'string' && (['created', 'modified'].includes(k) || allowed.includes(k)))));
  const out = q.short ? { name: q.name, 'dist-tags': tags, versions } : { ...doc, versions };
  if (q.short) {
    const modified = typeof doc.modified === 'string' ? doc.modified : time.modified;
    if (modified !== undefined) out.modified = modified;
  } else {
    if (Object.hasOwn(doc, 'dist-tags')) out['dist-tags'] = tags;
    if (Object.hasOwn(doc, 'time')) out.time = time;
    delete out.stagedVersions;
  }
  delete out.policyRestrictions;
  if (gone.length)
    out.policyRestrictions = { message: q.message, versions: Object.fromEntries(gone.map((v) => [v, { name: q.name, version: v, reason: blocked.get(v) }])) };
  return out;
}

// --- documents ---

const quote = (s) => (rand(12) ? JSON.stringify(s) : `"${[...s].map((c) => (rand(4) && /[ !#-[\]-~]/.test(c) ? c : '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))).join('')}"`);
// JSON as an attacker may write it: blanks, escapes, keys that are there twice.
function write(v) {
  const blank = () => (rand(20) ? '' : pick([' ', '\n', '\t ']));
  if (Array.isArray(v)) return `[${blank()}${v.map(write).join(`${blank()},`)}]`;
  if (!isObject(v)) return typeof v === 'string' ? quote(v) : JSON.stringify(v);
  const members = Object.entries(v).map(([k, x]) => `${quote(k)}${blank()}:${blank()}${write(x)}`);
  for (const k of Object.keys(v))
    if (rand(40) === 0) members[rand(4) ? 'unshift' : 'push'](`${quote(k)}:${write(pick([v[k], null, 'x', {}, Object.values(v)[0]]))}`);
  return `{${blank()}${members.join(`,${blank()}`)}${blank()}}`;
}

function generated(name) {
  const versions = {};
  const time = { created: 'c', modified: 'm' };
  for (let i = rand(9); i > 0; i--) {
    const v = rand(12) ? version() : pick(['v1.0.0', '01.0.0', '1.0', 'junk', 'constructor']);
    const m = { name: rand(15) ? name : 'other', version: rand(15) ? v : version(), description: 'é "x" \\', _id: `${name}@${v}` };
    if (rand(8)) m.dist = { shasum: 'x', tarball: `https://elsewhere.example/${v}`, signatures: [{ keyid: 'k' }], n: 1e21 };
    if (rand(4) === 0) m.scripts = { [pick(['install', 'postinstall', 'test'])]: pick(['x', '', null]) };
    if (rand(4) === 0) m[pick(FIELDS)] = pick([{ a: '^1' }, ['a'], true, 'text', null]);
    if (rand(9) === 0) m.bundledDependencies = ['b'];
    if (rand(9) === 0) m.gypfile = pick([true, false, 'true']);
    if (rand(30) === 0) m.dist = pick([null, 'x', [], {}]);
    versions[v] = m;
    if (rand(5)) time[v] = pick(['2020', '2021', 7]);
  }
  if (rand(9) === 0) time['9.9.9'] = 'gone';
  const known = Object.keys(versions);
  const tags = {};
  for (const tag of ['latest', 'next', 'toString', '1st']) if (rand(3)) tags[tag] = rand(6) && known.length ? pick(known) : pick([version(), 'junk', 7]);
  const doc = { _id: name, name: rand(40) ? name : 'other', 'dist-tags': tags, versions: rand(40) ? versions : [], readme: 'text', users: { a: true } };
  if (rand(3)) doc.time = time;
  if (rand(9) === 0) doc.modified = 'then';
  if (rand(9) === 0) doc.stagedVersions = { versions };
  return doc;
}

function question(text, name, known) {
  const blocked = [...new Set(known.filter(() => rand(3) === 0))].filter(plain).sort((a, b) => (Buffer.compare(Buffer.from(a), Buffer.from(b))));
  return { text, name, base: BASE, short: rand(2) === 0, tags: rand(10) === 0, message: 'not allowed here', blocked: blocked.map((v) => [v, `because of ${v}`]),
    ...(rand(6) ? {} : { only: known.length && rand(2) ? pick(known) : 'latest' }) };
}

// Documents that npm fetched for whatever reason.
function* cached(max) {
  const root = join(process.env.npm_config_cache ?? join(homedir(), '.npm'), '_cacache');
  if (!existsSync(join(root, 'index-v5'))) return;
  for (const file of readdirSync(join(root, 'index-v5'), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const entry = readFileSync(join(file.parentPath ?? file.path, file.name), 'utf8').trim().split('\n').at(-1).split('\t')[1];
    try {
      const hex = Buffer.from(JSON.parse(entry).integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
      const text = readFileSync(join(root, 'content-v2/sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)), 'utf8');
      if (text[0] === '{' && isObject(JSON.parse(text).versions) && max-- > 0) yield text;
    } catch {}
  }
}

const questions = Array.from({ length: 6000 }, () => {
  const name = pick(['p', '@s/n']);
  const doc = generated(name);
  return question(write(doc), name, Object.keys(doc.versions));
});
const made = questions.length;
for (const text of cached(40)) {
  const doc = JSON.parse(text);
  for (let i = 0; i < 3; i++) questions.push(question(text, doc.name, Object.keys(doc.versions)));
}

// --- the comparison ---

const echo = spawnSync(process.argv[2], { input: questions.map((q) => JSON.stringify(q) + '\n').join(''), maxBuffer: 2 ** 30, encoding: 'utf8' });
const answers = echo.stdout.trim().split('\n').map((l) => JSON.parse(l));
const wrong = [];
let picks = 0;
const leaks = [];

function ask(doc, wanted) {
  try {
    return pickManifest(doc, wanted, { nodeVersion: null });
  } catch (e) {
    return e;
  }
}

questions.forEach((q, i) => {
  const got = typeof answers[i] === 'string' ? JSON.parse(answers[i]) : answers[i];
  let want = reference(q);
  if (isObject(want)) want = JSON.parse(JSON.stringify(want));
  if (!isDeepStrictEqual(got, want) && !isDeepStrictEqual(JSON.stringify(sorted(got)), JSON.stringify(sorted(want)))) wrong.push([q, got, want]);
  if (!isObject(got) || q.only || q.tags || !got.versions) return;
  const names = new Set(q.blocked.map((b) => b[0]));
  for (const wanted of ['*', '^1.0.0', 'latest', ...names]) {
    const m = ask(got, wanted);
    picks++;
    if (names.has(m?.version)) leaks.push([q, wanted]);
    if (names.has(wanted) && got.policyRestrictions?.versions[wanted] && !wanted.includes('+') && !(m?.code === 'E403' && m.message.includes('not allowed here')))
      leaks.push([q, wanted, String(m)]);
  }
});

function sorted(v) {
  if (Array.isArray(v)) return v.map(sorted);
  return isObject(v) ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v;
}

console.log('1..3');
console.log(`${echo.status === 0 && answers.length === questions.length ? 'ok' : 'not ok'} 1 - all are answered: ${made} made and ${questions.length - made} of real documents`);
console.log(`${wrong.length ? 'not ok' : 'ok'} 2 - the same as the reference`);
for (const [q, got, want] of wrong.slice(0, 3))
  console.log(`# ${JSON.stringify(q).slice(0, 1500)}\n#   got ${JSON.stringify(got)?.slice(0, 1200)}\n#  want ${JSON.stringify(want)?.slice(0, 1200)}`);
console.log(`${leaks.length ? 'not ok' : 'ok'} 3 - npm picks nothing that is blocked, and says why (${picks} choices)`);
for (const l of leaks.slice(0, 3)) console.log(`# ${JSON.stringify(l).slice(0, 1500)}`);
