"""qanat gate before the registry that npm is configured for: real packages, real package managers.
What they got is compared with what that registry says and gives without a gate.  Skipped when it does not answer."""
import io
import json
import os
import re
import subprocess
import sys
import tarfile

from gatelib import BUN, MANAGERS, PNPM, TESTS, YARN4, Client, Gate, clients_of, sri
from tap import Run, done, ok, put, scratch

LOCKS = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock")


def named(directory, *names):
    """Packages that the tests need anyway, as their manifest names them."""
    with open(os.path.join(TESTS, directory, "package.json"), encoding="utf-8") as f:
        table = json.load(f)["dependencies"]
    return {n: table[n] for n in names}


# Without dependencies, with some, below a scope, with a peer.
PLAIN = {**named(".", "@babel/parser", "acorn", "acorn-jsx", "ajv-formats", "ini"), **named("survival", "astring")}


class Registry:
    """What is behind the gate, asked by npm itself."""

    def __init__(self, d):
        self.dir, self.kept = os.path.join(d, "direct"), {}
        os.makedirs(self.dir)

    def npm(self, *args):
        p = subprocess.run(["npm", *args, "--ignore-scripts", "--fetch-retries=0", "--cache", f"{self.dir}/cache"], cwd=self.dir, capture_output=True,
                           text=True, timeout=300, check=False)
        p.all = p.stdout + p.stderr
        return p

    def view(self, *args):
        p = self.npm("view", *args, "--json")
        return json.loads(p.stdout) if p.returncode == 0 else None

    def files(self, specs):
        """{spec: (integrity, {path: bytes})}; npm has checked the bytes against the document."""
        missing = sorted(set(specs) - set(self.kept))
        packed = json.loads(self.npm("pack", *missing, "--json").stdout) if missing else []
        for x in packed.values() if isinstance(packed, dict) else packed:
            with open(f"{self.dir}/{x['filename']}", "rb") as f:
                data = f.read()
            with tarfile.open(fileobj=io.BytesIO(data)) as t:
                files = {m.name.split("/", 1)[1]: t.extractfile(m).read() for m in t if m.isreg()}
            self.kept[f"{x['name']}@{x['version']}"] = sri(data), files
        return {s: self.kept[s] for s in specs}


def installed(directory):
    """{spec: directory} of what lies in node_modules, however deep: pnpm hoists nothing."""
    out = {}
    for at, below, files in os.walk(os.path.join(directory, "node_modules")):
        below.sort()
        if "package.json" in files and re.search(r"node_modules/(@[^/]+/)?[^/@]+$", at):
            with open(f"{at}/package.json", encoding="utf-8") as f:
                p = json.load(f)
            out[f"{p['name']}@{p['version']}"] = at
    return out


def differing(directory, want):
    """The files of a package that are not what its tarball holds."""
    bad = []
    for path, data in want.items():
        try:
            with open(os.path.join(directory, path), "rb") as f:
                bad += [] if f.read() == data else [path]
        except OSError:
            bad.append(path)
    return bad


def locked(directory):
    """The hashes in a lock file; yarn's own are of what it makes of a package."""
    found = set()
    for x in LOCKS:
        if os.path.exists(f"{directory}/{x}"):
            with open(f"{directory}/{x}", encoding="utf-8") as f:
                found |= set(re.findall(r"sha512-[A-Za-z0-9+/]+=*", f.read()))
    return found


def whole(name, c, registry):
    have = installed(c.dir)
    want = registry.files(have)
    bad = {s: differing(at, want[s][1]) for s, at in have.items()}
    ok(set(PLAIN) <= {s.rsplit("@", 1)[0] for s in have} and len(have) > len(PLAIN) and not any(bad.values()),
       f"{name}: {len(have)} packages, file by file what the registry has", {s: b for s, b in bad.items() if b} or sorted(have))
    hashes = {i for i, _ in want.values()}
    ok(locked(c.dir) == (set() if name == "yarn" else hashes), f"{name}: the hashes in the lock file are the registry's", locked(c.dir) ^ hashes)


def installs(d, g, registry):
    for name, c, install, frozen in clients_of(d, g):
        c.set(PLAIN)
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
        r = install(c)
        ok(r.returncode == 0 and all(c.version(n) == v for n, v in PLAIN.items()), f"{name} installs", r.all[-1500:])
        whole(name, c, registry)
        lock = {}
        for x in LOCKS:
            if os.path.exists(f"{c.dir}/{x}"):
                with open(f"{c.dir}/{x}", "rb") as f:
                    lock[x] = f.read()
        before = len(g.ledger()["fetches"])
        c.clean()
        for x, data in lock.items():
            put(f"{c.dir}/{x}", data)
        r = frozen(c)
        ok(r.returncode == 0 and lock and all(c.version(n) == v for n, v in PLAIN.items()), f"{name} installs what its lock file says", r.all[-1500:])
        after = g.ledger()["fetches"]
        ok(len(after) - before == len(installed(c.dir)), f"{name}: from the gate, each once", f"{before} {len(after)} {sorted(installed(c.dir))}")


