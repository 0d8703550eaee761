"""qanat gate before a registry that fails and lies, under clients that misbehave, and killed: no wrong byte is ever served, and
what was promised to be in the ledger is there."""
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import threading
import time

from gatelib import ALLOW_YOUNG, PATIENCE, Gate, Upstream, free_port, name_of, parent_is, wait_for
from tap import QANAT, Run, done, ok, package, put, scratch, tgz_of


def error_of(r):
    return r.json.get("error", "") if r.headers.get("content-type", "").startswith("application/json") else ""


def bodies(d, up, g):
    for name in ("good", "other", "cut", "slow", "late500"):
        up.add(name)
    up.mood["other/-/other-1.0.0.tgz"] = "other"
    r = g.ask("/other/-/other-1.0.0.tgz")
    ok(r.status == 502 and "integrity" in error_of(r), "another body than promised is never served", r)
    r = g.ask("/other/-/other-1.0.0.tgz")
    ok(r.status == 502, "nor the second time", r)
    up.mood["cut/-/cut-1.0.0.tgz"] = "cut"
    r = g.ask("/cut/-/cut-1.0.0.tgz")
    ok(r.status in (502, 504) and error_of(r), "half a body is not served", r)
    del up.mood["cut/-/cut-1.0.0.tgz"]
    ok(g.ask("/cut/-/cut-1.0.0.tgz").body == up.packages["cut"]["1.0.0"], "the whole one is, later", "")
    up.mood["late500/-/late500-1.0.0.tgz"] = "500"
    r = g.ask("/late500/-/late500-1.0.0.tgz")
    ok(r.status in (502, 504) and error_of(r), "a registry that fails is told", r)
    up.mood["broken"] = "500"
    up.add("broken")
    r = g.ask("/broken")
    ok(r.status == 502 and error_of(r), "also with a document", r)


def lies(d, up, g):
    def raw(body, kind="application/json"):
        return lambda h: h.send(200, body, kind)

    def endless(h):
        h.send_response(200)
        h.send_header("content-type", "application/json")
        h.send_header("content-length", str(1 << 30))
        h.end_headers()
        try:
            for _ in range(1 << 14):
                h.wfile.write(b" " * (1 << 16))
        except OSError:
            pass

    for name in ("huge", "deep", "nojson", "othername", "html", "empty", "badver", "badurl", "mismatch"):
        up.add(name)
    up.mood["huge"] = endless
    up.mood["deep"] = raw(b'{"name":"deep","versions":' + b"[" * 200000)
    up.mood["nojson"] = raw(b'{"name":"nojson","versions":{"1.0.0"')
    up.mood["html"] = raw(b"<html>go away</html>", "text/html")
    up.mood["empty"] = raw(b"")
    up.mood["othername"] = raw(json.dumps(up.document("good")).encode())
    for name in ("huge", "deep", "nojson", "othername", "html", "empty"):
        r = g.ask(f"/{name}", timeout=300)
        ok(r.status in (502, 504) and error_of(r), f"a document that is {name}: {r.status}", r)
    doc = up.document("badver")
    doc["versions"]["not a version"] = doc["versions"]["1.0.0"]
    doc["versions"]["../../1.0.0"] = doc["versions"]["1.0.0"]
    up.mood["badver"] = raw(json.dumps(doc).encode())
    r = g.ask("/badver")
    ok(r.status == 200 and list(r.json["versions"]) == ["1.0.0"], "versions that are none are left out", r)
    doc = up.document("badurl")
    doc["versions"]["1.0.0"]["dist"]["tarball"] = "file:///etc/passwd"
    up.mood["badurl"] = raw(json.dumps(doc).encode())
    r = g.ask("/badurl/-/badurl-1.0.0.tgz")
    ok(r.status in (200, 502) and b"root:" not in r.body, "an address that is none is not followed", r.status)
    doc = up.document("mismatch")
    doc["versions"]["1.0.0"]["name"] = "good"
    up.mood["mismatch"] = raw(json.dumps(doc).encode())
    r = g.ask("/mismatch")
    ok(r.status in (403, 502) or not r.json["versions"], "another package under this name is nobody's", r)
    doc = json.dumps(up.document("good"))
    block = Run("intel", "block", "good@1.0.0", "--reason", "no", "--owner", "me", "--state", g.state)
    g.reload()
    up.add("twice")
    twice = json.dumps(up.document("twice"))
    up.mood["twice"] = raw((twice[:-1] + ',"versions":{"6.6.6":{"name":"twice","version":"6.6.6","dist":{"tarball":"'
                            + up.url + '/twice/-/twice-1.0.0.tgz"}}}}').encode())
    r = g.ask("/twice")
    ok(block.code == 0 and doc and list(r.json["versions"]) == ["6.6.6"], "the last of two keys counts, as for npm", r)
    ok(g.ask("/good/-/good-1.0.0.tgz").status == 403, "a block stays a block", "")


