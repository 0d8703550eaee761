// Requests that change something, and answers that are handed on as they are.
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { readdirSync, readFileSync } from 'node:fs'
import { authority, naughty, proxy, raw, serve } from './server.mjs'
import { cleanEnv, equal, finish, match, ok, probe, run, scratch } from './lib.mjs'

const plain = await serve(naughty)
const second = await serve(naughty)
const tls = await serve(naughty, authority(scratch, 'good'))
const env = cleanEnv(join(scratch, 'home'), { npm_config_cafile: join(scratch, 'good-ca.pem'), npm_config_fetch_timeout: '2000' })

async function send (method, url, ...more) {
  const started = Date.now()
  const r = await run(probe, ['send', method, url, ...more], { env })
  const [first, ...lines] = r.stdout.split('\n')
  const [head, message] = first.split(' | ')
  const [, code, ...rest] = head.split(' ')
  const fields = Object.fromEntries(rest.concat(lines).filter(l => l.includes('=')).map(p => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]))
  return { code, message: message ?? '', all: r.stdout, exit: r.code, ms: Date.now() - started, ...fields }
}
const pattern = n => Buffer.from(Array.from({ length: n }, (_, i) => 97 + i % 23))
const SIZE = 5 * 1024 * 1024 + 3
const SHA1 = createHash('sha1').update(pattern(SIZE)).digest('hex')
let r

