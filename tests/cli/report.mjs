// The sample report as machines read it: SARIF against its schema, JSON against the contract.  Then what the program prints.
// Usage: report.mjs PATH-OF-report-sample QANAT TARGET
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [sample, qanat, target] = process.argv.slice(2);
const modules = new URL('../node_modules/', import.meta.url);
let number = 0;
let failed = 0;
function result(good, name, detail) {
  number++;
  if (!good) failed++;
  console.log(`${good ? 'ok' : 'not ok'} ${number} - ${name}`);
  if (!good && detail !== undefined) console.log(`# ${JSON.stringify(detail).slice(0, 2000)}`);
}

const printed = JSON.parse(spawnSync(qanat, ['check', '--format', 'sarif', target], { encoding: 'utf8' }).stdout);
const sarif = JSON.parse(execFileSync(sample, ['sarif'], { encoding: 'utf8' }));
const schemaFile = new URL('sarif-schema-2.1.0.json', modules);
if (existsSync(schemaFile) && existsSync(new URL('ajv', modules))) {
  const require = createRequire(import.meta.url);
  const Ajv = require('ajv').default;
  const ajv = new Ajv({ strict: false, allErrors: true });
  require('ajv-formats').default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
  result(validate(sarif), 'the SARIF report is valid', validate.errors);
  result(validate(printed) && printed.runs[0].results.length > 0, 'so is that of a whole run', validate.errors);
  result(!validate({ ...sarif, version: '2.0.0' }), 'the schema is not satisfied by everything');
} else {
  console.log(`ok ${++number} - the SARIF report is valid # SKIP the schema is not installed`);
}
const [run] = sarif.runs;
result(run.results.length === 6 && run.results.every((r) => run.tool.driver.rules.some((d) => d.id === r.ruleId)),
  'every SARIF result names a rule that is described', run.results.map((r) => r.ruleId));
result(run.results.filter((r) => r.ruleId === 'not-analysed').length === 2, 'what is unknown is a SARIF result');

const flows = run.results.flatMap((r) => r.codeFlows ?? []);
const steps = flows[0]?.threadFlows[0].locations.map((l) => l.location);
result(flows.length === 1 && steps.length === 3 && steps[0].message.text === 'a file with credentials' &&
  steps[1].physicalLocation.region.startLine === 20 && steps[2].message.text.startsWith('net.send: '),
'a flow is a SARIF code flow that ends at the sink', steps);

const report = JSON.parse(execFileSync(sample, ['json'], { encoding: 'utf8' }));
const keys = ['target', 'name', 'version', 'integrity', 'verdict', 'score', 'reason', 'elapsed_ms', 'findings'];
result(report.schema === 'qanat.check/1' && report.results.length === 5, 'the JSON report has its schema and results');
result(report.results.every((r) => keys.every((k) => k in r)), 'every result has the fields of the contract');
const findings = report.results.flatMap((r) => r.findings);
result(findings.every((f) => ['rule', 'title', 'severity', 'layer', 'phase', 'tactics', 'evidence'].every((k) => k in f)),
  'every finding has the fields of the contract');
result(findings.flatMap((f) => f.evidence).every((e) => ['file', 'offset', 'line', 'column', 'text', 'flow'].every((k) => k in e)),
  'all evidence has the fields of the contract');
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
