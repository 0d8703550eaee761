"""qanat report submit, withdraw, list: records on a branch of a clone and below an address; what is known is not repeated, what is
taken back stays so, and whatever happens no half of anything is left."""
import glob
import hashlib
import http.server
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

from reportlib import bad, complaints, GOOD, SECRETS, SETUP
from registry import env as registry_env, Registry
from tap import done, ok, package, put, QANAT, Run, scratch, tgz_of

WHEN = "2026-01-02T03:04:05Z"
LATER = "2026-02-03T04:05:06Z"
AUTHOR = ("--author", "Example Research <r@example.invalid>")
CREDIT = ("--credit", "Example Research <r@example.invalid>")


def ask(state, sql):
    db = sqlite3.connect(f"{state}/watch.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


class Place:
    """A clone to report to, a state of its own, and what is there."""

    def __init__(self, d, name="clone", bare=False):
        self.d, self.repo, self.state = d, f"{d}/{name}", f"{d}/{name}-state"
        put(f"{self.repo}/osv/malicious/npm/README.md", "records\n")
        put(f"{self.repo}/osv/withdrawn/npm/README.md", "records\n")
        self.git("init", "-q", "-b", "main")
        self.commit("first")
        if bare:
            subprocess.run(["git", "clone", "-q", "--bare", self.repo, self.repo + ".git"], check=True)
            self.repo += ".git"

    def git(self, *args, check=True):
        p = subprocess.run(["git", "-C", self.repo, *args], capture_output=True)
        if check and p.returncode:
            raise AssertionError((args, p.stderr))
        return p.stdout.decode().strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.invalid", "commit", "-q", "-m", message)

    def run(self, what, *args, env=None, **kw):
        return Run("report", what, *args, env={"QANAT_STATE": self.state, **(env or {})}, **kw)

    def submit(self, *args, **kw):
        return self.run("submit", "--repository", self.repo, *AUTHOR, *CREDIT, "--time", WHEN, *args, **kw)

    def withdraw(self, *args, **kw):
        return self.run("withdraw", "--repository", self.repo, *AUTHOR, "--at", LATER, "--by", "R. Reader", *args, **kw)

    def list(self):
        return self.run("list", "--format", "json").json["reports"]

    def branches(self):
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def files(self, branch, below="osv"):
        return [f for f in self.git("ls-tree", "-r", "--name-only", branch, "--", below).splitlines() if "README" not in f]

    def record(self, branch, path=None):
        return json.loads(self.git("show", f"{branch}:{path or self.files(branch)[0]}"))

    def count(self, branch):
        return int(self.git("rev-list", "--count", f"main..{branch}"))

    def untouched(self):
        return (self.git("status", "--porcelain"), self.git("symbolic-ref", "-q", "HEAD", check=False),
                self.git("rev-parse", "main"), self.git("ls-files", "-s"), self.git("fsck", "--no-dangling"))


def archives(d):
    for name, version in (("evil", "1.0.0"), ("evil", "1.2.0"), ("evil", "1.10.0"), ("@other/evil", "2.0.0"), ("worse", "0.1.0")):
        put(f"{d}/{name.replace('/', '_')}-{version}.tgz", tgz_of(bad(name, version)))
    put(f"{d}/good.tgz", tgz_of(GOOD))


def one_record(d):
    p = Place(d)
    before = p.untouched()
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 0 and p.branches() == ["main", "qanat/evil"] and r.err.count(b"\n") == 1, "a branch of the package's name", r)
    files = p.files("qanat/evil")
    ok(len(files) == 1 and re.fullmatch(r"osv/malicious/npm/evil/MAL-0000-qanat-[0-9a-f]{16}\.json", files[0]), "one file", files)
    doc = p.record("qanat/evil")
    ok(complaints(doc) == [] and doc["modified"] == WHEN, "that OpenSSF would take", complaints(doc))
    raw = p.git("show", f"qanat/evil:{files[0]}")
    ok(not any(s in raw for s in SECRETS) and "https://" not in raw and "http://" not in raw, "no secret, no link", raw)
    files = {f["path"]: f for f in doc["affected"][0]["database_specific"]["indicators"]["evidence_files"]}
    ok(files["setup.js"]["sha256"] == hashlib.sha256(SETUP.encode()).hexdigest(), "hashes of the files of evidence", files)
    log = p.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%aI|%B", "qanat/evil")
    who = AUTHOR[1]
    ok(log == f"{who}|{who}|2026-01-02T03:04:05+00:00|Report malicious npm package evil\n\n- evil: 1.0.0\n\nFound by qanat.",
       "author, time and message of the commit", log)
    ok(p.untouched() == before, "work tree, index and HEAD are as they were", p.untouched())
    ok(not glob.glob(f"{p.state}/report.index*"), "nothing is left behind", os.listdir(p.state))
    tip = p.git("rev-parse", "qanat/evil")
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 0 and b"is on branch qanat/evil already" in r.err and p.git("rev-parse", "qanat/evil") == tip,
       "the same again: no second commit", r)
    r = p.run("submit", "--repository", p.repo, *AUTHOR, *CREDIT, f"{d}/evil-1.0.0.tgz")
    ok(r.code == 0 and p.git("rev-parse", "qanat/evil") == tip, "nor at another time", r)
    rows = p.list()
    ok([(x["name"], x["version"], x["state"], x["branch"], x["commit"]) for x in rows] ==
       [("evil", "1.0.0", "written", "qanat/evil", tip)], "the store says where it is", rows)
    r = p.run("list")
    ok(r.code == 0 and b"qanat/evil" in r.out and b"written" in r.out, "a table of it", r)
    shutil.rmtree(p.state)
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 0 and p.git("rev-parse", "qanat/evil") == tip and len(p.list()) == 1, "a store that is lost: the branch knows", r)
    again = Place(d, "again")
    again.submit(f"{d}/evil-1.0.0.tgz")
    ok(again.git("rev-parse", "qanat/evil:osv") == p.git("rev-parse", "qanat/evil:osv"), "the same bytes elsewhere", "")