for (const server of [plain, tls]) {
  const name = server === tls ? 'https' : 'http'
  const asked = path => server.seen.filter(s => s.url === path).length
  for (const method of ['PUT', 'POST', 'DELETE']) {
    r = await send(method, `${server.url}/echo`, `size=${SIZE}`, 'type=application/json')
    const got = JSON.parse(r.body ?? '{}')
    equal(`${got.method} ${got.size} ${got.sha1}`, `${method} ${SIZE} ${SHA1}`, `${name} ${method} of 5 MB arrives as it is`)
    r = await send(method, `${server.url}/echo`)
    equal(`${JSON.parse(r.body ?? '{}').method} ${JSON.parse(r.body ?? '{}').size}`, `${method} 0`, `${name} ${method} of nothing`)
  }
  equal(JSON.parse((await send('PUT', `${server.url}/echo`)).body).headers['content-length'], '0', `${name} says that it sends nothing`)
  r = await send('PUT', `${server.url}/echo`, 'size=3', 'type=application/json', 'encoding=gzip', 'otp=123456', 'auth-type=web', 'session=abc', 'command=publish', 'name=qanat-signature', 'value=sha256=00')
  const h = JSON.parse(r.body).headers
  equal([h['content-type'], h['content-encoding'], h['npm-otp'], h['npm-auth-type'], h['npm-session'], h['npm-command'], h['qanat-signature'], h.authorization, h.expect].join(),
    'application/json,gzip,123456,web,abc,publish,sha256=00,Bearer secret,', `${name} headers arrive`)
  r = await send('PUT', `${server.url}/otp`, 'size=10', 'pass=1')
  equal(`${r.code} ${r.status} ${r.authenticate} ${r.notice} ${r['content-type']} ${r.body}`, 'ok 401 Basic realm="x", OTP open the link application/json {"error":"otp"}', `${name} 401 is handed back with what it wants`)
  r = await send('PUT', `${server.url}/otp`, 'size=10')
  equal(`${r.code} ${r.status} ${r.size}`, 'auth 401 0', `${name} 401 is an error when nobody wants it`)
  r = await send('PUT', `${server.url}/500-body`, 'size=10', 'pass=1')
  equal(`${r.code} ${r.status} ${r.tries} ${r['retry-after']} ${r.body}`, 'ok 500 1 1 broken inside', `${name} 500 is handed back, decompressed, and not repeated`)
  r = await send('GET', `${server.url}/500`, 'pass=1')
  equal(`${r.code} ${r.status} ${r.tries} ${r.body}`, 'ok 500 4 oops', `${name} a GET is repeated before its 500 is handed back`)
  r = await send('GET', `${server.url}/404`, 'pass=1')
  equal(`${r.code} ${r.status} ${r.tries} ${r.body}`, 'ok 404 1 {"error":"not found"}', `${name} 404 is handed back`)
  r = await send('GET', `${server.url}/202`)
  equal(`${r.code} ${r.status} ${r['retry-after']}`, 'ok 202 5', `${name} 202 says when to come again`)
  equal((await send('DELETE', `${server.url}/204`)).status, '204', `${name} 204 has no body`)
  r = await send('GET', `${server.url}/304`, 'pass=1')
  equal(`${r.code} ${r.status} ${r.size}`, 'ok 304 0', `${name} 304 has none either`)
  r = await send('PUT', `${server.url}/odd-header`, 'pass=1')
  equal(`${r.code} ${r.status} ${r.authenticate}${r.notice} ${r.body}`, 'ok 403  no', `${name} headers that are too long or not ASCII are left out`)
  r = await send('GET', `${server.url}/404`, 'pass=1', 'max=4')
  equal(`${r.code} ${r.status}`, 'too-large 404', `${name} the body of an error has the same cap`)
  r = await send('GET', `${server.url}/endless-error`, 'pass=1')
  equal(r.code, 'too-large', `${name} also when it has no end`)
  r = await send('PUT', `${server.url}/bomb`, 'pass=1')
  equal(r.code, 'too-large', `${name} and when it grows`)
  for (const method of ['PUT', 'POST', 'DELETE']) {
    server.seen.length = 0
    r = await send(method, `${server.url}/drop`, 'size=1000', 'pass=1')
    equal(`${r.code} ${r.tries} ${asked('/drop')}`, 'cut 1 1', `${name} ${method} without an answer is not repeated`)
    for (const size of [0, 1000]) {
      server.seen.length = 0
      r = await send(method, `${server.url}/drop`, `size=${size}`, `warm=${server.url}/fine`)
      equal(`${r.code} ${r.tries} ${asked('/fine')} ${asked('/drop')}`, 'cut 1 1 1', `${name} ${method} of ${size} bytes: nor when there was a connection before`)
    }
    server.seen.length = 0
    r = await send(method, `${server.url}/redirect`, 'size=10', 'pass=1')
    equal(`${r.code} ${r.status} ${r.location} ${r.body} ${asked('/fine')}`, 'ok 302 /fine moved 0', `${name} ${method} is not redirected`)
    equal((await send(method, `${server.url}/redirect`, 'size=10')).code, 'status', `${name} ${method}: then it is an error`)
  }
  server.seen.length = 0
  r = await send('PUT', `${server.url}/drop-unread`, 'size=5000000')
  equal(`${r.code} ${r.tries} ${asked('/drop-unread')}`, 'cut 1 1', `${name} nor is half a request`)
  r = await send('GET', `${server.url}/redirect`, 'pass=1', 'otp=1')
  equal(`${r.code} ${r.status} ${r.body}`, 'ok 200 hello', `${name} a GET is redirected`)
  r = await send('GET', `${server.url}/redirect-nowhere`, 'pass=1')
  equal(r.code, 'status', `${name} a redirect to nowhere is an error`)
  for (const path of ['/silent', '/trickle']) {
    for (const method of ['GET', 'PUT']) {
      r = await send(method, `${server.url}${path}`, 'total=700', 'max=100000000', 'pass=1')
      equal(r.code, 'late', `${name} ${method} ${path} ends at its time`)
      ok(r.ms >= 650 && r.ms < 2500, `${name} and not much later`, r.ms)
      match(r.message, /; try again/, `${name} with a sentence`)
    }
  }
  server.seen.length = 0
  r = await send('GET', `${server.url}/429-long`, 'pass=1', 'total=2000')
  equal(`${r.code} ${r.status} ${r['retry-after']}`, 'ok 429 100000', `${name} what would have to wait is handed back`)
  r = await send('GET', `${server.url}/429-once`, 'pass=1', 'total=500')
  equal(`${r.code} ${r.status} ${r.tries}`, 'ok 429 1', `${name} no waiting that goes past the time`)
}

// an answer before everything was sent
r = await send('PUT', `${tls.url}/otp-early`, `size=${SIZE}`, 'pass=1')
equal(`${r.code} ${r.status} ${r.authenticate} ${r.body}`, 'ok 401 OTP early', 'an early answer counts')

