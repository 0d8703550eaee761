// Shared by the tests of the registry client: a little TAP, running programs, a scratch directory.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export const probe = resolve(process.argv[2])
export const scratch = mkdtempSync(join(tmpdir(), 'qanat-net-'))
let count = 0
let failed = 0

export function ok (pass, name, detail) {
  count++
  failed += pass ? 0 : 1
  console.log(`${pass ? 'ok' : 'not ok'} ${count} - ${name}`)
  if (!pass && detail !== undefined) {
    console.log(String(detail).replace(/^/gm, '# '))
  }
}

export const equal = (a, b, name) => ok(a === b, name, `got  ${JSON.stringify(a)}\nwant ${JSON.stringify(b)}`)
export const match = (a, re, name) => ok(re.test(a), name, `got ${JSON.stringify(a)}\nwant ${re}`)

export function finish () {
  console.log(`1..${count}`)
  rmSync(scratch, { recursive: true, force: true })
  process.exit(failed ? 1 : 0)
}

// Runs a program without a shell; never rejects.
export function run (file, args, { env = {}, cwd = scratch, timeout = 120000 } = {}) {
  return new Promise(done => {
    execFile(file, args, { env, cwd, timeout, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (file === probe && stderr) {
        ok(false, `${args.join(' ').slice(0, 60)}: something on standard error`, stderr.slice(0, 4000))
      }
      done({ code: error ? error.code ?? 1 : 0, stdout, stderr })
    })
  })
}

// { 'a/b.txt': 'text', 'dir/': null } below root
export function tree (root, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    mkdirSync(text === null ? path : dirname(path), { recursive: true })
    if (text !== null) {
      writeFileSync(path, text)
    }
  }
  return root
}

// An environment in which npm finds only what the test puts there.
export function cleanEnv (home, more = {}) {
  mkdirSync(home, { recursive: true })
  return { PATH: process.env.PATH, HOME: home, QANAT_CACHE: join(scratch, 'remembered'), npm_config_update_notifier: 'false',
    npm_config_globalconfig: join(home, 'no-global'), ...more }
}
