// The table of mutations, and their results kept by what went in, so that a second run takes seconds.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as packages from './package-mutations.mjs';
import { isModule, scriptsOf } from './package-files.mjs';
import * as sources from './source-mutations.mjs';

// keeps: the text of the examples stays as it is.  tarball: checked as one, not as a directory.
export const MUTATIONS = [
  { name: 'split', doc: 'string literals in two or three pieces', source: sources.splitLiterals },
  { name: 'bracket', doc: '`a["b"]` for `a.b`', source: sources.bracketAccess },
  { name: 'rename', doc: 'short names for every binding (terser)', source: sources.rename },
  { name: 'minify', doc: 'terser, compressed and mangled', source: sources.minified },
  { name: 'obfuscate-low', doc: 'javascript-obfuscator, low preset', source: sources.obfuscated('low') },
  { name: 'obfuscate-medium', doc: 'javascript-obfuscator, medium preset', source: sources.obfuscated('medium') },
  { name: 'obfuscate-high', doc: 'javascript-obfuscator, high preset', source: sources.obfuscated('high') },
  { name: 'esbuild', doc: 'each entry bundled by esbuild', package: packages.esbuildBundle },
  { name: 'webpack', doc: 'each entry bundled by webpack for production', package: packages.webpackBundle },
  { name: 'base64-eval', doc: '`eval` of the file in base64', source: sources.evaluated },
  { name: 'padding', doc: '64 KB of comments and unused functions around the code', source: sources.padded, keeps: true },
  { name: 'dist', doc: 'everything moved below `dist/`', package: packages.movedToDist, keeps: true },
  { name: 'order', doc: 'a tarball with its entries in reverse order', package: packages.reordered, keeps: true, tarball: true },
];

function countCalls(text, module) {
  let calls = 0;
  sources.walk(sources.parseSource(text, module), (node) => {
    if (/^(CallExpression|NewExpression|ImportExpression)$/.test(node.type)) calls++;
  });
  return calls;
}

// Tools remove what they take for dead, and a guard that ends the script can make a payload dead.
const lost = (before, after, module) => countCalls(after, module) < countCalls(before, module);
const withoutGuard = (text) => text.replace(/^if \(!process\.env\.QANAT_FIXTURE_NEVER_SET\).*\n/m, '');

async function mutateSource(mutation, text, module) {
  const shebang = text.match(/^#!.*\n/)?.[0] ?? '';
  const body = text.slice(shebang.length);
  for (const attempt of [body, withoutGuard(body)]) {
    const after = await mutation.source(attempt, { module });
    if (after === null) return null;
    if (mutation.name === 'base64-eval' || !lost(attempt, after, module)) return shebang + after;
  }
  return null;
}

const isLostBundle = (pkg, result) => {
  const count = (p) => scriptsOf(p).reduce((sum, path) => sum + countCalls(p.get(path).data.toString(), isModule(p, path)), 0);
  return count(result) < count(pkg);
};

async function mutateScripts(mutation, pkg) {
  const result = new Map(pkg);
  for (const path of scriptsOf(pkg)) {
    const text = await mutateSource(mutation, pkg.get(path).data.toString(), isModule(pkg, path));
    if (text === null) return null;
    result.set(path, { ...pkg.get(path), data: Buffer.from(text) });
  }
  return result;
}

async function mutatePackage(mutation, pkg) {
  if (mutation.source) return mutateScripts(mutation, pkg);
  const result = await mutation.package(pkg);
  if (mutation.keeps || !isLostBundle(pkg, result)) return result;
  const open = new Map([...pkg].map(([path, file]) => [path, /\.[cm]?js$/.test(path)
    ? { ...file, data: Buffer.from(withoutGuard(file.data.toString('latin1')), 'latin1') } : file]));
  const again = await mutation.package(open);
  return isLostBundle(open, again) ? null : again;
}

const pack = (pkg) => JSON.stringify([...pkg].map(([path, { data, mode }]) => [path, data.toString('base64'), mode]));
const unpack = (text) => new Map(JSON.parse(text).map(([path, data, mode]) => [path, { data: Buffer.from(data, 'base64'), mode }]));

// The mutated package; null where the mutation does not apply: { why } says so.
export async function mutate(mutation, pkg, cache, salt) {
  const id = createHash('sha256').update(`${salt}\n${mutation.name}\n${pack(pkg)}`).digest('hex').slice(0, 32);
  const file = join(cache, id);
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8');
    return kept.startsWith('[') ? { pkg: unpack(kept) } : { why: kept };
  }
  let result;
  try {
    const mutated = await mutatePackage(mutation, pkg);
    result = mutated ? { pkg: mutated } : { why: 'does not apply' };
  } catch (error) {
    result = { why: String(error.message).split('\n')[0] };
  }
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, result.pkg ? pack(result.pkg) : result.why);
  return result;
}
