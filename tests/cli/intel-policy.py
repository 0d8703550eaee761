"""qanat intel export as policies: the real pnpm and Yarn refuse what is listed, and npm a package of which everything is bad.
usage: intel-policy.py [DIR]      the directory with node_modules of package managers; what is missing is left out"""
import json
import os
import subprocess
import sys

from registry import Registry
from tap import Run, done, ok, put, scratch


def manager(where, *names):
    """The first of these programs below node_modules, or None."""
    for name in names:
        path = f"{where}/node_modules/{name}"
        if os.path.exists(path):
            return path
    return None


def record(id, name, versions=None, last=None):
    block = {"package": {"ecosystem": "npm", "name": name}}
    if versions:
        block["versions"] = versions
    else:
        block["ranges"] = [{"type": "SEMVER", "events": [{"introduced": "1.5.0"}, {"last_affected": last}] if last else [{"introduced": "0"}]}]
    return {"id": id, "modified": "2025-01-01T00:00:00Z", "affected": [block]}


class Project:
    def __init__(self, d, reg, state):
        self.d, self.reg, self.state, self.n = d, reg, state, 0

    def export(self, form):
        r = Run("intel", "export", "--state", self.state, "--format", form)
        assert r.code == 0, r
        return r

    def install(self, command, files, dependencies, more=None):
        self.n += 1
        p = f"{self.d}/project{self.n}"
        put(f"{p}/package.json", json.dumps({"name": "app", "version": "1.0.0", "dependencies": dependencies, **(more or {})}))
        for name, text in files.items():
            put(f"{p}/{name}", text)
        env = {**os.environ, "HOME": self.d, "npm_config_registry": self.reg.url, "npm_config_cache": f"{self.d}/cache", "npm_config_fetch_retries": "0",
               "npm_config_store_dir": f"{self.d}/store", "YARN_ENABLE_TELEMETRY": "0", "YARN_NPM_MINIMAL_AGE_GATE": "0", "YARN_ENABLE_IMMUTABLE_INSTALLS": "0", "CI": "1"}
        r = subprocess.run(command, cwd=p, env=env, capture_output=True, timeout=200)
        return r.returncode, (r.stdout + r.stderr).decode(errors="replace")


CASES = [({"bad": "1.0.1"}, False, "an exact pin of a bad version"), ({"bad": "^1.0.0"}, False, "a range of which a bad version is the highest"),
         ({"bad": "1.0.0"}, True, "a good version of the same package"), ({"good": "1.0.0"}, False, "a package that brings it"),
         ({"evil": "2.0.0"}, False, "a package of which everything is bad"), ({"ranged": "1.6.0"}, False, "a version inside a bad range"),
         ({"ranged": "1.4.0"}, True, "a version below it")]


def pnpm(project, where):
    program = manager(where, "pnpm10/bin/pnpm.cjs", "pnpm9/bin/pnpm.cjs", "pnpm8/bin/pnpm.cjs", "pnpm/bin/pnpm.cjs")
    if not program:
        return
    hook = project.export("pnpm").out
    for dependencies, fine, what in CASES:
        code, out = project.install(["node", program, "install", "--no-frozen-lockfile"], {".pnpmfile.cjs": hook}, dependencies)
        ok((code == 0) == fine and (fine or "is blocked" in out and "MAL-2025" in out), f"pnpm: {what}", out)


def yarn(project, where, mark):
    program = manager(where, "yarn4/bin/yarn.js", "yarn3/bin/yarn.js", "@yarnpkg/cli-dist/bin/yarn.js")
    if not program:
        return
    plugin = project.export("yarn").out
    rc = (f"npmRegistryServer: {project.reg.url.rstrip('/')}\nunsafeHttpWhitelist: [127.0.0.1]\n"
          "enableGlobalCache: false\nenableScripts: true\nnodeLinker: node-modules\n")
    project.install(["node", program, "install"], {".yarnrc.yml": rc, "yarn.lock": ""}, {"bad": "1.0.1"})
    ok(os.path.exists(mark), "yarn: without the policy the script of a bad package is run")
    os.remove(mark)
    rc += "plugins: [.yarn/plugins/qanat-policy.cjs]\n"
    for dependencies, fine, what in CASES:
        code, out = project.install(["node", program, "install"], {".yarnrc.yml": rc, ".yarn/plugins/qanat-policy.cjs": plugin, "yarn.lock": ""}, dependencies)
        ok((code == 0) == fine and (fine or "is blocked" in out and "MAL-2025" in out), f"yarn: {what}", out)


def npm(project):
    r = project.export("npm")
    overrides = json.loads(r.out)
    ok(list(overrides["overrides"]) == ["evil"] and b"left out" in r.err, "npm: whole packages, and a note about the rest", r)
    code, out = project.install(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], {}, {"good": "1.0.0"}, overrides)
    ok(code == 0, "npm: what is not bad as a whole installs", out)
    code, out = project.install(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], {}, {"carrier": "1.0.0"}, overrides)
    ok(code != 0 and "blocked.invalid" in out, "npm: a package that brings one that is", out)


def csv(project):
    rows = project.export("csv").out.decode().splitlines()
    ok(rows == ["package,version,id", '"bad","1.0.1","MAL-2025-1"', '"evil","*","MAL-2025-2"', '"ranged",">=1.5.0 <=1.7.0","MAL-2025-3"'], "CSV: versions, ranges, everything", rows)


def main():
    where = sys.argv[1] if len(sys.argv) > 1 else ""
    with scratch() as d:
        reg = Registry()
        mark = f"{d}/ran"
        for name, versions in {"bad": ["1.0.0"], "evil": ["2.0.0"], "ranged": ["1.4.0", "1.6.0"]}.items():
            for v in versions:
                reg.add(name, v)
        reg.add("bad", "1.0.1", scripts={"postinstall": f"node -e \"require('fs').writeFileSync('{mark}', '')\""})
        reg.fields["bad"] = {}
        reg.more[("bad", "1.0.1")] = {"scripts": {"postinstall": "x"}, "hasInstallScript": True}
        reg.add("good", "1.0.0", dependencies={"bad": "^1.0.0"})
        reg.add("carrier", "1.0.0", dependencies={"evil": "*"})
        records = [record("MAL-2025-1", "bad", ["1.0.1"]), record("MAL-2025-2", "evil"), record("MAL-2025-3", "ranged", last="1.7.0"),
                   {**record("MAL-2025-4", "good"), "withdrawn": "2025-02-01T00:00:00Z"}, {**record("GHSA-5", "carrier"), "id": "GHSA-5"}]
        state = f"{d}/state"
        r = Run("intel", "import", "--state", state, put(f"{d}/records.json", json.dumps(records)))
        assert r.code == 0, r
        project = Project(d, reg, state)
        csv(project)
        npm(project)
        pnpm(project, where)
        yarn(project, where, mark)
        ok(not os.path.exists(mark), "no script of a bad package was run")
        r = Run("intel", "export", "--state", state, "--format", "json")
        ok(r.code == 2 and b"knows the formats" in r.err, "a format that it does not know", r)
    done()


main()
