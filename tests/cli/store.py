"""qanat store: check, vacuum, export, forget, on SQLite and on PostgreSQL; servers that are away, refuse or die; old stores."""
import json
import os
import signal
import sqlite3
import subprocess
import time

from postgres import Cluster, programs
from tap import QANAT, Run, done, ok, put, scratch

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = f"{HERE}/../unit"
HOSTILE = "a\u202e\x1b[31m\"\\\n\u0001\ufffd\U0001f42a"


def kept(kind, suffix=""):
    with open(f"{UNIT}/{kind}-1{suffix}.sql", encoding="utf-8") as f:
        return f.read()


def store(where, *args, **kw):
    return Run("store", "--state", f"{where['state']}", *(["--store", where["url"]] if "url" in where else []), *args, **kw)


def lite(d, name):
    """A store in a directory, with a function that runs SQL in one of its files."""
    state = f"{d}/{name}"
    os.makedirs(state, exist_ok=True)

    def sql(kind, text):
        db = sqlite3.connect(f"{state}/{kind}.db")
        db.executescript(text)
        db.close()
    return {"state": state, "sql": sql, "name": "SQLite", "load": lambda kind: sql(kind, kept(kind))}


def server(d, pg, name):
    url = pg.database(name)

    def sql(kind, text):
        pg.sql(name, f"SET client_min_messages TO warning; SET session_replication_role TO replica; SET search_path TO qanat_{kind}; {text}")
    return {"state": f"{d}/{name}-state", "url": url, "sql": sql, "name": "PostgreSQL",
            "load": lambda kind: pg.sql(name, "SET client_min_messages TO warning;" + kept(kind, ".pg"))}


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def usage(d):
    at = lite(d, "usage")
    for args in ([], ["frob"], ["check", "all"], ["forget"], ["forget", "--before", "yesterday"], ["forget", "--before", "99999"],
                 ["export", "--table", "fetch"], ["export", "--since", "soon"], ["check", "--format", "xml"]):
        ok(store(at, *args).code == 2, f"wrong usage: {' '.join(args)}")
    for args in (["export"], ["forget", "--before", "1"]):
        r = store(at, *args)
        ok(r.code == 2 and b"nothing was watched yet" in r.err, f"without a store {args[0]} says so", r)
    r = store(at, "check")
    ok(r.code == 0 and r.out == b"there is no store yet\n", "without a store there is nothing to check", r)
    ok(store(at, "vacuum").code == 0, "and nothing to vacuum")


def fill(at):
    """More versions than rows are held at a time, some with texts that hurt."""
    at["load"]("watch")
    rows = [f"({i + 10}, {quoted(f'n{i:04}')}, '1.0.{i}', 'sha512-eA==', NULL, NULL, {1000 + i}, {5000 + i}, 'clean', 0, 'nothing', 'r')"
            for i in range(600)]
    rows.append(f"(9, {quoted(HOSTILE)}, '1.0.0', 'i', {quoted(HOSTILE)}, -1, 1, 9223372036854775807, 'suspicious', 50, {quoted(HOSTILE)}, 'r')")
    for name in ("B", "b", "a-b", "ab", "\xe4"):
        rows.append(f"({700 + ord(name[-1]) + len(name) * 300}, {quoted(name)}, '1', '', NULL, 0, 1, 2, 'unknown', 0, '', '')")
    at["sql"]("watch", "INSERT INTO version VALUES " + ",".join(rows) + ";"
              "INSERT INTO judgement(version, time, verdict, score, reason, rules)"
              " SELECT id, judged, verdict, score, reason, rules FROM version WHERE id > 2 ORDER BY id DESC;"
              f"INSERT INTO finding VALUES(9, 'b', 'high', 'suspicious', {quoted(HOSTILE)}), (9, 'B', 'high', 'suspicious', '');")


