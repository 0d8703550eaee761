// A registry that misbehaves on request.  Every server keeps what it was asked in `seen`.
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, brotliCompressSync } from 'node:zlib'

// A made-up authority and a certificate for localhost signed by it.
export function authority (dir, name, host = 'localhost') {
  const ssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
  ssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}-ca.key`, '-out', `${name}-ca.pem`,
    '-days', '30', '-subj', `/CN=${name} test authority`, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign')
  ssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${host}`)
  writeFileSync(join(dir, `${name}.ext`), `subjectAltName=DNS:${host},IP:127.0.0.1\n`)
  ssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${name}-ca.pem`, '-CAkey', `${name}-ca.key`, '-CAcreateserial', '-out', `${name}.pem`,
    '-days', '30', '-extfile', `${name}.ext`)
  return { ca: join(dir, `${name}-ca.pem`), key: readFileSync(join(dir, `${name}.key`)), cert: readFileSync(join(dir, `${name}.pem`)) }
}

const listen = (server, address = '127.0.0.1') => new Promise(resolve => server.listen(0, address, () => resolve(server.address().port)))

// handler(request, response, state); gives { url, seen, close }
export async function serve (handler, tls, address) {
  const seen = []
  const state = { hits: new Map(), seen }
  const on = (req, res) => {
    req.on('error', () => {})
    res.on('error', () => {})
    const n = (state.hits.get(req.url) ?? 0) + 1
    state.hits.set(req.url, n)
    seen.push({ method: req.method, url: req.url, headers: { ...req.headers }, http: req.httpVersion })
    handler(req, res, { ...state, n, base: api.url })
  }
  const server = tls ? http2.createSecureServer({ ...tls, allowHTTP1: true }, on) : http.createServer(on)
  const sockets = new Set()
  const api = { seen, state }
  server.on(tls ? 'secureConnection' : 'connection', s => { sockets.add(s); s.on('error', () => {}); s.on('close', () => sockets.delete(s)) })
  server.on('sessionError', () => {})
  server.on('clientError', (e, s) => s.destroy())
  api.connections = 0
  server.on(tls ? 'secureConnection' : 'connection', () => api.connections++)
  api.port = await listen(server, address)
  api.url = `${tls ? 'https' : 'http'}://localhost:${api.port}`
  api.close = () => { server.close(); sockets.forEach(s => s.destroy()) }
  return api
}

// Calls back with what a request's body was.
function whole (req, done) {
  const sha1 = createHash('sha1')
  let size = 0
  req.on('data', d => { sha1.update(d); size += d.length })
  req.on('end', () => done(sha1.digest('hex'), size))
}

