"""qanat intel: feeds in, questions, lists out; bad feeds leave the index as it was, and so does a kill at any moment."""
import io
import json
import os
import random
import signal
import subprocess
import time
import zipfile

from tap import QANAT, Run, done, ok, put, scratch, tgz_of


def record(id, name="bad", versions=("1.0.0",), modified="2025-01-01T00:00:00Z", **more):
    return {"id": id, "modified": modified, "affected": [{"package": {"ecosystem": "npm", "name": name}, "versions": list(versions)}],
            **more}


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return out.getvalue()


def intel(d, *args, **kw):
    return Run("intel", "--state", f"{d}/state", *args, **kw)


def lookup(d, what):
    return intel(d, "lookup", "--format", "json", what)


def usage(d):
    r = intel(d, "lookup", "a@1.0.0")
    ok(r.code == 2 and b"no intelligence yet" in r.err, "without an index it says what to do", r)
    r = intel(d, "lookup")
    ok(r.code == 2 and b"usage" in r.err, "a question without a name", r)
    r = intel(d, "frob")
    ok(r.code == 2, "a word that is no question", r)
    r = intel(d, "import", f"{d}/none")
    ok(r.code == 2 and b"No such file" in r.err, "a file that is not there", r)
    r = intel(d, "import", "/dev/null")
    ok(r.code == 2 and b"neither a file" in r.err, "a device", r)


def every_form(d):
    one = json.dumps(record("MAL-1")).encode()
    forms = {
        "one.json": one,
        "array.json": b"[" + one + b"]",
        "lines.jsonl": one + b"\n" + json.dumps(record("MAL-2", "other")).encode() + b"\n",
        "all.zip": archive({"MAL-1.json": one}),
        "repo.tar.gz": tgz_of({"osv/npm/bad/MAL-1.json": one, "README.md": "x"}),
        "list.csv": b"package,versions\nbad,1.0.0\n",
        "list.txt": b"bad@1.0.0\n",
        "with-mark.json": b"\xef\xbb\xbf" + one,
    }
    for name, data in forms.items():
        s = f"{d}/{name}.d"
        r = Run("intel", "--state", s, "import", put(f"{d}/{name}", data))
        q = Run("intel", "--state", s, "lookup", "--format", "json", "bad@1.0.0")
        ok(r.code == 0 and q.code == 1 and q.json["matches"][0]["kind"] == "malware", f"{name} is taken in", (r, q))
    put(f"{d}/tree/npm/bad/MAL-0000-x-1.json", json.dumps({**record(""), "id": ""}))
    put(f"{d}/tree/withdrawn/npm/gone/MAL-9.json", json.dumps(record("MAL-9", "gone")))
    put(f"{d}/tree/.git/MAL-7.json", json.dumps(record("MAL-7", "hidden")))
    put(f"{d}/tree/config.json", "{}")
    r = intel(d, "import", f"{d}/tree")
    ok(r.code == 0, "a directory is taken in", r)
    m = lookup(d, "bad@1.0.0").json["matches"]
    ok([x["id"] for x in m] == ["MAL-0000-x-1"], "a record without id is named by its file", m)
    r = lookup(d, "gone@1.0.0")
    ok(r.code == 0 and r.json["matches"][0]["withdrawn"] is True and r.json["verdict"] == "clean", "what lies among the withdrawn is so", r)
    ok(lookup(d, "hidden@1.0.0").json["matches"] == [], "hidden directories are passed over")


def questions(d):
    put(f"{d}/q.json", json.dumps([
        record("MAL-3", "q", database_specific={"iocs": {"domains": ["evil.example.invalid"]},
                                               "malicious-packages-origins": [{"source": "amazon-inspector"}]}),
        record("GHSA-4", "q", ["1.0.0"], details="first\nsecond",
               references=[{"type": "ARTICLE", "url": "https://a.example.invalid/x"}, {"url": "https://b.example.invalid"}], database_specific={"severity": "HIGH"})]))
    intel(d, "import", f"{d}/q.json")
    r = lookup(d, "q@1.0.0")
    m = {x["id"]: x for x in r.json["matches"]}
    ok(m["MAL-3"]["origins"] == ["amazon-inspector"] and m["MAL-3"]["why"], "a match says who and why", r)
    ok(m["GHSA-4"]["kind"] == "vulnerability" and m["GHSA-4"]["severity"] == "high", "a vulnerability is one", r)
    ok(lookup(d, "q@1.0.1").code == 0, "another version is not touched")
    r = intel(d, "lookup", "q")
    ok(b"MAL-3" in r.out and b"GHSA-4" in r.out, "a name alone gives all statements", r)
    r = intel(d, "lookup", "--explain", "q@1.0.0")
    ok(b"statement" in r.out and b"lists the version 1.0.0" in r.out, "--explain names record and version", r)
    r = intel(d, "show", "GHSA-4")
    ok(r.json["details"] == "first\nsecond" and r.json["affected"][0]["versions"] == ["1.0.0"], "a record comes back", r)
    ok(r.json["references"] == [{"type": "ARTICLE", "url": "https://a.example.invalid/x"}, {"url": "https://b.example.invalid"}],
       "with what it refers to", r)
    ok(intel(d, "show", "GHSA-5").code == 2, "an id that nobody has")
    r = intel(d, "find", "Evil[.]example.invalid")
    ok(r.code == 1 and b"MAL-3" in r.out and b"evil.example" not in r.out, "an indicator is found, and shown harmless", r)
    ok(intel(d, "find", "8.8.4.4").code == 0, "an indicator that nobody lists")
    ok(intel(d, "find", "").code == 2 and intel(d, "find", "\x01").code == 2, "what is no indicator")
    r = intel(d, "export")
    ok(b'"q","1.0.0","MAL-3"' in r.out and b"GHSA-4" not in r.out and b"MAL-9" not in r.out, "the block list has malware only", r)
    lines = intel(d, "export", "--format", "osv").out.splitlines()
    again = f"{d}/again"
    put(f"{d}/export.jsonl", b"\n".join(lines))
    r = Run("intel", "--state", again, "import", f"{d}/export.jsonl")
    ok(r.code == 0 and Run("intel", "--state", again, "lookup", "q@1.0.0").code == 1, "an export can be taken in again", r)
    r = intel(d, "sources", "--format", "json")
    ok({s["name"] for s in r.json["sources"]} >= {"local", "tree"} or r.json["sources"], "sources are listed", r)


