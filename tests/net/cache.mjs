// npm's cache as the real npm leaves it, and the registry client on top of it.
import { join } from 'node:path'
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { cleanEnv, equal, finish, match, ok, probe, run, scratch, tree } from './lib.mjs'
import { pack, registry } from './registry.mjs'
import { serve } from './server.mjs'

const one = pack('one', '1.0.0', { dependencies: { '@scope/two': '^2.0.0' } })
const two = pack('@scope/two', '2.1.0')
const all = [one, two]
const plain = await registry(all)
const tagged = await registry(all, { etag: true, cacheControl: 'max-age=0' })
const fresh = await registry(all, { etag: true, cacheControl: 'public, max-age=300' })
const closed = await registry(all, { token: 'sesame' })
const full = await registry(all, { short: false })

let n = 0
// A home whose cache the real npm has filled from a registry.
async function filled (server, more = {}) {
  const root = join(scratch, `cache-${++n}`)
  const env = cleanEnv(join(root, 'home'), { npm_config_registry: server.url, npm_config_audit: 'false', npm_config_fund: 'false', ...more })
  tree(root, { 'p/package.json': JSON.stringify({ name: 'p', version: '1.0.0', dependencies: { one: '1.0.0' } }) })
  const r = await run('npm', ['install', '--ignore-scripts'], { cwd: join(root, 'p'), env })
  equal(r.code, 0, `npm installs from ${server.url}`)
  server.seen.length = 0
  return { env, cache: join(root, 'home', '.npm', '_cacache') }
}
const ask = async (env, what, ...args) => (await run(probe, [what, ...args], { env })).stdout.trimEnd()
const files = dir => readdirSync(dir, { recursive: true, withFileTypes: true }).filter(e => e.isFile()).map(e => join(e.parentPath ?? e.path, e.name))