def commands(d, g, registry):
    c = Client(d, "commands", g.url, {"semver": "7.0.0", "ini": "^4.0.0"})
    r = c.npm("install")
    ok(r.returncode == 0 and c.version("semver") == "7.0.0", "an old version", r.all[-1500:])
    newest = registry.view("semver@7", "version")[-1]
    latest = registry.view("semver", "dist-tags.latest")
    c.set({"semver": "^7.0.0", "ini": "^4.0.0"})
    r = c.npm("outdated", "--json")
    ok(r.returncode == 1 and json.loads(r.stdout)["semver"] == {**json.loads(r.stdout)["semver"], "current": "7.0.0", "wanted": newest, "latest": latest},
       "npm outdated", r.all)
    r = c.npm("update")
    ok(r.returncode == 0 and c.version("semver") == newest, "npm update", r.all[-1500:])
    for spec, fields in (("semver", ("versions",)), ("semver", ("dist-tags",)), ("semver", ("time",)), ("@babel/parser", ("versions", "dist-tags")),
                         ("ajv@8", ("name", "version", "dependencies", "dist.integrity")), ("ini@" + PLAIN["ini"], ("license", "repository", "dist.shasum"))):
        r, want = c.npm("view", spec, *fields, "--json"), registry.view(spec, *fields)
        ok(r.returncode == 0 and want and json.loads(r.stdout) == want, f"npm view {spec} {' '.join(fields)}", r.all[-800:])
    spec = f"@babel/parser@{PLAIN['@babel/parser']}"
    r = c.npm("pack", spec, "--json")
    packed = json.loads(r.stdout) if r.returncode == 0 else [{}]
    got = (list(packed.values()) if isinstance(packed, dict) else packed)[0]
    ok(got.get("integrity") == registry.files([spec])[spec][0], "npm pack", r.all[-800:])
    p = Client(d, "commands-pnpm", g.url, {"semver": "7.0.0"})
    ok(p.node(*PNPM, "install").returncode == 0, "pnpm: an old version", "")
    r = p.node(*PNPM, "outdated", "--format", "json")
    ok(r.returncode == 1 and json.loads(r.stdout)["semver"]["latest"] == latest, "pnpm outdated", r.all)
    r = p.node(*PNPM, "update", "--latest")
    ok(r.returncode == 0 and p.version("semver") == latest, "pnpm update", r.all[-800:])
    y = Client(d, "commands-yarn", g.url, {"semver": "7.0.0"})
    put(f"{y.dir}/yarn.lock", "")
    r = y.node(*YARN4, "up", "semver")
    ok(r.returncode == 0 and y.version("semver") == latest, "yarn up", r.all[-800:])
    r = y.node(*YARN4, "npm", "info", "semver", "--json", "--fields", "dist-tags")
    ok(r.returncode == 0 and json.loads(r.stdout)["dist-tags"]["latest"] == latest, "yarn npm info", r.all[-800:])
    bun = os.path.join(MANAGERS, BUN, "bin", "bun")
    if os.path.exists(bun):
        b = Client(d, "commands-bun", g.url, {"semver": "7.0.0"})
        ok(b.run(bun, "install").returncode == 0, "bun: an old version", "")
        r = b.run(bun, "update", "--latest")
        ok(r.returncode == 0 and b.version("semver") == latest, "bun update", r.all[-800:])


def audits(d, g):
    """The answer is what this gate knows, about packages that exist."""
    record = {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "summary": "A hole of a test",
              "affected": [{"package": {"ecosystem": "npm", "name": "ini"},
                            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": PLAIN["ini"]}]}]}],
              "database_specific": {"severity": "HIGH"}}
    r = Run("intel", "import", put(f"{d}/ghsa.json", json.dumps(record)), "--source", "ghsa", "--state", g.state)
    ok(r.code == 0, "a vulnerability becomes known", r)
    g.reload()
    c = Client(d, "audits", g.url, {"ini": "4.0.0", "acorn": PLAIN["acorn"]})
    ok(c.npm("install").returncode == 0, "it does not keep from installing", "")
    r = c.npm("audit", "--json")
    said = json.loads(r.stdout)["vulnerabilities"]
    fix = said["ini"]["fixAvailable"]["version"]  # the newest for this node
    ok(r.returncode == 1 and list(said) == ["ini"] and fix != "4.0.0", "npm audit", r.all[-1500:])
    r = c.npm("audit", "fix", "--force")
    ok(r.returncode == 0 and c.version("ini") == fix, "npm audit fix", r.all[-1500:])
    p = Client(d, "audits-pnpm", g.url, {"ini": "4.0.0"})
    ok(p.node(*PNPM, "install").returncode == 0, "pnpm installs it", "")
    r = p.node(*PNPM, "audit", "--json")
    ok(r.returncode == 1 and "A hole of a test" in r.stdout, "pnpm audit", r.all[-1500:])


def denied(d, g, registry):
    below, newest = registry.view("semver@7", "version")[-2:]
    latest = registry.view("semver", "dist-tags.latest")
    r = Run("intel", "block", f"semver@{newest}", "--reason", "blocked in a test", "--owner", "tests@example.invalid", "--state", g.state)
    ok(r.code == 0, "the newest version is blocked", r)
    g.reload()
    c = Client(d, "denied", g.url, {"semver": "^7.0.0"})
    r = c.npm("install")
    ok(r.returncode == 0 and c.version("semver") == below, "a range falls back", r.all[-1500:])
    ok(json.loads(c.npm("view", "semver", "dist-tags.latest", "--json").stdout) == (below if latest == newest else latest), "the tag moves", "")
    c = Client(d, "denied-pin", g.url, {"semver": newest})
    r = c.npm("install")
    ok(r.returncode != 0 and "E403" in r.all and "blocked in a test" in r.all, "a pin fails and says why", r.all[-1500:])


def main():
    with scratch() as d:
        registry = Registry(d)
        if not registry.view("ini", "version"):
            print("1..0 # SKIP the registry that npm is configured for does not answer")
            sys.exit(0)
        g = Gate(d)
        installs(d, g, registry)
        commands(d, g, registry)
        audits(d, g)
        denied(d, g, registry)
        ok(g.stop() == 0, "it ends when it is told to", g.log())
    done()


main()
