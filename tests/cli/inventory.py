"""qanat inventory scan on files that the package managers themselves write, compared with what each of them lists."""
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading

from tap import Run, done, ok, put, scratch

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "inventory", "node_modules")

PROJECT = {
    "name": "proj", "version": "1.2.3", "private": True, "workspaces": ["packages/*"],
    "dependencies": {"chalk": "^2.4.2", "left": "npm:left-pad@1.3.0", "@types/node": "20.1.0", "tiny": "file:./tiny"},
    "devDependencies": {"semver": "7.5.0"},
    "optionalDependencies": {"fsevents": "2.3.2"},
}
MEMBER = {"name": "wmember", "version": "0.1.0", "dependencies": {"ms": "2.0.0", "debug": "4.3.4"}}
TINY = {"name": "tiny", "version": "0.0.9", "dependencies": {"ms": "2.1.2"}}

# What every tool must come to, whatever else it adds.
WANTED = {
    ("chalk", "2.4.2"), ("ansi-styles", "3.2.1"), ("color-convert", "1.9.3"), ("color-name", "1.1.3"),
    ("escape-string-regexp", "1.0.5"), ("has-flag", "3.0.0"), ("supports-color", "5.5.0"), ("left-pad", "1.3.0"),
    ("@types/node", "20.1.0"), ("semver", "7.5.0"), ("lru-cache", "6.0.0"), ("yallist", "4.0.0"), ("ms", "2.1.2"),
}
MEMBERS = {("debug", "4.3.4"), ("ms", "2.0.0")}
DEV = {"semver", "lru-cache", "yallist"}


def scan(path, **kw):
    return Run("inventory", "scan", "--format", "json", path, **kw)


def of_kind(doc, *kinds):
    return [c for c in doc["components"] if c["kind"] in kinds]


def registry(components):
    return {(c["name"], c["version"]) for c in components if c["origin"] == "registry"}


def project(d, name, workspaces=True, **files):
    p = os.path.join(d, name)
    doc = dict(PROJECT)
    if not workspaces:
        del doc["workspaces"]
    put(f"{p}/package.json", json.dumps(doc))
    put(f"{p}/packages/member/package.json", json.dumps(MEMBER))
    put(f"{p}/tiny/package.json", json.dumps(TINY))
    for path, text in files.items():
        put(f"{p}/{path}", text)
    return p


def tool(p, *args, home):
    env = dict(os.environ, HOME=home, YARN_ENABLE_TELEMETRY="0", YARN_ENABLE_IMMUTABLE_INSTALLS="false", CI="",
               DENO_TLS_CA_STORE="system", DENO_DIR=f"{home}/deno", npm_config_cache=f"{home}/npm",
               npm_config_legacy_peer_deps="true", BUN_CONFIG_REGISTRY=REGISTRY, BUN_INSTALL_CACHE_DIR=f"{home}/bun",
               YARN_NPM_REGISTRY_SERVER=REGISTRY, npm_config_registry=REGISTRY, NPM_CONFIG_REGISTRY=REGISTRY)
    return subprocess.run(args, cwd=p, env=env, capture_output=True, text=True, timeout=300)


def script(name, path):
    return ["node", os.path.join(TOOLS, name, path)]


def flat_npm(node, out):
    """Everything in a tree that npm ls or pnpm ls prints."""
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        for name, d in (node.get(kind) or {}).items():
            version = str(d.get("version", ""))
            if re.match(r"\d", version) and not d.get("missing"):
                out.add((d.get("from") if d.get("from") and "@" not in d["from"][1:] else name, version))
            flat_npm(d, out)
    return out


def real_names(listed):
    return {("left-pad" if n == "left" else n, v) for n, v in listed if n not in ("tiny", "wmember", "fsevents")}


