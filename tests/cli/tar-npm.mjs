// Compares our tar walker with the reader that npm unpacks packages with, on generated archives with everything odd that
// tar knows: whatever npm unpacks, we must have seen, with the same content.  Fixed seed.  The readers are that of
// tests/package.json, to the letter, and that of the npm installed here: where an older one reads an archive in its own way,
// we must have found something odd about it.
// Usage: tar-npm.mjs PATH-OF-tar-list [COUNT]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { npmPackage } from '../tools/npm.mjs';

const COUNT = Number(process.argv[3] ?? 1500);
const readers = [];
function addReader(find) {
  try {
    const require = find();
    const { version } = require('tar/package.json');
    if (!readers.some((r) => r.version === version)) readers.push({ version, exact: Number(version.split('.')[0]) >= 7, Unpack: require('tar').Unpack });
  } catch {
    // not installed
  }
}
addReader(() => createRequire(import.meta.url));
addReader(npmPackage);
if (readers.length === 0) {
  console.log('1..0 # SKIP npm with its own copy of tar is not installed');
  process.exit(0);
}

let seed;
const rand = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[rand(list.length)];
const one = (n) => rand(n) === 0;

// --- building archives ---

const latin = (s) => Buffer.from(s, 'latin1');
const pad = (b) => Buffer.concat([b, Buffer.alloc(-b.length & 511)]);

function header(o) {
  const h = Buffer.alloc(512);
  const put = (at, room, v) => (Buffer.isBuffer(v) ? v : Buffer.from(v)).copy(h, at, 0, room);
  put(0, 100, o.name ?? 'package/x');
  put(100, 8, o.mode ?? '0000644');
  put(108, 8, o.uid ?? '0000000');
  put(116, 8, o.gid ?? '0000000');
  put(124, 12, typeof o.size === 'number' ? o.size.toString(8).padStart(11, '0') : o.size);
  put(136, 12, o.mtime ?? '00000000000');
  put(156, 1, o.type ?? '0');
  put(157, 100, o.link ?? '');
  put(257, 8, o.magic ?? latin('ustar\x0000'));
  put(345, 155, o.prefix ?? '');
  if (o.tail) put(475, 37, o.tail);
  let sum = 8 * 32;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : h[i];
  put(148, 8, o.sum ? o.sum(sum) : sum.toString(8).padStart(6, '0') + '\0 ');
  return h;
}

const record = (k, v) => {
  const s = ` ${k}=${v}\n`;
  let n = Buffer.byteLength(s) + 1;
  while (String(n).length + Buffer.byteLength(s) !== n) n++;
  return n + s;
};

let count = 0;
const DIRS = ['package/', 'package/', 'package/', 'other/', './package/', 'package//', '/package/', 'package/./', 'package/C:/',
  'package/c:', 'package/é/', 'package/../', '../package/', 'package/a\\', 'package/\\\\h\\s\\', 'package///', '//h/s/', 'package/\n',
  'package/ ', 'C:/', ''];
const name = () => pick(DIRS) + 'f' + (one(6) ? rand(3) : ++count) + pick(['', '', '', '.js', '/', '/.', '\0junk', one(5) ? '\0j\nk' : '', one(5) ? '\0\r.js' : '', '\xff']);
const content = () => Buffer.from(one(5) ? '' : `${++count} `.repeat(1 + rand(300)));

const SIZES = [
  (n) => n, (n) => n, (n) => n, (n) => n, (n) => n, (n) => n.toString(8) + ' ', (n) => '   ' + n.toString(8), (n) => '+' + n.toString(8),
  (n) => '-' + n.toString(8), (n) => `${n.toString(8)}\0garbage`, () => '', () => 'zzz', (n) => n.toString(8).padStart(12, '0'),
  (n) => Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, n >> 8, n & 255]), () => Buffer.alloc(12, 0xff), () => Buffer.from([0x81, 0]),
  (n) => Buffer.from([0x80, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, n >> 8, n & 255]), (n) => ' \u00a0' + n.toString(8), (n) => n.toString(8) + '9',
];
const SUMS = [
  undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined,
  (s) => s.toString(8).padStart(7, '0') + '\0', (s) => '  ' + s.toString(8) + ' ', (s) => s.toString(8).padStart(8, '0'),
  (s) => (s + 1).toString(8).padStart(6, '0') + '\0 ', () => '        ', () => Buffer.alloc(8, 0x81),
  (s) => Buffer.from([0x80, 0, 0, 0, 0, 0, s >> 8, s & 255]),
];
const MAGICS = [undefined, undefined, undefined, latin('ustar  \0'), latin('ustar\x0001'), Buffer.alloc(8), latin('ustar 00')];
const TYPES = ['0', '0', '0', '0', '0', '0', '\0', '7', '5', '1', '2', '3', '6', 'D', 'S', 'A', '9', 'V', '\n', latin('\xe9')];
const NUMS = [undefined, undefined, undefined, undefined, undefined, undefined, '', 'x', Buffer.alloc(8, 0xff), Buffer.from([0x82, 1]),
  Buffer.alloc(8, 0x80)];

