// npm's configuration in made-up trees: what we resolve and what the real npm resolves must be the same.
import { dirname, join } from 'node:path'
import { chmodSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { cleanEnv, equal, finish, match, ok, probe, run, scratch, tree } from './lib.mjs'

const REG = (await run('npm', ['config', 'get', 'registry'], { env: cleanEnv(join(scratch, 'plain-home')) })).stdout.trim()
let trees = 0

// One tree, one place in it, one environment: `keys` as npm and as we see them.
async function same (name, { files = {}, cwd = '.', env = {}, keys = ['registry'] }) {
  const root = tree(join(scratch, `tree-${++trees}`), { 'home/': null, 'p/': null, ...files })
  const options = { cwd: join(root, cwd), env: cleanEnv(join(root, 'home'), Object.fromEntries(Object.entries(env).map(([k, v]) => [k, v.replaceAll('@ROOT@', root)]))) }
  const [npm, we] = await Promise.all([
    Promise.all(keys.map(k => run('npm', ['config', 'get', k], options))),
    run(probe, ['conf', ...keys], options)
  ])
  const got = Object.fromEntries(we.stdout.trimEnd().split('\n').map(l => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]))
  keys.forEach((k, i) => equal(got[k] ?? we.stdout, npm[i].stdout.trim(), `${name}: ${k}`))
}

// `npm config` refuses to answer inside a workspace, so its library is asked.
const npmRoot = dirname(dirname(realpathSync((await run('sh', ['-c', 'command -v npm'], { env: process.env })).stdout.trim())))
writeFileSync(join(scratch, 'ask.cjs'), `
const need = require('module').createRequire(process.argv[2] + '/package.json'), lib = need('@npmcli/config')
const table = () => { try { return need('@npmcli/config/lib/definitions') } catch { return need('./lib/utils/config/index.js') } } // npm 9
const { definitions, flatten, shorthands } = table()
const c = new lib({ npmPath: process.argv[2], definitions, flatten, shorthands, argv: ['node', 'npm'], warn: false })
c.load().then(() => console.log(c.get('registry')))
`)
async function workspace (label, files, dir, atRoot) {
  const root = tree(join(scratch, `tree-${++trees}`), { 'home/': null, ...files })
  const options = { cwd: join(root, 'p', dir), env: cleanEnv(join(root, 'home')) }
  const npm = (await run('node', [join(scratch, 'ask.cjs'), npmRoot], options)).stdout.trim()
  equal(npm, `http://${atRoot ? 'root' : 'workspace'}.invalid/`, `workspace ${label}: npm`)
  equal((await run(probe, ['conf', 'registry'], options)).stdout.trim(), `registry=${npm}`, `workspace ${label}: we`)
}

