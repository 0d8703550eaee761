// Looks a version up in BLOCKED: name → [versions, id], where versions is "*", one version, ">=1.0.0 <2.0.0", or "!"
// and a version that is permitted whatever else is said.
function parts (version) {
  const [, core, pre] = /^v?(\d+(?:\.\d+)*)(?:-([^+]*))?/.exec(version) || [, '0', '']
  return { core: core.split('.').map(Number), pre: pre ? pre.split('.') : [] }
}

function compare (a, b) {
  const x = parts(a)
  const y = parts(b)
  for (let i = 0; i < 3; i++) if ((x.core[i] || 0) !== (y.core[i] || 0)) return (x.core[i] || 0) - (y.core[i] || 0)
  if (!x.pre.length || !y.pre.length) return (x.pre.length ? 0 : 1) - (y.pre.length ? 0 : 1)
  for (let i = 0; i < Math.min(x.pre.length, y.pre.length); i++) {
    if (x.pre[i] === y.pre[i]) continue
    const n = [x.pre[i], y.pre[i]].map(p => /^\d+$/.test(p))
    if (n[0] && n[1]) return x.pre[i] - y.pre[i]
    if (n[0] !== n[1]) return n[0] ? -1 : 1
    return x.pre[i] < y.pre[i] ? -1 : 1
  }
  return x.pre.length - y.pre.length
}

function inRange (version, range) {
  return range.split(' ').every(term => {
    const [, sign, bound] = /^(>=|<=|<)(.*)$/.exec(term)
    const c = compare(version, bound)
    return sign === '>=' ? c >= 0 : sign === '<=' ? c <= 0 : c < 0
  })
}

function blockedBy (name, version) {
  const entries = BLOCKED.get(name) || []
  if (entries.some(([versions]) => versions === '!' + version)) return undefined
  const hit = entries.find(([versions]) => versions === '*' || versions === version || (/^[<>]/.test(versions) && inRange(version, versions)))
  return hit && hit[1]
}