def longer(d):
    p = Place(d, "longer")
    p.submit(f"{d}/evil-1.2.0.tgz")
    path = p.files("qanat/evil")[0]
    r = p.submit(f"{d}/evil-1.10.0.tgz")
    ok(r.code == 0 and p.files("qanat/evil") == [path] and p.count("qanat/evil") == 2, "a newer version: the same record", r)
    r = p.submit(f"{d}/evil-1.0.0.tgz", f"{d}/evil-1.2.0.tgz")
    doc = p.record("qanat/evil")
    a = doc["affected"][0]
    ok(r.code == 0 and a["versions"] == ["1.0.0", "1.2.0", "1.10.0"] and complaints(doc) == [], "an older one, too", (r, doc))
    ok(doc["details"].startswith("qanat found malicious behaviour in evil 1.0.0, 1.2.0, 1.10.0:\n\n- "), "in words", doc["details"])
    ok(doc["details"].count("(rule environment-sent") == 1, "what was found is told once", doc["details"])
    ds = a["database_specific"]["indicators"]
    ok([f["version"] for f in ds["evidence_files"]] == ["1.0.0", "1.2.0", "1.10.0"], "evidence of each", ds)
    ok({f["filename"] for f in ds["package_integrity"]} == {f"evil-{v}.tgz" for v in a["versions"]}, "archives of each", ds)
    r = p.submit("--every-version", f"{d}/evil-1.2.0.tgz")
    doc = p.record("qanat/evil")
    ok(r.code == 0 and doc["affected"][0]["ranges"] and complaints(doc) == [], "and then all of them", (r, doc))
    whole = p.git("rev-parse", "qanat/evil")
    ok(p.submit(f"{d}/evil-1.0.0.tgz").code == 0 and p.git("rev-parse", "qanat/evil") == whole, "more cannot be said", "")


def campaigns(d):
    p = Place(d, "campaign")
    lists = put(f"{d}/list.txt", "# a list\n\n")
    many = [f"{d}/evil-1.0.0.tgz", f"{d}/evil-1.2.0.tgz", f"{d}/@other_evil-2.0.0.tgz", f"{d}/worse-0.1.0.tgz"]
    r = p.submit("--campaign", "worm-1", "--sign-off", *many, "--from", lists)
    ok(r.code == 0 and p.branches() == ["main", "qanat/worm-1"] and p.count("qanat/worm-1") == 1, "one branch, one commit", r)
    ok(sorted(os.path.dirname(f) for f in p.files("qanat/worm-1")) ==
       [f"osv/malicious/npm/{n}" for n in ("@other/evil", "evil", "worse")], "a file for each package", p.files("qanat/worm-1"))
    message = p.git("log", "-1", "--format=%B", "qanat/worm-1")
    ok(message == "Report 3 malicious npm packages (campaign worm-1)\n\n- @other/evil: 2.0.0\n- evil: 1.0.0, 1.2.0\n"
       "- worse: 0.1.0\n\nFound by qanat.\n\nSigned-off-by: Example Research <r@example.invalid>", "summary and sign-off", message)
    ok({x["campaign"] for x in p.list()} == {"worm-1"}, "the store knows the campaign", p.list())
    r = p.submit(many[0])
    ok(r.code == 0 and b"was reported on 2026-01-02 already" in r.err and "qanat/evil" not in p.branches(),
       "what a campaign has is not reported once more", r)
    r = p.submit("--campaign", "worm-1", *many)
    ok(r.code == 0 and p.count("qanat/worm-1") == 1, "the campaign again: nothing", r)
    for name in ("", "..", "a/b", "a b", "-x", "x.lock", "@{", "a..b", "é", "x" * 200):
        r = p.submit("--campaign", name, many[0])
        ok(r.code == 2 and r.err.count(b"\n") == 1 and len(p.branches()) == 2, f"a campaign called {name[:20]!r} is refused", r)


def batches(d):
    p = Place(d, "batches")
    names = []
    for i in range(230):
        names.append(put(f"{d}/many/p{i}.tgz", tgz_of(bad(f"pkg-{i:03}"))))
    r = p.submit("--campaign", "big", *names)
    ok(r.code == 0 and p.count("qanat/big") == 2 and len(p.files("qanat/big")) == 230, "many packages: so many in a commit", r)
    message = p.git("log", "-1", "--format=%B", "qanat/big~1")
    ok(message.startswith("Report 200 malicious") and "- and 100 more" in message, "a message that stays short", message)