await same('nothing set', {})
await same('user', { files: { 'home/.npmrc': 'registry=http://user.invalid/\n' } })
await same('project over user', { files: { 'home/.npmrc': 'registry=http://user.invalid/', 'p/package.json': '{}', 'p/.npmrc': 'registry=http://project.invalid/' }, cwd: 'p' })
await same('from a folder below the project', { files: { 'p/package.json': '{}', 'p/.npmrc': 'registry=http://project.invalid/', 'p/a/b/': null }, cwd: 'p/a/b' })
await same('node_modules marks a project', { files: { 'p/node_modules/': null, 'p/.npmrc': 'registry=http://project.invalid/', 'p/a/': null }, cwd: 'p/a' })
await same('a nearer package.json hides it', { files: { 'p/package.json': '{}', 'p/.npmrc': 'registry=http://project.invalid/', 'p/a/package.json': '{}' }, cwd: 'p/a' })
await same('no project: the folder itself', { files: { 'p/.npmrc': 'registry=http://folder.invalid/' }, cwd: 'p' })
await same('the home folder is no project', { files: { 'home/.npmrc': 'registry=http://user.invalid/', 'home/node_modules/': null }, cwd: 'home' })
for (const [label, workspaces, dir, root] of [['listed', '["packages/*"]', 'packages/a', true], ['deep', '["packages/**"]', 'packages/x/y', true],
  ['by name', '["./lib/"]', 'lib', true], ['as object', '{"packages":["packages/*"]}', 'packages/a', true], ['not listed', '["other/*"]', 'packages/a', false],
  ['taken out', '["packages/*","!packages/a"]', 'packages/a', false], ['too deep', '["packages/*"]', 'packages/x/y', false]]) {
  await workspace(label, { 'p/package.json': `{"name":"root","workspaces":${workspaces}}`, 'p/.npmrc': 'registry=http://root.invalid/', [`p/${dir}/package.json`]: '{"name":"w","version":"1.0.0"}', [`p/${dir}/.npmrc`]: 'registry=http://workspace.invalid/' }, dir, root)
}
await same('environment over project', { files: { 'p/package.json': '{}', 'p/.npmrc': 'registry=http://project.invalid/' }, cwd: 'p', env: { npm_config_registry: 'http://env.invalid/' } })
await same('environment in capitals', { env: { NPM_CONFIG_REGISTRY: 'http://env.invalid/' } })
await same('empty environment value', { files: { 'home/.npmrc': 'registry=http://user.invalid/' }, env: { npm_config_registry: '' } })
await same('global', { files: { 'g/npmrc': 'registry=http://global.invalid/' }, env: { npm_config_globalconfig: '@ROOT@/g/npmrc' } })
await same('global by prefix', { files: { 'g/etc/npmrc': 'registry=http://global.invalid/', 'home/.npmrc': 'prefix=@ROOT@/g' }, env: { npm_config_globalconfig: '', npm_config_prefix: '@ROOT@/g' } })
await same('user over global', { files: { 'g/npmrc': 'registry=http://global.invalid/', 'home/.npmrc': 'registry=http://user.invalid/' }, env: { npm_config_globalconfig: '@ROOT@/g/npmrc' } })
await same('userconfig elsewhere', { files: { 'u': 'registry=http://other.invalid/', 'home/.npmrc': 'registry=http://user.invalid/' }, env: { NPM_CONFIG_USERCONFIG: '@ROOT@/u' } })
await same('variables', { files: { 'home/.npmrc': 'registry=http://${WHERE}.invalid/\n' }, env: { WHERE: 'here' } })
await same('unknown and escaped variables', { files: { 'home/.npmrc': 'replace-registry-host=${NOTHING}-\\${HOME}-${A}\n' }, env: { A: 'b' }, keys: ['replace-registry-host'] })
if (Number((await run('npm', ['--version'], { env: process.env })).stdout.split('.')[0]) >= 11) { // older ones do not know the question mark
  await same('variables that may be missing', { files: { 'home/.npmrc': 'registry=http://${WHERE?}.invalid/${NOTHING?}x\n' }, env: { WHERE: 'here' } })
}
await same('comments, quotes, spaces', { files: { 'home/.npmrc': '; registry=http://a.invalid/\n# x\n  registry = "http://quoted.invalid/"  \r\n user-agent = \'single quoted\' ; no\n' }, keys: ['registry', 'user-agent'] })
await same('the last line wins', { files: { 'home/.npmrc': 'registry=http://a.invalid/\nregistry=http://b.invalid/ ; comment' } })
await same('sections are not settings', { files: { 'home/.npmrc': '[x]\nregistry=http://a.invalid/\n' } })
await same('escaped signs', { files: { 'home/.npmrc': 'user-agent=a\\;b\\#c\\d\n' }, keys: ['user-agent'] })
await same('scopes', { files: { 'home/.npmrc': '@one:registry=http://one.invalid/\n@two:registry = http://${T}.invalid/npm/\n' }, env: { T: 'two', 'npm_config_@three:registry': 'http://three.invalid/' }, keys: ['@one:registry', '@two:registry', '@three:registry'] })
await same('plain settings', { files: { 'home/.npmrc': 'proxy=http://p.invalid:1/\nhttps-proxy=http://s.invalid:2/\nnoproxy=a.invalid,b.invalid\nstrict-ssl=false\noffline\nprefer-offline=true\nfetch-retries=7\nfetch-timeout=1234\nmaxsockets=3\nreplace-registry-host=never\nomit-lockfile-registry-resolved=true\n' },
  keys: ['strict-ssl', 'offline', 'prefer-offline', 'fetch-retries', 'fetch-timeout', 'maxsockets', 'replace-registry-host', 'omit-lockfile-registry-resolved', 'noproxy'] })
await same('underscores in the environment', { env: { npm_config_fetch_retries: '9', npm_config_prefer_offline: 'true', npm_config_maxsockets: '2' }, keys: ['fetch-retries', 'prefer-offline', 'maxsockets'] })

