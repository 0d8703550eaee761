// What follows the list is the same for everybody: lay the file into the project as .yarn/plugins/qanat-policy.cjs and name it in
// .yarnrc.yml: plugins: [.yarn/plugins/qanat-policy.cjs].
// Yarn (2 and later) asks its plugins about the project when everything is laid down; until then no script of it is run.
function blockedIn (project) {
  const found = []
  for (const pkg of project.storedPackages.values()) {
    const name = pkg.scope ? `@${pkg.scope}/${pkg.name}` : pkg.name
    const id = pkg.version && blockedBy(name, pkg.version)
    if (id) found.push(`${name}@${pkg.version} is blocked: ${id} says that it is malware (list made by qanat)`)
  }
  return [...new Set(found)]
}

module.exports = {
  name: 'qanat-policy',
  factory: () => ({
    hooks: {
      async wrapScriptExecution (executor, project) {
        const found = blockedIn(project)
        if (found.length) throw new Error(found.join('; '))
        return executor
      },
      validateProjectAfterInstall (project, report) {
        for (const text of blockedIn(project)) report.reportError(0, text)
      }
    }
  })
}