def check_common(label, components, members=True):
    got = registry(components)
    want = WANTED | (MEMBERS if members else set())
    ok(want <= got, f"{label}: every package is there", f"missing {want - got}")
    by = {c["name"]: c for c in components}
    dev = {c["name"] for c in components if c["dev"]}
    ok(dev == DEV, f"{label}: dev dependencies", dev)
    ok(by["left-pad"]["alias"] == "left" and by["left-pad"]["direct"], f"{label}: an alias", by["left-pad"])
    ok(by["chalk"]["direct"] and not by["color-name"]["direct"], f"{label}: direct and transitive")
    ok(by["color-name"]["dependents"] == ["color-convert@1.9.3"] and
       by["color-name"]["path"] == ["chalk@2.4.2", "ansi-styles@3.2.1", "color-convert@1.9.3", "color-name@1.1.3"],
       f"{label}: dependents and path", by["color-name"])
    if "fsevents" in by:
        ok(any(c["optional"] and c["direct"] for c in components if c["name"] == "fsevents"), f"{label}: optional", by["fsevents"])


def integrities(label, components):
    bad = [c for c in components if c["origin"] == "registry" and not re.match(r"sha512-[A-Za-z0-9+/]{86}==$", c["integrity"] or "")]
    ok(not bad, f"{label}: each has its integrity", bad[:2])


def npm(d, home):
    for version, fmt in ((6, "1"), (8, "2"), (10, "3")):
        p = project(d, f"npm{version}", workspaces=version > 6)
        cli = script(f"npm{version}", "bin/npm-cli.js")
        r = tool(p, *cli, "install", "--ignore-scripts", "--no-audit", "--no-fund", home=home)
        if not ok(r.returncode == 0, f"npm {version} installs", r.stderr[-600:]):
            continue
        run = scan(p)
        doc = run.json
        ok(run.code == 0 and not doc["errors"], f"npm {version}: no errors", run)
        lock, tree = of_kind(doc, "package-lock"), of_kind(doc, "installed")
        ok([s["format"] for s in doc["sources"] if s["kind"] == "package-lock"] == [fmt], f"npm {version} writes format {fmt}")
        check_common(f"npm {version} lock", lock, version > 6)
        check_common(f"npm {version} tree", tree, version > 6)
        integrities(f"npm {version} lock", lock)
        listed = real_names(flat_npm(json.loads(tool(p, *cli, "ls", "--json", "--all", home=home).stdout), set()))
        got = registry(tree)
        ok(listed and listed <= got, f"npm {version}: the tree has what npm ls lists", listed ^ got)
        ok(got - listed <= {("fsevents", "2.3.2")}, f"npm {version}: and nothing else", got - listed)
        if version > 6:
            hidden = scan(f"{p}/node_modules/.package-lock.json").json
            check_common(f"npm {version} hidden lock", [c for c in hidden["components"]])
        shutil.copy(f"{p}/package-lock.json", f"{d}/npm-shrinkwrap.json")
        ok({c["kind"] for c in scan(f"{d}/npm-shrinkwrap.json").json["components"]} == {"npm-shrinkwrap"}, f"npm {version}: a shrinkwrap")


def bundled(d, home):
    """A tarball on disk that brings a dependency along, and overrides."""
    b = f"{d}/bund"
    put(f"{b}/package.json", json.dumps({"name": "bund", "version": "1.0.0", "dependencies": {"inner": "1.0.0"}, "bundleDependencies": ["inner"]}))
    put(f"{b}/node_modules/inner/package.json", json.dumps({"name": "inner", "version": "1.0.0", "dependencies": {}}))
    for version in (8, 10):
        cli = script(f"npm{version}", "bin/npm-cli.js")
        p = f"{d}/bundled{version}"
        tool(b, *cli, "pack", "--ignore-scripts", home=home)
        put(f"{p}/package.json", json.dumps({"name": "q", "dependencies": {"bund": "file:./bund-1.0.0.tgz", "debug": "4.3.4"}, "overrides": {"ms": "2.1.3"}}))
        shutil.copy(f"{b}/bund-1.0.0.tgz", p)
        r = tool(p, *cli, "install", "--ignore-scripts", "--no-audit", "--no-fund", home=home)
        doc = scan(p).json
        for kind in ("package-lock", "installed"):
            by = {c["name"]: c for c in of_kind(doc, kind)}
            ok(r.returncode == 0 and by["inner"]["bundled"] and not by["bund"]["bundled"] and by["inner"]["dependents"] == ["bund@1.0.0"],
               f"npm {version} {kind}: bundled", by.get("inner"))
            ok(by["bund"]["origin"] == "file" and by["bund"]["resolved"] == "file:bund-1.0.0.tgz" and by["bund"]["integrity"],
               f"npm {version} {kind}: a tarball on disk", by["bund"])
            ok(by["ms"]["version"] == "2.1.3" and by["ms"]["dependents"] == ["debug@4.3.4"], f"npm {version} {kind}: an override", by["ms"])