def outage(d, up, g):
    up.add("known")
    first, before = g.ask("/known"), g.url
    body = g.ask("/known/-/known-1.0.0.tgz").body
    g.stop()
    up.down = True
    g.start()
    r = g.ask("/known")
    ok(r.status == 200 and r.json == json.loads(first.text.replace(before, g.url)) and g.url in r.text,
       "a document from before is served while the registry is away", r)
    again = Gate(d, up.url, service=f"listen: ['127.0.0.1:{free_port()}']\ncache: {{ fresh: 1s }}\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n", state=g.dir + "x")
    up.down = False
    ok(again.ask("/known").status == 200, "it is known here, too", "")
    up.down = True
    time.sleep(1.5)
    r = again.ask("/known")
    ok(r.status == 200 and "110" in (r.headers["warning"] or ""), "an old document is marked", r.headers)
    again.stop()
    ok(g.ask("/known/-/known-1.0.0.tgz").body == body, "a tarball from before, too", "")
    r = g.ask("/never-seen")
    ok(r.status in (502, 504) and error_of(r), "what is not known is an error with a reason", r)
    up.down = False


def late(d, up):
    g = Gate(d, up.url, policy=ALLOW_YOUNG + "unknown: { action: quarantine, budget: 500ms }\n")
    up.add("slowly")
    up.mood["slowly/-/slowly-1.0.0.tgz"] = "slow"
    begun = time.time()
    r = g.ask("/slowly/-/slowly-1.0.0.tgz")
    ok(r.status == 504 and time.time() - begun < 2.5 * PATIENCE, "what takes longer than the budget is not served", r)
    wait_for(lambda: g.ask("/slowly/-/slowly-1.0.0.tgz").status == 200, 30)
    ok(len([x for x in up.hits if x == "slowly/-/slowly-1.0.0.tgz"]) == 1, "it is fetched once all the same", up.hits[-5:])
    g.stop()
    for action, want in (("quarantine", 403), ("allow", 200)):
        g = Gate(d, up.url, policy=ALLOW_YOUNG + f"unknown: {{ action: {action}, budget: 1s }}\n")
        up.add("heavy")
        ok(g.ask("/heavy").status == 200, "its document is there", "")
        roles = g.roles()
        for p in roles:
            os.kill(p, signal.SIGSTOP)
        r = g.ask("/heavy/-/heavy-1.0.0.tgz")
        ok(roles and r.status == want and (want != 200 or r.body == up.packages["heavy"]["1.0.0"]),
           f"what is not analysed in time, where policy says {action}: {want}", r.status)
        for p in roles:
            os.kill(p, signal.SIGCONT)
        wait_for(lambda: g.ask("/heavy/-/heavy-1.0.0.tgz").headers["qanat-verdict"] == "clean", 30)
        ok(g.stop() == 0, "and later it is known", "")


def together(d, up, g):
    """Many clients, one analysis."""
    names = [f"many{i}" for i in range(40)]
    for n in names:
        up.add(n, files={"data.js": "module.exports = " + json.dumps([random.Random(n).random() for _ in range(500)]) + ";\n"})
    wrong, before = [], len(up.hits)

    def work(seed):
        mine = names[:]
        random.Random(seed).shuffle(mine)
        for n in mine:
            r = g.ask(f"/{n}/-/{n}-1.0.0.tgz")
            if r.status != 200 or r.body != up.packages[n]["1.0.0"]:
                wrong.append((n, r.status))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(24)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ok(not wrong, "24 clients at once: every body is the right one", wrong[:5])
    got = [x for x in up.hits[before:] if x.endswith(".tgz")]
    ok(len(got) == len(set(got)) == len(names), "each tarball was fetched and looked at once", len(got))
    rows = g.ledger()["fetches"]
    ok(sum(x["name"].startswith("many") for x in rows) == 24 * len(names), "each of them is in the ledger", len(rows))


def talk(g, data, seconds=10):
    """Bytes as they are; what came back until the end or the time."""
    host, port = g.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=seconds) as s:
        try:
            s.sendall(data)
            s.settimeout(seconds)
            out = b""
            while True:
                got = s.recv(65536)
                if not got:
                    return out
                out += got
        except (TimeoutError, ConnectionError, OSError):
            return locals().get("out", b"")


def misbehaviour(d, up, g):
    up.add("plain")
    smuggle = (b"POST /-/npm/v1/security/advisories/bulk HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
               b"0\r\n\r\nGET /plain HTTP/1.1\r\nhost: x\r\n\r\n")
    out = talk(g, smuggle, 5)
    ok(out.count(b"HTTP/1.1 200") == 0, "two lengths are no request", out[:300])
    out = talk(g, b"POST /-/npm/v1/security/advisories/bulk HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 30\r\n\r\n{}", 5)
    ok(b"HTTP/1.1 200" not in out, "nor are two different ones", out[:300])
    out = talk(g, b"GET /plain HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x-%d: %s\r\n" % (i, b"a" * 1000) for i in range(200)) + b"\r\n", 5)
    ok(b"200 OK" not in out.split(b"\r\n")[0], "a bomb of headers", out[:200])
    out = talk(g, b"\x00\xff\x16\x03\x01garbage\r\n\r\n", 5)
    ok(b"200" not in out[:20], "bytes that are no request", out[:100])
    ok(g.ask("/plain").status == 200, "and it goes on", "")


