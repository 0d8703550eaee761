// Whether verdicts survive what authors of malware do to their code: every example of the rules whose JavaScript decides
// its verdict is mutated and checked again.  TAP; fails below the thresholds of thresholds.json, which only rise.
// Usage: survive.mjs QANAT DATA EXAMPLES WORK [--markdown] [--ratchet] [--list] [--keep]
//   --markdown  print docs/SURVIVAL.md instead     --ratchet  raise thresholds.json to what was measured
//   --list      name what was missed or alarmed about       --keep     leave the mutated packages in WORK/packages
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)); // Node 18 has no import.meta.dirname
const args = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const flag = (name) => process.argv.includes(`--${name}`);
const [qanat, data, examples, work] = args;

const missing = Object.keys(JSON.parse(readFileSync(join(here, 'package.json'))).dependencies)
  .filter((name) => !existsSync(join(here, 'node_modules', name)));
if (missing.length) {
  console.log(`1..0 # SKIP not installed: ${missing.join(', ')} (tools/setup installs them)`);
  process.exit(flag('markdown') ? 1 : 0);
}
const { loadPackage, scriptsOf, writePackage, writeTarball, TRIVIAL } = await import('./package-files.mjs');
const { MUTATIONS, mutate } = await import('./mutate.mjs');
const { formExamples } = await import('./form.mjs');

const RANK = { clean: 0, unknown: 0, suspicious: 1, malicious: 2 };
const SALT = createHash('sha256').update(['package.json', 'package-files.mjs', 'source-mutations.mjs', 'package-mutations.mjs', 'mutate.mjs']
  .map((f) => readFileSync(join(here, f))).join('\0')).digest('hex');

// --- checking many packages ---

function check(paths) {
  const verdicts = new Map();
  for (let i = 0; i < paths.length; i += 400) {
    const batch = paths.slice(i, i + 400);
    const run = spawnSync(qanat, ['check', '--offline', '--quiet', '--data', data, '--format', 'json', '--jobs', '2', ...batch],
      { encoding: 'utf8', maxBuffer: 1 << 30 });
    if (run.error || ![0, 1, 3].includes(run.status)) throw new Error(`qanat check: ${run.error ?? run.stderr}`);
    for (const result of JSON.parse(run.stdout).results) verdicts.set(result.target, result);
  }
  return paths.map((path) => verdicts.get(path) ?? { verdict: 'missing', findings: [] });
}

function put(pkg, path, tarball) {
  const target = tarball ? `${path}.tgz` : path;
  mkdirSync(dirname(target), { recursive: true });
  (tarball ? writeTarball : writePackage)(pkg, target);
  return target;
}

// --- the examples ---

function findExamples() {
  const list = [];
  for (const rule of readdirSync(examples).sort()) {
    for (const entry of readdirSync(join(examples, rule), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.isDirectory() || !/^(bad|good)/.test(entry.name) || entry.name.endsWith('.previous')) continue;
      list.push({ name: `${rule}/${entry.name}`, bad: entry.name.startsWith('bad'), pkg: loadPackage(join(examples, rule, entry.name)) });
    }
  }
  return list.filter((e) => scriptsOf(e.pkg).length);
}

// A bad example counts when its verdict falls without its scripts; a good one when it has scripts and no alarm.
function chooseExamples(all) {
  const blank = (pkg) => new Map([...pkg].map(([path, file]) => [path, scriptsOf(pkg).includes(path) ? { ...file, data: Buffer.from(TRIVIAL) } : file]));
  const whole = check(all.map((e) => put(e.pkg, join(work, 'packages', 'as-is', e.name))));
  const empty = check(all.map((e) => put(blank(e.pkg), join(work, 'packages', 'without', e.name))));
  all.forEach((e, i) => { e.rank = RANK[whole[i].verdict] ?? 0; e.without = RANK[empty[i].verdict] ?? 0; });
  return all.filter((e) => (e.bad ? e.rank > e.without : e.rank === 0));
}

// --- one mutation ---

async function measure(mutation, chosen) {
  const row = { name: mutation.name, doc: mutation.doc, bad: 0, malicious: 0, wasMalicious: 0, suspicious: 0, good: 0, quiet: 0, form: 0, formKept: 0, left: [], missed: [], weaker: [], alarms: [] };
  const made = [];
  for (const e of chosen) {
    const result = await mutate(mutation, e.pkg, join(work, 'cache'), SALT);
    if (result.pkg) made.push({ e, path: put(result.pkg, join(work, 'packages', mutation.name, e.name), mutation.tarball) });
    else row.left.push(`${e.name}: ${result.why}`);
  }
  check(made.map((m) => m.path)).forEach((result, i) => {
    if (!mutation.keeps && formExamples.has(made[i].e.name)) countForm(row, result);
    else count(row, made[i].e, result);
  });
  return row;
}