// what npm does not print in the same form
const conf = async (what, args, rc, env = {}, cwd = '.') => {
  const root = tree(join(scratch, `tree-${++trees}`), { 'home/.npmrc': rc, 'p/': null })
  return (await run(probe, [what, ...args], { cwd: join(root, cwd), env: cleanEnv(join(root, 'home'), env) })).stdout.trimEnd()
}
match(await conf('conf', ['cache'], ''), /\/home\/\.npm\/_cacache$/, 'cache below home')
match(await conf('conf', ['cache'], 'cache=~/elsewhere'), /\/home\/elsewhere\/_cacache$/, 'cache elsewhere')
equal(await conf('conf', ['proxy'], 'https-proxy=http://s.invalid:2/\nproxy=http://p.invalid/'), 'proxy=http://s.invalid:2/', 'https-proxy goes before proxy')
equal(await conf('conf', ['registry'], 'registry=not a url'), `registry=${REG}`, 'a registry that is no URL counts as unset')
equal(await conf('conf', ['ca'], 'ca="-----BEGIN\\nX"'), 'ca=-----BEGIN\nX', 'ca with \\n')
equal(await conf('conf', ['ca'], 'ca[]=one\nca[]=two'), 'ca=one\n\ntwo', 'several authorities')
writeFileSync(join(scratch, 'ca.pem'), 'from file')
equal(await conf('conf', ['ca'], `cafile=${scratch}/ca.pem\nca=inline`), 'ca=inline', 'ca after cafile')
equal(await conf('conf', ['ca'], `ca=inline\ncafile=${scratch}/ca.pem`), 'ca=from file', 'cafile after ca')
equal(await conf('conf', ['ca'], `ca=inline\ncafile=${scratch}/nothing.pem`), 'ca=inline', 'a cafile that is not there')

// credentials go where npm sends them
const rc = `registry=https://reg.invalid/npm/
@s:registry=https://scoped.invalid/
//reg.invalid/npm/:_authToken=T1
//reg.invalid/:_authToken=T0
//scoped.invalid/:username=joe
//scoped.invalid/:_password=aHVzaA==
//basic.invalid/:_auth=YTpi
//ported.invalid:8443/:_authToken=T3
//env.invalid/:_authToken=\${TOKEN}
`
const auth = async (name, url) => (await conf('auth', [name, url], rc, { TOKEN: 'T4' })).match(/auth=(.*) cert/)[1]
equal(await auth('a', 'https://reg.invalid/npm/a'), 'Bearer T1', 'longest prefix')
equal(await auth('a', 'https://reg.invalid/other/a'), 'Bearer T0', 'shorter prefix')
equal(await auth('a', 'https://reg.invalid/npmx/a'), 'Bearer T0', 'a prefix is whole segments')
equal(await auth('a', 'https://cdn.invalid/npm/a.tgz'), '', 'not to another host')
equal(await auth('a', 'https://reg.invalid.evil.invalid/npm/a'), '', 'not to a longer name')
equal(await auth('a', 'https://reg.invalid:444/npm/a'), '', 'not to another port')
equal(await auth('a', 'http://reg.invalid/npm/a'), '', 'not over http to a host that has https')
equal(await auth('@s/a', 'https://scoped.invalid/@s%2fa'), 'Basic am9lOmh1c2g=', 'user and password')
equal(await auth('@s/a', 'http://scoped.invalid/@s%2fa'), '', 'nor for a scope')
equal(await auth('a', 'https://basic.invalid/x'), 'Basic YTpi', '_auth')
equal(await auth('a', 'https://ported.invalid:8443/x/y'), 'Bearer T3', 'with a port')
equal(await auth('a', 'https://ported.invalid/x/y'), '', 'not without it')
equal(await auth('a', 'https://env.invalid/'), 'Bearer T4', 'token from the environment')