def check_export(at):
    r = store(at, "export")
    rows = [json.loads(line) for line in r.out.decode().splitlines()]
    ok(r.code == 0 and all(row["schema"] == "qanat.store/1" for row in rows), f"{at['name']}: an export", r)
    tables = list(dict.fromkeys(row["table"] for row in rows))
    ok(tables == ["version", "events", "finding", "judgement", "pending", "setting"], f"{at['name']}: its tables in their order", tables)
    names = [row["name"] for row in rows if row["table"] == "version"]
    ok(len(names) == 608 and names == sorted(names, key=lambda n: n.encode()), f"{at['name']}: versions by the bytes of their names", names[:9])
    hostile = [row for row in rows if row["table"] == "version" and row["name"] == HOSTILE]
    ok(len(hostile) == 1 and hostile[0]["reason"] == HOSTILE and hostile[0]["published"] == -1 and hostile[0]["judged"] == 2**63 - 1,
       f"{at['name']}: texts that hurt come out as they were", hostile)
    ok(b"\x1b" not in r.out and "\u202e".encode() not in r.out, f"{at['name']}: and are escaped")
    ok([row["bytes"] for row in rows if row["table"] == "events"] == ["AQ==", "AP8Q"], f"{at['name']}: events are base64")
    some = store(at, "export", "--table", "judgement", "--since", "1970-01-01T00:00:05Z").out.decode().splitlines()
    ok(len(some) == 601 and all(json.loads(line)["time"] >= 5000 for line in some), f"{at['name']}: a part of it", len(some))
    ok(store(at, "export", "--table", "setting").out == b'{"schema":"qanat.store/1","table":"setting","key":"seq","value":"12345"}\n',
       f"{at['name']}: a table of it")
    return r.out


def check_care(at):
    at["load"]("gate")
    r = store(at, "check")
    ok(r.code == 0 and r.out == b"watch: sound\ngate: sound\n", f"{at['name']}: sound stores", r)
    ok(store(at, "vacuum").code == 0, f"{at['name']}: vacuum")
    at["sql"]("watch", "DELETE FROM judgement WHERE version = 10; UPDATE version SET verdict = 'fine' WHERE id = 11;"
              "INSERT INTO finding VALUES(4711, 'r', 's', 'v', 't');")
    at["sql"]("gate", "UPDATE cached SET size = -1; UPDATE verdict SET verdict = 'good'; INSERT INTO alarm VALUES(99, 1, 'malicious', '', 0, 'clean');")
    r = store(at, "check")
    want = ("watch: not sound\n"
            "  finding: rows that refer to no version: 1\n    next: bring back a copy of the store from before\n"
            "  versions without a judgement: 1, such as n0000@1.0.0\n    next: the next verdict of the version puts that right\n"
            "  versions whose verdict is not that of their last judgement: 1, such as n0001@1.0.1\n    next: the next verdict of the version puts that right\n"
            "  versions with a verdict that there is not: 1, such as n0001@1.0.1\n    next: the next verdict of the version puts that right\n"
            "gate: not sound\n"
            "  alarm: rows that refer to no artifact: 1\n    next: bring back a copy of the store from before\n"
            "  verdicts that there are not: 1, such as sha512-b2xk\n    next: the gate judges again what it is asked for: give it the package once more\n"
            "  files in the cache of less than no bytes: 1, such as sha512-b2xk\n    next: empty the gate's cache directory while it does not run\n")
    ok(r.code == 1 and r.out.decode() == want, f"{at['name']}: what is wrong and what to do", r)
    j = store(at, "check", "--format", "json")
    doc = j.json
    ok(j.code == 1 and doc["schema"] == "qanat.store.check/1" and [(s["store"], len(s["faults"])) for s in doc["stores"]] == [("watch", 4), ("gate", 3)],
       f"{at['name']}: the same as JSON", j)
    return r.out + j.out


def check_forget(at):
    r = store(at, "forget", "--before", "1970-01-01T00:00:01Z")
    ok(r.code == 0 and r.out == b"forgot the events of 0 clean versions\n", f"{at['name']}: nothing is that old", r)
    r = store(at, "forget", "--before", "1000")
    ok(r.code == 0 and r.out == b"forgot the events of 1 clean versions\n", f"{at['name']}: what is forgotten is told", r)
    left = store(at, "export", "--table", "events").out.decode().splitlines()
    ok([json.loads(line)["name"] for line in left] == ["@s/older"], f"{at['name']}: what is not clean stays", left)


def each(at):
    fill(at)
    out = [check_export(at)]
    check_forget(at)
    out.append(store(at, "export").out)
    out.append(check_care(at))
    return out


def lock(n):
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, **{f"node_modules/p{i}": {"version": f"1.0.{n}"} for i in range(40)}}})