function countForm(row, result) {
  row.form++;
  if (RANK[result.verdict] >= 1) row.formKept++;
}

function count(row, e, result) {
  const rank = RANK[result.verdict] ?? 0;
  const note = `${e.name}: ${result.verdict}${result.findings.length ? ` (${result.findings.map((f) => f.rule).join(', ')})` : ''}`;
  if (!e.bad) {
    row.good++;
    if (rank === 0) row.quiet++;
    else row.alarms.push(note);
    return;
  }
  row.bad++;
  if (rank >= 1) row.suspicious++;
  else row.missed.push(note);
  if (e.rank < 2) return;
  row.wasMalicious++;
  if (rank === 2) row.malicious++;
  else if (rank === 1) row.weaker.push(note);
}

const KEYS = ['bad', 'suspicious', 'wasMalicious', 'malicious', 'good', 'quiet', 'form', 'formKept'];
const addUp = (rows) => rows.reduce((all, row) => { KEYS.forEach((k) => { all[k] += row[k]; }); return all; },
  { name: 'all', doc: 'all of them', ...Object.fromEntries(KEYS.map((k) => [k, 0])) });
const percent = (part, whole) => (whole ? Math.floor((1000 * part) / whole) / 10 : 100);
const figures = (row) => ({
  suspicious: percent(row.suspicious, row.bad), malicious: percent(row.malicious, row.wasMalicious), quiet: percent(row.quiet, row.good),
});

// --- what is printed ---

function markdown(rows, counts) {
  const line = (row) => {
    const f = figures(row);
    return `| ${row.name} | ${row.doc} | ${row.bad} | ${f.suspicious.toFixed(1)} | ${row.wasMalicious} | ${f.malicious.toFixed(1)} | ${row.bad - row.suspicious} | ${row.form ? `${row.formKept} of ${row.form}` : ''} | ${row.good} | ${row.good - row.quiet} |`;
  };
  return `${readFileSync(join(here, 'SURVIVAL.head.md'), 'utf8')
    .replace('{bad}', counts.bad).replace('{good}', counts.good).replace('{form}', counts.form)}
| mutation | what it does | bad | % at least suspicious | of them malicious before | % still malicious | missed | form | good | alarms |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
${[...rows, addUp(rows)].map(line).join('\n')}
`;
}

function tap(rows, thresholds) {
  let number = 0;
  for (const row of [...rows, addUp(rows)]) {
    const got = figures(row);
    const want = thresholds[row.name] ?? {};
    for (const key of ['suspicious', 'malicious', 'quiet']) {
      const least = want[key] ?? 0;
      console.log(`${got[key] >= least ? 'ok' : 'not ok'} ${++number} - ${row.name}: ${key} ${got[key]} % (at least ${least} %)`);
    }
    for (const kind of ['missed', 'alarms']) (row[kind] ?? []).forEach((note) => console.log(`#   ${kind}: ${note}`));
    (row.left ?? []).filter((why) => !why.endsWith(': does not apply')).forEach((why) => console.log(`#   not mutated: ${why}`));
  }
  console.log(`1..${number}`);
}

// Whole percents; a single mutation may fall by two before the test fails, all of them together may not.
function ratchet(rows, thresholds) {
  for (const row of [...rows, addUp(rows)]) {
    const now = figures(row);
    const old = thresholds[row.name] ?? {};
    const slack = row.name === 'all' ? 0 : 2;
    thresholds[row.name] = Object.fromEntries(Object.keys(now).map((k) => [k, Math.max(old[k] ?? 0, Math.floor(now[k]) - slack, 0)]));
  }
  return thresholds;
}

const thresholdsFile = join(here, 'thresholds.json');
const thresholds = existsSync(thresholdsFile) ? JSON.parse(readFileSync(thresholdsFile)) : {};
rmSync(join(work, 'packages'), { recursive: true, force: true });
const all = findExamples();
const chosen = chooseExamples(all);
const counts = { bad: chosen.filter((e) => e.bad).length, good: chosen.filter((e) => !e.bad).length, form: chosen.filter((e) => e.bad && formExamples.has(e.name)).length };
const rows = [];
for (const mutation of MUTATIONS) rows.push(await measure(mutation, chosen));
if (flag('ratchet')) writeFileSync(thresholdsFile, `${JSON.stringify(ratchet(rows, thresholds), null, 2)}\n`);
if (flag('markdown')) {
  process.stdout.write(markdown(rows, counts));
} else {
  console.log(`# ${counts.bad} bad and ${counts.good} good examples whose scripts count, of ${all.length} that have some`);
  tap(rows, thresholds);
}
if (flag('list')) {
  for (const row of rows) for (const kind of ['missed', 'weaker', 'alarms', 'left']) row[kind].forEach((note) => console.error(`${row.name}\t${kind}\t${note}`));
}
if (!flag('keep')) rmSync(join(work, 'packages'), { recursive: true, force: true });