def sources(d):
    """By name, from a list, from input; what cannot be had is unsure."""
    p = Place(d, "named")
    reg = Registry()
    reg.packages["evil"] = {"1.0.0": tgz_of(bad("evil", "1.0.0")), "1.2.0": tgz_of(bad("evil", "1.2.0"))}
    reg.fields["evil"] = {}
    e = registry_env(reg, d)
    r = p.submit("--from", "-", stdin=b"evil@1.0.0 # the first\n\n# all of it\nevil@1.2.0\n", env=e)
    ok(r.code == 0 and p.record("qanat/evil")["affected"][0]["versions"] == ["1.0.0", "1.2.0"], "a list from input", r)
    for text in ("evil", "evil@latest", "evil@^1", "../x@1.0.0", "./evil.tgz", "a@1.0.0 b@1.0.0", "@1.0.0", "x" * 600 + "@1.0.0"):
        r = p.submit("--from", put(f"{d}/bad.txt", f"{text}\nevil@1.2.0\n"), env=e)
        ok(r.code == 3 and b"line 1 is no NAME@VERSION" in r.err and b"is on branch qanat/evil already" in r.err,
           f"a list with {text[:20]!r}: the others count", r)
    for end in ("tgz", "tar.gz", "tar", "json"):
        name = f"named-{end.replace('.', '-')}"
        reg.packages[name] = {f"1.0.0-x.{end}": tgz_of(bad(name, f"1.0.0-x.{end}"))}
        reg.fields[name] = {}
        put(f"{d}/here/{name}@1.0.0-x.{end}", "a file of that name")
        r = p.submit("--from", "-", stdin=f"{name}@1.0.0-x.{end}\nevil@1.0.0\n".encode(), env=e, cwd=f"{d}/here")
        ok(r.code == 0 and p.record(f"qanat/{name}")["affected"][0]["versions"] == [f"1.0.0-x.{end}"], f"what others called .{end} is no file", r)
        r = p.submit(f"{name}@1.0.0-x.{end}", env=e, cwd=d)
        ok(r.code == 2, "where one says it oneself, it is", r)
    many = "evil@1.2.0\n" + "".join(f"gone@1.0.{i}\n" for i in range(20000))
    r = p.submit("--from", put(f"{d}/many.txt", many), "--offline", "--force", "--every-version", f"{d}/worse-0.1.0.tgz", env=e)
    ok(r.code == 3 and b"more than 20000 packages: the rest is left out" in r.err and b"gone@1.0.19997:" in r.err and
       b"gone@1.0.19998:" not in r.err and p.files("qanat/worse"), "of a list that is too long, what there is room for", r.err[-300:])
    r = p.submit("--from", f"{d}/missing.txt", env=e)
    ok(r.code == 2 and b"missing.txt" in r.err, "a list that is not there", r)
    r = p.submit("evil@9.9.9", env=e)
    ok(r.code == 3 and p.count("qanat/evil") == 1, "a version that is not there: unsure", r)
    r = p.submit(f"{d}/good.tgz")
    ok(r.code == 1 and b"nothing to report" in r.err, "a clean package", r)
    r = p.submit()
    ok(r.code == 2 and b"--pending" in r.err, "nothing named", r)


def known(d):
    p = Place(d, "known")
    doc = {"schema_version": "1.7.4", "modified": WHEN, "published": WHEN, "id": "MAL-2026-77", "details": "bad",
           "summary": "Malicious code in evil (npm)",
           "affected": [{"package": {"ecosystem": "npm", "name": "evil"}, "versions": ["1.0.0"]}]}
    put(f"{d}/feed/MAL-2026-77.json", json.dumps(doc))
    ok(Run("intel", "import", f"{d}/feed", "--source", "ossf", env={"QANAT_STATE": p.state}).code == 0, "a record is known", "")
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 1 and b"it is known as MAL-2026-77" in r.err and p.branches() == ["main"], "it is said, and not repeated", r)
    r = p.submit("--force", f"{d}/evil-1.0.0.tgz")
    ok(r.code == 0 and p.files("qanat/evil"), "unless it is forced", r)
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 0 and p.record("qanat/evil")["affected"][0]["versions"] == ["1.0.0", "1.2.0"], "another version is news", r)

    q = Place(d, "known-there")
    put(f"{q.repo}/osv/malicious/npm/evil/MAL-2026-77.json", json.dumps(doc))
    put(f"{q.repo}/osv/malicious/npm/evil/MAL-2026-78.json", "{ no record")
    q.commit("others")
    r = q.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 1 and b"MAL-2026-77.json says it" in r.err and q.branches() == ["main"], "the clone itself has it", r)
    r = q.submit(f"{d}/evil-1.0.0.tgz", f"{d}/evil-1.2.0.tgz")
    mine = [f for f in q.files("qanat/evil") if "MAL-0000-qanat" in f]
    ok(len(mine) == 1 and q.record("qanat/evil", mine[0])["affected"][0]["versions"] == ["1.2.0"], "only what it lacks", r)
    q.git("branch", "-D", "qanat/evil")
    r = q.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 0 and b"was reported on" in r.err and q.branches() == ["main"], "a branch that is gone stays so", r)
    r = q.submit("--force", f"{d}/evil-1.2.0.tgz")
    ok(r.code == 0 and "qanat/evil" in q.branches(), "unless it is forced, too", r)
    q.git("-c", "user.name=x", "-c", "user.email=x@example.invalid", "merge", "-q", "--no-edit", "qanat/evil")
    q.git("branch", "-D", "qanat/evil")
    shutil.rmtree(q.state)
    r = q.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 0 and b"is in the default branch already" in r.err and q.list()[0]["state"] == "sent", "merged: it was sent", r)


