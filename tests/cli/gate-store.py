"""qanat gate with its ledger in PostgreSQL: nothing is served that is not on record, and a server that comes back is used again."""
import json
import os
import signal
import subprocess
import time

from gatelib import PATIENCE, THIEF, Gate, Upstream
from postgres import Cluster, programs
from tap import Run, done, ok, scratch


def names(g, url, *args):
    r = Run("gate", "ledger", "--state", g.state, "--store", url, "--format", "json", *args)
    return [f["name"] for f in json.loads(r.out)["fetches"]]


def eventually(ready, seconds=30):
    end = time.time() + seconds * PATIENCE
    while time.time() < end:
        if ready():
            return True
        time.sleep(0.2)
    return False


def records(g, up, url):
    for n in ("one", "two"):
        up.add(n)
        ok(g.ask(f"/{n}/-/{n}-1.0.0.tgz").status == 200, f"{n} is served")
    ok(g.ask("/one/-/one-1.0.0.tgz").status == 200, "and once more")
    ok(names(g, url) == ["one", "two", "one"], "all of it is on record", names(g, url))
    up.add("thief", files={"package.json": json.dumps({"name": "thief", "version": "1.0.0", "scripts": {"preinstall": "node x.js"}}), "x.js": THIEF})
    ok(g.ask("/thief/-/thief-1.0.0.tgz").status in (403, 404, 451), "what steals is not served")
    ok(not os.path.exists(f"{g.state}/gate.db"), "there is no file besides")


def cut(g, up, pg, url):
    """The connection goes, the server stays: at most one answer is late."""
    up.add("three")
    pg.sql("ledger", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qanat'")
    ok(eventually(lambda: g.ask("/three/-/three-1.0.0.tgz").status == 200), "a connection that was cut is made again")
    ok(names(g, url, "three") == ["three"], "and what went out is on record", names(g, url, "three"))


def away(g, up, pg, url):
    up.add("four")
    pg.stop(signal.SIGKILL)
    subprocess.run(["rm", "-f", f"{pg.data}/postmaster.pid"], check=True)
    answers = [g.ask(f"/{n}/-/{n}-1.0.0.tgz", timeout=120).status for n in ("four", "one", "four", "two")]
    ok(all(a >= 500 for a in answers), "while the server is away nothing is served", answers)
    ok(g.process.poll() is None, "and the gate goes on")
    ok(b"hush" not in g.log() and b"onnection" in g.log(), "the log says what is wrong, without the password", g.log()[-1000:])
    pg.start()
    ok(eventually(lambda: g.ask("/four/-/four-1.0.0.tgz").status == 200), "when it is back, all is", g.log()[-1000:])
    ok(names(g, url, "four") == ["four"], "on record", names(g, url))
    r = Run("store", "check", "--state", g.state, "--store", url)
    ok(r.code == 0 and r.out == b"gate: sound\n", "and sound", r)


def main():
    if not programs():
        print("1..0 # SKIP PostgreSQL is not installed")
        return
    with scratch() as d, Cluster("max_connections=30") as pg:
        pg.database("ledger")
        url = pg.url("ledger", password="hush")
        up = Upstream()
        g = Gate(d, up.url, env={"QANAT_STORE": url})
        records(g, up, url)
        cut(g, up, pg, url)
        away(g, up, pg, url)
        ok(g.stop() == 0, "it ends well")
    done()


main()