const a = await filled(plain)
match(await ask(a.env, 'tarball', 'one', '1.0.0', '', one.integrity), new RegExp(`^one ok .*from=cache.*sha1=${one.shasum}`), 'a tarball by its integrity')
match(await ask(a.env, 'tarball', '@scope/two', '2.1.0', '', `sha1-AAAA ${two.integrity}?opt`), new RegExp(`from=cache.*sha1=${two.shasum}`), 'several hashes, options')
equal(plain.seen.length, 0, 'nobody was asked')
match(await ask(a.env, 'tarball', 'one', '1.0.0', '', ''), new RegExp(`from=network.*sha1=${one.shasum}`), 'without integrity the registry is asked')
match(await ask(a.env, 'packument', 'one'), /from=network type=application\/vnd/, 'a packument without cache headers too')
match(await ask(a.env, 'full', 'one'), /from=network type=application\/json/, 'the full form')
match(await ask(a.env, 'tarball', 'one', '1.0.0', '', two.integrity.replace('sha512', 'sha384')), /from=network/, 'a hash of the wrong length')
const off = { ...a.env, npm_config_offline: 'true' }
plain.seen.length = 0
match(await ask(off, 'packument', 'one'), /^one ok .*from=cache/, 'offline: packument')
match(await ask(off, 'packument', '@scope/two'), /^@scope\/two ok .*from=cache/, 'offline: scoped packument')
match(await ask(off, 'packument', 'three'), /^three offline .*\/three: not in npm's cache.*offline/, 'offline: unknown')
match(await ask(off, 'tarball', 'one', '1.0.0', `${plain.url}/one/-/one-1.0.0.tgz`, ''), /from=cache/, 'offline: tarball by address')
match(await ask(off, 'tarball', 'one', '9.9.9', '', ''), /offline/, 'offline: unknown tarball')
match(await ask({ ...a.env, npm_config_prefer_offline: 'true' }, 'packument', 'one'), /from=cache/, 'prefer-offline')
match(await ask({ ...a.env, npm_config_prefer_offline: 'true' }, 'tarball', 'one', '1.0.0', `${plain.url}/one/-/one-1.0.0.tgz?x`), /from=network/, 'prefer-offline: what is not there is fetched')
equal(plain.seen.length, 1, 'and nothing else')

// npm config: cache=, and the abbreviated question answered by a cached full document
const f = await filled(full)
match(await ask({ ...f.env, npm_config_offline: 'true' }, 'packument', 'one'), /from=cache type=application\/json/, 'a document that says it is full')

// freshness
const b = await filled(fresh)
match(await ask(b.env, 'packument', 'one'), /from=cache/, 'fresh by max-age')
match(await ask(b.env, 'tarball', 'one', '1.0.0', `${fresh.url}/one/-/one-1.0.0.tgz`), /from=cache/, 'a fresh tarball without integrity')
match(await ask({ ...b.env, npm_config_prefer_online: 'true' }, 'packument', 'one'), /from=confirmed/, 'prefer-online asks, and is told that nothing changed')
equal(fresh.seen.length, 1, 'once')
const c = await filled(tagged)
match(await ask(c.env, 'packument', 'one'), /from=confirmed/, 'stale with ETag: 304')
match(tagged.seen[0].headers['if-none-match'], /^"/, 'If-None-Match')

// a cache in bad shape
const index = files(join(a.cache, 'index-v5')).find(p => readFileSync(p, 'utf8').includes(`${plain.url}/one"`))
appendFileSync(index, `\n${'0'.repeat(40)}\t{"key":"make-fetch-happen:request-cache:${plain.url}/one","integrity":"sha512-AAAA"}\nnonsense\n\t\n{"torn`)
match(await ask(off, 'packument', 'one'), /^one ok .*from=cache/, 'torn and forged lines are passed over')
truncateSync(index, 30)
match(await ask(off, 'packument', 'one'), /^one offline/, 'nothing whole is left')
const content = files(join(a.cache, 'content-v2')).find(p => statSync(p).size === two.bytes.length && readFileSync(p).equals(two.bytes))
rmSync(content)
match(await ask(a.env, 'tarball', '@scope/two', '2.1.0', '', two.integrity), /from=network/, 'content that is gone is fetched')
tree(content, { '': null })
match(await ask(a.env, 'tarball', '@scope/two', '2.1.0', '', two.integrity), /from=network/, 'a directory in its place')
writeFileSync(join(scratch, 'not-a-dir'), '')
match(await ask({ ...a.env, npm_config_cache: join(scratch, 'not-a-dir') }, 'tarball', 'one', '1.0.0', '', one.integrity), /from=network/, 'no cache at all')
equal((await run('npm', ['cache', 'clean', '--force', `make-fetch-happen:request-cache:${plain.url}/@scope%2ftwo`], { env: a.env })).code, 0, 'npm forgets an entry')
match(await ask(off, 'packument', '@scope/two'), /^@scope\/two offline/, 'and so do we')

// tokens and scopes, over the registry client
const secret = cleanEnv(join(scratch, 'secret-home'), { npm_config_registry: plain.url, 'npm_config_@scope:registry': closed.url })
match(await ask(secret, 'packument', '@scope/two'), /^@scope\/two auth status=401 .*npm login/, 'a closed registry')
const token = { ...secret, [`npm_config_//localhost:${closed.port}/:_authToken`]: 'sesame' }
plain.seen.length = closed.seen.length = 0
match(await ask(token, 'packument', '@scope/two'), /^@scope\/two ok/, 'with its token')
match(await ask(token, 'tarball', '@scope/two', '2.1.0'), new RegExp(two.shasum), 'its tarball')
match(await ask(token, 'packument', 'one'), /^one ok/, 'another package')
equal(plain.seen[0].headers.authorization, undefined, 'goes without the token')
equal(closed.seen[0].url, '/@scope%2ftwo', 'a scope is one path segment')
match(closed.seen[0].headers.accept, /vnd\.npm\.install-v1/, 'the short form is asked for')
const elsewhere = await serve((req, res) => { res.writeHead(302, { location: `${plain.url}/@scope/two/-/two-2.1.0.tgz` }); res.end() })
match(await ask({ ...token, 'npm_config_@scope:registry': elsewhere.url, [`npm_config_//localhost:${elsewhere.port}/:_authToken`]: 'sesame' }, 'tarball', '@scope/two', '2.1.0'), new RegExp(two.shasum), 'a registry that sends to another host')
equal(plain.seen.at(-1).headers.authorization, undefined, 'which does not see the token')

// names that are none
for (const name of ['', '.', '..', '@scope', '@/x', '@scope/', 'a/b', '@a/b/c', 'a b', 'a?b', 'a#b', 'a%2fb', '@a/..', 'x'.repeat(600)]) {
  match(await ask(secret, 'packument', name), / url .*not a package name/, `no package name: ${JSON.stringify(name.slice(0, 20))}`)
}
match(await ask(secret, 'packument', 'nothing-here'), /^nothing-here not-found status=404.*check the name/, 'unknown package')

for (const s of [plain, tagged, fresh, closed, full, elsewhere]) {
  s.close()
}
finish()
