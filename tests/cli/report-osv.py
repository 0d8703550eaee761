"""qanat report osv: records as OpenSSF's malicious-packages takes them in, and what never becomes one."""
import base64
import hashlib
import json
import os
import re

from reportlib import bad, complaints, GOOD, SECRETS, SETUP
from tap import done, ok, package, put, Run, scratch, tgz_of

TIME = ("--time", "2026-01-02T03:04:05Z")


def report(*args, **kw):
    return Run("report", "osv", *TIME, *args, **kw)


def one_package(d):
    tgz = put(f"{d}/evil.tgz", tgz_of(bad()))
    r = report(tgz)
    ok(r.code == 0 and complaints(r.json) == [], "a malicious tarball becomes a record", (r, complaints(r.json)))
    doc = r.json
    a = doc["affected"][0]
    ok(a["package"]["name"] == "evil" and a["versions"] == ["1.0.0"], "of its name and version", doc)
    ok(doc["modified"] == TIME[1] and doc["published"] == TIME[1], "the time is the one that was given", doc)
    sri = "sha512-" + base64.b64encode(hashlib.sha512(open(tgz, "rb").read()).digest()).decode()
    sha1 = hashlib.sha1(open(tgz, "rb").read()).hexdigest()
    ok(a["database_specific"]["indicators"]["package_integrity"] ==
       [{"filename": "evil-1.0.0.tgz", "hashes": {"sha1": sha1, "sha512_sri": sri}}], "the archive's hashes", a)
    files = {f["path"]: f for f in a["database_specific"]["indicators"]["evidence_files"]}
    ok("setup.js" in files and any(SETUP[e["offset"]:].startswith("fetch") for e in files["setup.js"]["evidence"]),
       "the evidence says where, in bytes", files)
    ok(files["setup.js"].get("sha256") == hashlib.sha256(SETUP.encode()).hexdigest(), "in which file", files)
    ok("collect.example.invalid" in doc["database_specific"]["iocs"]["domains"], "the host is an indicator", doc)
    ok(any(u.startswith("hxxps://collect.example.invalid/in/") for u in doc["database_specific"]["iocs"].get("urls", [])),
       "so is the address", doc["database_specific"])
    text = r.out.decode()
    ok(not any(s in text for s in SECRETS), "no secret", text)
    ok("http://" not in text and "https://" not in text, "no link", text)
    ok(b"--credit" in r.err, "who found it should be named", r)
    ok(report(tgz).out == r.out, "the same bytes again", "")
    ok(Run("report", "osv", tgz).json["modified"] > "2026", "the time is now by itself", "")


def options(d):
    tgz = f"{d}/evil.tgz"
    r = report("--credit", "Example Research <r@example.invalid>", "--credit", "Other", "--page",
               "https://pages.example.invalid/package/", "--every-version", tgz)
    doc = r.json
    ok(r.code == 0 and complaints(doc) == [] and b"--credit" not in r.err, "with all options", (r, complaints(doc)))
    ok(doc["credits"] == [{"name": "Example Research", "type": "FINDER", "contact": ["r@example.invalid"]},
                          {"name": "Other", "type": "FINDER"}], "credits", doc)
    ok(doc["references"] == [{"type": "PACKAGE", "url": "https://pages.example.invalid/package/evil"}], "the page", doc)
    ok(doc["affected"][0]["ranges"] == [{"type": "SEMVER", "events": [{"introduced": "0"}]}] and
       "versions" not in doc["affected"][0], "every version", doc)
    conf = put(f"{d}/conf", "credit = From Configuration\n")
    ok(report("--config", conf, tgz).json["credits"][0]["name"] == "From Configuration", "credits from the configuration", "")
    for args, why in ((("--credit", "<x>"), b"--credit"), (("--page", "javascript:x"), b"--page"),
                      (("--page", "https://a b"), b"--page"), (("--time", "soon"), b"--time")):
        r = Run("report", "osv", *args, tgz)
        ok(r.code == 2 and why in r.err and not r.out, f"wrong: {args}", r)


def several(d):
    put(f"{d}/two.tgz", tgz_of(bad(version="1.2.0")))
    put(f"{d}/ten.tgz", tgz_of(bad(version="1.10.0")))
    put(f"{d}/scoped.tgz", tgz_of(bad("@other/evil")))
    r = report(f"{d}/ten.tgz", f"{d}/evil.tgz", f"{d}/two.tgz", f"{d}/evil.tgz")
    ok(r.code == 0 and r.json["affected"][0]["versions"] == ["1.0.0", "1.2.0", "1.10.0"] and complaints(r.json) == [],
       "versions of one package are one record", r)
    ok(report(f"{d}/evil.tgz", f"{d}/two.tgz", f"{d}/ten.tgz", "--jobs", "1").out == r.out, "in whatever order", "")
    r = report(f"{d}/scoped.tgz", f"{d}/evil.tgz")
    docs = json.loads("[" + r.out.decode().replace("\n}\n{", "\n},\n{") + "]")
    ok(r.code == 0 and [x["affected"][0]["package"]["name"] for x in docs] == ["@other/evil", "evil"],
       "packages are records of their own, in order", r)
    for path, text in bad("directory").items():
        put(f"{d}/dir/{path}", text)
    doc = report(f"{d}/dir").json
    ok(complaints(doc) == [] and "package_integrity" not in doc["affected"][0]["database_specific"]["indicators"],
       "a directory has no archive's hash", doc)


