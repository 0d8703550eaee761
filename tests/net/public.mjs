// Requests that go to public addresses only: no address of this machine is connected to, however it is written, named or reached.
import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { authority, naughty, proxy, serve } from './server.mjs'
import { cleanEnv, equal, finish, match, ok, probe, run, scratch } from './lib.mjs'

const good = authority(scratch, 'good', 'public.invalid')
const env = cleanEnv(join(scratch, 'home'), { npm_config_cafile: good.ca })
const plain = await serve(naughty)
const tls = await serve(naughty, good)

async function send (url, more = [], settings = {}) {
  const r = await run(probe, ['send', 'GET', url, 'public=1', 'tries=1', ...more], { env: { ...env, ...settings } })
  const [, code, , status] = r.stdout.match(/^sent (\S+) (status=(\d+))?/) ?? []
  return { code, status, all: r.stdout }
}

for (const host of ['127.0.0.1', 'localhost', 'a.localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '0', '10.0.0.1', '169.254.169.254']) {
  match((await send(`http://${host}:${plain.port}/fine`)).all, /^sent private status=0 .*foreign-tarballs/, `http://${host}`)
}
equal(plain.connections, 0, 'nobody was connected to')
equal((await run(probe, ['send', 'GET', `${plain.url}/fine`], { env })).stdout.slice(0, 7), 'sent ok', 'others may')

// A name that leads to this machine.
const name = hostname()
const { address, family } = await lookup(name).catch(() => ({}))
const inside = address && (/^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(address) || /^(::1$|f[cde])/.test(address))
if (!inside || name.includes(':')) {
  ok(true, 'what a name leads to # SKIP the name of this machine leads nowhere inside')
} else {
  const own = authority(scratch, 'own', name)
  for (const cert of [undefined, own]) {
    const s = await serve(naughty, cert, address)
    const base = `${cert ? 'https' : 'http'}://${name}:${s.port}`
    const settings = { npm_config_cafile: own.ca }
    equal((await send(`${base}/fine`, [], settings)).code, 'private', `${base.split(':')[0]}: a name of IPv${family} is looked up before it is refused`)
    equal(s.connections, 0, 'and nobody was connected to')
    equal((await send(`${base}/fine?again`, [`warm=${base}/fine`], settings)).code, 'private', 'nor is the connection of another request used')
    equal(s.seen.map(x => x.url).join(), '/fine', 'which was there')

    // A proxy is where the configuration says; what it leads to is looked at again.
    const via = await proxy({ to: plain.port })
    const before = s.seen.length
    const past = { ...settings, npm_config_proxy: via.url, npm_config_noproxy: name }
    equal((await send(`http://public.invalid/redirect-to?where=${encodeURIComponent(`${base}/fine`)}`, [], past)).code, 'private', 'a redirect past the proxy')
    equal(`${via.seen.length} ${s.seen.length}`, `1 ${before}`, 'is not followed')
    via.close()
    s.close()
  }
}

const via = await proxy({ to: plain.port })
const settings = { npm_config_proxy: via.url }
equal((await send('http://public.invalid/fine', [], settings)).code, 'ok', 'through a proxy on this machine')
equal((await send('http://public.invalid/fine', ['warm=http://public.invalid/fine'], settings)).code, 'ok', 'and again')
const hits = via.seen.length
for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254']) {
  equal((await send(`http://${host}/fine`, [], settings)).code, 'private', `through a proxy to http://${host}`)
}
equal(via.seen.length, hits, 'it was not asked')
for (const where of [`http://127.0.0.1:${plain.port}/fine`, 'http://169.254.169.254/fine', 'http://localhost/fine']) {
  equal((await send(`http://public.invalid/redirect-to?where=${encodeURIComponent(where)}`, [], settings)).code, 'private', `a redirect to ${where.split('/')[2].split(':')[0]}`)
}
equal((await send('http://public.invalid/redirect', [], settings)).code, 'ok', 'one that stays')
const tunnel = await proxy({ to: tls.port })
equal((await send('https://public.invalid/fine', [], { npm_config_https_proxy: tunnel.url })).code, 'ok', 'through a tunnel')
equal(tunnel.seen[0]?.method, 'CONNECT', 'that was asked for')

for (const s of [plain, tls, via, tunnel]) {
  s.close()
}
finish()
