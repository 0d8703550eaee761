// The HTTP client against servers that misbehave: each failure gets its own code and sentence, and none lasts.
import { join } from 'node:path'
import { authority, naughty, proxy, raw, serve } from './server.mjs'
import { cleanEnv, equal, finish, match, ok, probe, run, scratch } from './lib.mjs'

const good = authority(scratch, 'good')
const other = authority(scratch, 'other')
const wrongHost = authority(scratch, 'wrong', 'elsewhere.invalid')
const plain = await serve(naughty)
const second = await serve(naughty)
const tls = await serve(naughty, good)
const untrusted = await serve(naughty, other)
const misnamed = await serve(naughty, { key: wrongHost.key, cert: wrongHost.cert })

const base = cleanEnv(join(scratch, 'home'), { npm_config_registry: plain.url, npm_config_cafile: good.ca, npm_config_fetch_timeout: '2000' })
async function get (url, max = 1 << 20, env = {}) {
  const started = Date.now()
  const r = await run(probe, ['get', String(max), ...[].concat(url)], { env: { ...base, ...env } })
  const [head, message] = r.stdout.trimEnd().split('\n').at(-1).split(' | ')
  const [, code, ...rest] = head.split(' ')
  return { code, message: message ?? '', all: r.stdout, exit: r.code, ms: Date.now() - started, ...Object.fromEntries(rest.map(p => p.split('='))) }
}
const HELLO = 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'

for (const server of [plain, tls]) {
  const name = server === tls ? 'https' : 'http'
  const expect = async (path, code, more = {}) => {
    const r = await get(server.url + path, more.max)
    equal(r.code, code, `${name} ${path}: ${code}`)
    for (const [k, v] of Object.entries(more)) {
      k !== 'max' && equal(r[k], v, `${name} ${path}: ${k} ${v}`)
    }
    ok(code === 'ok' || (r.message.startsWith(server.url + path) && r.message.includes('; ') && r.message.length < 400), `${name} ${path}: one sentence with the address`, r.message)
    return r
  }
  await expect('/404', 'not-found', { status: '404', tries: '1' })
  await expect('/410', 'not-found')
  await expect('/401', 'auth', { tries: '1' })
  await expect('/403', 'forbidden', { tries: '1' })
  await expect('/418', 'status', { tries: '1' })
  await expect('/500', 'server', { status: '500', tries: '4' })
  await expect('/429', 'rate', { tries: '4' })
  await expect('/429-long', 'rate', { tries: '1' })
  await expect('/endless-error', 'not-found')
  await expect('/endless', 'too-large', { tries: '1' })
  await expect('/bomb', 'too-large', { tries: '1' })
  await expect('/too-long-announced', 'too-large')
  await expect('/fine', 'too-large', { max: 4 })
  await expect('/fine', 'ok', { max: 5, sha1: HELLO })
  await expect('/short', 'cut', { tries: '4' })
  await expect('/cut', 'cut', { tries: '4' })
  await expect('/bad-gzip', 'coding')
  await expect('/loop', 'redirects')
  await expect('/redirect-6', 'redirects')
  await expect('/redirect-5', 'ok', { sha1: HELLO })
  await expect('/redirect-permanent', 'ok', { sha1: HELLO })
  await expect('/redirect-file', 'redirect')
  await expect('/redirect-gopher', 'redirect')
  await expect('/redirect-nowhere', 'status')
  await expect('/redirect-junk', 'redirect')
  await expect('/gzip', 'ok', { sha1: HELLO })
  await expect('/br', 'ok', { sha1: HELLO })
  await expect('/empty', 'ok', { size: '0' })
  await expect('/500-once', 'ok', { tries: '2', sha1: HELLO })
  await expect('/500-twice', 'ok', { tries: '3' })
  await expect('/cut-once', 'ok', { tries: '2', sha1: HELLO })
  const waited = await expect('/429-once', 'ok', { tries: '2' })
  ok(waited.ms >= 1000, `${name} Retry-After is waited for`, waited.ms)
  const loris = await expect('/loris', 'slow', {})
  ok(loris.ms < 20000, `${name} a slow sender is given up`, loris.ms)
  await expect('/silent', 'timeout', {})
}

