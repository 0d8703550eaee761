"""qanat gate and what is known to be bad: the index is read on while others write it, replaced, damaged; and a verdict stays in the
lists until there is another."""
import os
import shutil

from gatelib import ALLOW_YOUNG, RULE, Gate, Upstream, stopped, wait_for
from tap import QANAT, Run, done, ok, put, scratch

SHORT = {"accept": "application/vnd.npm.install-v1+json"}
DAMAGED = b"this is no index at all; " * 1000


def block(state, *specs):
    for spec in specs:
        r = Run("intel", "block", spec, "--reason", "stolen in a test, " + "where reasons are long, " * 8 + "as here", "--owner", "tests@example.invalid", "--state", state)
        assert r.code == 0, r


def tarball(g, name, version="1.0.0"):
    return g.ask(f"/{name}/-/{name}-{version}.tgz").status


def place(d, name):
    """Directory of a gate, and its state."""
    return f"{d}/{name}", f"{d}/{name}/state"


def reader_of(g):
    """Whether the gate's process holds its place in the index's lock file: writers spare what it reads only then."""
    with open(f"{g.state}/intel/index.mdb-lock", "rb") as f:
        return g.process.pid.to_bytes(4, "little") in f.read()


def read_on(d, up):
    """Writers must not take pages that the gate reads, however often it looked for news."""
    here, state = place(d, "on")
    block(state, "bad@1.0.0")
    g = Gate(d, up.url, state=here)
    ok(reader_of(g) and tarball(g, "bad") == 403, "what is blocked is not served", "")
    for _ in range(2):
        g.reload()
    ok(reader_of(g), "after news it is still a reader that writers know", "")
    block(state, *(f"other{i}@1.0.0" for i in range(8)))
    ok(tarball(g, "bad") == 403, "nor after others were blocked, before the gate looked again", "")
    g.reload()
    ok(tarball(g, "bad") == 403 and tarball(g, "other7") == 403, "nor after that", "")
    ok(g.stop() == 0, "it ends well", g.log())


def replaced(d, up):
    """Another index, with as many imports, takes the place of the one that is read."""
    here, state = place(d, "one")
    _, other = place(d, "two")
    block(state, "bad@1.0.0")
    block(other, "worse@1.0.0")
    g = Gate(d, up.url, state=here)
    r = g.ask("/bad/-/bad-1.0.0.tgz")
    ok(r.status == 403 and r.headers["npm-notice"].isascii() and "..." in r.headers["npm-notice"] and "…" in r.json["error"],
       "a reason too long for a line, and for ASCII, reaches the user", r)
    ok((tarball(g, "bad"), tarball(g, "worse")) == (403, 200), "the first index counts", "")
    os.unlink(f"{state}/intel/index.mdb")
    g.reload()
    ok(tarball(g, "bad") == 403, "while there is none, what was known counts", g.log())
    shutil.copy(f"{other}/intel/index.mdb", f"{state}/intel/index.mdb")
    g.reload()
    ok((tarball(g, "bad"), tarball(g, "worse")) == (200, 403), "then the other one, also for what is kept", g.log())
    ok([a["name"] for a in g.ledger()["alarms"]] == ["worse"], "and for what was served", g.ledger()["alarms"])
    put(f"{d}/garbage", DAMAGED)
    os.replace(f"{d}/garbage", f"{state}/intel/index.mdb")
    g.reload()
    ok((tarball(g, "bad"), tarball(g, "worse")) == (200, 403), "a damaged one is not taken", "")
    ok(b"going on with what was known" in g.log(), "and that is told", g.log())
    g.stop()


