"""qanat inventory add, ingest, collect and the questions; times in any order; kills at any moment; damaged stores."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

from tap import QANAT, Run, done, ok, put, scratch


def lock(packages, direct=("a",), dev=()):
    doc = {"name": "p", "lockfileVersion": 3, "packages": {"": {"dependencies": {n: "*" for n in direct}, "devDependencies": {n: "*" for n in dev}}}}
    for name, version, *needs in packages:
        doc["packages"][f"node_modules/{name}"] = {"version": version, "dependencies": {n: "*" for n in needs}, "dev": name in dev}
    return json.dumps(doc)


def inv(d, *args, **kw):
    return Run("inventory", "--state", f"{d}/state", *args, **kw)


def ask(d, *args):
    r = inv(d, *args, "--format", "json")
    return r.json if r.out else {"failed": repr(r)}


def spans(d, what, *more):
    return [(m["version"], m["since"][:10], m["until"] and m["until"][:10]) for m in ask(d, "who-has", what, *more)["matches"]]


def add(d, packages, when, **kw):
    put(f"{d}/p/package-lock.json", lock(packages, **kw))
    return inv(d, "add", f"{d}/p", "--asset", "shop", "--time", when, "--environment", "production", "--owner", "web")


def usage(d):
    r = inv(d, "who-has", "a")
    ok(r.code == 2 and b"no inventory yet" in r.err, "without a store it says what to do", r)
    for args in (["who-has"], ["who-has", "a", "b", "c"], ["why"], ["diff", "a"], ["exposure"], ["ingest"], ["frob"],
                 ["add", "--time", "yesterday", d]):
        ok(inv(d, *args).code == 2, f"wrong usage: {' '.join(args[:2])}")


def over_time(d):
    r = add(d, [("a", "1.0.0", "b"), ("b", "1.0.0")], "2025-01-01")
    ok(r.code == 0 and b"2 packages in 1 sources, 2 new" in r.out, "an observation", r)
    add(d, [("a", "1.0.0", "b"), ("b", "2.0.0")], "2025-03-01")
    ok(spans(d, "b") == [("2.0.0", "2025-03-01", None)], "who has it now", spans(d, "b"))
    ok(spans(d, "b", "--between", "2025-01-01", "2025-12-31") == [("1.0.0", "2025-01-01", "2025-03-01"), ("2.0.0", "2025-03-01", None)],
       "and who had it in between", spans(d, "b", "--between", "2025-01-01", "2025-12-31"))
    ok(spans(d, "b", "--between", "2025-04-01..2025-05-01") == [("2.0.0", "2025-03-01", None)], "in a later time")
    ok(spans(d, "b", "--between", "2024-01-01", "2024-12-31") == [], "in an earlier time")
    ok(spans(d, "b@^1", "--between", "2025-01-01", "2025-12-31") == [("1.0.0", "2025-01-01", "2025-03-01")], "with a range")
    ok(spans(d, "b@1.0.0") == [], "a version that is gone")
    for wrong in ("b@>>1", "b@latest", "b@1.0.0.0"):
        for form in ("table", "json"):
            r = inv(d, "who-has", wrong, "--format", form)
            ok(r.code == 2 and b"no range" in r.err and not r.out, f"what is no range is no answer: {wrong}", r)
    add(d, [("a", "1.0.0", "b"), ("b", "1.5.0")], "2025-02-01")  # late news
    every = ("--between", "2025-01-01", "2025-12-31")
    ok(spans(d, "b", *every) == [("1.0.0", "2025-01-01", "2025-02-01"), ("1.5.0", "2025-02-01", "2025-03-01"), ("2.0.0", "2025-03-01", None)],
       "an observation that comes late", spans(d, "b", *every))
    ok(spans(d, "a", *every) == [("1.0.0", "2025-01-01", None)], "what was there all the time is one span", spans(d, "a", *every))
    before = spans(d, "b", *every)
    add(d, [("a", "1.0.0", "b"), ("b", "1.5.0")], "2025-02-01")
    ok(spans(d, "b", *every) == before, "the same observation again changes nothing")
    add(d, [("a", "1.0.0")], "2025-01-15")
    ok(spans(d, "b", *every)[:2] == [("1.0.0", "2025-01-01", "2025-01-15"), ("1.5.0", "2025-02-01", "2025-03-01")], "a gap", spans(d, "b", *every))
    m = ask(d, "who-has", "b")["matches"][0]
    ok(m["asset"] == {"kind": "project", "name": "shop", "owner": "web", "environment": "production", "commit": None} and
       m["source"] == "package-lock.json" and m["kind"] == "package-lock", "where it is", m)
    os.remove(f"{d}/p/package-lock.json")
    inv(d, "add", f"{d}/p", "--asset", "shop", "--time", "2025-06-01")
    ok(spans(d, "b") == [], "a source that is gone holds nothing", spans(d, "b"))
    put(f"{d}/p/package-lock.json", "{")
    r = inv(d, "add", f"{d}/p", "--asset", "shop", "--time", "2025-07-01")
    ok(r.code == 3, "what cannot be read is told", r)


def questions(d):
    put(f"{d}/q/package-lock.json", lock([("a", "1.0.0", "b", "c"), ("b", "1.0.0", "c"), ("c", "1.0.0", "b"), ("e", "1.0.0")], dev=("e",)))
    inv(d, "add", f"{d}/q", "--asset", "q")
    sources = ask(d, "why", "c")["sources"]
    ok([s["paths"] for s in sources] == [[["a@1.0.0", "c@1.0.0"], ["a@1.0.0", "b@1.0.0", "c@1.0.0"]]], "why: all paths, circles or not", sources)
    ok([s["paths"] for s in ask(d, "why", "c", f"{d}/q")["sources"]] == [s["paths"] for s in sources], "why: of a path")
    ok(ask(d, "why", "c", "--limit", "1")["sources"][0]["more"] is True, "why: not more than asked for")
    ok(ask(d, "who-has", "e")["matches"][0]["dev"] is True, "dev dependencies count, and say so")
    put(f"{d}/q2/package-lock.json", lock([("a", "1.0.1"), ("b", "1.0.0")]))
    inv(d, "add", f"{d}/q2", "--asset", "q2", "--kind", "image")
    want = {"schema": "qanat.inventory.diff/1",
            "removed": [{"name": n, "version": v} for n, v in (("a", "1.0.0"), ("c", "1.0.0"), ("e", "1.0.0"))],
            "added": [{"name": "a", "version": "1.0.1"}]}
    ok(ask(d, "diff", "q", "q2") == want, "diff of assets", ask(d, "diff", "q", "q2"))
    ok(ask(d, "diff", f"{d}/q", f"{d}/q2") == want and ask(d, "diff", "q", f"{d}/q2") == want, "diff of paths")
    r = inv(d, "diff", "q", "nobody")
    ok(r.code == 2 and b"neither" in r.err, "diff with nothing", r)
    inv(d, "add", f"{d}/q2", "--asset", "old", "--time", "2020-01-01")
    stale = ask(d, "stale", "--days", "100")["stale"]
    ok("old" in [s["asset"]["name"] for s in stale] and "q" not in [s["asset"]["name"] for s in stale], "stale", stale)
    record = {"id": "MAL-2025-1", "modified": "2025-01-01T00:00:00Z", "summary": "Part of the Sand-Worm campaign",
              "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.1"]}]}
    put(f"{d}/mal.json", json.dumps(record))
    Run("intel", "--state", f"{d}/state", "import", f"{d}/mal.json")
    for word in ("MAL-2025-1", "sand-worm"):
        r = inv(d, "exposure", word, "--format", "json")
        got = {(m["name"], m["version"], m["asset"]["name"]) for m in r.json["matches"]}
        ok(r.code == 1 and got == {("a", "1.0.1", "q2"), ("a", "1.0.1", "old")}, f"exposure {word}", r)
    ok(inv(d, "exposure", "MAL-0").code == 2, "exposure to what is not known")
    record.update(id="MAL-2025-2", summary="", affected=[{"package": {"ecosystem": "npm", "name": "nobodys"}, "versions": ["1.0.0"]}])
    put(f"{d}/mal.json", json.dumps(record))
    Run("intel", "--state", f"{d}/state", "import", f"{d}/mal.json")
    r = inv(d, "exposure", "MAL-2025-2")
    ok(r.code == 0 and b"nobody has what 1 record is about" in r.err, "exposure of nobody says so", r)
    put(f"{d}/q-yarn/yarn.lock", "# yarn lockfile v1\n\ny@1:\n  version \"1.0.0\"\n")
    inv(d, "add", f"{d}/q-yarn/yarn.lock", "--asset", "parts")
    inv(d, "add", f"{d}/q/package-lock.json", "--asset", "parts")
    ok("parts" in [m["asset"]["name"] for m in ask(d, "who-has", "y")["matches"]], "files are parts of their asset")


def fleet(d):
    r = inv(d, "collect", "--asset", "web-1", "--environment", "production", f"{d}/q")
    doc = r.json
    ok(r.code == 0 and doc["schema"] == "qanat.collection/1" and doc["asset"]["kind"] == "host" and len(r.out) < 2000, "a host collects", r)
    put(f"{d}/web-1.json", r.out)
    r = inv(d, "ingest", f"{d}/web-1.json", f"{d}/none.json", "-", stdin=r.out)
    ok(r.code == 3 and r.out.count(b"web-1: ") == 2, "a server takes it; what is not there is told", r)
    hosts = [m["asset"]["name"] for m in ask(d, "who-has", "e")["matches"]]
    ok("web-1" in hosts, "and knows the host", hosts)
    ok(ask(d, "why", "c")["sources"][-1]["paths"][0] == ["a@1.0.0", "c@1.0.0"], "with who needs whom")
    good = json.loads(json.dumps(doc))
    changes = [("schema", "x"), ("time", -1), ("time", "now"), ("asset", {}), ("sources", {}), ("sources", [{}]),
               ("sources", [{"path": "x", "kind": "nothing", "packages": []}]),
               ("sources", [{"path": "x", "kind": "pnpm", "packages": [["a"]]}]),
               ("sources", [{"path": "x", "kind": "pnpm", "packages": [["a", "1", None, 0, 0]], "needs": [[0, 7, 0]]}]),
               ("sources", [{"path": "x", "kind": "pnpm", "packages": [["a", "1", None, 99999, 0]]}])]
    for key, value in changes:
        put(f"{d}/bad.json", json.dumps({**good, key: value}))
        r = inv(d, "ingest", f"{d}/bad.json")
        ok(r.code == 3 and b"no collection" in r.err and not r.out, f"a collection with {key} {json.dumps(value)[:50]}", r)
    put(f"{d}/bad.json", "[" * 100000)
    ok(inv(d, "ingest", f"{d}/bad.json").code == 3, "deep nesting")


def processes(d):
    """What a running program can load: its own trees, those above, and not its neighbours'."""
    if not shutil.which("node"):
        return
    base = f"{d}/run/srv"
    for where, name in (("node_modules/up", "up"), ("shop/node_modules/near", "near"), ("other/node_modules/far", "far")):
        put(f"{base}/{where}/package.json", json.dumps({"name": name, "version": "1.0.0"}))
    put(f"{base}/shop/src/server.js", "console.log('up'); setTimeout(() => {}, 60000);\n")
    put(f"{d}/run/alone/x.js", "console.log('up'); setTimeout(() => {}, 60000);\n")
    started = []

    def start(*args, cwd):
        p = subprocess.Popen(["node", *args], cwd=cwd, stdout=subprocess.PIPE)
        started.append(p)
        p.stdout.readline()
        return str(p.pid)

    try:
        pid = start("--no-warnings", "-r", "fs", "src/server", cwd=f"{base}/shop")
        r = inv(d, "collect", "--process", pid)
        doc = r.json
        ok(r.code == 0 and doc["asset"]["kind"] == "process" and doc["asset"]["name"].endswith(f":{base}/shop/src/server.js"), "a process", r)
        got = {(s["path"], p[0]) for s in doc["sources"] for p in s["packages"]}
        ok(got == {(f"{base}/shop/node_modules", "near"), (f"{base}/node_modules", "up")}, "what a process can load", got)
        put(f"{d}/process.json", r.out)
        r = inv(d, "ingest", f"{d}/process.json")
        ok(r.code == 0 and ask(d, "who-has", "near")["matches"][0]["asset"]["kind"] == "process", "a server takes it", r)
        r = inv(d, "add", "--process", pid, "--asset", "web", "--environment", "production")
        ok(r.code == 0 and b"web: 2 packages in 2 sources" in r.out, "add a process", r)
        pid = start("-e", "console.log(1); setTimeout(() => {}, 60000)", cwd=f"{base}/other")
        got = [p[0] for s in inv(d, "collect", "--process", pid).json["sources"] for p in s["packages"]]
        ok(sorted(got) == ["far", "up"], "a process without a script", got)
        pid = start("x.js", cwd=f"{d}/run/alone")
        r = inv(d, "collect", "--process", pid)
        ok(r.code == 2 and b"no packages" in r.err, "a process without packages", r)
    finally:
        for p in started:
            p.kill()
            p.wait()
    for what, args in (("one that is gone", [pid]), ("another program", [str(os.getpid())]), ("no number", ["self"]), ("with a path", [pid, d])):
        r = inv(d, "collect", "--process", *args)
        ok(r.code == 2 and not r.out and r.err, f"a process: {what}", r)