// credentials
plain.seen.length = second.seen.length = 0
let r = await get(`${plain.url}/redirect-to?where=${encodeURIComponent(second.url + '/fine')}`)
equal(r.sha1, HELLO, 'a redirect to another host is followed')
equal(plain.seen[0].headers.authorization, 'Bearer secret', 'the first host gets the token')
equal(second.seen[0].headers.authorization, undefined, 'the other host does not')
await get(`${plain.url}/redirect`)
equal(plain.seen.at(-1).headers.authorization, 'Bearer secret', 'the same host gets it again')
r = await get(`${tls.url}/redirect-to?where=${encodeURIComponent(plain.url + '/fine')}`)
equal(r.code, 'redirect', 'from https to http is not followed')
r = await get(plain.url.replace('//', '//joe:hush@') + '/404?key=hush')
ok(r.message.includes('/404') && !r.message.includes('hush') && !r.message.includes('joe'), 'no credentials in messages', r.message)

// connections
r = await get(untrusted.url + '/fine')
equal(r.code, 'tls-cert', 'an unknown authority')
match(r.message, /cafile/, 'and how to name it')
equal(untrusted.seen.length, 0, 'nothing is asked of it')
equal((await get(misnamed.url + '/fine')).code, 'tls-cert', "another host's certificate")
equal((await get(untrusted.url + '/fine', 100, { npm_config_strict_ssl: 'false' })).sha1, HELLO, 'strict-ssl=false as configured')
equal((await get(untrusted.url + '/fine', 100, { npm_config_cafile: other.ca })).sha1, HELLO, 'another cafile')
equal((await get(tls.url + '/fine', 100, { npm_config_cafile: '', NODE_EXTRA_CA_CERTS: good.ca })).sha1, HELLO, 'NODE_EXTRA_CA_CERTS')
equal((await get(tls.url + '/fine', 100, { npm_config_cafile: '' })).code, 'tls-cert', "the system's authorities do not know ours")
equal((await get(plain.url.replace('http', 'https') + '/fine')).code, 'tls', 'https to a port that speaks http')
const down = await raw(() => {})
down.close()
r = await get(down.url + '/fine')
equal(r.code, 'refused', 'nobody there')
equal(r.tries, '4', 'repeated')
r = await get('http://does-not-exist.invalid/x')
equal(r.code, 'dns', 'no such host')
const junk = await raw(s => s.end('hello, I am not a web server\r\n'))
equal((await get(junk.url + '/')).code, 'protocol', 'not HTTP')
const mute = await raw(s => s.end())
equal((await get(mute.url + '/')).code, 'cut', 'hangs up')
for (const url of ['', 'nonsense://x', 'ftp://localhost/x', 'file:///etc/passwd', 'http://', 'http://a\tb/', 'https://localhost:99999/', 'x'.repeat(9000)]) {
  equal((await get(url)).code, 'url', `not an address: ${url.slice(0, 40)}`)
}

// many at once
tls.seen.length = tls.connections = 0
r = await get(Array.from({ length: 300 }, (_, i) => `${tls.url}/fine?${i}`))
equal(r.all.match(new RegExp(HELLO, 'g')).length, 300, '300 requests')
ok(tls.connections <= 2, 'share a connection with HTTP/2', tls.connections)
equal(tls.seen[0].http, '2.0', 'HTTP/2')
plain.connections = 0
r = await get(Array.from({ length: 300 }, (_, i) => `${plain.url}/fine?${i}`))
equal(r.all.match(new RegExp(HELLO, 'g')).length, 300, '300 requests over HTTP/1.1')
ok(plain.connections <= 15, 'over at most 15 connections', plain.connections)

// proxies: chosen by npm's rules, through the registry client
const via = await proxy()
const closed = await proxy({ refuse: true })
const ask = async (what, args, env) => (await run(probe, [what, ...args], { env: { ...base, ...env } })).stdout
match(await ask('full', ['fine'], { npm_config_registry: tls.url, npm_config_https_proxy: via.url }), new RegExp(HELLO), 'https through a proxy')
equal(via.seen[0].method, 'CONNECT', 'with CONNECT')
match(await ask('full', ['fine'], { npm_config_registry: plain.url, npm_config_proxy: via.url }), new RegExp(HELLO), 'http through a proxy')
via.seen.length = 0
match(await ask('full', ['fine'], { npm_config_registry: tls.url, HTTPS_PROXY: via.url, NO_PROXY: 'localhost' }), new RegExp(HELLO), 'NO_PROXY')
equal(via.seen.length, 0, 'is asked directly')
match(await ask('full', ['fine'], { npm_config_registry: tls.url, https_proxy: via.url }), new RegExp(HELLO), 'https_proxy of the environment')
equal(via.seen.length, 1, 'is used')
match(await ask('full', ['fine'], { npm_config_registry: tls.url, npm_config_proxy: closed.url, npm_config_fetch_retries: '0' }), / proxy status.*check proxy/, 'a proxy that refuses')

for (const s of [plain, second, tls, untrusted, misnamed, junk, mute, via, closed]) {
  s.close()
}
finish()