// a project's .npmrc is the project's: not as in npm, on purpose
const project = async (what, args, rc2, { env = {}, user = '', files = {} } = {}) => {
  const root = tree(join(scratch, `tree-${++trees}`), { 'home/.npmrc': user, 'p/package.json': '{}', 'p/.npmrc': rc2, ...files })
  return (await run(probe, [what, ...args], { cwd: join(root, 'p'), env: cleanEnv(join(root, 'home'), { SECRET: 'hush', ...env }) })).stdout.trimEnd()
}
const evil = 'https://evil.invalid/'
equal(await project('conf', ['registry'], `registry=${evil}`), `registry=${evil}`, 'project: a registry is taken')
equal(await project('conf', ['registry', 'project-ignored'], `registry=${evil}\${SECRET}/`), `registry=${evil}\${SECRET}/\nproject-ignored=variables`, 'project: a variable in its address is not expanded')
equal(await project('conf', ['registry'], 'registry=https://${SECRET}.evil.invalid/', { user: 'registry=https://user.invalid/' }), 'registry=https://${SECRET}.evil.invalid/', 'project: nor is another registry asked instead')
equal(await project('conf', ['@s:registry', '@${SECRET}:registry'], `@s:registry=${evil}\${SECRET?}x/\n@\${SECRET}:registry=${evil}`), `@s:registry=${evil}\${SECRET?}x/\n@\${SECRET}:registry=${evil}`, 'project: nor in scopes')
for (const [key, value] of [['proxy', evil], ['https-proxy', evil], ['noproxy', 'reg.invalid'], ['ca', 'mine'], ['cafile', '../ca.pem'], ['strict-ssl', 'false'], ['cert', 'x'], ['key', 'x'],
  ['cache', './cache'], ['user-agent', 'x${SECRET}'], ['userconfig', '../other'], ['globalconfig', '../other'], ['prefix', '..']]) {
  const rc3 = `${key}=${value}`
  const files = { 'ca.pem': 'mine', 'other': `registry=${evil}\nuser-agent=evil` }
  const keys = ['registry', 'proxy', 'noproxy', 'ca', 'strict-ssl', 'cert', 'key', 'user-agent']
  equal((await project('conf', keys, rc3, { files, env: { npm_config_globalconfig: '' } })), (await project('conf', keys, '', { env: { npm_config_globalconfig: '' } })), `project: ${key} is not taken`)
  equal(await project('conf', ['project-ignored'], rc3), `project-ignored=${key}`, `project: and ${key} is named`)
}
match(await project('conf', ['cache'], 'cache=./mine'), /home\/\.npm\/_cacache$/, "project: the user's cache stays")
equal(await project('conf', ['prefer-offline', 'fetch-timeout', 'maxsockets', 'project-ignored'], 'prefer-offline=true\nfetch-timeout=1234\nmaxsockets=${SECRET}\nsome-other=${SECRET}'), 'prefer-offline=true\nfetch-timeout=1234\nmaxsockets=\nproject-ignored=variables', 'project: patience is')
const projectAuth = async (rc2, url, more) => (await project('auth', ['a', url], rc2, more)).match(/auth=(.*) cert=(\d+)/).slice(1).join(' ')
const named = 'registry=https://reg.invalid/npm/'
equal(await projectAuth(`registry=${evil}\n//evil.invalid/:_authToken=\${SECRET}`, `${evil}a`), ' 0', 'project: no variable goes to a host that it names')
equal(await projectAuth(`registry=${evil}\n//evil.invalid/:_auth=\${SECRET}\n//evil.invalid/:username=joe\n//evil.invalid/:_password=\${SECRET}`, `${evil}a`), ' 0', 'project: in no form')
equal(await projectAuth(`registry=${evil}\n//evil.invalid/:_authToken=literal`, `${evil}a`), 'Bearer literal 0', 'project: its own token does')
equal(await projectAuth('//reg.invalid/npm/:_authToken=${SECRET}', 'https://reg.invalid/npm/a', { user: named }), 'Bearer hush 0', 'project: a variable for a registry that the user names')
equal(await projectAuth('//reg.invalid/npm/:_authToken=${SECRET}', 'https://reg.invalid/npm/a', { env: { npm_config_registry: 'https://reg.invalid/npm/' } }), 'Bearer hush 0', 'project: or the environment')
equal(await projectAuth(`//${new URL(REG).host}/:_authToken=\${SECRET}`, `${REG}a`), 'Bearer hush 0', "project: or for npm's own")
equal(await projectAuth('//reg.invalid:444/:_authToken=${SECRET}', 'https://reg.invalid:444/a', { user: named }), ' 0', 'project: not for another port')
equal(await projectAuth('//reg.invalid.evil.invalid/:_authToken=${SECRET}', 'https://reg.invalid.evil.invalid/a', { user: named }), ' 0', 'project: nor a longer name')
equal(await projectAuth('//reg.invalid@evil.invalid/:_authToken=${SECRET}', 'https://evil.invalid/a', { user: named }), ' 0', 'project: nor user information in front')
equal(await projectAuth('//${HOST}/:_authToken=literal', 'https://reg.invalid/a', { env: { HOST: 'reg.invalid' } }), ' 0', 'project: no variable in the host')
const userAuth = named + '\n//reg.invalid/npm/:_authToken=T\n//other.invalid/:_authToken=O\ncert=C\nkey=K'
equal(await projectAuth(`registry=${evil}`, `${evil}a`, { user: userAuth }), ' 0', "project: a host that it names gets nothing of the user's")
equal(await projectAuth('', 'https://reg.invalid/npm/a', { user: userAuth }), 'Bearer T 2', "project: the user's own registry gets token and certificate")
equal(await projectAuth('registry=http://reg.invalid/npm/', 'http://reg.invalid/npm/a', { user: userAuth }), ' 0', 'project: nothing over http because it says so')
equal(await projectAuth('', 'http://other.invalid/a', { user: userAuth }), ' 0', 'nor because a lock file does')
equal(await projectAuth('', 'http://plain.invalid/a', { user: '@s:registry=http://plain.invalid/\n//plain.invalid/:_authToken=P' }), 'Bearer P 0', 'over http where the user has it so')
equal(await projectAuth('registry=http://localhost:4873/', 'http://localhost:4873/a', { user: '//localhost:4873/:_authToken=L' }), 'Bearer L 0', 'and on this machine')
const pem = { files: { 'home/c.pem': 'C', 'home/k.pem': 'K' } }
equal(await projectAuth(`registry=${evil}\n//evil.invalid/:certfile=~/c.pem\n//evil.invalid/:keyfile=~/k.pem`, `${evil}a`, pem), ' 0', 'project: no file for a host that it names')
equal(await projectAuth('//reg.invalid/:certfile=~/c.pem\n//reg.invalid/:keyfile=~/k.pem', 'https://reg.invalid/a', { user: named, ...pem }), ' 1', 'project: a file for a registry that the user names')