def history(d):
    repo = f"{d}/repo"
    os.makedirs(f"{repo}/app")

    def git(when, *args):
        env = {**os.environ, "GIT_COMMITTER_DATE": f"{when}T00:00:00Z", "GIT_AUTHOR_DATE": f"{when}T00:00:00Z", "HOME": d}
        subprocess.run(["git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@t.invalid", *args], env=env, check=True, capture_output=True)

    git("2024-01-01", "init")
    for when, version in (("2024-01-01", "1.0.0"), ("2024-02-01", "2.0.0"), ("2024-03-01", None), ("2024-04-01", "3.0.0"), ("2024-05-01", "")):
        if version == "":
            os.remove(f"{repo}/app/package-lock.json")
            put(f"{repo}/app/other", "")
        else:
            put(f"{repo}/app/package-lock.json", lock([("h", version)], direct=("h",)) if version else "{ broken")
        git(when, "add", "-A")
        git(when, "commit", "-m", "x")
    put(f"{repo}/.git/config", open(f"{repo}/.git/config", encoding="ascii").read() + f'[core]\n\tfsmonitor = touch {d}/ran\n\tpager = touch {d}/ran\n')
    r = inv(d, "add", "--history", f"{repo}/app/package-lock.json", "--asset", "repo")
    ok(r.code == 3 and r.out.count(b"repo: ") == 4, "history: each version, one is broken, one is none", r)
    got = spans(d, "h", "--between", "2024-01-01", "2024-12-31")
    ok(got == [("1.0.0", "2024-01-01", "2024-02-01"), ("2.0.0", "2024-02-01", "2024-04-01"), ("3.0.0", "2024-04-01", "2024-05-01")], "history: times", got)
    ok(len(ask(d, "who-has", "h", "--between", "2024-01-01", "2024-12-31")["matches"][0]["asset"]["commit"]) == 40, "history: the commit")
    ok(not os.path.exists(f"{d}/ran"), "history: nothing of the repository is run")
    ok(inv(d, "add", "--history", f"{d}/q/package-lock.json").code == 2, "history: without a repository")