def pnpm(d, home):
    for version, fmt, path in ((5, "5.2", "bin/pnpm.js"), (6, "5.3", "bin/pnpm.cjs"), (7, "5.4", "bin/pnpm.cjs"), (8, "6.0", "bin/pnpm.cjs"), (10, "9.0", "bin/pnpm.cjs")):
        p = project(d, f"pnpm{version}", **{"pnpm-workspace.yaml": 'packages: ["packages/*"]\n'})
        if not os.path.exists(os.path.join(TOOLS, f"pnpm{version}", path)):
            path = "bin/pnpm.cjs"
        cli = script(f"pnpm{version}", path)
        if version == 6:
            cli[1:1] = ["--require", os.path.join(HERE, "..", "inventory", "pnpm6.cjs")]
        r = tool(p, *cli, "install", "--ignore-scripts", "--store-dir", f"{home}/store{version}", home=home)
        if not ok(r.returncode == 0, f"pnpm {version} installs", (r.stdout + r.stderr)[-600:]):
            continue
        run = scan(p)
        doc = run.json
        ok(run.code == 0 and not doc["errors"], f"pnpm {version}: no errors", run)
        lock, tree = of_kind(doc, "pnpm"), of_kind(doc, "installed")
        ok([s["format"] for s in doc["sources"] if s["kind"] == "pnpm"] == [fmt], f"pnpm {version} writes format {fmt}")
        check_common(f"pnpm {version} lock", lock)
        integrities(f"pnpm {version} lock", lock)
        ok(registry(tree) >= (WANTED | MEMBERS) - {("ms", "2.1.2")}, f"pnpm {version}: the tree", (WANTED | MEMBERS) - registry(tree))
        out = tool(p, *cli, "ls", "--json", "--depth", "Infinity", "-r", home=home).stdout
        listed = set()
        for one in json.loads(out):
            flat_npm(one, listed)
        listed = real_names(listed)
        ok(listed and listed <= registry(lock), f"pnpm {version}: the lock has what pnpm ls lists", listed - registry(lock))


def yarn_classic(d, home):
    p = project(d, "yarn1")
    cli = script("yarn1", "bin/yarn.js")
    r = tool(p, *cli, "install", "--ignore-scripts", "--cache-folder", f"{home}/yarn1", home=home)
    if not ok(r.returncode == 0, "yarn 1 installs", r.stderr[-600:]):
        return
    doc = scan(p).json
    lock = of_kind(doc, "yarn-v1")
    check_common("yarn 1 lock", lock)
    check_common("yarn 1 tree", of_kind(doc, "installed"))
    integrities("yarn 1 lock", lock)
    out = tool(p, *cli, "list", "--json", home=home).stdout
    listed, todo = set(), list(json.loads(out.splitlines()[-1])["data"]["trees"])
    while todo:
        t = todo.pop()
        name, version = t["name"].rsplit("@", 1)
        todo += t.get("children") or []
        if re.match(r"\d+\.\d+\.\d+$", version):
            listed.add((name, version))
    listed = real_names(listed)
    ok(listed and listed <= registry(lock), "yarn 1: the lock has what yarn list lists", listed - registry(lock))