def nothing_to_report(d):
    good = put(f"{d}/good.tgz", tgz_of(GOOD))
    r = report(good)
    ok(r.code == 1 and not r.out and r.err.count(b"\n") == 1 and b"nothing to report: it is clean" in r.err,
       "a clean package: one line and status 1", r)
    r = report(good, f"{d}/evil.tgz")
    ok(r.code == 1 and r.json["affected"][0]["package"]["name"] == "evil", "beside a bad one: a record all the same", r)
    broken = put(f"{d}/broken.tgz", tgz_of(bad())[:200])
    r = report(broken)
    ok(r.code == 3 and not r.out and b"could not be judged" in r.err, "what cannot be judged: status 3, no record", r)
    r = report(f"{d}/missing.tgz")
    ok(r.code == 2 and not r.out and b"missing.tgz" in r.err, "a file that is not there", r)
    for name, version in (("../../x", "1.0.0"), ("x y", "1.0.0"), ("evil", "one"), ("", "1.0.0")):
        p = put(f"{d}/odd.tgz", tgz_of(bad(name, version)))
        r = report("--output", d, p)
        ok(r.code == 3 and not r.out and r.err.count(b"\n") == 1, f"no record of {name!r} {version!r}", r)
    ok(Run("report").code == 2 and Run("report", "osv").code == 2, "no target: wrong usage", "")
    r = Run("report", "csv", f"{d}/evil.tgz")
    ok(r.code == 2 and b"csv" in r.err, "an unknown part: wrong usage", r)


SHADY = {"package.json": package("shady", scripts={"postinstall": "node setup.js"}),
         "setup.js": """const fs = require('fs'), os = require('os'), path = require('path');
console.log(fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8').length);
"""}


def suspicious(d):
    p = put(f"{d}/shady.tgz", tgz_of(SHADY))
    kind = Run("check", "--no-intel", "--format", "json", p).json["results"][0]["verdict"]
    ok(kind == "suspicious", "the fixture is suspicious", kind)
    r = report(p)
    ok(r.code == 1 and not r.out and b"--confirmed" in r.err, "a suspicious package waits for a person", r)
    r = report("--confirmed", p)
    ok(r.code == 0 and complaints(r.json) == [], "who has confirmed it", r)


def files(d):
    root = f"{d}/checkout"
    scoped = f"{d}/scoped.tgz"
    r = report("--output", root, scoped)
    ok(r.code == 2 and b"checkout: there is no such directory" in r.err, "a checkout that is not there", r)
    os.makedirs(root)
    r = report("--output", root, scoped)
    folder = f"{root}/osv/malicious/npm/@other/evil"
    names = os.listdir(folder)
    ok(r.code == 0 and not r.out and len(names) == 1 and re.fullmatch(r"MAL-0000-qanat-[0-9a-f]{16}\.json", names[0]),
       "a file in its place in the checkout", (r, names))
    path = f"{folder}/{names[0]}"
    first = open(path, "rb").read()
    ok(first == report(scoped).out, "with what is printed otherwise", "")
    r = Run("report", "osv", "--output", root, scoped)
    ok(r.code == 0 and b"already" in r.err and open(path, "rb").read() == first, "once more, at another time: it stays", r)
    put(path, "{}\n")
    r = report("--output", root, scoped)
    ok(r.code == 2 and b"another record is there already" in r.err and open(path).read() == "{}\n",
       "another record is never overwritten", r)
    os.unlink(path)
    os.symlink(f"{d}/elsewhere", path)
    r = report("--output", root, scoped)
    ok(r.code == 2 and not os.path.exists(f"{d}/elsewhere"), "nor what a link points to", r)
    ok(os.listdir(folder) == names, "nothing is left beside it", os.listdir(folder))


def known_elsewhere(d):
    """What others know is no finding: a clean package that a list names stays unreported."""
    listed = put(f"{d}/list.txt", "fine:1.0.0\n")
    env = {"QANAT_STATE": f"{d}/state"}
    ok(Run("intel", "import", listed, "--source", "others", env=env).code == 0, "a list names a clean package", "")
    r = report(f"{d}/good.tgz", env=env)
    ok(r.code == 1 and not r.out, "no record repeats another one", r)


with scratch() as d:
    one_package(d)
    options(d)
    several(d)
    nothing_to_report(d)
    suspicious(d)
    files(d)
    known_elsewhere(d)
done()
