// One example as a map of path → content, and what in it is JavaScript; writing it as a directory or as a tarball.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

// The file that examples begin with and that does nothing.
export const TRIVIAL = 'module.exports = () => 1;\n';

export function loadPackage(directory) {
  const files = new Map();
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }).filter((e) => e.isFile())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.set(relative(directory, path), { data: readFileSync(path), mode: statSync(path).mode & 0o777 });
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function manifestOf(pkg) {
  const file = pkg.get('package.json');
  return file ? JSON.parse(file.data.toString()) : {};
}

export const isModule = (pkg, path) => path.endsWith('.mjs') || (path.endsWith('.js') && manifestOf(pkg).type === 'module');

// Paths of the files that mutations rewrite.  An ELF file that calls itself index.js is none.
export function scriptsOf(pkg) {
  return [...pkg.keys()].filter((path) => /\.[cm]?js$/.test(path) && !pkg.get(path).data.includes(0) &&
    pkg.get(path).data.toString() !== TRIVIAL);
}

// Scripts that no other script of the package names: what npm or a person starts.
export function entriesOf(pkg) {
  const wanted = new Set();
  const scripts = scriptsOf(pkg);
  for (const path of scripts) {
    for (const [, name] of pkg.get(path).data.toString().matchAll(/(?:require\(|import\(|from\s*|import\s*)['"](\.[^'"]*)['"]/g)) {
      const to = posix.join(posix.dirname(path), name);
      for (const full of [to, `${to}.js`, `${to}.mjs`, `${to}.cjs`, `${to}/index.js`]) wanted.add(full);
    }
  }
  return scripts.filter((path) => !wanted.has(path));
}

export function writePackage(pkg, directory) {
  for (const [path, { data, mode }] of pkg) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), data, { mode });
  }
}

function tarHeader(path, size, mode) {
  const header = Buffer.alloc(512);
  const octal = (value, width) => value.toString(8).padStart(width - 1, '0') + '\0';
  header.write(path, 0, 100);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(499162500, 12), 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  header.write(octal(header.reduce((sum, byte) => sum + byte, 0), 7) + ' ', 148);
  return header;
}

// A tarball as npm makes them, with the entries in the order of the map.
export function writeTarball(pkg, path) {
  const blocks = [];
  for (const [name, { data, mode }] of pkg) {
    if (name.length > 90) throw new Error(`${name}: too long for a plain tar header`);
    blocks.push(tarHeader(`package/${name}`, data.length, mode | 0o644), data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
}
