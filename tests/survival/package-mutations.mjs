// Mutations of a whole package: bundles, another place for its files, another order of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative } from 'node:path';
import { build } from 'esbuild';
import webpack from 'webpack';
import { entriesOf, isModule, writePackage } from './package-files.mjs';

async function esbuildFile(directory, entry, module) {
  const built = await build({
    absWorkingDir: directory, entryPoints: [entry], bundle: true, write: false, metafile: true, platform: 'node',
    packages: 'external', format: module ? 'esm' : 'cjs', outfile: 'bundle.js', logLevel: 'silent', target: 'esnext',
    external: ['*.node'], allowOverwrite: true,
  });
  return { code: built.outputFiles[0].text, inputs: Object.keys(built.metafile.inputs) };
}

function webpackFile(directory, entry, module) {
  const out = join(directory, '.bundle');
  const compiler = webpack({
    context: directory, entry: `./${entry}`, mode: 'production', target: module ? 'node16' : 'node', devtool: false,
    output: { path: out, filename: 'bundle.js', library: { type: module ? 'module' : 'commonjs2' } },
    experiments: { outputModule: module }, node: { __dirname: false, __filename: false, global: false }, performance: false,
    externals: [({ request }, done) => (/^[./]/.test(request) ? done() : done(null, request, module ? 'module' : 'commonjs'))],
  });
  return new Promise((done, fail) => {
    compiler.run((error, stats) => {
      const broken = error ?? (stats.hasErrors() ? new Error(stats.toString({ all: false, errors: true })) : null);
      if (broken) return compiler.close(() => fail(broken));
      const inputs = [...stats.compilation.fileDependencies].map((f) => relative(directory, f));
      const code = readFileSync(join(out, 'bundle.js'), 'utf8');
      return compiler.close(() => done({ code, inputs }));
    });
  });
}

// Each entry becomes a bundle under its own name; the files that went into it are gone.
const bundled = (bundleFile) => async (pkg) => {
  const directory = mkdtempSync(join(tmpdir(), 'survival-'));
  const result = new Map(pkg);
  try {
    writePackage(pkg, directory);
    const entries = entriesOf(pkg);
    for (const entry of entries) {
      const { code, inputs } = await bundleFile(directory, entry, isModule(pkg, entry));
      inputs.filter((path) => !entries.includes(path) && /\.[cm]?js$/.test(path)).forEach((path) => result.delete(path));
      const shebang = pkg.get(entry).data.toString().match(/^#!.*\n/)?.[0] ?? '';
      const body = code.replace(/^#!.*\n/, '');
      result.set(entry, { ...pkg.get(entry), data: Buffer.from(shebang + body) });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return result;
};

export const esbuildBundle = bundled(esbuildFile);
export const webpackBundle = bundled(webpackFile);

// What tools find by its place stays there.
const stays = (path) => /^(package\.json|binding\.gyp|README.*|LICENSE.*|[^/]*\.md|\..*)$/i.test(path);

export function movedToDist(pkg) {
  const moved = [...pkg.keys()].filter((path) => !stays(path));
  const names = moved.map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const mention = new RegExp(`(^|["'\\s(])(\\./)?(${names.join('|')})(?=$|["'\\s;&|)])`, 'g');
  const result = new Map();
  for (const [path, file] of pkg) {
    if (!stays(path)) {
      result.set(posix.join('dist', path), file);
    } else if (/\.(json|gyp|ya?ml)$/.test(path) && names.length) {
      const text = file.data.toString().replace(mention, (_, before, dot, name) => `${before}${dot ?? ''}dist/${name}`);
      result.set(path, { ...file, data: Buffer.from(text) });
    } else {
      result.set(path, file);
    }
  }
  return addMain(pkg, result);
}

// index.js is found without being named only at the top.
function addMain(before, after) {
  const manifest = before.has('package.json') ? JSON.parse(after.get('package.json').data.toString()) : null;
  if (manifest && !manifest.main && !manifest.exports && before.has('index.js')) {
    manifest.main = 'dist/index.js';
    after.set('package.json', { ...after.get('package.json'), data: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) });
  }
  return after;
}

export const reordered = (pkg) => new Map([...pkg].reverse());
