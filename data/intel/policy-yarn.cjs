// What follows the list is the same for everybody: lay the file into the project as .yarn/plugins/qanat-policy.cjs and name it in
// .yarnrc.yml: plugins: [.yarn/plugins/qanat-policy.cjs].
// Yarn (2 and later) resolves the dependencies, and before it fetches any each is looked up in the list.
module.exports = {
  name: 'qanat-policy',
  factory: () => ({
    hooks: {
      validateProjectAfterInstall (project, report) {
        for (const pkg of project.storedPackages.values()) {
          const name = pkg.scope ? `@${pkg.scope}/${pkg.name}` : pkg.name
          const id = pkg.version && blockedBy(name, pkg.version)
          if (id) report.reportError(0, `${name}@${pkg.version} is blocked: ${id} says that it is malware (list made by qanat)`)
        }
      }
    }
  })
}
