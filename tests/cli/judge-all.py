"""qanat judge --all: what was seen, judged again by rules that are new; and that nothing is lost when it is killed."""
import random
import shutil
import signal
import sqlite3
import subprocess
import time

from seenlib import ask, examples, harmless, make, rule, run, sent
from tap import done, ok, put, QANAT, scratch

ALL = """SELECT v.name, v.version, v.verdict, v.score, v.reason, v.rules,
 (SELECT group_concat(rule || ' ' || verdict) FROM (SELECT rule, verdict FROM finding WHERE version = v.id ORDER BY rule)),
 (SELECT group_concat(verdict || score) FROM (SELECT verdict, score FROM judgement WHERE version = v.id ORDER BY id))
 FROM version v ORDER BY v.id"""


def usage(d):
    state = make(f"{d}/usage", [harmless("a")])
    r = run(f"{d}/none", "judge", "--all")
    ok(r.code == 2 and b"nothing was watched yet" in r.err, "without a store it says so", r)
    for args, says in ((("--all", "x.ndjson"), b"takes no file"), (("--all", "--format", "sarif"), b"text or json"),
                       (("--all", "--since", "yesterday"), b"--since yesterday"), (("--dry-run",), b"--dry-run is for --all"),
                       (("--name", "x"), b"--name is for --all"), (("--all", "--rules", f"{d}/none.yaml"), b"none.yaml"),
                       (("--all", "--since", str(2**62)), b"--since")):
        r = run(state, "judge", *args)
        ok(r.code == 2 and says in r.err and not r.out, f"judge {' '.join(args[:2])} is refused", r)
    put(f"{d}/broken/watch.db", b"SQLite format 3\0" + b"x" * 5000)
    r = run(f"{d}/broken", "judge", "--all")
    ok(r.code == 2 and r.err, "a damaged store is told", r)


def new_rule(d):
    state = make(f"{d}/new", [harmless("b"), harmless("@acme/a", "2.0.0"), sent("thief")])
    new = rule(d)
    before = ask(state, ALL)
    r = run(state, "judge", "--all", "--format", "json")
    ok(r.code == 0 and r.json["judged"] == 3 and r.json["changes"] == [] and ask(state, ALL) == before,
       "by the same rules nothing changes", r)
    r = run(state, "judge", "--all", "--dry-run", "--rules", new)
    ok(r.code == 1 and b"clean \xe2\x86\x92 suspicious" in r.out and b"nothing was written" in r.out, "a dry run tells", r)
    ok(r.out.find(b"@acme/a@2.0.0") < r.out.find(b"b@1.0.0") and r.out.find(b"@acme/a@2.0.0") >= 0, "sorted by name", r)
    ok(ask(state, ALL) == before, "and writes nothing")
    r = run(state, "judge", "--all", "--rules", new, "--format", "json")
    ok([(c["name"], c["before"]["verdict"], c["after"]["verdict"], c["after"]["reason"]) for c in r.json["changes"]] == [
        ("@acme/a", "clean", "suspicious", "It is new"), ("b", "clean", "suspicious", "It is new")], "each change with its reason", r)
    ok(ask(state, "SELECT count(*) FROM finding WHERE rule = 'new'") == [(2,)], "findings are on record")
    ok(ask(state, "SELECT verdict FROM judgement WHERE version = 1 ORDER BY id") == [("clean",), ("suspicious",)], "and the history")
    ok(ask(state, "SELECT count(*) FROM version WHERE rules = 'of-the-test'") == [(1,)], "by what it was judged, too")
    r = run(state, "judge", "--all", "--rules", new)
    ok(r.code == 0 and b"0 other verdicts" in r.out, "a second run finds nothing to do", r)
    r = run(state, "judge", "--all", "--format", "json")
    ok(r.code == 0 and r.json["changed"] == 2 and {c["after"]["verdict"] for c in r.json["changes"]} == {"clean"},
       "without the rule all is as before", r)


def some(d):
    state = make(f"{d}/some", [harmless("@acme/a"), harmless("b"), harmless("bc")])
    new = rule(d)
    r = run(state, "judge", "--all", "--dry-run", "--rules", new, "--name", "b*", "--format", "json")
    ok([c["name"] for c in r.json["changes"]] == ["b", "bc"], "--name takes a pattern", r)
    r = run(state, "judge", "--all", "--dry-run", "--rules", new, "--since", "1790000001", "--format", "json")
    ok([c["name"] for c in r.json["changes"]] == ["b", "bc"], "--since leaves out what was seen before", r)
    r = run(state, "judge", "--all", "--dry-run", "--rules", new, "--since", "2100-01-01", "--format", "json")
    ok(r.code == 0 and r.json["judged"] == 0, "and may leave out all", r)


def hostile(d):
    state = make(f"{d}/hostile", [harmless("a\x1b[2J\u202e<b>"), harmless("c")])
    ask_write(state, "UPDATE events SET bytes = x'00' WHERE version = 2")
    r = run(state, "judge", "--all", "--rules", rule(d))
    ok(r.code == 1 and b"\x1b" not in r.out and "\u202e" not in r.out.decode(), "names are escaped", r)
    ok(b"whose events cannot be read" in r.out, "what cannot be read is counted", r)
    ok(ask(state, "SELECT verdict FROM version WHERE id = 2") == [("clean",)], "and stays as it was")
    r = run(state, "judge", "--all", "--rules", rule(d))
    ok(r.code == 3, "that is an exit status of its own", r)


