"""qanat intel: what lists, policies and exports must not do: lose what changed, let strangers decide, say more than was said."""
import json
import os

from tap import Run, done, ok, put, scratch


def block(name, versions=None, events=None, kind="SEMVER"):
    b = {"package": {"ecosystem": "npm", "name": name}}
    if versions is not None:
        b["versions"] = versions
    if events is not None:
        b["ranges"] = [{"type": kind, "events": events}]
    return b


def record(id, *blocks, modified="2025-01-01T00:00:00Z", **more):
    return {"id": id, "modified": modified, "affected": list(blocks), **more}


class Index:
    def __init__(self, d):
        self.d, self.n = d, 0

    def run(self, *args):
        return Run("intel", args[0], "--state", f"{self.d}/state", "--cache", f"{self.d}/cache", *args[1:])

    def take(self, data, *more, name="feed.json"):
        self.n += 1
        data = data if isinstance(data, str) else json.dumps(data)
        return self.run("import", *more, put(f"{self.d}/{self.n}/{name}", data))

    def verdict(self, what):
        return self.run("lookup", "--format", "json", what).json["verdict"]

    def rows(self):
        return [tuple(x.strip('"') for x in line.split('","')) for line in self.run("export").out.decode().splitlines()[1:]]


def lists_grow(d):
    x = Index(d)
    x.take("".join(f"pk{i}@1.0.0\n" for i in range(40)), "--source", "l", "--whole", name="l.txt")
    r = x.take("".join(f"pk{i}@1.0.0\npk{i}@2.0.0\n" for i in range(40)), "--source", "l", "--whole", name="l.txt")
    ok(all(x.verdict(f"pk{i}@2.0.0") == "malicious" for i in range(40)), "all that a list adds is taken over", r)
    x.take("both@*\nboth@1.0.0\nonly@1.0.0\n", "--source", "m", name="m.txt")
    ok(x.verdict("both@2.0.0") in ("malicious", "suspicious") and x.verdict("only@2.0.0") == "clean", "a list that says both one version and all")
    r = x.take("1.2.3.4:443\nc2.attacker.invalid:8080\n", "--source", "p", name="p.txt")
    ok(x.run("find", "1.2.3.4").code == 1 and x.run("find", "https://c2.attacker.invalid").code in (0, 1) and x.run("find", "c2.attacker.invalid").code == 1,
       "hosts with a port are hosts", r)
    x.take("type,indicator\nurl,Drop.attacker.invalid/x/Y\n", "--source", "u", name="u.csv")
    ok(x.run("find", "https://drop.attacker.invalid/x/Y").code == 1 and x.run("find", "https://drop.attacker.invalid/x/y").code == 0, "an address with and without scheme")
    x.take("type,indicator\nfile,bundle_setup.js\n", "--source", "f", name="f.csv")
    ok(x.run("find", "bundle_setup.js").code == 1, "the name of a file")
    x.take("\n".join(f"s@{i}.0.0" for i in range(1, 2)) + "\nt@1.0.0\nu@1.0.0\n", "--source", "s", "--whole", name="s.txt")
    r = x.take("t@1.0.0\n", "--source", "s", "--whole", name="s.txt")
    ok(r.code == 2 and b"shrank" in r.err, "three that become one is too few", r)
    r = x.take('{broken\n' + json.dumps(record("MAL-1", block("later", ["1.0.0"]))) + "\n", name="x.jsonl")
    ok(x.verdict("later@1.0.0") == "malicious" or r.code == 2, "a first line that is broken", r)
    r = x.take("\ufeff" + json.dumps([record("MAL-2", block("marked", ["1.0.0"]))]))
    ok(x.verdict("marked@1.0.0") == "malicious", "an array behind a byte order mark", r)
    r = Run("intel", "import", "--state", f"{d}/state", "--whole", put(f"{d}/a.json", "[]"), put(f"{d}/b.json", "[]"))
    ok(r.code == 2 and b"one file" in r.err, "--whole with two files would forget the first", r)


