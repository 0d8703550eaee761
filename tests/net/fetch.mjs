// The process that fetches: what the kernel thinks of it, and what its death or its silence means.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { readdirSync, readFileSync } from 'node:fs'
import { authority, naughty, serve } from './server.mjs'
import { cleanEnv, equal, finish, match, ok, probe, scratch } from './lib.mjs'

const server = await serve(naughty)
const tls = await serve(naughty, authority(scratch, 'good'))
const env = cleanEnv(join(scratch, 'home'), { npm_config_registry: server.url, npm_config_cafile: join(scratch, 'good-ca.pem') })
const HELLO = 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const read = path => { try { return readFileSync(path, 'utf8') } catch { return '' } }

// A run whose role can be found while the server keeps it waiting.
function begin (...urls) {
  const child = spawn(probe, ['get', '1000000', ...urls], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const run = { child, out: '', end: null }
  child.stdout.on('data', d => { run.out += d })
  run.end = new Promise(resolve => child.on('close', code => { run.code = code; resolve() }))
  run.role = () => readdirSync('/proc').map(Number).find(pid => pid && new RegExp(`\\) . ${child.pid} `).test(read(`/proc/${pid}/stat`)) && read(`/proc/${pid}/cmdline`).includes('--role\0fetch'))
  return run
}
async function until (what, ms = 10000) {
  for (const end = Date.now() + ms; Date.now() < end && !what();) {
    await pause(20)
  }
  return what()
}
const asked = path => server.seen.filter(s => s.url === path).length

// the kernel's view
let r = begin(`${server.url}/silent`)
await until(() => asked('/silent') === 1)
let pid = r.role()
const status = read(`/proc/${pid}/status`)
const line = name => (status.match(new RegExp(`^${name}:\\s*(.*)$`, 'm')) ?? [])[1]
equal(line('Seccomp'), '2', 'system calls are filtered')
equal(line('NoNewPrivs'), '1', 'no new privileges')
equal(line('CapEff'), '0000000000000000', 'no capabilities')
equal(line('CapPrm'), '0000000000000000', 'nor any to take back')
if (process.getuid() === 0) {
  equal(line('Uid'), '65534\t65534\t65534\t65534', 'nobody')
  equal(read(`/proc/${pid}/environ`).replace(/^ASAN_OPTIONS=[^\0]*\0$/, ''), '', 'no environment, but for the sanitizer')
}
const parent = read(`/proc/${r.child.pid}/net/tcp`)
const port = server.port.toString(16).toUpperCase().padStart(4, '0')
ok(parent.includes(`:${port}`), 'the connection is there')

// killed once: another one does it
process.kill(pid, 'SIGKILL')
ok(await until(() => asked('/silent') === 2), 'a role that was killed is replaced, and asks again')
const second = r.role()
ok(second && second !== pid, 'in another process', second)
process.kill(second, 'SIGSEGV')
await r.end
match(r.out, /^\S+ crashed status=0 .* \| http:\S+\/silent: the process that fetches ended .*; /, 'twice: that is the answer')

// the guilty one is found among others
r = begin(`${server.url}/silent?b`, `${server.url}/fine?1`, `${server.url}/fine?2`, `${tls.url}/fine?3`)
await until(() => asked('/silent?b') === 1)
process.kill(r.role(), 'SIGABRT')
await until(() => asked('/silent?b') === 2)
process.kill(r.role(), 'SIGABRT')
await r.end
equal((r.out.match(new RegExp(HELLO, 'g')) ?? []).length, 3, 'the others are fetched')
equal((r.out.match(/ crashed /g) ?? []).length, 1, 'it is not')

// it dies with its parent
r = begin(`${server.url}/silent?c`)
await until(() => asked('/silent?c') === 1)
pid = r.role()
r.child.kill('SIGKILL')
await r.end
ok(await until(() => !/qanat|fetch/.test(read(`/proc/${pid}/cmdline`))), 'it does not outlive its parent')

// silence
r = begin(`${server.url}/silent?d`)
await until(() => asked('/silent?d') === 1)
pid = r.role()
const began = Date.now()
process.kill(pid, 'SIGSTOP')
await r.end
match(r.out, /^\S+ hung status=0 .* \| http:\S+\/silent: the process that fetches did not react .*; /, 'a role that does not react is ended')
ok(Date.now() - began < 40000, 'within a bounded time', Date.now() - began)
ok(!read(`/proc/${pid}/cmdline`), 'and is gone')

server.close()
tls.close()
finish()