def yarn_berry(d, home):
    for version, fmt in ((2, "4"), (3, "6"), (4, "8")):
        p = project(d, f"yarn{version}", **{".yarnrc.yml": "nodeLinker: node-modules\nenableScripts: false\n"})
        cli = script(f"yarn{version}", "bin/yarn.js")
        r = tool(p, *cli, "install", home=home)
        if not ok(r.returncode == 0, f"yarn {version} installs", r.stdout[-600:]):
            continue
        doc = scan(p).json
        lock = of_kind(doc, "yarn-berry")
        ok([s["format"] for s in doc["sources"] if s["kind"] == "yarn-berry"] == [fmt], f"yarn {version} writes format {fmt}",
           doc["sources"])
        check_common(f"yarn {version} lock", lock)
        ok(any(c["origin"] == "patch" and c["name"] == "fsevents" and c["direct"] for c in lock), f"yarn {version}: a patch")
        ok(any(c["origin"] == "file" and c["name"] == "tiny" and c["version"] == "0.0.9" for c in lock), f"yarn {version}: a directory")
        check_common(f"yarn {version} tree", of_kind(doc, "installed"))
        out = tool(p, *cli, "info", "-A", "-R", "--json", home=home)
        listed = set()
        for line in out.stdout.splitlines():
            m = re.match(r"(.+)@npm:(\d[^:]*)$", json.loads(line)["value"])
            if m:
                listed.add((m[1], m[2]))
        got = {x for x in registry(lock) if x[0] != "fsevents"}
        ok(listed and listed - {("fsevents", "2.3.2")} == got, f"yarn {version}: what yarn info lists", listed ^ got)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve_repository(d, repo):
    """Its address by HTTP, as plain files."""
    bare = f"{d}/served/gitdep.git"
    subprocess.run(["git", "clone", "-q", "--bare", repo, bare], check=True)
    subprocess.run(["git", "-C", bare, "update-server-info"], check=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=f"{d}/served"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"git+http://127.0.0.1:{server.server_port}/gitdep.git"


def specs(d, home):
    """Specs that are no ranges: an address, a repository, a link, a workspace."""
    repo = f"{d}/repo"
    put(f"{repo}/package.json", json.dumps({"name": "gitdep", "version": "3.1.4", "dependencies": {"yallist": "4.0.0"}}))
    for args in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t.invalid", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", repo, *args], check=True)
    served = serve_repository(d, repo)
    npm10, pnpm8, pnpm10 = script("npm10", "bin/npm-cli.js"), script("pnpm8", "bin/pnpm.cjs"), script("pnpm10", "bin/pnpm.cjs")
    quiet = {".yarnrc.yml": "nodeLinker: node-modules\nenableScripts: false\n"}
    for label, args, kind, more, files in (
            ("npm 10", [*npm10, "install", "--ignore-scripts"], "package-lock", {}, {}),
            ("pnpm 8", [*pnpm8, "install", "--ignore-scripts", "--store-dir", f"{home}/s8"], "pnpm", {"linked": "link:./linked", "ws": "workspace:*"}, {}),
            ("pnpm 10", [*pnpm10, "install", "--ignore-scripts", "--store-dir", f"{home}/s10"], "pnpm", {"linked": "link:./linked", "ws": "workspace:*"}, {}),
            ("yarn 1", [*script("yarn1", "bin/yarn.js"), "install", "--ignore-scripts"], "yarn-v1", {"linked": "link:./linked"}, {}),
            ("yarn 3", [*script("yarn3", "bin/yarn.js"), "install"], "yarn-berry", {"linked": "link:./linked", "ported": "portal:./ported", "ws": "workspace:*"}, quiet),
            ("yarn 4", [*script("yarn4", "bin/yarn.js"), "install"], "yarn-berry", {"linked": "link:./linked", "ported": "portal:./ported", "ws": "workspace:*"}, quiet),
            ("bun 1.3", [os.path.join(TOOLS, "bun1.3", "bin", "bun"), "install", "--ignore-scripts"], "bun", {"ws": "workspace:*"}, {})):
        if not os.path.exists(args[0]) and args[0] != "node":
            continue
        p = f"{d}/specs-{label.replace(' ', '')}"
        put(f"{p}/package.json", json.dumps({"name": "s", "version": "1.0.0", "private": True, "workspaces": ["packages/*"], "dependencies": {
            "ms": f"{REGISTRY.rstrip('/')}/ms/-/ms-2.0.0.tgz", "gitdep": served, **more}}))
        put(f"{p}/pnpm-workspace.yaml", 'packages: ["packages/*"]\n')
        put(f"{p}/packages/ws/package.json", json.dumps({"name": "ws", "version": "5.0.0", "dependencies": {"has-flag": "3.0.0"}}))
        for name in ("linked", "ported"):
            put(f"{p}/{name}/package.json", json.dumps({"name": name, "version": "0.0.1"}))
        for path, text in files.items():
            put(f"{p}/{path}", text)
        r = tool(p, *args, home=home)
        if not ok(r.returncode == 0, f"{label}, specs: installs", (r.stdout + r.stderr)[-900:]):
            continue
        run = scan(p)
        by = {c["name"]: c for c in of_kind(run.json, kind)}
        told = "3.1.4" if kind != "bun" else None  # bun does not write it down
        ok(not run.json["errors"] and by["gitdep"]["origin"] == "git" and by["gitdep"]["version"] == told and by["gitdep"]["direct"] and
           re.search(r"[0-9a-f]{40}", by["gitdep"]["resolved"]), f"{label}, specs: a repository", (run, by.get("gitdep")))
        ok(by["ms"]["origin"] in ("url", "registry") and by["ms"]["version"] == "2.0.0" and (by["ms"]["resolved"] or by["ms"]["integrity"]), f"{label}, specs: an address", by.get("ms"))
        ok(by["yallist"]["dependents"] == [f"gitdep@{told}" if told else "gitdep"] and by["has-flag"]["version"] == "3.0.0", f"{label}, specs: what these need", by)
        for name, origin in (("linked", "link"), ("ported", "link"), ("ws", "workspace")):
            ok(name not in more or name in by and by[name]["origin"] == origin, f"{label}, specs: {origin} ({name})", by.get(name, sorted(by)))