def strangers(d):
    x = Index(d)
    x.run("block", "--reason", "r", "victim")
    r = x.take(record("OWN:victim", block("victim", ["1.0.0"]), modified="2099-01-01T00:00:00Z", withdrawn="2099-01-01T00:00:00Z"))
    ok(r.code == 2 and x.verdict("victim@1.0.0") == "malicious", "nobody takes back an entry of the own list", r)
    x.take("listed@1.0.0\n", "--source", "mine", name="mine.txt")
    x.take(record("LIST:mine/listed", block("listed", ["1.0.0"]), modified="2099-01-01T00:00:00Z", withdrawn="2099-01-01T00:00:00Z"), "--source", "other")
    ok(x.verdict("listed@1.0.0") == "malicious", "nobody takes back a row of another's list")
    r = x.take("- allow: victim\n  reason: r\n", name="own.yaml")
    ok(r.code == 2 and x.verdict("victim@1.0.0") == "malicious", "a file is not the own list because of its name", r)
    conf = put(f"{d}/sources.yaml", f"sources:\n  - {{name: OWN, kind: list, url: {d}/x.yaml}}\n")
    put(f"{d}/x.yaml", "- allow: victim\n  reason: r\n")
    r = x.run("update", "--sources", conf)
    ok(r.code == 2 and x.verdict("victim@1.0.0") == "malicious", "nor is a source", r)
    put(f"{d}/tree/npm/@evil/withdrawn/MAL-2025-1.json", json.dumps(record("MAL-2025-1", block("@evil/withdrawn", ["1.0.0"]))))
    put(f"{d}/tree/withdrawn/npm/gone/MAL-2025-2.json", json.dumps(record("MAL-2025-2", block("gone", ["1.0.0"]))))
    x.run("import", f"{d}/tree")
    ok(x.verdict("@evil/withdrawn@1.0.0") == "malicious" and x.verdict("gone@1.0.0") == "clean", "a package may be called withdrawn")
    for wrong in (["foo@", "--reason", "r"], ["foo", "--reason", "r", "--range", ""], ["foo", "--reason", "r", "--expires", "2020-01-01"], ["foo", "--reason", ""]):
        r = x.run("allow", *wrong)
        ok(r.code == 2 and x.run("lookup", "foo@1.0.0").out.count(b"allow") == 0, f"a permit that says nothing is none: {wrong}", r)
    os.unlink(f"{d}/state/intel/own.yaml")
    put(f"{d}/none.yaml", "sources: []\n")
    r = x.run("update", "--sources", f"{d}/none.yaml")
    ok(r.code == 0 and x.verdict("victim@1.0.0") == "clean", "an own list that is gone has no entries", r)


def exact(d):
    x = Index(d)
    x.take([record("MAL-1", block("rangy", events=[{"introduced": "0"}, {"fixed": "1.2.0"}])), record("MAL-2", block("open", events=[{"introduced": "2.0.0"}])),
            record("MAL-3", block("twice", events=[{"introduced": "1.0.0"}, {"fixed": "1.1.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.3.0"}])),
            record("MAL-4", block("all", events=[{"introduced": "0"}])), record("MAL-5", block("many", [f"1.{i}.0" for i in range(3000)])),
            record("MAL-6", block("short", events=[{"introduced": "0"}, {"fixed": "2.0"}])), record("MAL-7", block("git", events=[{"introduced": "0"}]), block("git", events=[{"introduced": "abc"}], kind="GIT")),
            record("MAL-8", block("empty", events=[{"introduced": "0"}]), block("empty", events=[]))])
    rows = x.rows()
    ok(("rangy", ">=0.0.0-0 <1.2.0", "MAL-1") in rows and ("open", ">=2.0.0", "MAL-2") in rows, "a range is exported as what it is", rows[-12:])
    ok(("twice", ">=1.0.0 <1.1.0", "MAL-3") in rows and ("twice", ">=2.0.0 <=2.3.0", "MAL-3") in rows, "one in two parts as two", rows[-12:])
    ok(sum(r[0] == "many" for r in rows) == 3000 and ("all", "*", "MAL-4") in rows, "many versions, and everything")
    check = [Run("check", "--intel-only", "--state", f"{d}/state", "--format", "json", what) for what in ("rangy@2.0.0", "rangy@1.0.0", "all@1.0.0")]
    ok([c.code for c in check] == [0, 1, 1], "a check says the same", check)
    check = Run("check", "--intel-only", "--state", f"{d}/state", "--format", "json", "rangy")
    ok(check.code == 3, "a range around some versions does not condemn a name without one", check)
    ok(x.verdict("short@1.9.0") == "malicious" and x.verdict("short@3.0.0") == "clean", "a short version ends a range")
    ok(x.verdict("git@1.0.0") == "malicious" and x.verdict("empty@1.0.0") == "malicious", "ranges of other kinds, or of nothing, raise no doubt")
    for what in ("all@latest", "all@^1.0.0", "all@"):
        r = x.run("lookup", what)
        ok(r.code == 2 and r.err, f"{what} is no version", r)
    x.run("allow", "--reason", "r", "all@1.2.3")
    ok(("all", "!1.2.3", "OWN:all@1.2.3") in x.rows(), "a permit is part of the list", x.rows()[:3])
    r = x.run("lookup", "--explain", "twice@1.0.5")
    ok(b"by" in r.out and b"local" in r.out, "--explain says who", r)
    x.take([record("MAL-20", block("chalk", events=[{"introduced": "0"}]))], "--source", "one")
    x.take([record("MAL-20", block("chalk", events=[{"introduced": "0"}]))], "--source", "two")
    ok(x.verdict("chalk@5.0.0") == "suspicious", "a record that two feeds pass on is one voice", x.run("lookup", "chalk@5.0.0"))


def main():
    for test in (lists_grow, strangers, exact):
        with scratch() as d:
            test(d)
    done()


main()