def withdrawn(d):
    p = Place(d, "withdrawn")
    before = p.untouched()
    p.submit(f"{d}/evil-1.0.0.tgz", f"{d}/evil-1.2.0.tgz")
    path = p.files("qanat/evil")[0]
    why = ("--reason", "a test of https://x.example.invalid/y, token npm_9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6Md4Sg8AhXy12")
    r = p.withdraw(*why, "evil@1.0.0")
    doc = p.record("qanat/evil")
    ok(r.code == 0 and p.files("qanat/evil") == [path] and doc["affected"][0]["versions"] == ["1.2.0"] and
       complaints(doc) == [], "one of two versions is taken out", (r, doc))
    ok(doc["details"].startswith("The report of 1.0.0 was withdrawn: a test of hxxps://") and "(R. Reader)\n\nqanat found" in
       doc["details"] and " in evil 1.2.0:" in doc["details"], "with a note", doc["details"])
    ok("npm_9f8" not in json.dumps(doc) and "npm_9f8" not in p.git("log", "-1", "--format=%B", "qanat/evil"), "no secret", "")
    r = p.withdraw(*why, "evil@1.2.0")
    gone = path.replace("malicious", "withdrawn")
    doc = p.record("qanat/evil", gone)
    ok(r.code == 0 and p.files("qanat/evil") == [gone] and doc["withdrawn"] == LATER == doc["modified"],
       "the last one moves to the withdrawn", (r, p.files("qanat/evil")))
    doc.pop("withdrawn")
    ok(complaints(doc) == [], "and is still a record", complaints(doc))
    tip = p.git("rev-parse", "qanat/evil")
    r = p.withdraw(*why, "evil@1.2.0", "evil@1.0.0")
    ok(r.code == 0 and p.git("rev-parse", "qanat/evil") == tip and b"withdrawn before" in r.err, "again: nothing", r)
    rows = {x["version"]: x for x in p.list()}
    ok(rows["1.2.0"]["state"] == "withdrawn" and rows["1.2.0"]["by"] == "R. Reader" and rows["1.2.0"]["commit"] == tip and
       rows["1.2.0"]["reported"] == WHEN and rows["1.2.0"]["changed"] == LATER, "the store knows", rows)
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 1 and b"it was withdrawn on 2026-02-03" in r.err and p.git("rev-parse", "qanat/evil") == tip,
       "it is not reported again", r)
    shutil.rmtree(p.state)
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 1 and b"was withdrawn" in r.err, "not even without the store", r)
    r = p.withdraw(*why, "evil@1.2.0")
    ok(r.code == 0 and p.git("rev-parse", "qanat/evil") == tip, "nor withdrawn again", r)
    ok(p.untouched() == before, "work tree, index and HEAD are as they were", "")
    feed = Run("intel", "import", put(f"{d}/gone/MAL-0000-q.json", p.git("show", f"qanat/evil:{gone}")), "--source", "ossf",
               env={"QANAT_STATE": f"{d}/block"})
    look = Run("intel", "lookup", "evil@1.2.0", "--format", "json", env={"QANAT_STATE": f"{d}/block"})
    ok(feed.code == 0 and look.code == 0 and all(m["withdrawn"] for m in look.json["matches"]), "it blocks nobody", (feed, look))
    for args, why_not in ((("other@1.0.0",), b"no record speaks of it"), (("evil",), b"no NAME@VERSION"), (("../x@1.0.0",), b"no NAME")):
        r = p.withdraw(*why, *args)
        ok(r.code == 2 and why_not in r.err and r.err.count(b"\n") == 1, f"what cannot be withdrawn: {args}", r)
    r = p.withdraw("evil@1.2.0")
    ok(r.code == 2 and b"--reason" in r.err, "without a reason", r)

    q = Place(d, "assigned")
    doc = p.record("qanat/evil", gone)
    doc.pop("withdrawn")
    doc.update(id="MAL-2026-9", summary="Malicious code in evil (npm)", odd=[1.5, True, None, {"k": []}])
    put(f"{q.repo}/osv/malicious/npm/evil/MAL-2026-9.json", json.dumps(doc))
    q.commit("assigned")
    doc.pop("odd")
    r = q.withdraw(*why, "evil@1.2.0")
    ok(r.code == 2 and b"a key that is not accepted: odd" in r.err, "a record that would not be accepted", r)
    put(f"{q.repo}/osv/malicious/npm/evil/MAL-2026-9.json", json.dumps(doc))
    q.commit("better")
    r = q.withdraw(*why, "evil@1.2.0")
    new = q.record("qanat/evil", "osv/withdrawn/npm/evil/MAL-2026-9.json")
    ok(r.code == 0 and new["id"] == "MAL-2026-9" and new["summary"] == doc["summary"] and new["withdrawn"] == LATER,
       "one that got its id keeps it", (r, new))