def ask_write(state, sql):
    db = sqlite3.connect(f"{state}/watch.db")
    db.execute(sql)
    db.commit()
    db.close()


def intelligence(d):
    state = make(f"{d}/intel", [harmless("known-bad"), harmless("other")])
    r = run(state, "intel", "block", "known-bad", "--reason", "INC-1", "--no-sandbox")
    ok(r.code == 0, "something becomes known", r)
    r = run(state, "judge", "--all", "--format", "json")
    ok([(c["name"], c["after"]["verdict"]) for c in r.json["changes"]] == [("known-bad", "malicious")],
       "what is known today counts for yesterday's packages", r)
    ok("-" in ask(state, "SELECT rules FROM version WHERE name = 'known-bad'")[0][0], "its verdict relies on that", ask(state, ALL))


def unobserved(d):
    state = make(f"{d}/unobserved", [harmless("gone-bad"), harmless("gone"), harmless("old-bad"), harmless("old")])
    ask_write(state, "DELETE FROM events")
    ask_write(state, "UPDATE version SET verdict = 'unknown' WHERE name LIKE 'gone%'")
    before = ask(state, ALL)
    r = run(state, "judge", "--all", "--format", "json", "--rules", rule(d))
    ok(r.code == 0 and r.json["judged"] == 0 and r.json["unread"] == 0 and ask(state, ALL) == before, "without events a verdict stays", r)
    for name in ("gone-bad", "old-bad"):
        run(state, "intel", "block", name, "--reason", "INC-1", "--no-sandbox")
    r = run(state, "judge", "--all", "--format", "json")
    ok([(c["name"], c["before"]["verdict"], c["after"]["verdict"]) for c in r.json["changes"]] == [
        ("gone-bad", "unknown", "malicious"), ("old-bad", "clean", "malicious")], "unless intelligence names it", r)
    ok(ask(state, "SELECT name, verdict FROM version WHERE name IN ('gone', 'old')") == [("gone", "unknown"), ("old", "clean")],
       "and the others are what they were")
    r = run(state, "judge", "--all", "--format", "json")
    ok(r.code == 0 and r.json["changes"] == [] and r.json["moved"] == 0, "once", r)


def anything():
    """A condition that all examples fulfil."""
    kinds = {event["event"] for lines in examples() for event in lines[1:]}
    return f"{{event: [{', '.join(sorted(kinds))}], phase: any}}"


def readers_and_writers(d):
    state = make(f"{d}/busy", examples(), times=100)
    new = rule(d, when=anything())
    p = subprocess.Popen([QANAT, "judge", "--all", "--state", state, "--rules", new], stdout=subprocess.DEVNULL)
    longest, n = 0, 0
    while p.poll() is None:
        start = time.monotonic()
        ask_write(state, f"INSERT OR REPLACE INTO setting VALUES('feed', '{n}')")
        ask(state, "SELECT count(*) FROM setting")
        longest = max(longest, time.monotonic() - start)
        n += 1
    ok(p.returncode == 1 and n > 0 and longest < 5, f"others read and write meanwhile ({n} times, at most {longest:.2f} s)")


def killed(d):
    first = make(f"{d}/first", examples(), times=100)
    new = rule(d, when=anything())
    command = ["judge", "--all", "--rules", new, "--jobs", "2"]
    shutil.copytree(first, f"{d}/whole")
    start = time.monotonic()
    run(f"{d}/whole", *command)
    took = time.monotonic() - start
    whole = ask(f"{d}/whole", ALL)
    changed = ask(f"{d}/whole", "SELECT count(*) FROM version WHERE rules <> 'of-the-test'")[0][0]
    chance = random.Random(8)
    unsound, different, between = [], [], 0
    for i in range(50):
        state = f"{d}/killed"
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(first, state)
        p = subprocess.Popen([QANAT, "judge", "--state", state, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, took))
        p.send_signal(signal.SIGKILL)
        p.wait()
        if ask(state, "PRAGMA integrity_check") != [("ok",)]:
            unsound.append(i)
        halfway = ask(state, "SELECT count(*) FROM version WHERE rules <> 'of-the-test'")[0][0]
        torn = ask(state, """SELECT count(*) FROM version v WHERE v.verdict <> (SELECT verdict FROM judgement WHERE version = v.id
                             ORDER BY id DESC LIMIT 1)""")[0][0]
        if torn:
            unsound.append((i, torn))
        between += 0 < halfway < changed
        r = run(state, *command)
        if r.code not in (0, 1) or ask(state, ALL) != whole: # 0: what was left were scores and findings
            different.append((i, r))
    ok(changed == len(whole) > 7000, f"{changed} of {len(whole)} change")
    ok(not unsound and between > 2, f"killed at 50 points, {between} of them half-way: the store is sound", unsound)
    ok(not different, "and a second run ends where one that was not killed ends", different)


with scratch() as d:
    for part in (usage, new_rule, some, hostile, intelligence, unobserved, readers_and_writers, killed):
        part(d)
done()