// The routes of the misbehaving server.
export function naughty (req, res, s) {
  const send = (status, headers, body) => { res.writeHead(status, headers); res.end(body) }
  const to = (where, status = 302) => send(status, { location: where }, 'moved')
  const path = new URL(req.url, 'http://x.invalid').pathname
  const routes = {
    '/fine': () => send(200, { 'content-type': 'text/plain', etag: '"e1"' }, 'hello'),
    '/gzip': () => send(200, { 'content-encoding': 'gzip' }, gzipSync('hello')),
    '/br': () => send(200, { 'content-encoding': 'br' }, brotliCompressSync(Buffer.from('hello'))),
    '/bad-gzip': () => send(200, { 'content-encoding': 'gzip' }, 'not gzip at all, really'),
    '/bomb': () => send(200, { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(64 << 20))),
    '/empty': () => send(200, {}, ''),
    '/401': () => send(401, { 'www-authenticate': 'Bearer' }, 'who are you'),
    '/403': () => send(403, {}, 'no'),
    '/404': () => send(404, {}, '{"error":"not found"}'),
    '/410': () => send(410, {}, 'gone'),
    '/418': () => send(418, {}, 'teapot'),
    '/429-once': () => s.n === 1 ? send(429, { 'retry-after': '1' }, 'slow down') : send(200, {}, 'hello'),
    '/429-long': () => send(429, { 'retry-after': '100000' }, 'go away'),
    '/429': () => send(429, {}, 'slow down'),
    '/500-once': () => s.n === 1 ? send(500, {}, 'oops') : send(200, {}, 'hello'),
    '/500-twice': () => s.n <= 2 ? send(503, {}, 'oops') : send(200, {}, 'hello'),
    '/500': () => send(500, {}, 'oops'),
    '/endless-error': () => { res.writeHead(404); const t = setInterval(() => res.write(Buffer.alloc(65536)), 1); res.on('close', () => clearInterval(t)) },
    '/too-long-announced': () => { res.writeHead(200, { 'content-length': '100000000' }); res.write('x') },
    '/short': () => { res.writeHead(200, { 'content-length': '100' }); res.write('only this'); setTimeout(() => res.stream ? res.stream.close(2) : res.socket.destroy(), 50) },
    '/cut': () => { res.writeHead(200); res.write('some of it'); setTimeout(() => res.stream ? res.stream.close(2) : res.socket.destroy(), 50) },
    '/cut-once': () => s.n === 1 ? routes['/cut']() : send(200, {}, 'hello'),
    '/endless': () => { res.writeHead(200); const t = setInterval(() => res.write(Buffer.alloc(65536)), 1); res.on('close', () => clearInterval(t)) },
    '/loris': () => { res.writeHead(200); const t = setInterval(() => res.write('x'), 200); res.on('close', () => clearInterval(t)) },
    '/silent': () => {},
    '/echo': () => whole(req, (sha1, size) => send(200, { 'content-type': 'application/json' }, JSON.stringify({ method: req.method, sha1, size, headers: req.headers }))),
    '/otp': () => whole(req, () => send(401, { 'www-authenticate': ['Basic realm="x"', 'OTP'], 'npm-notice': 'open the link', 'content-type': 'application/json' }, '{"error":"otp"}')),
    '/otp-early': () => send(401, { 'www-authenticate': 'OTP' }, 'early'),
    '/500-body': () => whole(req, () => send(500, { 'retry-after': '1', 'content-encoding': 'gzip' }, gzipSync('broken inside'))),
    '/202': () => send(202, { 'retry-after': '5' }, '{}'),
    '/204': () => send(204, {}),
    '/304': () => send(304, { etag: '"e1"' }),
    '/odd-header': () => send(403, { 'npm-notice': 'x\u00e9', 'www-authenticate': 'y'.repeat(9000) }, 'no'),
    '/drop': () => whole(req, () => res.stream ? res.stream.close(2) : res.socket.destroy()),
    '/drop-unread': () => req.once('data', () => res.stream ? res.stream.close(2) : res.socket.destroy()),
    '/trickle': () => { res.writeHead(200); const t = setInterval(() => res.write(Buffer.alloc(2000)), 50); res.on('close', () => clearInterval(t)) },
    '/redirect': () => to('/fine'),
    '/redirect-permanent': () => to('/fine', 308),
    '/redirect-5': () => to('/redirect-4'),
    '/redirect-4': () => to('/redirect-3'),
    '/redirect-3': () => to('/redirect-2'),
    '/redirect-2': () => to('/redirect'),
    '/redirect-6': () => to('/redirect-5'),
    '/loop': () => to('/loop'),
    '/redirect-file': () => to('file:///etc/passwd'),
    '/redirect-gopher': () => to('gopher://localhost/'),
    '/redirect-nowhere': () => send(302, {}, ''),
    '/redirect-junk': () => to('http://exa mple:99999/'),
    '/redirect-to': () => to(new URL(req.url, 'http://x.invalid').searchParams.get('where'))
  }
  const route = routes[path]
  route ? route() : send(404, {}, 'no such route')
}

// What is not HTTP, and what is not even that.
export async function raw (onSocket) {
  const sockets = new Set()
  const server = net.createServer(s => { sockets.add(s); s.on('error', () => {}); onSocket(s) })
  const port = await listen(server)
  return { port, url: `http://localhost:${port}`, close: () => { server.close(); sockets.forEach(s => s.destroy()) } }
}

// A proxy for CONNECT and for absolute addresses; to: the one port of this machine that it connects to, whatever it is asked.
export async function proxy ({ refuse = false, to } = {}) {
  const seen = []
  const server = http.createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, headers: req.headers })
    if (refuse) {
      res.writeHead(407)
      return res.end()
    }
    const where = to ? `http://127.0.0.1:${to}${new URL(req.url).pathname}${new URL(req.url).search}` : req.url
    const up = http.request(where, { method: req.method, headers: req.headers }, r => { res.writeHead(r.statusCode, r.headers); r.pipe(res) })
    up.on('error', () => { res.writeHead(502); res.end() })
    req.pipe(up)
  })
  server.on('connect', (req, client, head) => {
    seen.push({ method: 'CONNECT', url: req.url, headers: req.headers })
    client.on('error', () => {})
    if (refuse) {
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    }
    const [host, port] = to ? ['127.0.0.1', to] : req.url.split(':')
    const up = net.connect(Number(port), host, () => { client.write('HTTP/1.1 200 OK\r\n\r\n'); up.write(head); up.pipe(client); client.pipe(up) })
    up.on('error', () => client.destroy())
  })
  const port = await listen(server)
  return { seen, port, url: `http://localhost:${port}`, close: () => { server.close(); server.closeAllConnections() } }
}