function entry() {
  const body = one(12) ? archive(1) : content();
  const o = { name: latin(Buffer.from(name()).toString('latin1')), type: pick(TYPES), size: pick(SIZES)(body.length), sum: pick(SUMS),
    magic: pick(MAGICS) };
  if ('12'.includes(o.type) ? !one(4) : one(15)) o.link = pick(['package/f1', '../x', 'x\0y', '\0z', '\0\nz']);
  if (one(8)) o.prefix = pick(['pre', 'package/dir', '\0', 'p'.repeat(131), '\0\nq']);
  if (one(8)) o.tail = pick([Buffer.from([1]), Buffer.concat([Buffer.alloc(1), Buffer.alloc(12, 0x81)]), Buffer.from('\0' + '7'.repeat(24))]);
  for (const k of ['mode', 'uid', 'gid', 'mtime']) if (one(20)) o[k] = pick(NUMS);
  return Buffer.concat([header(o), one(25) ? body : pad(body)]);
}

const LINES = [
  () => record('path', name().replaceAll('\n', '')), () => record('path', name()), () => record('size', rand(4) * 300), () => record('linkpath', 'a/b'),
  () => record('comment', 'a\n' + record('path', 'package/inner' + ++count)), () => record('mtime', '1.5'), () => record('uid', 'x'),
  () => record('path', ''), () => record('path', 'package/n\0ul'), () => record('size', '0x10'), () => record('size', '-1'),
  () => `0${record('path', 'package/zero')}`, () => ` ${record('path', 'package/space')}`, () => '12 path=short\n', () => '\n', () => 'junk\n',
  () => record('path', 'package/p' + ++count).replace(' ', '='), () => record('SCHILY.dev', '1'), () => record('GNU.sparse.name', 'package/s'),
  () => record('path', 'package/caf\u00e9' + ++count), () => record('path', 'package/no-newline').trimEnd(), () => record('ctime', 'x'),
];

function extension() {
  const type = pick(['x', 'x', 'x', 'x', 'g', 'L', 'L', 'K', 'N', 'X']);
  const body = Buffer.from('xgX'.includes(type) ? Array.from({ length: 1 + rand(3) }, () => pick(LINES)()).join('') : name() + pick(['', '\0', '\n']));
  return Buffer.concat([header({ name: 'ext', type, size: body.length, link: one(20) ? 'l' : '' }), pad(body)]);
}

function archive(depth = 0) {
  const parts = [];
  for (let n = 1 + rand(5); n > 0; n--) {
    if (one(3)) parts.push(extension());
    if (one(12)) parts.push(Buffer.alloc(512 * (1 + rand(2))));
    if (one(30)) parts.push(Buffer.alloc(512, 'g'));
    parts.push(entry());
  }
  if (depth === 0 && !one(6)) parts.push(Buffer.alloc(1024));
  if (depth === 0 && one(10)) parts.push(entry());
  if (depth === 0 && one(10)) parts.push(Buffer.alloc(rand(511), 'x'));
  return Buffer.concat(parts);
}

// --- the two readers ---

const sha1 = (b) => createHash('sha1').update(b).digest('hex');

// A NUL in a path makes npm's reader throw where nobody catches it.
let giveUp;
process.on('uncaughtException', (e) => giveUp(e));

