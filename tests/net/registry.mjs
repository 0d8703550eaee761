// A small registry with made-up packages, for the real npm and for us.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { serve } from './server.mjs'
import { scratch, tree } from './lib.mjs'

// A package's tarball as npm packs it, with its hashes.
export function pack (name, version, more = {}) {
  const dir = tree(join(scratch, 'pack', name, version), { 'package.json': JSON.stringify({ name, version, ...more }), 'index.js': `module.exports = ${JSON.stringify(name)}\n` })
  const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: dir, env: { PATH: process.env.PATH, HOME: join(scratch, 'pack') }, stdio: ['ignore', 'pipe', 'ignore'] }))
  const bytes = readFileSync(join(dir, filename))
  return { name, version, manifest: { name, version, ...more }, bytes, file: `${name.split('/').at(-1)}-${version}.tgz`,
    shasum: createHash('sha1').update(bytes).digest('hex'), integrity: 'sha512-' + createHash('sha512').update(bytes).digest('base64') }
}

const SHORT = 'application/vnd.npm.install-v1+json'

// packages: from pack(); how: { cacheControl, etag, token, tarballHost, short }
export function registry (packages, how = {}) {
  const handler = (req, res, s) => {
    const url = new URL(req.url, 'http://x.invalid')
    const path = decodeURIComponent(url.pathname)
    if (how.token && req.headers.authorization !== `Bearer ${how.token}`) {
      res.writeHead(401, { 'www-authenticate': 'Bearer' })
      return res.end('{}')
    }
    const p = packages.find(p => path === `/${p.name}/-/${p.file}`)
    if (p) {
      res.writeHead(200, { 'content-type': 'application/octet-stream', ...(how.cacheControl && { 'cache-control': how.cacheControl }) })
      return res.end(p.bytes)
    }
    const versions = packages.filter(p => path === `/${p.name}`)
    if (!versions.length) {
      res.writeHead(404, { 'content-type': 'application/json' })
      return res.end('{"error":"not found"}')
    }
    const short = how.short !== false && (req.headers.accept ?? '').includes(SHORT)
    const doc = { name: versions[0].name, 'dist-tags': { latest: versions.at(-1).version }, ...(short ? { modified: '2020-01-01' } : { time: {}, readme: 'long text' }),
      versions: Object.fromEntries(versions.map(p => [p.version, { ...p.manifest, dist: { tarball: `${how.tarballHost ?? s.base}/${p.name}/-/${p.file}`, shasum: p.shasum, integrity: p.integrity } }])) }
    const body = JSON.stringify(doc)
    const etag = `"${createHash('sha1').update(body).digest('hex')}"`
    const headers = { 'content-type': short ? SHORT : 'application/json', vary: 'accept', ...(how.etag && { etag }), ...(how.cacheControl && { 'cache-control': how.cacheControl }) }
    if (how.etag && req.headers['if-none-match'] === etag) {
      res.writeHead(304, headers)
      return res.end()
    }
    const zip = /gzip/.test(req.headers['accept-encoding'] ?? '')
    res.writeHead(200, { ...headers, ...(zip && { 'content-encoding': 'gzip' }) })
    res.end(zip ? gzipSync(body) : body)
  }
  return serve(handler, how.tls)
}