def killed(d, up):
    """kill -9 under load: acknowledged rows are there, bodies are whole."""
    for i in range(12):
        up.add(f"kill{i}")
    g, served, lost, wrong = None, {}, 0, []
    stop = threading.Event()
    lock = threading.Lock()

    def work(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            n = f"kill{rng.randrange(12)}"
            try:
                r = g.ask(f"/{n}/-/{n}-1.0.0.tgz", timeout=10)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
                continue
            if r.status == 200:
                if r.body != up.packages[n]["1.0.0"]:
                    wrong.append(n)
                with lock:
                    served[n] = served.get(n, 0) + 1

    g = Gate(d, up.url)
    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(4)]
    for t in threads:
        t.start()
    rounds = 50 if PATIENCE == 1 else 8
    for i in range(rounds):
        time.sleep(random.Random(i).uniform(0.02, 0.4))
        g.stop(signal.SIGKILL)
        wait_for(lambda: not [p for p in os.listdir("/proc") if p.isdigit() and parent_is(p, g.process.pid)], 10)
        g.start()
    time.sleep(0.5)
    stop.set()
    for t in threads:
        t.join(20)
    rows = g.ledger()["fetches"]
    for n, count in served.items():
        lost += max(0, count - sum(x["name"] == n for x in rows))
    ok(served and lost == 0, f"{rounds} kills: none of {sum(served.values())} served artifacts is missing from the ledger", lost)
    ok(not wrong, "and no body was wrong", wrong[:5])
    db = sqlite3.connect(f"{g.state}/gate.db")
    ok(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the store is whole", "")
    try:
        db.execute("DELETE FROM fetch")
        gone = True
    except sqlite3.Error:
        gone = False
    ok(not gone, "and forgets nothing", "")
    db.close()
    g.stop()


def idle(d, up):
    """A role that dies while nothing is to be done costs nothing, and is there again when it is needed."""
    g = Gate(d, up.url)
    up.add("idle")
    ok(g.ask("/idle/-/idle-1.0.0.tgz").status == 200, "it works", "")
    for p in [p for p in os.listdir("/proc") if p.isdigit() and parent_is(p, g.process.pid) and name_of(p) in ("analyse", "fetch")]:
        os.kill(int(p), signal.SIGKILL)
    time.sleep(0.3)
    before = cpu_of(g.process.pid)
    time.sleep(1.5)
    ok(cpu_of(g.process.pid) - before < 0.5, "roles that died leave it in peace", cpu_of(g.process.pid) - before)
    up.add("idle2")
    ok(g.ask("/idle2/-/idle2-1.0.0.tgz").status == 200, "and are there again", "")
    g.stop()


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrong_use(d):
    for args, word in ((("--policy", "/none"), "/none"), (("--listen", "nonsense"), "HOST:PORT"), (("--registry", "ftp://x"), "URL"),
                       (("--service", "/none"), "/none")):
        r = Run("gate", *args, "--state", f"{d}/s", "--cache", f"{d}/c", timeout=30)
        ok(r.code == 2 and word in r.err.decode() and r.err.count(b"\n") == 1, f"gate {' '.join(args)}: one line", r)
    r = Run("gate", "ledger", "--state", f"{d}/nothing")
    ok(r.code == 2 and b"no ledger" in r.err, "a ledger that is not there", r)
    put(f"{d}/p/.npmrc", "save-exact=true\nregistry=https://old.invalid/\n")
    r = Run("gate", "setup", "npm", f"{d}/p", "--url", "http://127.0.0.1:4873/", "--token-variable", "GATE_TOKEN")
    text = open(f"{d}/p/.npmrc", encoding="utf-8").read()
    ok(r.code == 0 and text == "save-exact=true\nregistry=http://127.0.0.1:4873/\n//127.0.0.1:4873/:_authToken=${GATE_TOKEN}\n",
       "setup changes the registry and nothing else", text)
    again = Run("gate", "setup", "npm", f"{d}/p", "--url", "http://127.0.0.1:4873/", "--token-variable", "GATE_TOKEN")
    ok(again.code == 0 and open(f"{d}/p/.npmrc", encoding="utf-8").read() == text, "and nothing the second time", "")
    ok(Run("gate", "setup", "cargo", d).code == 2 and Run("gate", "setup", "npm", d, "--url", "http://a b").code == 2, "setup of nonsense", "")


with scratch() as d:
    up = Upstream()
    g = Gate(d, up.url)
    bodies(d, up, g)
    lies(d, up, g)
    misbehaviour(d, up, g)
    together(d, up, g)
    outage(d, up, g)
    g.stop()
    late(d, up)
    idle(d, up)
    killed(d, up)
    wrong_use(d)
    done()