def pnp(d, home):
    """Plug'n'Play: no node_modules, a file of JavaScript or of data instead."""
    for label, tool_of, files, name in (
            ("yarn 2", script("yarn2", "bin/yarn.js"), {".yarnrc.yml": "enableScripts: false\n"}, ".pnp.js"),
            ("yarn 3", script("yarn3", "bin/yarn.js"), {".yarnrc.yml": "enableScripts: false\n"}, ".pnp.cjs"),
            ("yarn 4", script("yarn4", "bin/yarn.js"), {".yarnrc.yml": "enableScripts: false\n"}, ".pnp.cjs"),
            ("yarn 4, data apart", script("yarn4", "bin/yarn.js"), {".yarnrc.yml": "enableScripts: false\npnpEnableInlining: false\n"}, ".pnp.data.json")):
        p = project(d, f"pnp-{label.replace(' ', '-')}", **files)
        r = tool(p, *tool_of, "install", home=home)
        if not ok(r.returncode == 0, f"{label}, PnP: installs", r.stdout[-600:]):
            continue
        ok(os.path.exists(f"{p}/{name}") and not os.path.exists(f"{p}/node_modules"), f"{label}, PnP: writes {name}", os.listdir(p))
        doc = scan(p).json
        got = [c for c in doc["components"] if c["source"] == f"{p}/{name}"]
        listed = {(c["name"], c["version"]) for c in doc["components"] if c["source"] == f"{p}/yarn.lock" and c["origin"] == "registry"}
        ok(not doc["errors"] and registry(got) >= listed - {("fsevents", "2.3.2")}, f"{label}, PnP: what the lock file has", (doc["errors"], listed ^ registry(got)))
        by = {c["name"]: c for c in got}
        ok(by["left-pad"]["alias"] == "left" and by["chalk"]["direct"] and not by["color-name"]["direct"] and
           by["color-name"]["dependents"] == ["color-convert@1.9.3"], f"{label}, PnP: alias, direct, dependents", by.get("left-pad"))