def add(at, path, n):
    """One more observation, under way."""
    return subprocess.Popen([QANAT, "inventory", "add", path, "--asset", "shop", "--time", str(1700000000 + n * 60), "--state", at["state"]],
                            env=dict(os.environ, QANAT_STORE=at.get("url", at["state"])), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def at_once(d, at):
    """Many write at once, from the first moment on; some are killed."""
    places = []
    for n in range(16):
        places.append(f"{d}/{at['name']}-{n}")
        put(f"{places[n]}/package-lock.json", lock(n))
    for first in (0, 4):
        runs = [add(at, places[n], n) for n in range(first, first + 4)]
        errors = [p.communicate(timeout=120)[1] for p in runs]
        ok(all(p.returncode == 0 for p in runs), f"{at['name']}: four write at once", errors)
    for n in range(8, 16):
        p = add(at, places[n], n)
        time.sleep(0.01 * (n - 7))
        p.kill()
        p.communicate()
    r = store(at, "check")
    ok(r.code == 0 and r.out == b"inventory: sound\n", f"{at['name']}: after kills at any moment it is sound", r)
    p = add(at, places[15], 20)
    ok(p.communicate(timeout=120)[1] == b"" and p.returncode == 0, f"{at['name']}: and goes on")


def odd_names(d, at):
    """Names of files that are no UTF-8 are kept apart."""
    top = f"{d}/odd-{at['name']}".encode()
    for name, version in ((b"a\xff", 1), (b"a\xfe", 2)):
        os.makedirs(top + b"/" + name)
        with open(top + b"/" + name + b"/package-lock.json", "w", encoding="utf-8") as f:
            f.write(lock(version))
    p = add(at, top.decode(errors="surrogateescape"), 30)
    p.communicate(timeout=120)
    env = {"QANAT_STORE": at.get("url", at["state"])}
    r = Run("inventory", "who-has", "p1", "--state", at["state"], "--format", "json", env=env)
    found = sorted((m["version"], m["source"]) for m in r.json["matches"])
    ok(p.returncode == 0 and len(found) == 2 and [v for v, _ in found] == ["1.0.1", "1.0.2"] and "package-lock.json" in found[0][1],
       f"{at['name']}: names that are no text", found)


def damaged(d):
    at = lite(d, "damaged")
    put(f"{at['state']}/watch.db", b"no database" * 1000)
    r = store(at, "check")
    ok(r.code == 1 and b"watch: not sound" in r.out and b"next: bring back" in r.out, "a file that is no database", r)
    os.remove(f"{at['state']}/watch.db")
    fill(at)
    with open(f"{at['state']}/watch.db", "r+b") as f:
        f.seek(4096 * 5 + 100)
        f.write(b"\xff" * 4096 * 20)
    r = store(at, "check")
    ok(r.code == 1 and b"watch: not sound" in r.out, "a file with holes", r)
    r = store(at, "export")
    ok(r.code == 2 and r.err.count(b"\n") == 1 and b"damaged" in r.err, "which cannot be exported, and says so", r)
    at = lite(d, "newer")
    at["load"]("watch")
    at["sql"]("watch", "PRAGMA user_version = 99")
    r = store(at, "check")
    ok(r.code == 1 and b"another version of qanat" in r.out and b"use the qanat" in r.out, "one of another version", r)


def one_line(r, *words):
    return r.code == 2 and r.err.count(b"\n") == 1 and all(w in r.err for w in words) and b"hush" not in r.err + r.out


def away(d, pg):
    none = {"state": f"{d}/none"}
    for url, words in ((f"postgres://u:hush@{d.replace('/', '%2F')}/db", [b"No such file"]),
                       ("postgres://u:hush@127.0.0.1:9/db", [b"127.0.0.1", b"refused"]),
                       ("postgres://u:hush@no.such.host.invalid/db", [b"no.such.host.invalid"]),
                       (pg.url("nowhere", password="hush"), [b'"nowhere" does not exist']),
                       ("postgres://u:hu@hush@h/db", [b"cannot be read"]),
                       ("postgres://u:hush%zz@h/db", [b"cannot be read"]),
                       ("postgres://u:hush@h:port/db", [b"cannot be read"])):
        for args in (["check"], ["export"], ["vacuum"], ["forget", "--before", "1"]):
            r = store({**none, "url": url}, *args)
            ok(one_line(r, *words), f"one line, and no password: {args[0]} {words[0].decode()}", r)
    for args in (["inventory", "who-has", "a"], ["inventory", "why", "a"], ["gate", "ledger"]):
        r = Run(*args, "--state", f"{d}/none", env={"QANAT_STORE": "postgres://u:hush@127.0.0.1:9/db"})
        ok(r.code == 2 and b"refused" in r.err and b"hush" not in r.err, f"the environment names the store: {args[0]}", r)


def refused(d, pg):
    url = pg.database("guarded")
    pg.sql("guarded", "CREATE ROLE guest LOGIN PASSWORD 'right'; CREATE ROLE reader LOGIN PASSWORD 'right'")
    with open(f"{pg.data}/pg_hba.conf", "r+", encoding="utf-8") as f:
        rest = f.read()
        f.seek(0)
        f.write("local all guest scram-sha-256\nlocal all reader scram-sha-256\n" + rest)
    pg.sql("guarded", "SELECT pg_reload_conf()")
    time.sleep(0.5)
    guest = {"state": f"{d}/guest", "url": pg.url("guarded", "guest", "hush")}
    r = store(guest, "check")
    ok(one_line(r, b"password authentication failed", b'"guest"'), "a wrong password", r)
    r = store({**guest, "url": pg.url("guarded", "guest")}, "check")
    ok(one_line(r, b"password"), "none", r)
    put(f"{d}/p/package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}}))
    right = pg.url("guarded", "guest", "right")
    r = Run("inventory", "add", f"{d}/p", "--state", f"{d}/guest", "--store", right)
    ok(one_line(r, b"permission denied") and b"right" not in r.err, "no right to make a schema", r)
    pg.sql("guarded", "GRANT CREATE ON DATABASE guarded TO guest")
    r = Run("inventory", "add", f"{d}/p", "--state", f"{d}/guest", "--store", right)
    ok(r.code == 0, "with it", r)
    r = store({"state": f"{d}/guest", "url": pg.url("guarded", "reader", "right")}, "check")
    ok(one_line(r, b"permission denied for schema qanat_inventory"), "who may see nothing is told so", r)
    pg.sql("guarded", "GRANT USAGE ON SCHEMA qanat_inventory TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA qanat_inventory TO reader")
    reader = pg.url("guarded", "reader", "right")
    r = store({"state": f"{d}/guest", "url": reader}, "check")
    ok(r.code == 0 and r.out == b"inventory: sound\n", "who may only read checks", r)
    ok(Run("inventory", "who-has", "a", "--state", f"{d}/guest", "--store", reader).code == 0, "who may only read reads")
    r = Run("inventory", "add", f"{d}/p", "--state", f"{d}/guest", "--store", reader)
    ok(r.code != 0 and b"ermission denied" in r.err and r.err.count(b"\n") == 1, "and does not write", r)
    pg.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    r = store({"state": f"{d}/guest", "url": pg.url("latin")}, "check")
    ok(one_line(r, b"LATIN1", b"UTF8"), "a database that cannot hold every text", r)
    return url


def dying(d, pg):
    """The server goes away while rows are read."""
    at = server(d, pg, "dying")
    fill(at)
    at["sql"]("watch", "INSERT INTO judgement(version, time, verdict, score, reason, rules)"
              " SELECT 9, i, 'suspicious', 50, repeat('x', 500), 'r' FROM generate_series(1, 20000) i")
    p = subprocess.Popen([QANAT, "store", "export", "--state", f"{d}/s", "--store", at["url"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(1 << 17)  # it is under way, and waits for its reader
    pid = int(pg.sql("postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = 'qanat'"))
    os.kill(pid, signal.SIGKILL)  # all others have to go as well
    out, err = p.communicate(timeout=60)
    ok(p.returncode == 2 and err.count(b"\n") == 1 and b"the connection was lost" in err and b"not all was written" in err,
       "a server that dies in the middle", f"{p.returncode} {err} {len(out)}")
    for _ in range(100):
        r = store(at, "export")
        if r.code == 0:
            break
        time.sleep(0.1)
    ok(r.code == 0, "is asked again when it is back", r)
    r = store(at, "export", "--table", "judgement")
    ok(r.out.count(b"\n") == 20609, "and what was committed is there", r.out.count(b"\n"))


def upgraded(at):
    at["load"]("watch")
    at["load"]("gate")
    r = store(at, "check")
    ok(r.code == 0 and r.out == b"watch: sound\ngate: sound\n", f"{at['name']}: stores of the first version are brought up to date", r)
    r = Run("gate", "ledger", "--state", at["state"], "--format", "json", env={"QANAT_STORE": at.get("url", at["state"])})
    ok(r.code == 0 and [f["name"] for f in r.json["fetches"]] == ["old", "@s/older"], f"{at['name']}: and keep what they had", r)


def main():
    with scratch() as d:
        usage(d)
        of_lite = each(lite(d, "lite"))
        upgraded(lite(d, "old"))
        at_once(d, lite(d, "once"))
        odd_names(d, lite(d, "odd"))
        damaged(d)
        if not programs():
            print("# PostgreSQL is not installed: what needs it is left out")
            done()
        with Cluster() as pg:
            of_server = each(server(d, pg, "full"))
            for what, one, other in zip(("an export", "what is left", "what is found wrong"), of_lite, of_server):
                ok(one == other, f"{what} has the same bytes from both")
            upgraded(server(d, pg, "old"))
            at_once(d, server(d, pg, "once"))
            odd_names(d, server(d, pg, "odd"))
            away(d, pg)
            refused(d, pg)
            dying(d, pg)
    done()


main()
