// Updates of real packages, as they are and with something put into them.
//   updates.mjs QANAT DATA [--list]      tarballs: bench/get-updates
// 300 pairs of consecutive versions of the packages that bench/corpus/package.json names: each later version is checked with the
// earlier one beside it; then again with an inert payload (updates/payloads.mjs) in its install script or its main file: plain,
// minified, or bundled.  Prints how many raise an alarm; --list names the alarms about updates as they are, and the misses.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAYLOADS } from './updates/payloads.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const survival = join(here, '../tests/survival/node_modules');
const { minify } = await import(join(survival, 'terser/main.js'));
const { build } = (await import(join(survival, 'esbuild/lib/main.js'))).default;
const [qanat, data] = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const list = process.argv.includes('--list');
const cache = join(here, 'updates/.cache');
const PAIRS = 300;
const FORMS = ['plain', 'minified', 'bundled'];

function pairs() {
  const all = [];
  for (const name of Object.keys(JSON.parse(readFileSync(join(here, 'updates/versions.json')))).sort()) {
    const versions = JSON.parse(readFileSync(join(here, 'updates/versions.json')))[name];
    const file = (v) => join(cache, name.replace('/', '__'), `${v}.tgz`);
    for (let i = 1; i < versions.length; i++) {
      if (existsSync(file(versions[i])) && existsSync(file(versions[i - 1]))) {
        all.push({ name, before: file(versions[i - 1]), now: file(versions[i]), version: versions[i] });
      }
    }
  }
  // Round robin over the packages, so that fewer pairs still come from all of them.
  const by = Map.groupBy ? Map.groupBy(all, (p) => p.name) : all.reduce((m, p) => m.set(p.name, [...(m.get(p.name) ?? []), p]), new Map());
  const order = [];
  for (let round = 0; order.length < all.length; round++) for (const l of by.values()) if (l[round]) order.push(l[round]);
  return order.slice(0, PAIRS);
}

function check(target, previous) {
  const run = spawnSync(qanat, ['check', '--offline', '--quiet', '--data', data, '--format', 'json', '--jobs', '1', target, '--previous', previous],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (![0, 1, 3].includes(run.status)) throw new Error(`${target}: ${run.stderr}`);
  const [result] = JSON.parse(run.stdout).results;
  return { verdict: result.verdict, rules: (result.findings ?? []).map((f) => f.rule), reason: result.reason ?? '' };
}

// --- putting something in ---

const guarded = (code) => `(function () { if (!process.env.QANAT_FIXTURE_NEVER_SET) return;\n${code}\n})();\n`;

async function shaped(code, form, work) {
  if (form === 'plain') return guarded(code);
  if (form === 'minified') return `${(await minify(guarded(code), { toplevel: true })).code}\n`;
  const entry = join(work, 'entry.js');
  writeFileSync(entry, `require('./part.js').start();\n`);
  writeFileSync(join(work, 'part.js'), `exports.start = function () { ${guarded(code)} };\n`);
  const out = await build({ entryPoints: [entry], bundle: true, minify: true, platform: 'node', format: 'iife', write: false, logLevel: 'silent' });
  return out.outputFiles[0].text;
}

// The file that an import of the package runs, if it is JavaScript.
function mainOf(dir, manifest) {
  const first = (x) => (typeof x === 'string' ? x : x && typeof x === 'object' ? first(x.node ?? x.require ?? x.import ?? x.default ?? Object.values(x)[0]) : undefined);
  const wanted = [manifest.main, first(manifest.exports?.['.'] ?? (typeof manifest.exports === 'string' ? manifest.exports : undefined)), manifest.module, 'index.js'];
  for (const w of wanted.filter((w) => typeof w === 'string')) {
    for (const path of [w, `${w}.js`, `${w}/index.js`].map((p) => posix.normalize(p))) {
      if (/\.[cm]?js$/.test(path) && existsSync(join(dir, path))) return path;
    }
  }
  return null;
}

async function inject(pair, payload, form, phase, dir, work) {
  spawnSync('tar', ['xzf', pair.now, '-C', dir, '--strip-components=1', '--no-same-permissions']);
  const file = join(dir, 'package.json');
  const manifest = JSON.parse(readFileSync(file));
  const main = mainOf(dir, manifest);
  const code = await shaped(payload.code, form, work);
  for (const [name, text] of Object.entries(payload.files ?? {})) {
    for (const d of new Set(['scripts', main ? dirname(main) : '.'])) { mkdirSync(join(dir, d), { recursive: true }); writeFileSync(join(dir, d, name), text); }
  }
  if (phase === 'hook' || !main) {
    mkdirSync(join(dir, 'scripts'), { recursive: true });
    writeFileSync(join(dir, 'scripts/prepare-env.cjs'), code);
    const had = manifest.scripts?.postinstall;
    manifest.scripts = { ...manifest.scripts, postinstall: `${had ? `${had} && ` : ''}node scripts/prepare-env.cjs` };
    writeFileSync(file, JSON.stringify(manifest, null, 2));
    return 'hook';
  }
  const text = readFileSync(join(dir, main), 'utf8');
  const esm = main.endsWith('.mjs') || (manifest.type === 'module' && !main.endsWith('.cjs'));
  if (esm) writeFileSync(join(dir, dirname(main), 'support.cjs'), code);
  writeFileSync(join(dir, main), esm ? `import './support.cjs';\n${text}` : `${text}\n;${code}`);
  return 'import';
}

// --- counting ---

const share = (n, of) => `${n} of ${of} (${(100 * n / of).toFixed(1)} %)`;
const all = pairs();
const plain = { clean: 0, unknown: 0, suspicious: 0, malicious: 0 };
for (const p of all) {
  p.result = check(p.now, p.before);
  plain[p.result.verdict]++;
  if (list && p.result.verdict !== 'clean') console.log(`  as it is: ${p.name}@${p.version}: ${p.result.verdict} ${p.result.rules} ${p.result.reason}`);
}
console.log(`ordinary updates       ${all.length}: malicious ${plain.malicious}, suspicious ${share(plain.suspicious, all.length)}, unknown ${plain.unknown}`);

const seen = { all: [0, 0, 0] };
for (const [i, p] of all.entries()) {
  const work = mkdtempSync(join(tmpdir(), 'qanat-updates-'));
  const dir = join(work, 'package');
  mkdirSync(dir);
  const payload = PAYLOADS[i % PAYLOADS.length];
  const form = FORMS[Math.floor(i / PAYLOADS.length) % FORMS.length];
  const phase = payload.browser ? 'import' : ['hook', 'import'][Math.floor(i / (PAYLOADS.length * FORMS.length)) % 2 ^ i % 2];
  const where = await inject(p, payload, form, phase, dir, work);
  const { verdict, rules } = check(dir, p.before);
  const found = verdict === 'malicious' || verdict === 'suspicious';
  for (const key of ['all', form, where]) {
    seen[key] ??= [0, 0, 0];
    seen[key][0]++;
    seen[key][1] += found;
    seen[key][2] += verdict === 'malicious';
  }
  if (list && !found) console.log(`  missed: ${p.name}@${p.version}: ${payload.family}, ${form}, ${where}: ${verdict} ${rules}`);
  rmSync(work, { recursive: true });
}
for (const [key, [n, found, malicious]] of Object.entries(seen)) {
  console.log(`with a payload, ${key.padEnd(8)} found ${share(found, n)}, malicious ${share(malicious, n)}`);
}