const proxyFor = async (rc2, env, url) => (await conf('auth', ['a', url], rc2, env)).match(/proxy=(.*)$/m)[1]
equal(await proxyFor('', { HTTPS_PROXY: 'http://e.invalid/' }, 'https://h.invalid/'), 'http://e.invalid/', 'HTTPS_PROXY')
equal(await proxyFor('', { http_proxy: 'http://e.invalid/' }, 'https://h.invalid/'), '', 'http_proxy is not for https')
equal(await proxyFor('', { http_proxy: 'http://e.invalid/' }, 'http://h.invalid/'), 'http://e.invalid/', 'http_proxy')
equal(await proxyFor('proxy=http://c.invalid/', { https_proxy: 'http://e.invalid/' }, 'https://h.invalid/'), 'http://c.invalid/', 'configuration over environment')
equal(await proxyFor('proxy=null', { https_proxy: 'http://e.invalid/' }, 'https://h.invalid/'), 'http://e.invalid/', 'null is unset')
equal(await proxyFor('proxy=http://c.invalid/\nnoproxy=h.invalid', {}, 'https://a.h.invalid/'), '', 'noproxy and what is below')
equal(await proxyFor('proxy=http://c.invalid/\nnoproxy=h.invalid', {}, 'https://ah.invalid/'), 'http://c.invalid/', 'but not beside')
equal(await proxyFor('proxy=http://c.invalid/', { no_proxy: ' .x.invalid , h.invalid' }, 'https://h.invalid/'), '', 'NO_PROXY')