def everywhere(d, home):
    """Packages installed for the whole machine."""
    for label, args, where in (
            ("npm 6", [*script("npm6", "bin/npm-cli.js"), "install", "-g", "--prefix", f"{d}/g-npm6"], "g-npm6/lib/node_modules"),
            ("npm 10", [*script("npm10", "bin/npm-cli.js"), "install", "-g", "--prefix", f"{d}/g-npm10"], "g-npm10/lib/node_modules"),
            ("pnpm 10", [*script("pnpm10", "bin/pnpm.cjs"), "add", "-g", "--global-dir", f"{d}/g-pnpm", "--global-bin-dir", f"{d}/g-bin"], "g-pnpm"),
            ("yarn 1", [*script("yarn1", "bin/yarn.js"), "global", "--global-folder", f"{d}/g-yarn", "--prefix", f"{d}/g-yarn-bin", "add"], "g-yarn"),
            ("bun 1.3", [os.path.join(TOOLS, "bun1.3", "bin", "bun"), "add", "-g"], "home/.bun/install/global")):
        if not os.path.exists(args[0]) and args[0] != "node":
            continue
        os.makedirs(f"{d}/g-bin", exist_ok=True)
        os.environ["PATH"] = f"{d}/g-bin:{os.environ['PATH']}"
        r = tool(d, *args, "semver@7.5.0", home=home)
        if not ok(r.returncode == 0, f"{label}: installs globally", (r.stdout + r.stderr)[-600:]):
            continue
        got = of_kind(scan(f"{d}/{where}").json, "installed")
        want = {("semver", "7.5.0"), ("lru-cache", "6.0.0"), ("yallist", "4.0.0")}
        by = {c["name"]: c for c in got}
        ok(registry(got) == want, f"{label}: what is installed globally", registry(got) ^ want)
        ok("semver" in by and by["semver"]["direct"] and not by["yallist"]["direct"], f"{label}: and what was asked for", by)


def bun(d, home):
    for version, name, text, kind, fmt in (("1.1", "b11", False, "bun-binary", "2"), ("1.1", "b11t", True, "bun", "0"),
                                           ("1.3", "b13", True, "bun", "1"), ("1.3", "b13b", False, "bun-binary", "3")):
        exe = os.path.join(TOOLS, f"bun{version}", "bin", "bun")
        if not os.path.exists(exe):
            ok(True, f"bun {version} is not there for this machine")
            continue
        p = project(d, name, **{"bunfig.toml": f"[install]\nsaveTextLockfile = {str(text).lower()}\n"})
        more = ["--save-text-lockfile"] if text and version == "1.1" else []
        r = tool(p, exe, "install", "--ignore-scripts", *more, home=home)
        if not ok(r.returncode == 0, f"bun {version} installs", r.stderr[-600:]):
            continue
        doc = scan(p).json
        lock = of_kind(doc, kind)
        ok([s["format"] for s in doc["sources"] if s["kind"] == kind] == [fmt], f"bun {version} writes {kind} {fmt}", doc["sources"])
        check_common(f"bun {version} {kind}", lock)
        integrities(f"bun {version} {kind}", lock)
        check_common(f"bun {version} {kind} tree", of_kind(doc, "installed"))
        listed = set(re.findall(r"[├└]── (\S+)@(\d\S*)", tool(p, exe, "pm", "ls", "--all", home=home).stdout))
        listed = real_names(listed)
        ok(listed and listed <= registry(lock), f"bun {version} {kind}: what bun pm ls lists", listed - registry(lock))
        if kind == "bun-binary":
            shown = tool(p, exe, f"{p}/bun.lockb", home=home).stdout
            put(f"{d}/shown-{version}/yarn.lock", shown)
            yarn = of_kind(scan(f"{d}/shown-{version}").json, "yarn-v1")
            same = {(c["name"], c["version"], c["integrity"]) for c in lock if c["origin"] == "registry"}
            ok({(c["name"], c["version"], c["integrity"]) for c in yarn if c["integrity"]} == same,
               f"bun {version}: bun.lockb as bun itself shows it", yarn[:2])


