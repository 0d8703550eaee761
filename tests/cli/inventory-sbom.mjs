// SBOMs: what qanat writes is valid by its schema and says the same when it is read again; what npm writes is read.
//   usage: inventory-sbom.mjs QANAT
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const tools = join(here, '..', 'inventory', 'node_modules');
const schemas = join(tools, '@cyclonedx', 'cyclonedx-library', 'res', 'schema');
const qanat = process.argv[2];
if (!existsSync(schemas)) {
    console.log('1..0 # SKIP the schemas are not installed (tools/setup)');
    process.exit(0);
}
const require = createRequire(join(here, '..', 'package.json'));
const Ajv = require('ajv').default;
const formats = require('ajv-formats').default;
const work = mkdtempSync(join(tmpdir(), 'qanat-sbom-'));
let n = 0, failed = 0;

function ok(condition, name, detail = '') {
    n++;
    failed += !condition;
    console.log(`${condition ? 'ok' : 'not ok'} ${n} - ${name}`);
    if (!condition)
        console.log(`# ${String(typeof detail === 'string' ? detail : JSON.stringify(detail)).slice(0, 900)}`);
}

function run(...args) {
    const r = spawnSync(qanat, ['inventory', ...args], { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' } });
    return { code: r.status, out: r.stdout, err: r.stderr };
}
const scan = (path) => JSON.parse(run('scan', '--format', 'json', path).out);

const hash = `sha512-${'A'.repeat(86)}==`;
const lock = {
    name: '@me/proj', version: '1.0.0', lockfileVersion: 3, packages: {
        '': { name: '@me/proj', version: '1.0.0', dependencies: { a: '1', '@s/b': '2', g: 'x' }, devDependencies: { d: '1' } },
        'node_modules/a': { version: '1.0.0', integrity: hash, resolved: 'https://u:p@r.invalid/a/-/a-1.0.0.tgz', dependencies: { '@s/b': '1' } },
        'node_modules/a/node_modules/@s/b': { version: '1.0.0-rc.1+build', integrity: hash, resolved: 'https://r.invalid/b a"|.tgz' },
        'node_modules/@s/b': { version: '2.0.0' },
        'node_modules/d': { version: '1.0.0', dev: true, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
        'node_modules/d/node_modules/a': { version: '1.0.0', integrity: `sha512-${'B'.repeat(86)}==` },
        'node_modules/g': { version: '0.0.1', resolved: 'git+ssh://git@h.test/g.git#abc' },
        'node_modules/o': { version: '1.0.0', optional: true },
    },
};
mkdirSync(join(work, 'p'));
writeFileSync(join(work, 'p', 'package-lock.json'), JSON.stringify(lock));
const set = (doc) => [...new Set(doc.components.map((c) => `${c.name}@${c.version}`))].sort().join(' ');
const wanted = '@s/b@1.0.0-rc.1+build @s/b@2.0.0 a@1.0.0 d@1.0.0 g@0.0.1 o@1.0.0';

// CycloneDX
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
ajv.addFormat('iri-reference', true);
ajv.addFormat('idn-email', true);
for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
const valid = ajv.compile(JSON.parse(readFileSync(join(schemas, 'bom-1.6.SNAPSHOT.schema.json'), 'utf8')));
const cdx = run('sbom', join(work, 'p'));
const doc = JSON.parse(cdx.out);
ok(cdx.code === 0 && valid(doc), 'CycloneDX 1.6 by its schema', valid.errors);
ok(new Set(doc.components.map((c) => c['bom-ref'])).size === doc.components.length, 'every reference is there once');
const refs = new Set([...doc.components.map((c) => c['bom-ref']), 'project']);
ok(doc.dependencies.every((d) => refs.has(d.ref) && d.dependsOn.every((x) => refs.has(x))), 'dependencies lead to components');
ok(!cdx.out.includes('u:p@'), 'no passwords');
ok(cdx.out === run('scan', '--format', 'cyclonedx', join(work, 'p')).out, 'the same bytes again, also from scan');
writeFileSync(join(work, 'p.cdx.json'), cdx.out);
const again = scan(join(work, 'p.cdx.json'));
ok(again.sources[0].kind === 'sbom' && set(again) === wanted, 'CycloneDX is read back', set(again));
const by = (d, name, version) => d.components.find((c) => c.name === name && c.version === version);
ok(by(again, 'a', '1.0.0').integrity === hash && by(again, 'd', '1.0.0').dev && by(again, 'a', '1.0.0').direct && by(again, 'g', '0.0.1').origin === 'git', 'with integrity, flags and origin');
ok(by(again, '@s/b', '1.0.0-rc.1+build').dependents.join() === 'a@1.0.0', 'and who needs whom', by(again, '@s/b', '1.0.0-rc.1+build'));

// VEX
writeFileSync(join(work, 'osv.json'), JSON.stringify([['MAL-1', '1.0.0', 'MAL-'], ['GHSA-x', '2.0.0', '']].map(([id, version]) => (
    { id, modified: '2025-01-01T00:00:00Z', affected: [{ package: { ecosystem: 'npm', name: id === 'MAL-1' ? 'a' : '@s/b' }, versions: [version] }] }))));
const state = ['--state', join(work, 'state')];
ok(run('sbom', '--vex', ...state, join(work, 'p')).code === 2, 'VEX needs intelligence');
spawnSync(qanat, ['intel', ...state, 'import', join(work, 'osv.json')]);
const vex = JSON.parse(run('sbom', '--vex', ...state, join(work, 'p')).out);
ok(valid(vex) && JSON.stringify(vex.vulnerabilities.map((v) => [v.id, v.analysis.state, v.affects.map((x) => x.ref)])) === JSON.stringify([
    ['GHSA-x', 'in_triage', ['pkg:npm/%40s/b@2.0.0']],
    ['MAL-1', 'exploitable', ['pkg:npm/a@1.0.0', 'pkg:npm/a@1.0.0#1']]]), 'VEX by the schema', vex.vulnerabilities);

// SPDX: what its schema and text ask for
const spdxRun = run('sbom', '--format', 'spdx', join(work, 'p'));
const spdx = JSON.parse(spdxRun.out);
ok(spdx.spdxVersion === 'SPDX-2.3' && spdx.dataLicense === 'CC0-1.0' && spdx.SPDXID === 'SPDXRef-DOCUMENT' && spdx.name &&
    /^[a-z]+:[^#\s]+$/.test(spdx.documentNamespace) && spdx.creationInfo.created === '2023-11-14T22:13:20Z' &&
    spdx.creationInfo.creators.every((c) => /^(Tool|Person|Organization): ./.test(c)), 'SPDX 2.3: the document', spdx);
const ids = new Set(['SPDXRef-DOCUMENT', ...spdx.packages.map((p) => p.SPDXID)]);
ok(ids.size === spdx.packages.length + 1 && [...ids].every((i) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(i)), 'SPDX 2.3: identifiers');
ok(spdx.packages.every((p) => p.name && p.filesAnalyzed === false && (p.downloadLocation === 'NOASSERTION' || /^(git\+)?(https?|ssh):\/\/[^\s"|]+$/.test(p.downloadLocation)) &&
    (p.checksums ?? []).every((c) => ({ SHA512: 128, SHA1: 40 })[c.algorithm] === c.checksumValue.length && /^[0-9a-f]+$/.test(c.checksumValue)) &&
    (p.externalRefs ?? []).every((r) => r.referenceCategory === 'PACKAGE-MANAGER' && r.referenceType === 'purl' && r.referenceLocator.startsWith('pkg:npm/'))),
'SPDX 2.3: packages', spdx.packages);
ok(spdx.packages.find((p) => p.name === 'g').downloadLocation === 'git+ssh://git@h.test/g.git@abc', 'SPDX 2.3: a commit of git', spdx.packages);
ok(spdx.relationships.every((r) => ids.has(r.spdxElementId) && ids.has(r.relatedSpdxElement)) &&
    spdx.relationships[0].relationshipType === 'DESCRIBES', 'SPDX 2.3: relationships');
writeFileSync(join(work, 'p.spdx.json'), spdxRun.out);
const spdxTools = join(here, '..', 'inventory', '.spdx');
const spdxSchema = join(spdxTools, 'spdx-schema-2.3.json');
if (existsSync(spdxSchema)) {
    const validSpdx = ajv.compile(JSON.parse(readFileSync(spdxSchema, 'utf8')));
    ok(validSpdx(spdx), 'SPDX 2.3 by its schema', validSpdx.errors);
    ok(!validSpdx({ ...spdx, packages: [{ name: 'a' }] }), 'which is one that refuses');
} else {
    ok(true, 'SPDX 2.3 by its schema # SKIP it is not installed (tools/setup)');
}
if (existsSync(join(spdxTools, '.installed'))) {
    const code = `import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
doc = parse_file(sys.argv[1])
for m in validate_full_spdx_document(doc):
    print(m.validation_message)
print(doc.creation_info.spdx_version, len(doc.packages))`;
    const r = spawnSync(join(spdxTools, 'bin', 'python3'), ['-c', code, join(work, 'p.spdx.json')], { encoding: 'utf8' });
    ok(r.stdout === `SPDX-2.3 ${spdx.packages.length}\n`, "SPDX 2.3 by its authors' parser", r.stdout + r.stderr);
} else {
    ok(true, "SPDX 2.3 by its authors' parser # SKIP it is not installed (tools/setup)");
}
const spdxAgain = scan(join(work, 'p.spdx.json'));
ok(set(spdxAgain) === wanted && by(spdxAgain, 'd', '1.0.0').dev && by(spdxAgain, 'g', '0.0.1').origin === 'git' && by(spdxAgain, 'a', '1.0.0').direct, 'SPDX is read back', set(spdxAgain));

// npm's own
const project = join(work, 'npm');
mkdirSync(project);
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'q', version: '1.0.0', dependencies: { chalk: '2.4.2' }, devDependencies: { semver: '7.5.0' } }));
const npm = (...args) => execFileSync('node', [join(tools, 'npm10', 'bin', 'npm-cli.js'), ...args], { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
let reached = true;
try {
    npm('install', '--ignore-scripts', '--no-audit', '--no-fund');
} catch {
    reached = false;
    ok(true, "npm's own SBOMs # SKIP the registry cannot be reached");
}
const want = reached ? set(scan(join(project, 'package-lock.json'))) : '';
for (const format of reached ? ['cyclonedx', 'spdx'] : []) {
    writeFileSync(join(work, `npm.${format}.json`), npm('sbom', '--sbom-format', format));
    const read = scan(join(work, `npm.${format}.json`));
    ok(set(read) === want, `npm's ${format}`, set(read));
    ok(read.components.filter((c) => c.dev).map((c) => c.name).sort().join() === 'lru-cache,semver,yallist', `npm's ${format}: dev`);
    ok(read.components.filter((c) => c.direct).map((c) => c.name).join() === 'chalk,semver', `npm's ${format}: direct`);
}
rmSync(work, { recursive: true });
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