def healthy(d, state):
    db = sqlite3.connect(f"{d}/{state}/inventory.db")
    try:
        return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        db.close()


def kills(d):
    put(f"{d}/k/package-lock.json", lock([(f"p{i}", "1.0.0") for i in range(300)], direct=("p0",)))
    base = 1700000000
    command = [QANAT, "inventory", "--state", f"{d}/kstate"]
    collection = Run("inventory", "collect", "--asset", "x", f"{d}/k").json
    generator = random.Random(4)
    acknowledged, limit = {}, 0.05
    start = time.time()
    subprocess.run([*command, "add", f"{d}/k", "--asset", "warm", "--time", str(base)], capture_output=True, check=True)
    limit = time.time() - start
    broken = 0
    for i in range(200):
        name = f"asset{i}"
        if i % 2:
            collection["asset"]["name"], collection["time"] = name, base + i
            put(f"{d}/k.json", json.dumps(collection))
            args = ["ingest", f"{d}/k.json"]
        else:
            args = ["add", f"{d}/k", "--asset", name, "--time", str(base + i)]
        p = subprocess.Popen([*command, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(generator.random() * limit * 1.2)
        p.send_signal(signal.SIGKILL)
        out = p.communicate()[0]
        acknowledged[name] = out.startswith(name.encode())
        if i % 20 == 19:
            broken += not healthy(d, "kstate")
    names = {m["asset"]["name"] for m in Run("inventory", "--state", f"{d}/kstate", "who-has", "p299", "--format", "json").json["matches"]}
    lost = [n for n, a in acknowledged.items() if a and n not in names]
    some = sum(acknowledged.values())
    ok(not broken and healthy(d, "kstate"), "200 kills leave a sound store")
    ok(not lost, f"and lose nothing that was acknowledged ({some} of 200)", lost)
    partly = [n for n in names if len(Run("inventory", "--state", f"{d}/kstate", "diff", n, "warm", "--format", "json").json["added"])]
    ok(not partly, "nothing is there in part", partly)
    r = Run("inventory", "--state", f"{d}/kstate", "add", f"{d}/k", "--asset", "after")
    ok(r.code == 0, "and the next one works", r)


def damaged(d):
    put(f"{d}/dam/inventory.db", b"this is no database" * 400)
    r = Run("inventory", "--state", f"{d}/dam", "who-has", "a")
    ok(r.code == 2 and b"damaged" in r.err, "a damaged store is told", r)
    db = sqlite3.connect(f"{d}/state/inventory.db")
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    r = inv(d, "who-has", "a")
    ok(r.code == 2 and b"another version" in r.err, "so is one of another version", r)


def together(d):
    """Several writers at once: each gets its turn."""
    put(f"{d}/t/package-lock.json", lock([("a", "1.0.0")]))
    runs = [subprocess.Popen([QANAT, "inventory", "--state", f"{d}/tstate", "add", f"{d}/t", "--asset", f"t{i}"], stdout=subprocess.DEVNULL)
            for i in range(8)]
    codes = [p.wait() for p in runs]
    names = {m["asset"]["name"] for m in Run("inventory", "--state", f"{d}/tstate", "who-has", "a", "--format", "json").json["matches"]}
    ok(codes == [0] * 8 and names == {f"t{i}" for i in range(8)}, "eight at once", (codes, names))


with scratch() as tmp:
    for part in (usage, over_time, questions, fleet, processes, history, together, kills, damaged):
        part(tmp)
    done()