// nothing of it was sent: it may be repeated
const down = await raw(() => {})
down.close()
r = await send('PUT', `${down.url}/x`, 'size=10', 'pass=1')
equal(`${r.code} ${r.tries}`, 'refused 4', 'a connection that was refused is tried again')
r = await send('PUT', `${down.url}/x`, 'size=10', 'pass=1', 'total=30')
equal(r.code, 'refused', 'and keeps its name when the time is over')
equal((await send('POST', 'http://does-not-exist.invalid/', 'pass=1')).code, 'dns', 'no such host')

// the answer of a proxy is not that of the server
const closed = await proxy({ refuse: true })
r = await run(probe, ['send', 'PUT', `${plain.url}/407`, 'size=1', 'pass=1'], { env: { ...env, npm_config_proxy: closed.url } })
match(r.stdout, /^sent proxy status=407 /, 'a proxy that refuses')
equal(closed.seen.at(-1)?.method, 'PUT', 'was asked')

// what comes from a client goes no further than its header
plain.seen.length = 0
const bad = ['a\r\nx: y', 'a\nb', 'a\rb', 'a\tb', 'a\x7f', 'a\u00e9', 'x'.repeat(8193)]
for (const key of ['type', 'encoding', 'otp', 'auth-type', 'session', 'command']) {
  const answers = await Promise.all(bad.map(v => send('PUT', `${plain.url}/echo`, `${key}=${v}`)))
  ok(answers.every(a => a.all.startsWith('error 22 ') && a.exit === 2), `${key}: one line of printable ASCII`, answers.map(a => a.all).join('\n'))
}
for (const [name, value] of [['host', 'x'], ['content-length', '1'], ['transfer-encoding', 'chunked'], ['authorization', 'x'], ['proxy-authorization', 'x'], ['X-Upper', 'x'], ['a b', 'x'],
  ['a:b', 'x'], ['a\r\nb', 'x'], ['', 'x'], ['fine', 'a\r\nb: c'], ['x'.repeat(65), 'x']]) {
  r = await send('POST', `${plain.url}/echo`, `name=${name}`, `value=${value}`)
  match(r.all, /^error 22 /, `no header ${JSON.stringify(name).slice(0, 30)}`)
}
match((await send('POST', `${plain.url}/echo`, 'name=qanat-x')).all, /^error 22 /, 'a name without a value')
for (const method of ['', 'get', 'PUT ', 'PUT / HTTP/1.1\r\nx', 'CONNECT', 'TRACE', 'put']) {
  match((await send(method, `${plain.url}/echo`)).all, /^error 22 /, `no method ${JSON.stringify(method)}`)
}
match((await send('GET', `${plain.url}/echo`, 'size=1')).all, /^error 22 /, 'a GET sends nothing')
equal(plain.seen.length, 0, 'nothing of it was asked')

// credentials stay
await send('GET', `${plain.url}/redirect-to?where=${encodeURIComponent(second.url + '/fine')}`, 'otp=123', 'session=s', 'name=qanat-x', 'value=v')
const there = second.seen.at(-1).headers
equal([there.authorization, there['npm-otp'], there['qanat-x']].join(), ',,', 'another host gets no password')

// a role that dies in the middle
plain.seen.length = 0
const child = spawn(probe, ['send', 'PUT', `${plain.url}/silent`, 'size=10', 'pass=1'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
let out = ''
child.stdout.on('data', d => { out += d })
const ended = new Promise(resolve => child.on('close', resolve))
const read = path => { try { return readFileSync(path, 'utf8') } catch { return '' } }
for (const end = Date.now() + 10000; Date.now() < end && !plain.seen.length;) {
  await new Promise(resolve => setTimeout(resolve, 20))
}
process.kill(readdirSync('/proc').map(Number).find(pid => pid && new RegExp(`\\) . ${child.pid} `).test(read(`/proc/${pid}/stat`))), 'SIGKILL')
await ended
match(out, /^sent crashed /, 'what it may have sent is not sent again')
equal(plain.seen.length, 1, 'not even once')

for (const s of [plain, second, tls, closed]) {
  s.close()
}
finish()