// As pacote configures it.
function npm(Unpack, bytes, dir) {
  return new Promise((resolve) => {
    giveUp = resolve;
    const u = new Unpack({ cwd: dir, noChmod: true, noMtime: true, strip: 1, preserveOwner: false, umask: 0o22,
      filter: (_, e) => !/Link$/.test(e.type), onwarn() {} });
    u.on('close', () => resolve(null));
    u.on('error', (e) => resolve(e));
    try {
      u.end(bytes);
    } catch (e) {
      resolve(e);
    }
  });
}

function unpacked(dir, at = '', out = new Map()) {
  for (const e of fs.readdirSync(path.join(dir, at), { withFileTypes: true })) {
    const p = at ? `${at}/${e.name}` : e.name;
    if (e.isDirectory()) unpacked(dir, p, out.set(p, 'directory'));
    else if (e.isFile()) out.set(p, sha1(fs.readFileSync(path.join(dir, p))));
  }
  return out;
}

const tool = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: tool.stdout })[Symbol.asyncIterator]();

async function qanat(file) {
  const files = [];
  tool.stdin.write(file + '\n');
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return null;
    const w = value.split(' ');
    if (w[0] === 'end') return { files, error: Number(w[1]), notes: Number(w[2]) };
    files.push({ odd: Number(w[1]), size: Number(w[2]), sha1: w[3], path: Buffer.from(w[4], 'hex').toString() });
  }
}

// --- comparing ---

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'qanat-tar-'));
let bad, stats;

function complain(i, what, bytes) {
  bad++;
  const keep = path.join(os.tmpdir(), `qanat-tar-bad-${i}.tar`);
  fs.writeFileSync(keep, bytes);
  console.log(`# archive ${i}: ${what} (kept in ${keep})`);
}

// What one of them has and the other has not, as sentences.
function differences(theirs, ours) {
  const found = [];
  for (const [p, hash] of theirs)
    if (hash !== 'directory' && !ours.files.some((f) => f.path === p && f.sha1 === hash)) found.push(`npm unpacks ${JSON.stringify(p)}, which we do not see`);
  for (const f of ours.files)
    // A name that is a file in one entry and a directory in another stays what it was last.
    if (f.odd === 0 && !theirs.has(f.path) && !ours.files.some((g) => g !== f && (g.path.startsWith(f.path) || f.path.startsWith(g.path))))
      found.push(`we see ${JSON.stringify(f.path)}, which npm does not unpack`);
  return found;
}

async function compare(reader, i) {
  const file = path.join(tmp, 'a.tar');
  const dir = path.join(tmp, `out-${reader.version}-${i}`); // its own: what npm gave up on may still be writing
  const bytes = archive();
  fs.writeFileSync(file, bytes);
  fs.mkdirSync(dir);
  const failed = await npm(reader.Unpack, bytes, dir);
  const theirs = unpacked(dir);
  const ours = await qanat(file);
  if (!ours) return complain(i, 'tar-list died', bytes);
  stats.files += theirs.size;
  if (!failed) fs.rmSync(dir, { recursive: true, force: true });
  if (failed) stats.npmFails++;
  else if (ours.error) stats.refused++;
  else stats.same++;
  if (failed || ours.error) return;
  const found = differences(theirs, ours);
  if (found.length && !reader.exact && (ours.notes || ours.files.some((f) => f.odd))) stats.odd++;
  else found.forEach((what) => complain(i, what, bytes));
}

let test = 0;
function result(good, name) {
  console.log(`${good ? 'ok' : 'not ok'} ${++test} - ${name}`);
  return good;
}

let good = true;
for (const reader of readers) {
  seed = 0x1badcafe;
  bad = 0;
  stats = { same: 0, refused: 0, npmFails: 0, files: 0, odd: 0 };
  for (let i = 0; i < COUNT && bad < 5; i++) await compare(reader, i);
  console.log(`# tar ${reader.version}: ${stats.same} read alike, ${stats.odd} of them odd and not quite, ${stats.refused} refused by us, ${stats.npmFails} refused by npm, ${stats.files} files`);
  good &= result(bad === 0, `tar ${reader.version}: what npm unpacks is seen`);
  good &= result(stats.same > COUNT / 3, 'enough archives were compared');
  good &= result(stats.refused < COUNT / 3 && stats.odd < COUNT / 50, 'few are refused or read otherwise');
}
tool.stdin.end();
fs.rmSync(tmp, { recursive: true, force: true });
console.log(`1..${test}`);
process.exit(good ? 0 : 1);