def hostile(d):
    s = f"{d}/hostile"

    def imp(name, data, *more):
        return Run("intel", "--state", s, "import", "--source", "x", *more, put(f"{d}/{name}", data))

    def kept():
        return Run("intel", "--state", s, "lookup", "keep@1.0.0").code == 1

    imp("keep.txt", b"keep@1.0.0\nkeep2@1.0.0\nkeep3@1.0.0\n", "--whole")
    good = archive({f"MAL-{i}.json": json.dumps(record(f"MAL-{i}", f"p{i}")) for i in range(50)})
    r = imp("cut.zip", good[: len(good) // 2])
    ok(r.code == 2 and b"ZIP" in r.err and kept(), "a ZIP archive that is cut short", r)
    r = imp("evil.zip", archive({"../../etc/MAL-60.json": json.dumps(record("MAL-60", "p60"))}))
    ok(r.code == 0 and not os.path.exists(f"{d}/etc"), "names that want out lead nowhere", r)
    r = imp("bomb.zip", archive({"MAL-61.json": b" " * (64 << 20), "MAL-62.json": json.dumps(record("MAL-62", "p62"))}))
    ok(r.code == 0 and b"1 could not be read" in r.out, "a record of 64 MB costs that record", r)
    r = imp("bad.json", b'{"id": "MAL-1", "affected": [')
    ok(r.code == 2 and kept(), "JSON that is cut short", r)
    r = imp("latin.json", b'{"id":"MAL-1","modified":"x","affected":[],"summary":"\xe9"}')
    ok(r.code == 2 and kept(), "a wrong encoding", r)
    r = imp("deep.json", b"[" * 100000)
    ok(r.code == 2 and kept(), "100,000 levels", r)
    r = imp("large.json", b'{"id":"MAL-1","affected":[],"details":"' + b"x" * (100 << 20) + b'"}')
    ok(r.code == 2 and kept(), "a record of 100 MB", r)
    r = imp("empty.zip", archive({}))
    ok(r.code == 0 and kept(), "an empty archive", r)
    r = imp("binary", bytes(range(256)) * 10)
    ok(r.code == 2 and kept(), "what is neither", r)
    r = imp("one.txt", b"keep@1.0.0\n", "--whole")
    ok(r.code == 2 and b"shrank" in r.err and b"--force" in r.err, "a feed that shrinks by half is refused", r)
    r = imp("one.txt", b"keep@1.0.0\n", "--whole", "--force")
    ok(r.code == 0 and kept(), "--force takes it", r)
    twice = json.dumps([record("MAL-70", "p70", ["1.0.0"]), record("MAL-70", "p70", ["2.0.0"], "2025-02-01T00:00:00Z")])
    imp("twice.json", twice.encode())
    ok(Run("intel", "--state", s, "lookup", "p70@2.0.0").code == 1 and Run("intel", "--state", s, "lookup", "p70@1.0.0").code == 0,
       "of two records with one id the newer counts")


def killed(d):
    """An import that is ended at any moment leaves the old state, or has made the new one: nothing between."""
    s, rng, seen = f"{d}/killed", random.Random(7), set()
    old = archive({f"MAL-{i}.json": json.dumps(record(f"MAL-{i}", f"p{i}", ["1.0.0"])) for i in range(2000)})
    new = archive({f"MAL-{i}.json": json.dumps(record(f"MAL-{i}", f"p{i}", ["2.0.0"], "2025-02-01T00:00:00Z")) for i in range(2000)})
    put(f"{d}/old.zip", old), put(f"{d}/new.zip", new)
    Run("intel", "--state", s, "import", "--source", "x", "--whole", f"{d}/old.zip")
    begun = time.monotonic()
    Run("intel", "--state", f"{d}/timed", "import", "--source", "x", "--whole", f"{d}/new.zip")
    span = time.monotonic() - begun
    wrong = 0
    for i in range(200):
        p = subprocess.Popen([QANAT, "intel", "--state", s, "import", "--source", "x", "--whole", f"{d}/{'new' if i % 2 == 0 else 'old'}.zip"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * span * 1.1)
        p.send_signal(signal.SIGKILL)
        p.wait()
        r = Run("intel", "--state", s, "lookup", *(f"p{k}@{v}" for k in (0, 777, 1999) for v in ("1.0.0", "2.0.0")))
        state = tuple(line.split()[1] == b"malicious" if len(line.split()) == 2 else False
                      for line in r.out.splitlines() if line and not line.startswith(b" "))
        seen.add(state)
        wrong += state not in {(True, False) * 3, (False, True) * 3}
    ok(wrong == 0, "200 kills at random moments leave the old state or the new one", seen)
    r = Run("intel", "--state", s, "import", "--source", "x", "--whole", f"{d}/new.zip")
    ok(r.code == 0 and Run("intel", "--state", s, "lookup", "p5@2.0.0").code == 1, "and the next import goes through", r)


with scratch() as d:
    usage(d)
    every_form(d)
    questions(d)
    hostile(d)
    killed(d)
done()
