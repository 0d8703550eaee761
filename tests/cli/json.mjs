// Compares our JSON reader with Node's JSON.parse on generated documents and on damaged copies of them: the same
// documents must be accepted, with the same values.  Fixed seed.  Usage: json.mjs PATH-OF-json-echo
import { spawnSync } from 'node:child_process';

let seed = 0x9e3779b9;
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];

const STRINGS = ['', 'a', 'name', '\\n', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\udc00\\ud800', '€', '😀', 'ÿ', '\\"', '\\\\',
  '\\/', '\\u0000', '__proto__', 'x'.repeat(15), 'y'.repeat(16), 'z'.repeat(33), '\x7f', '\\b\\f\\r\\t', '\\uFFFF', 'é'.repeat(20)];
const NUMBERS = ['0', '-0', '1', '12345678901234567890', '1.5', '-2e10', '1E-7', '1e+400', '0.1', '-0.0e0'];
const BLANK = ['', '', '', ' ', '\n', '\t', '\r\n', '          ', '\n        '];
const blank = () => pick(BLANK);
const string = () => `"${pick(STRINGS)}${pick(STRINGS)}${pick(STRINGS)}"`;

function value(depth) {
  const kind = rand(depth > 4 ? 5 : 8);
  if (kind === 0) return pick(['true', 'false', 'null']);
  if (kind < 3) return pick(NUMBERS);
  if (kind < 5) return string();
  const items = Array.from({ length: rand(rand(10) === 0 ? 40 : 5) }, () =>
    blank() + (kind < 7 ? `${string()}${blank()}:${blank()}` : '') + value(depth + 1) + blank());
  return kind < 7 ? `{${items.join(',') || blank()}}` : `[${items.join(',') || blank()}]`;
}

const DAMAGE = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '.', ' ', '\n', '\0', '\x1f', 'u', 't', '\u00a0', '\ufeff', '\u2028', '/'];
function damage(doc) {
  const at = rand(doc.length + 1);
  const how = rand(4);
  if (how === 0) return doc.slice(0, at);
  if (how === 1) return doc.slice(0, at) + doc.slice(at + 1 + rand(3));
  if (how === 2) return doc.slice(0, at) + pick(DAMAGE) + doc.slice(at);
  return doc.slice(0, at) + pick(DAMAGE) + doc.slice(at + 1);
}

// Damage may split a surrogate pair of the document itself, which would not survive encoding.
// String.prototype.toWellFormed(), which Node 18 does not have.
const wellFormedText = (s) => Buffer.from(s).toString();
const docs = [];
while (docs.length < 30000) {
  const doc = blank() + value(0) + blank();
  docs.push(doc);
  for (let i = 0; i < 3; i++) docs.push(wellFormedText(damage(docs.at(-1))));
}

const wellFormed = (v) => {
  if (typeof v === 'string') return wellFormedText(v);
  if (Array.isArray(v)) return v.map(wellFormed);
  if (v === null || typeof v !== 'object') return Object.is(v, -0) ? '-0' : v === Infinity ? 'inf' : v;
  return Object.entries(v).map(([k, x]) => [wellFormedText(k), wellFormed(x)]);
};
const shape = (text) => {
  try {
    return JSON.stringify(wellFormed(JSON.parse(text)));
  } catch {
    return 'reject';
  }
};

const run = spawnSync(process.argv[2], { input: docs.map((d) => Buffer.from(d).toString('base64') + '\n').join(''), maxBuffer: 1 << 30 });
const lines = run.stdout.toString().split('\n').slice(0, -1);
let bad = run.status !== 0 || lines.length !== docs.length ? 1 : 0;
let accepted = 0;
for (let i = 0; i < docs.length && bad < 10; i++) {
  // The byte order mark is the one liberty we take.
  const want = shape(docs[i].replace(/^\ufeff/, ''));
  // Keys that only differ in a lone surrogate become one key in our reader.
  const clash = /\\ud[89ab]|\\ud[c-f]/i.test(docs[i]);
  const got = lines[i] === 'reject' ? 'reject' : shape(lines[i]);
  accepted += want !== 'reject';
  if (want !== got && !(clash && want !== 'reject' && got !== 'reject')) {
    console.log(`# ${JSON.stringify(docs[i])}\n#   node ${want}\n#   ours ${got}`);
    bad++;
  }
}
console.log(`# ${docs.length} documents, ${accepted} accepted`);
console.log(`${bad ? 'not ok' : 'ok'} 1 - the same as JSON.parse\n1..1`);
process.exit(bad ? 1 : 0);