def deno(d, home):
    exe = os.path.join(TOOLS, "deno2", "deno")
    if not os.path.exists(exe):
        ok(True, "deno is not there for this machine")
        return
    p = put(f"{d}/deno/package.json", json.dumps({"dependencies": {"chalk": "^2.4.2", "left": "npm:left-pad@1.3.0"},
                                                     "devDependencies": {"semver": "7.5.0"}}))
    p = os.path.dirname(p)
    r = tool(p, exe, "install", home=home)
    if not ok(r.returncode == 0, "deno installs", r.stderr[-600:]):
        return
    lock = of_kind(scan(p).json, "deno")
    want = {(n, v) for n, v in WANTED if n in ("chalk", "ansi-styles", "color-convert", "color-name", "escape-string-regexp",
                                               "has-flag", "supports-color", "left-pad", *DEV)}
    ok(registry(lock) == want, "deno.lock", registry(lock) ^ want)
    ok({c["name"] for c in lock if c["direct"]} == {"chalk", "left-pad", "semver"}, "deno.lock: direct")
    ok({c["name"] for c in lock if c["dev"]} == DEV, "deno.lock: dev dependencies")
    integrities("deno.lock", lock)


def caches(d, home):
    """What the installations before left in the caches."""
    doc = scan(home).json
    every = WANTED | MEMBERS
    found = {}
    for c in of_kind(doc, "cache"):
        found.setdefault(c["source"], []).append(c)
    for name, exact in (("npm/_cacache", True), ("yarn1/v6", True), ("store5/v3", True), ("store6/v3", True), ("store7/v3", True), ("store8/v3", True),
                        ("store10/v10", False), ("bun", False), (".yarn/berry/cache", False)):
        components = found.get(f"{home}/{name}", [])
        if name == "bun" and not os.path.exists(os.path.join(TOOLS, "bun1.1")):
            continue
        got = {(c["name"], c["version"]) for c in components}
        ok(every <= got, f"the cache {name}", every - got)
        ok(not exact or all(c["integrity"] for c in components if c["name"] != "tiny"), f"the cache {name}: integrities",
           [c for c in components if not c["integrity"]][:2])
    ok(not doc["errors"], "caches: no errors", doc["errors"])


def copies(d, home):
    """Copies of what the tools installed, recognised by what their caches hold."""
    tree = f"{d}/npm10/node_modules"
    for name in ("supports-color", "debug", "semver"):
        shutil.copytree(f"{tree}/{name}", f"{d}/copies/vendor/{name}")
    shutil.copytree(f"{tree}/color-convert", f"{d}/copies/third_party/cc")
    put(f"{d}/copies/js/yallist-4.js", open(f"{tree}/yallist/yallist.js", encoding="utf-8").read().replace("\n", "\r\n"))
    want = {("supports-color", "5.5.0"), ("debug", "4.3.4"), ("semver", "7.5.0"), ("color-convert", "1.9.3"), ("yallist", "4.0.0")}
    for name, tarball in (("npm", True), ("yarn1", False), ("bun", False), (".yarn/berry/cache", False), ("../npm8", False), ("../pnpm10", False)):
        if not os.path.exists(f"{home}/{name}"):
            continue
        state = f"{d}/copies-state-{name.strip('./').replace('/', '-')}"
        r = Run("inventory", "--state", state, "learn", f"{home}/{name}")
        components = of_kind(scan(f"{d}/copies", env={"QANAT_STATE": state}).json, "vendored")
        got = {(c["name"], c["version"]) for c in components}
        ok(r.code == 0 and got == want, f"copies, by what {name} holds", (r, got ^ want))
        ok(not tarball or all(c["integrity"] for c in components), f"copies, by what {name} holds: integrities", components[:2])


REGISTRY = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True).stdout.strip()


def reachable(home):
    r = tool(home, "npm", "view", "chalk@2.4.2", "version", home=home)
    return r.returncode == 0 and r.stdout.strip() == "2.4.2"


with scratch() as d:
    if not os.path.isdir(TOOLS):
        print("1..0 # SKIP the package managers are not installed (tools/setup)")
    elif not reachable(d):
        print("1..0 # SKIP the registry cannot be reached")
    else:
        for part in (npm, bundled, pnpm, yarn_classic, yarn_berry, specs, pnp, everywhere, bun, deno, caches, copies):
            part(d, os.path.join(d, "home"))
        done()