def repositories(d):
    """Whatever state a repository is in: it works, or says why in one line, and nothing is lost."""
    tgz = f"{d}/evil-1.0.0.tgz"

    def refused(p, what, why, *args):
        r = p.submit(tgz, *args)
        ok(r.code == 2 and why in r.err and r.err.count(b"\n") == 1, what, r)

    p = Place(d, "dirty")
    put(f"{p.repo}/osv/malicious/npm/README.md", "changed\n")
    put(f"{p.repo}/new.txt", "new\n")
    p.git("add", "new.txt")
    put(f"{p.repo}/.git/index.lock", "")
    put(f"{p.repo}/.git/hooks/reference-transaction", f"#!/bin/sh\ntouch {d}/hooked\nexit 1\n")
    os.chmod(f"{p.repo}/.git/hooks/reference-transaction", 0o755)
    p.git("config", "core.fsmonitor", f"touch {d}/hooked")
    p.git("config", "user.name", "Somebody Else")
    status = p.git("--no-optional-locks", "status", "--porcelain")
    if os.path.exists(f"{d}/hooked"):
        os.unlink(f"{d}/hooked")
    r = p.submit(tgz, env={"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere", "GIT_AUTHOR_NAME": "Nobody"})
    ok(r.code == 0 and p.files("qanat/evil"), "a dirty work tree, an index that is locked, an environment that lies", r)
    ok(not os.path.exists(f"{d}/hooked"), "no hook, no monitor is run", "")
    ok(p.git("log", "-1", "--format=%an", "qanat/evil") == "Example Research", "the author is the one that was named", "")
    os.unlink(f"{p.repo}/.git/index.lock")
    p.git("config", "--unset", "core.fsmonitor")
    ok(p.git("status", "--porcelain") == status, "and it is as dirty as before", p.git("status", "--porcelain"))

    p = Place(d, "detached")
    p.git("checkout", "-q", "--detach")
    head = p.git("rev-parse", "HEAD")
    ok(p.submit(tgz).code == 0 and p.git("rev-parse", "HEAD") == head and p.git("status", "--porcelain") == "", "a detached HEAD", "")
    p.git("checkout", "-q", "qanat/evil")
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 2 and b"qanat/evil is checked out" in r.err and p.count("qanat/evil") == 1, "a branch that is checked out", r)

    p = Place(d, "bare", bare=True)
    ok(p.submit(tgz).code == 0 and len(p.files("qanat/evil")) == 1, "a bare one", "")
    p = Place(d, "locked")
    p.submit(tgz)
    tip = p.git("rev-parse", "qanat/evil")
    lock = put(f"{p.repo}/.git/refs/heads/qanat/evil.lock", "")
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 2 and b"qanat/evil is locked" in r.err and r.err.count(b"\n") == 1 and p.git("rev-parse", "qanat/evil") == tip,
       "a branch that is locked", r)
    os.unlink(lock)
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    ok(r.code == 0 and p.count("qanat/evil") == 2, "unlocked, it goes on", r)
    refused(p, "no author", b"--author", "--author", "nobody")
    refused(p, "no such base", b"there is no \"nix\"", "--base", "nix")
    r = p.run("submit", "--repository", p.repo, *AUTHOR, "--time", WHEN, tgz)
    ok(r.code == 2 and b"--credit" in r.err, "nobody to credit", r)
    r = p.run("submit", *AUTHOR, *CREDIT, tgz)
    ok(r.code == 2 and b"--repository" in r.err and b"--upload" in r.err, "nowhere to put it", r)
    p.git("branch", "-q", "release", "main")
    ok(p.submit("--base", "release", f"{d}/worse-0.1.0.tgz").code == 0 and "qanat/worse" in p.branches(), "another base", "")
    config = put(f"{d}/conf", f"repository = {p.repo}\nauthor = {AUTHOR[1]}\ncredit = {CREDIT[1]}\n")
    r = Run("report", "submit", "--config", config, f"{d}/@other_evil-2.0.0.tgz", env={"QANAT_STATE": p.state})
    ok(r.code == 0 and "qanat/@other/evil" in p.branches(), "all of it from the configuration", r)

    p.repo = f"{d}/nothing"
    refused(p, "a repository that is not there", b"No such file")
    os.makedirs(p.repo)
    refused(p, "a directory that is none", b"not a git repository")
    subprocess.run(["git", "init", "-q", d], check=True)  # one above it
    refused(p, "not even one above", b"not a git repository")
    shutil.rmtree(f"{d}/.git")
    subprocess.run(["git", "init", "-q", p.repo], check=True)
    refused(p, "an empty one", b"no default branch")
    if os.geteuid() == 0:
        q = Place(d, "theirs")
        for root, _, files in os.walk(q.repo):
            for name in [root, *(os.path.join(root, f) for f in files)]:
                os.chown(name, 12345, 12345)
        refused(q, "one of another user: git's own words", b"dubious ownership")
    put(f"{p.repo}/x", "x")
    p.commit("x")
    refused(p, "one that is something else", b"no clone of malicious-packages", "--base", "HEAD")


def names(d):
    p = Place(d, "names")
    before = p.untouched()
    for name in ("../../x", "..", ".git", ".GIT", "@evil/.git", "@evil/..", "git~1", "a/b/c", "@a", "", "évil", "x" * 300,
                 "a\nb", "@a/b/../../c"):
        r = p.submit(put(f"{d}/odd.tgz", tgz_of(bad(name))))
        ok(r.code in (2, 3) and r.err.count(b"\n") == 1 and p.branches() == ["main"], f"no record of {name[:30]!r}", r)
    for name, branch in (("a..b", None), ("x.lock", None), ("UPPER", "qanat/UPPER"), ("@s/n_a.b-c", "qanat/@s/n_a.b-c"), ("~tilde", None), ("@.git/x", "qanat/@.git/x")):
        r = p.submit(put(f"{d}/odd.tgz", tgz_of(bad(name))))
        new = [b for b in p.branches() if b != "main"]
        ok(r.code == 0 and len(new) == 1 and (new[0] == branch or not branch and re.fullmatch(r"qanat/_[0-9a-f]{16}", new[0])) and
           os.path.dirname(p.files(new[0])[0]) == f"osv/malicious/npm/{name.lower()}", f"a record of {name!r}", (r, new))
        p.git("branch", "-q", "-D", *new)
    ok(p.untouched() == before, "nothing else has changed", p.untouched())


def strangers(d):
    """What lies in a clone may be anybody's."""
    p = Place(d, "strangers")
    p.submit(f"{d}/evil-1.0.0.tgz")
    path = p.files("qanat/evil")[0]
    doc = p.record("qanat/evil")
    p.git("branch", "-q", "-D", "qanat/evil")
    deep = '{"affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["0.0.1"]}],"x":' + "[" * 400 + "]" * 400 + "}"
    for what, text in (("no JSON", "{"), ("nothing", ""), ("deep", deep), ("an array", "[[]]"), ("a wrong package", '{"affected":[{}]}'),
                       ("not ours any more", json.dumps({**doc, "id": "MAL-2026-1", "affected": []})), ("large", " " * (3 << 20))):
        put(f"{p.repo}/{path}", text)
        p.commit(what)
        shutil.rmtree(p.state)
        r = p.submit(f"{d}/evil-1.0.0.tgz")
        ok(r.code == 2 and b"something else is there already" in r.err and p.branches() == ["main"], f"in its place: {what}", r)
    os.unlink(f"{p.repo}/{path}")
    os.symlink("/etc/passwd", f"{p.repo}/{path}")
    p.commit("a link")
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 2 and b"something else is there already" in r.err, "in its place: a link", r)
    os.unlink(f"{p.repo}/{path}")
    os.rmdir(os.path.dirname(f"{p.repo}/{path}"))
    put(os.path.dirname(f"{p.repo}/{path}"), "a file")
    p.commit("a file")
    r = p.submit(f"{d}/evil-1.0.0.tgz")
    ok(r.code == 2 and r.err.count(b"\n") == 1 and p.branches() == ["main"], "a file in the directory's place", r)
    os.unlink(os.path.dirname(f"{p.repo}/{path}"))
    doc["details"] = "Somebody has put it better.\n"
    doc["references"] = [{"type": "WEB", "url": "https://pages.example.invalid/x"}]
    put(f"{p.repo}/{path}", json.dumps(doc))
    p.commit("better")
    r = p.submit(f"{d}/evil-1.2.0.tgz")
    new = p.record("qanat/evil", path)
    ok(r.code == 0 and new["details"].startswith("Somebody has put it better.\n") and new["references"] == doc["references"] and
       new["affected"][0]["versions"] == ["1.0.0", "1.2.0"], "what a person has written stays", (r, new))


