// What follows the list is the same for everybody: lay the file into the project as .pnpmfile.cjs.
// pnpm resolves the dependencies, and before it writes or installs anything each is looked up in the list.
// "/name/1.0.0", "/name@1.0.0(peer@1)", "name@1.0.0": lock files of all versions of pnpm
function locate (key) {
  const bare = key.replace(/^\//, '').replace(/[(_].*$/, '')
  const at = bare.lastIndexOf('@') > 0 ? bare.lastIndexOf('@') : bare.lastIndexOf('/')
  return [bare.slice(0, at), bare.slice(at + 1)]
}

module.exports = {
  hooks: {
    afterAllResolved (lockfile) {
      for (const key of Object.keys(lockfile.packages || {})) {
        const [name, version] = locate(key)
        const id = blockedBy(name, version)
        if (id) throw new Error(`${name}@${version} is blocked: ${id} says that it is malware (list made by qanat)`)
      }
      return lockfile
    }
  }
}