// tarball addresses
const url = async (rc2, ...args) => conf('url', args, rc2)
const D = REG.replace(/\/$/, '')
equal(await url('registry=https://r.invalid/npm/', 'a', '1.0.0'), 'https://r.invalid/npm/a/-/a-1.0.0.tgz', 'by convention')
equal(await url('registry=https://r.invalid\n@s:registry=https://s.invalid/x', '@s/a', '1.0.0-b.1'), 'https://s.invalid/x/@s/a/-/a-1.0.0-b.1.tgz', 'in a scope')
match(await url('', '../../etc', '1'), /no tarball address/, 'no path in a name')
match(await url('', 'a', '../../x'), /no tarball address/, 'nor in a version')
equal(await url('registry=https://r.invalid/npm/', 'a', '1.0.0', `${D}/a/-/a-1.0.0.tgz`), 'https://r.invalid/npm/a/-/a-1.0.0.tgz', "npm's own registry is replaced")
equal(await url('registry=https://r.invalid/npm/', 'a', '1.0.0', 'https://o.invalid/a/-/a-1.0.0.tgz'), 'https://o.invalid/a/-/a-1.0.0.tgz', 'others are not')
equal(await url('registry=https://r.invalid/npm/\nreplace-registry-host=never', 'a', '1.0.0', `${D}/a/-/a-1.0.0.tgz`), `${D}/a/-/a-1.0.0.tgz`, 'never')
equal(await url('registry=http://r.invalid:81/npm/\nreplace-registry-host=always', 'a', '1.0.0', 'https://o.invalid/a/-/a.tgz'), 'http://r.invalid:81/npm/a/-/a.tgz', 'always')
equal(await url('registry=https://r.invalid/npm\nreplace-registry-host=o.invalid', 'a', '1.0.0', 'https://o.invalid/npm/a/-/a.tgz'), 'https://r.invalid/npm/a/-/a.tgz', 'a host, path already there')
equal(await url('registry=https://r.invalid/new\nreplace-registry-host=https://o.invalid/old/npm', 'a', '1.0.0', 'https://o.invalid/old/npm/a.tgz'), 'https://r.invalid/new/a.tgz', 'a URL with its path')
equal(await url('registry=https://r.invalid/new\nreplace-registry-host=https://o.invalid/old', 'a', '1.0.0', 'https://o.invalid/older/a.tgz'), 'https://o.invalid/older/a.tgz', 'whole segments')
match(await url('', 'a', '1', 'file:../x'), /only http and https/, 'no file: address')
match(await url('', 'a', '1', 'git+ssh://h.invalid/x'), /only http and https/, 'no git address')

// npm's own default: asked once, then remembered, and never from a program inside a project
const home = join(scratch, 'default-home')
const fake = tree(join(scratch, 'fake'), { 'bin/npm': '#!/bin/sh\nexit 1\n', 'p/node_modules/.bin/npm': '#!/bin/sh\necho http://evil.invalid/\n', 'slow/npm': '#!/bin/sh\nsleep 1000\n' })
for (const f of ['bin/npm', 'p/node_modules/.bin/npm', 'slow/npm']) {
  chmodSync(join(fake, f), 0o755)
}
const env = cleanEnv(home, { QANAT_CACHE: join(scratch, 'fresh') })
equal((await run(probe, ['conf', 'registry'], { env })).stdout.trim(), `registry=${REG}`, "npm's own default")
equal(readdirSync(join(scratch, 'fresh')).length, 1, 'is remembered')
const times = []
for (let i = 0; i < 5; i++) {
  times.push(Number((await run(probe, ['load'], { env })).stdout))
}
ok(Math.min(...times) < 1000, 'and then costs less than a millisecond', times)
writeFileSync(join(scratch, 'fresh', readdirSync(join(scratch, 'fresh'))[0]), 'torn')
equal((await run(probe, ['conf', 'registry'], { env })).stdout.trim(), `registry=${REG}`, 'a torn memory is asked again')
match((await run(probe, ['conf', 'registry'], { env: { ...env, PATH: '/nowhere' } })).stdout, /^error 2 .*npm is not installed/, 'no npm')
match((await run(probe, ['conf', 'registry'], { env: { ...env, PATH: join(fake, 'bin') } })).stdout, /^error 2 .*does not tell/, 'an npm that fails')
equal((await run(probe, ['conf', 'registry'], { env: { ...env, PATH: `node_modules/.bin:${fake}/p/node_modules/.bin:${env.PATH}` }, cwd: join(fake, 'p') })).stdout.trim(), `registry=${REG}`, "a project's npm is not run")
equal((await run(probe, ['conf', 'registry'], { env: { ...env, PATH: join(fake, 'bin'), npm_config_registry: 'http://set.invalid/' } })).stdout.trim(), 'registry=http://set.invalid/', 'not needed when one is set')
finish()