def killed(d):
    """At whatever moment: the branch is not there, or whole; the next run finishes it."""
    p = Place(d, "killed")
    rnd = random.Random(7)
    args = [QANAT, "report", "submit", "--repository", p.repo, *AUTHOR, *CREDIT, "--time", WHEN, "--campaign", "k",
            *(f"{d}/{n}.tgz" for n in ("evil-1.0.0", "@other_evil-2.0.0", "worse-0.1.0"))]
    env = {**os.environ, "QANAT_STATE": p.state}
    start = time.monotonic()
    subprocess.run(args, env=env, capture_output=True)
    length = time.monotonic() - start
    whole = p.git("rev-parse", "qanat/k")
    broken = []
    for i in range(40):
        p.git("update-ref", "-d", "refs/heads/qanat/k")
        shutil.rmtree(p.state, ignore_errors=True)
        child = subprocess.Popen(args, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(rnd.random() * length)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for lock in glob.glob(f"{p.repo}/.git/refs/heads/qanat/*.lock"):
            os.unlink(lock)  # of a git that was killed with it: that is git's own
        tip = p.git("rev-parse", "-q", "--verify", "qanat/k", check=False)
        if tip not in ("", whole) or p.git("status", "--porcelain"):
            broken.append((i, tip))
        again = subprocess.run(args, env=env, capture_output=True)
        if again.returncode or p.git("rev-parse", "qanat/k") != whole or len(p.list()) != 3:
            broken.append((i, again.stderr))
    ok(not broken, "killed at 40 moments: all or nothing, and the next run ends it", broken)
    ok("error" not in p.git("fsck", "--no-dangling"), "the repository is sound", "")
    two = [subprocess.Popen(args, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [(x.communicate()[1], x.returncode) for x in two]
    ok(any(c == 0 for _, c in ends) and all(c == 0 or b"another qanat report is at work" in e for e, c in ends), "two at once", ends)


class Receiver:
    """A bucket: objects by path, with etags and conditions; self.mood is a list of what comes before it behaves."""

    def __init__(self):
        self.objects, self.mood, self.seen = {}, [], []
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def answer(self, code, body=b"", **headers):
                self.send_response(code)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def odd(self):
                mood = me.mood.pop(0) if me.mood else None
                if mood == "cut":
                    self.connection.close()
                elif mood == "slow":
                    time.sleep(6)
                    self.answer(500)
                elif isinstance(mood, str):
                    self.answer(302, location=mood)
                elif mood:
                    self.answer(mood)
                return mood

            def do_GET(self):
                me.seen.append(("GET", self.path, dict(self.headers)))
                data = me.objects.get(self.path)
                if data is None:
                    return self.answer(404)
                self.answer(200, data, etag=f'"{hashlib.md5(data).hexdigest()}"')

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                me.seen.append(("PUT", self.path, {k.lower(): v for k, v in self.headers.items()}))
                if self.odd():
                    return
                there = me.objects.get(self.path)
                if self.headers.get("if-none-match") == "*" and there is not None:
                    return self.answer(412)
                want = self.headers.get("if-match")
                if want and (there is None or want != f'"{hashlib.md5(there).hexdigest()}"'):
                    return self.answer(412)
                me.objects[self.path] = body
                self.answer(200)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/bucket/"

    def puts(self):
        return [s for s in self.seen if s[0] == "PUT"]


def uploads(d):
    r = Receiver()
    secret = "S3cr3t-T0ken-0f-the-test"
    token = put(f"{d}/token", secret + "\n")
    os.chmod(token, 0o600)
    env = {"npm_config_fetch_retry_mintimeout": "10", "npm_config_fetch_retry_maxtimeout": "50", "npm_config_fetch_timeout": "2000",
           "HOME": d}
    p = Place(d, "upload")

    def send(*args, **kw):
        kw.setdefault("env", env)
        r.seen.clear()
        x = p.run("submit", "--upload", r.url, "--token-file", token, *CREDIT, "--time", WHEN, *args, **kw)
        ok(secret.encode() not in x.out + x.err, "the token is never said", x)
        return x

    x = send(f"{d}/evil-1.0.0.tgz", f"{d}/@other_evil-2.0.0.tgz")
    ok(x.code == 0 and len(r.objects) == 2, "two records are sent", x)
    path = next(k for k in r.objects if "@other" not in k)
    ok(re.fullmatch(r"/bucket/osv/malicious/npm/evil/MAL-0000-qanat-[0-9a-f]{16}\.json", path), "to their place", path)
    ok(complaints(json.loads(r.objects[path])) == [], "as they should be", "")
    head = r.puts()[0][2]
    ok(head["authorization"] == f"Bearer {secret}" and head["if-none-match"] == "*" and head["content-type"] == "application/json",
       "with token and condition", head)
    ok([(s["state"], s["branch"], s["place"]) for s in p.list()] == [("sent", None, r.url.rstrip("/"))] * 2, "the store knows", p.list())
    kept = dict(r.objects)
    x = p.run("submit", "--upload", r.url, "--token-file", token, *CREDIT, f"{d}/evil-1.0.0.tgz", env=env)
    ok(x.code == 0 and b"was reported on 2026-01-02 already" in x.err and r.objects == kept, "again: nothing is sent", x)
    x = send("--force", f"{d}/evil-1.0.0.tgz")
    ok(x.code == 0 and b"is there already" in x.err and r.objects == kept, "even if it is forced: it stays", x)
    x = send(f"{d}/evil-1.0.0.tgz", f"{d}/evil-1.2.0.tgz")
    more = next(k for k in r.objects if k not in kept)
    ok(x.code == 0 and json.loads(r.objects[more])["affected"][0]["versions"] == ["1.2.0"], "a newer version is a record of its own", x)
    r.objects[path] = b"{}\n"
    x = send("--force", f"{d}/evil-1.0.0.tgz")
    ok(x.code == 2 and b"another record is there already" in x.err and r.objects[path] == b"{}\n", "nothing is overwritten", x)
    r.objects[path] = kept[path]
    for mood, tries in (([500], 2), ([503, 429], 3), (["cut"], 2), ([500, "cut", 408], 4)):
        r.objects.pop(path)
        r.mood = list(mood)
        x = send("--force", f"{d}/evil-1.0.0.tgz")
        ok(x.code == 0 and r.objects[path] == kept[path] and len(r.puts()) <= tries, f"it is tried again after {mood}", (x, len(r.puts())))
    for mood, why in (([500] * 9, b"500"), ([403], b"403"), (["file:///etc/passwd"], b"302"), (["http://127.0.0.1:1/"], b"302")):
        r.objects.pop(path, None)
        r.mood = list(mood)
        x = send("--force", f"{d}/evil-1.0.0.tgz")
        ok(x.code == 2 and why in x.err and x.err.count(b"\n") == 1 and path not in r.objects, f"given up after {mood[0]}", x)
    ok(all(h[2]["authorization"] for h in r.puts()) and len(r.seen) == 1, "a redirection is followed nowhere", r.seen)
    r.mood = ["slow"] * 9
    x = send("--force", f"{d}/evil-1.0.0.tgz")
    ok(x.code == 2 and x.err.count(b"\n") == 1 and path not in r.objects, "a server that does not answer", x)
    r.mood = []
    x = p.run("submit", "--upload", r.url, *CREDIT, "--time", WHEN, "--force", f"{d}/evil-1.0.0.tgz",
              env={**env, "QANAT_UPLOAD_TOKEN": "from-the-environment"})
    ok(x.code == 0 and r.puts()[-1][2]["authorization"] == "Bearer from-the-environment", "a token from the environment", x)

    take = ("--upload", r.url, "--token-file", token, "--at", LATER, "--by", "R", "--reason", "a mistake")
    x = p.run("withdraw", *take, "evil@1.0.0", env=env)
    doc = json.loads(r.objects[path])
    ok(x.code == 0 and doc["withdrawn"] == LATER and "if-match" in r.puts()[-1][2], "withdrawn where it is", x)
    kept = dict(r.objects)
    x = p.run("withdraw", *take, "evil@1.0.0", env=env)
    ok(x.code == 0 and r.objects == kept, "again: nothing", x)
    x = p.run("withdraw", *take, "other@1.0.0", env=env)
    ok(x.code == 2 and b"no record of it was sent there" in x.err, "what was never sent", x)
    x = send(f"{d}/evil-1.0.0.tgz")
    ok(x.code == 1 and b"withdrawn" in x.err and r.objects == kept and not r.seen, "it is not sent again", x)

    for url, why in (("file:///tmp/x", b"no http"), ("ftp://x/", b"no http"), ("x", b"no http"), ("http://bucket.example.invalid/", b"TLS"),
                     ("https://u:p@bucket.example.invalid/", b"user"), ("https://b.example.invalid/?x=1", b"query")):
        x = p.run("submit", "--upload", url, "--token-file", token, *CREDIT, f"{d}/worse-0.1.0.tgz", env=env)
        ok(x.code == 2 and why in x.err and x.err.count(b"\n") == 1, f"an address that is none: {url}", x)
    os.chmod(put(f"{d}/empty", "\n"), 0o600)
    x = p.run("submit", "--upload", r.url, "--token-file", f"{d}/empty", *CREDIT, f"{d}/worse-0.1.0.tgz", env=env)
    ok(x.code == 2 and b"is empty" in x.err, "an empty token", x)
    for mode in (0o640, 0o604, 0o620):
        os.chmod(token, mode)
        x = p.run("submit", "--upload", r.url, "--token-file", token, *CREDIT, f"{d}/worse-0.1.0.tgz", env=env)
        ok(x.code == 2 and b"others can read" in x.err and secret.encode() not in x.err, f"a token with mode {mode:o} is refused", x)
    x = p.run("submit", "--upload", r.url, "--repository", p.repo, *AUTHOR, *CREDIT, f"{d}/worse-0.1.0.tgz", env=env)
    ok(x.code == 2 and b"--repository" in x.err, "one place at a time", x)


def wallets(d):
    fixture = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../rules/wallet-drainer/bad")
    r = Run("report", "osv", "--time", WHEN, fixture)
    doc = r.json
    ok(r.code == 0 and complaints(doc) == [], "a record of a wallet drainer", (r, complaints(doc)))
    told = [x for x in doc["details"].splitlines() if x.startswith("- Wallets that its files name: ")]
    ok(len(told) == 1 and "0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345610, " in told[0], "names its wallets", doc["details"])
    p = Place(d, "wallets")
    r = p.submit(fixture)
    ok(r.code == 0 and p.files("qanat/example-fixture"), "and may be submitted", r)


def pending(d):
    """What was found at the registry, there or gone from it."""
    p = Place(d, "pending")
    reg = Registry()
    reg.packages["evil"] = {"1.0.0": tgz_of(bad("evil", "1.0.0"))}
    reg.fields["evil"] = {}
    e = registry_env(reg, d)
    r = p.submit("--pending", env=e)
    ok(r.code == 0 and b"nothing to report" in r.err and p.branches() == ["main"], "nothing was found yet", r)
    os.makedirs(p.state, exist_ok=True)
    for name in ("evil-1.0.0", "worse-0.1.0", "good"):
        subprocess.run([os.environ["WATCH_PUT"], os.environ["DATA"], p.state, f"{d}/{name}.tgz"], check=True)
    r = p.submit("--pending", env=e)
    ok(r.code == 3 and sorted(p.branches()) == ["main", "qanat/evil", "qanat/worse"], "what was found is reported", r)
    ok(b"fine@1.0.0: not reported" in r.err, "but not what is judged otherwise now and gone", r)
    q = Place(d, "gone")
    os.makedirs(q.state, exist_ok=True)
    subprocess.run([os.environ["WATCH_PUT"], os.environ["DATA"], q.state, f"{d}/worse-0.1.0.tgz"], check=True)
    r = q.submit("--from", "-", stdin=b"worse@0.1.0\n", env=e)
    ok(r.code == 0 and q.branches() == ["main", "qanat/worse"], "a list may name what is gone", r)
    gone = p.record("qanat/worse")
    there = p.record("qanat/evil")["affected"][0]["database_specific"]["indicators"]
    ok(complaints(gone) == [] and all(f["sha256"] for f in there["evidence_files"]), "as it should be", complaints(gone))
    ds = gone["affected"][0]["database_specific"]["indicators"]
    ok(ds["package_integrity"][0]["hashes"]["sha512_sri"].startswith("sha512-") and not any("sha256" in f for f in ds["evidence_files"]),
       "of what is gone without hashes of files", ds)
    r = p.submit("--pending", env=e)
    ok(r.code == 0 and b"nothing to report" in r.err and p.count("qanat/evil") == 1 and p.count("qanat/worse") == 1,
       "each of them once, and what cannot be reported is not asked for again at once", r)
    r = p.submit("--pending", "--force", env=e)
    ok(r.code == 3 and b"fine@1.0.0: not reported" in r.err and p.count("qanat/evil") == 1, "unless one insists", r)
    due = ask(p.state, "SELECT name, known, tries FROM report_later")
    ok(("fine", 0, 2) in due, "it is written down, and later each time", due)
    known = Place(d, "known-later")
    os.makedirs(known.state, exist_ok=True)
    subprocess.run([os.environ["WATCH_PUT"], os.environ["DATA"], known.state, f"{d}/evil-1.0.0.tgz"], check=True)
    doc = p.record("qanat/evil")
    doc.update(id="MAL-2026-77", summary="Malicious code in evil (npm)")
    put(f"{known.repo}/osv/malicious/npm/evil/MAL-2026-77.json", json.dumps(doc))
    known.commit("others were first")
    r = known.submit("--pending", env=e)
    ok(r.code == 1 and b"MAL-2026-77" in r.err and known.branches() == ["main"], "what others have reported", r)
    r = known.submit("--pending", env=e)
    ok(r.code == 0 and b"nothing to report" in r.err, "is not asked for again", r)


def confirmed(d):
    """What a person has confirmed is reported, also when no rule finds anything in it."""
    p = Place(d, "confirmed")
    os.makedirs(p.state, exist_ok=True)
    subprocess.run([os.environ["WATCH_PUT"], os.environ["DATA"], p.state, f"{d}/good.tgz"], check=True)
    with sqlite3.connect(f"{p.state}/watch.db") as db:
        db.execute("UPDATE version SET verdict = 'clean'")
    db.close()
    reg = Registry()
    reg.packages["fine"] = {"1.0.0": tgz_of(GOOD)}
    reg.fields["fine"] = {}
    e = registry_env(reg, d)
    r = p.submit("fine@1.0.0", env=e)
    ok(r.code == 1 and p.branches() == ["main"], "what is clean is not reported", r)
    r = Run("review", "confirm", "fine@1.0.0", "--by", "jo", "--state", p.state)
    ok(r.code == 0, "a person confirms it", r)
    r = p.submit("--pending", env=e)
    ok(r.code == 0 and sorted(p.branches()) == ["main", "qanat/fine"], "then it is reported", r)
    doc = p.record("qanat/fine")
    ok(complaints(doc) == [] and "A person has reviewed fine 1.0.0" in doc["details"], "as it should be", (complaints(doc), doc))
    r = p.submit("--pending", env=e)
    ok(p.count("qanat/fine") == 1 and b"nothing to report" in r.err, "once", r)
    reg.packages["fine"] = {"1.0.0": tgz_of({**GOOD, "other.js": "1;\n"})}
    q = Place(d, "confirmed-other")
    shutil.copytree(p.state, q.state, dirs_exist_ok=True)
    with sqlite3.connect(f"{q.state}/watch.db") as db:
        db.execute("DELETE FROM report")
    db.close()
    r = q.submit("fine@1.0.0", env=e)
    ok(r.code == 1 and q.branches() == ["main"], "but not other bytes", r)


with scratch() as d:
    archives(d)
    one_record(d)
    longer(d)
    campaigns(d)
    sources(d)
    known(d)
    withdrawn(d)
    repositories(d)
    names(d)
    strangers(d)
    batches(d)
    uploads(d)
    wallets(d)
    pending(d)
    confirmed(d)
    killed(d)
done()