def unreadable(d, up):
    """What cannot be read is never nothing."""
    here, state = place(d, "damaged")
    block(state, "bad@1.0.0")
    file = f"{state}/intel/index.mdb"
    whole = open(file, "rb").read()
    put(f"{here}/policy.yaml", ALLOW_YOUNG)
    for n in (len(whole) // 2, 0):
        put(file, whole[:n])
        r = Run("gate", "--state", state, "--cache", f"{here}/cache", "--policy", f"{here}/policy.yaml", "--listen", "127.0.0.1:0",
                "--registry", up.url, timeout=30)
        ok(r.code == 2 and b"is damaged" in r.err and r.err.count(b"\n") == 1, "the gate does not begin beside a damaged index", r)
    os.unlink(file)
    r = Run("intel", "import", "--state", state, put(f"{d}/none.json", '{"id":'))
    ok(r.code != 0 and os.path.exists(file), "an import that takes nothing in leaves an empty index", r)
    g = Gate(d, up.url, state=here)
    ok(tarball(g, "fine") == 200, "one into which nothing was taken yet is none", g.log())
    put(file, DAMAGED)
    g.reload()
    ok(tarball(g, "fine") == 403, "one that is damaged when the gate first sees it lets nothing through", g.log())
    ok(b"everything counts as bad" in g.log(), "and that is told", g.log())
    r = g.ask("/-/npm/v1/security/advisories/bulk", "POST", '{"bad":["1.0.0"]}', {"content-type": "application/json"})
    ok(r.status == 503, "nor is npm told that nothing is known", r)
    os.unlink(file)
    put(file, whole)
    g.reload()
    ok((tarball(g, "fine"), tarball(g, "bad")) == (200, 403), "it recovers", g.log())
    g.stop()


def versions(g, name):
    r = g.ask(f"/{name}", headers=SHORT)
    return list(r.json["versions"]), r.json["dist-tags"]["latest"]


def convicted(d, up):
    """What was convicted and never served stays out of the lists when tables change, and comes back when a judgement says so."""
    here, state = place(d, "convicted")
    rules = put(f"{d}/rules.yaml", RULE % ("thieves", "thieves"))
    calls = {"index.js": "module.exports = () => require('https').get('https://thieves.invalid/x');\n"}
    for name in ("stolen", "wronged"):
        up.add(name)
        up.add(name, "1.0.1", files=calls)
    g = Gate(d, up.url, state=here, args=("--rules", rules))
    both, first = (["1.0.0", "1.0.1"], "1.0.1"), (["1.0.0"], "1.0.0")
    ok(versions(g, "stolen") == both and tarball(g, "stolen", "1.0.1") == 403 and versions(g, "stolen") == first,
       "a version that is convicted leaves the list", "")
    with stopped(g.roles()):  # nothing is judged meanwhile
        r = Run("intel", "import", "--state", state, put(f"{d}/hosts.csv", "type,indicator,campaign\ndomain,something-else.invalid,wave\n"))
        g.reload()
        ok(r.code == 0 and versions(g, "stolen") == first, "and stays away when something else is listed", (r, versions(g, "stolen")))
    ok(tarball(g, "stolen", "1.0.1") == 403, "also its tarball", "")
    ok(tarball(g, "wronged", "1.0.1") == 403 and versions(g, "wronged") == first, "another one", "")
    put(rules, RULE % ("nobody", "nobody"))
    g.reload()
    wait_for(lambda: versions(g, "wronged") == both and versions(g, "stolen") == both)
    ok(tarball(g, "wronged", "1.0.1") == 200, "they come back when the rules acquit them, though nobody could ask for them", "")
    ok(not g.ledger()["alarms"], "what was never served is no alarm", g.ledger()["alarms"])
    g.stop()


def made_by(d, up):
    """A verdict is made by a program, its tables and the word of some: by others it is made anew."""
    here, state = place(d, "made")
    block(state, "worse@1.0.0")
    for x in ("program", "data"):
        os.makedirs(f"{d}/{x}")
    data = shutil.copytree(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data"), f"{d}/data", dirs_exist_ok=True)
    program = shutil.copy(QANAT, f"{d}/program/qanat")
    g = Gate(d, up.url, state=here, args=("--data", data), program=program)

    def revision():
        g.reload()
        return g.log().decode().rstrip().rsplit("rules ", 1)[1]

    first = revision()
    ok(tarball(g, "bad") == 200 and revision() == first, "a revision lasts", first)
    with open(f"{data}/intel/trust.yaml", "a", encoding="ascii") as f:
        f.write("  - some-host.invalid\n")
    other = revision()
    ok(other != first, "it is another one when somebody else is trusted", (first, other))
    g.stop()
    with open(program, "ab") as f:
        f.write(b"another build")
    g.start()
    ok(revision() != other, "and of another build of the same version", other)
    g.stop()


with scratch() as d:
    up = Upstream()
    for name in ("bad", "worse", "fine", "other7"):
        up.add(name)
    read_on(d, up)
    replaced(d, up)
    unreadable(d, up)
    convicted(d, up)
    made_by(d, up)
    done()
