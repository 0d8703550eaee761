// Compares our reading of .npmrc files with npm's own packages (ini, and the variables of @npmcli/config), on generated
// files.  Fixed seed.  Usage: npmrc.mjs PATH-OF-npmrc-echo
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { npmPackage } from '../tools/npm.mjs';

function load() {
  try {
    const require = npmPackage();
    return [createRequire(import.meta.url)('ini'), createRequire(require.resolve('@npmcli/config'))('./env-replace.js')];
  } catch {
    console.log('1..0 # SKIP ini of tests/package.json or @npmcli/config was not found');
    process.exit(0);
  }
}
const [ini, envReplace] = load();
const ENV = { A: 'value of a', LONG_NAME: '${A}\\;' };

const MAY_BE_MISSING = envReplace('${NONE?}', {}) === ''; // older versions of npm do not know the question mark

let seed = Number(process.env.SEED ?? 815);
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];
const PIECES = ['a', 'b', 'registry', '@s:registry', '//h.invalid/:_authToken', 'ca[]', 'k[]', '[', ']', '[s]', '=', ' = ', '=', ';', '#', '\\', '\\;', '\\\\', '"', "'", ' ', '\t',
  '\u00a0', '\ufeff', '\u2028', '${A}', '${LONG_NAME}', '${NONE}', '${NONE?}', '${A?}', '${', '}', '$', '?', '\\${A}', '\\\\${A}', 'é', '😀', '\\u0041', '\\n', 'true', '1', '[]', '\0', '\x0b'].filter((p) => MAY_BE_MISSING || p !== '?' && !p.includes('?}'));
const text = (n) => Array.from({ length: rand(n) }, () => pick(PIECES)).join('');
const value = () => pick([() => text(6), () => JSON.stringify(text(4)), () => `'${text(4)}'`, () => `'${JSON.stringify(text(3))}'`, () => `"${text(4)}"`])();
// String.prototype.toWellFormed(), which Node 18 does not have.
const wellFormedText = (s) => Buffer.from(s).toString();
const line = () => pick([() => text(8), () => `${pick(['a', 'b', 'k[]', 'k', ' a '])}=${value()}`, () => `${text(3)}=${value()}`, () => `${value()}=${text(3)}`,
  () => pick(['; c', '# c', '', '  ;x', 'k'])])();
const files = Array.from({ length: 30000 }, () => {
  const lines = Array.from({ length: 1 + rand(5) }, line);
  if (rand(10) === 0) lines.push(pick(['[s]', '[ s ] ', '["s"]']), line(), line());
  return wellFormedText(lines.join(pick(['\n', '\n', '\r\n', '\r', '\n\n'])));
});

// What a reader of single keys sees: lists in full, else the last value.  What npm reads as something other than a string
// (a number or an object in single quotes) we keep as text: such files say nothing here, nor do sections named like keys.
const OTHER = Symbol('not comparable');
function expected(file) {
  let parsed;
  try {
    parsed = ini.parse(file);
  } catch {
    return OTHER;
  }
  if (/'\s*(\[|\{|-|\d|true|false|null)/.test(file)) return OTHER;
  const result = {};
  for (const [key, v] of Object.entries(parsed)) {
    if (v !== null && typeof v === 'object' && !Array.isArray(v)) continue;
    const list = Array.isArray(v) ? v : [v];
    if (list.some((x) => (x !== null && typeof x === 'object') || typeof x === 'number')) return OTHER;
    const k = envReplace(key, ENV);
    if (k in result) return OTHER; // two keys that expand to one: their order is that of the first
    result[k] = list.map((x) => (typeof x === 'string' ? envReplace(x, ENV) : String(x)));
  }
  return result;
}
// A list goes on to be one, whatever follows.
function ours(answer) {
  const result = {};
  const lists = new Set();
  for (const [key, v, list] of answer) {
    if (list) lists.add(key);
    result[key] = lists.has(key) ? [...(result[key] ?? []), v] : [v];
  }
  return result;
}
// A key without a name and the section "[]" are one to ini.
const shape = ({ '': _, ...o }) => JSON.stringify(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)));

const run = spawnSync(process.argv[2], { input: files.map((f) => Buffer.from(f).toString('base64') + '\n').join(''), maxBuffer: 1 << 28 });
const lines = run.stdout.toString().split('\n').slice(0, -1);
let bad = run.status === 0 && lines.length === files.length ? 0 : 1;
let compared = 0;
files.forEach((file, i) => {
  const want = expected(file);
  if (want === OTHER || bad > 10) return;
  compared++;
  const got = ours(JSON.parse(lines[i] ?? '[]'));
  if (shape(want) !== shape(got) && bad++ < 10) console.log(`# ${JSON.stringify(file)}\n#   npm  ${shape(want)}\n#   ours ${shape(got)}`);
});
console.log(`# ${compared} of ${files.length} files compared`);
console.log(`${bad ? 'not ok' : 'ok'} 1 - the same as npm\n1..1`);
process.exit(bad ? 1 : 0);
