#!/usr/bin/env python3
"""front - the gate's HTTP face, as clients and attackers see it; the gate behind it is tests/tools/front-engine.  TAP."""
import base64
import hashlib
import json
import os
import queue
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("QANAT", "/nonexistent")
from tap import done, ok  # noqa: E402

ENGINE = os.environ["FRONT_ENGINE"]
BIG = bytes(ord("a") + i % 26 for i in range(300000))
TOKEN, ADMIN = "npm_0123456789", "npm_admin"


def sha(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Engine:
    def __init__(self, *args):
        self.p = subprocess.Popen([ENGINE, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.p.stdout.readline().split()[1])
        self.port = int(self.p.stdout.readline().split()[1])
        self.lines = []
        self.news = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.01)

    def read(self):
        for line in self.p.stdout:
            self.lines.append(line.strip())
        self.news.put(None)

    def said(self, pattern, wait=1.0, times=1):
        """The lines that match, once there are so many of them."""
        end = time.time() + wait
        while True:
            found = [x for x in list(self.lines) if re.search(pattern, x)]
            if len(found) >= times or time.time() > end:
                return found
            time.sleep(0.01)

    def times(self, pattern):
        """How often it said so, after a moment."""
        time.sleep(0.1)
        return len(self.said(pattern, 0))

    def tell(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        time.sleep(0.1)

    def stop(self):
        self.p.kill()
        self.p.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


class Client:
    """HTTP by hand: what is sent is what was given."""

    def __init__(self, port, tls=None, timeout=10):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if tls:
            self.s = tls.wrap_socket(self.s, server_hostname="localhost")
        self.f = self.s.makefile("rb")

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def read(self, method="GET"):
        """None: the connection is at its end."""
        line = self.f.readline()
        while line.startswith(b"HTTP/1.1 100"):
            self.f.readline()
            line = self.f.readline()
        if not line:
            return None
        headers = {}
        while True:
            h = self.f.readline().strip()
            if not h:
                break
            name, value = h.split(b":", 1)
            headers[name.decode().lower()] = value.strip().decode("latin-1")
        status = int(line.split()[1])
        body = b""
        if method != "HEAD" and status != 304:
            body = self.f.read(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    def ask(self, path, method="GET", body=None, **headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: gate"]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b""))
        return self.read(method)

    def closed(self, within=3):
        self.s.settimeout(within)
        try:
            return self.f.read(1) == b""
        except ConnectionError:
            return True
        except OSError:
            return False

    def close(self):
        self.f.close()
        self.s.close()


def raw(port, data, timeout=3):
    """All that comes back for these bytes until the end of the connection; None: it was left open."""
    c = Client(port, timeout=timeout)
    got = b""
    try:
        c.send(data)
        while True:
            part = c.s.recv(65536)
            if not part:
                return got
            got += part
    except ConnectionError:
        return got
    except OSError:
        return None
    finally:
        c.close()


def keeping(e):
    c = Client(e.port)
    a, b = c.ask("/pkg"), c.ask("/pkg")
    ok(a.status == 200 and b.body == a.body, "a packument is served twice", (a, b))
    ok(e.times(r"asks GET /pkg ") == 1, "and asked for once", e.lines)
    ok(a.headers["vary"] == "Accept, Accept-Encoding" and a.headers["etag"] == '"v1"' and "date" in a.headers, "its headers", a)
    h = c.ask("/pkg", "HEAD")
    ok(h.status == 200 and h.headers["content-length"] == str(len(a.body)), "HEAD has the headers and no body", h)
    ok(c.ask("/pkg").body == a.body, "the connection goes on behind it")
    n = c.ask("/pkg", If_None_Match='"x", W/"v1"')
    ok(n.status == 304 and n.headers["etag"] == '"v1"' and "content-type" not in n.headers, "304 for one of a list, weakly", n)
    ok(c.ask("/pkg", If_None_Match="*").status == 304, "304 for *")
    ok(c.ask("/pkg", If_None_Match='"v2"').status == 200, "200 for another tag")
    ok(c.ask("/%70kg").body == a.body and e.times("asks GET /%70kg") == 0, "another spelling is the same")
    ok(c.ask("/@s/n").status == 200 and c.ask("/@s%2fn").status == 200 and c.ask("/@s%2Fn").status == 200, "scoped names")
    ok(e.times(r"asks GET /@s") == 1, "in three spellings are one question", e.lines)
    g = c.ask("/pkg", Accept_Encoding="gzip, deflate, br, zstd", Accept="application/vnd.npm.install-v1+json; q=1.0, */*")
    ok(g.headers.get("content-encoding") == "gzip" and b'"abbreviated":1,"encoding":1' in g.body, "gzip and abbreviated", g)
    z = c.ask("/pkg", Accept_Encoding="zstd, gzip;q=0.5")
    ok(z.headers.get("content-encoding") == "zstd", "zstd when it is liked better", z)
    e.tell("forget pkg")
    c.ask("/pkg")
    ok(e.times(r"asks GET /pkg abbreviated=0 encoding=0 ") == 2, "what is forgotten is asked for again", e.lines)
    c.ask("/other")
    e.tell("forget")
    c.ask("/other")
    ok(e.times(r"asks GET /other ") == 2, "and when everything is")
    for _ in range(2):
        c.ask("/once")
        c.ask("/brief")
    ok(e.times(r"asks GET /once ") == 2, "what is not to be kept is not kept")
    ok(e.times(r"asks GET /brief ") == 1, "what is kept for a moment is kept")
    time.sleep(0.3)
    c.ask("/brief")
    ok(e.times(r"asks GET /brief ") == 2, "and not for longer")
    ok(c.ask("/gone").status == 404 and c.ask("/gone").status == 404 and e.times("asks GET /gone ") == 1, "an error is kept, too")
    ok(c.ask("/bad").status == 502, "an answer with a broken header is no answer")
    ok(c.ask("/-/ping").body == b"{}\n" and c.ask("/-/gate/ready").status == 200, "ping and readiness")
    ok(c.ask("/-/gate/nothing").status == 404, "what is nothing is 404")
    o = c.ask("/pkg", "OPTIONS")
    ok(o.status == 200 and "GET" in o.headers["allow"], "OPTIONS", o)
    c.close()


def descriptors(pid):
    """How many a process has; 0: it does not show."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def big_ones(e):
    c = Client(e.port)
    for _ in range(2):
        a = c.ask("/big")
        ok(a.status == 200 and a.body == BIG, "a large body is whole")
    ok(c.ask("/big", "HEAD").headers["content-length"] == str(len(BIG)), "HEAD of it")
    r = c.ask("/big", Range="bytes=100-199")
    ok(r.status == 206 and r.body == BIG[100:200] and r.headers["content-range"] == "bytes 100-199/300000", "a part of it", r)
    r = c.ask("/big", Range="bytes=-5")
    ok(r.status == 206 and r.body == BIG[-5:], "its end", r)
    r = c.ask("/big", Range="bytes=299990-400000")
    ok(r.status == 206 and r.body == BIG[299990:], "past its end", r)
    r = c.ask("/big", Range="bytes=300000-")
    ok(r.status == 416 and r.headers["content-range"] == "bytes */300000", "behind its end", r)
    ok(c.ask("/big", Range="bytes=0-1,5-6").status == 200, "several parts are all of it")
    ok(c.ask("/big", Range="bytes=0-1", If_Range='"v1"').status == 206, "If-Range that holds")
    ok(c.ask("/big", Range="bytes=0-1", If_Range='W/"v1"').status == 200, "a weak If-Range does not")
    ok(c.ask("/big", Range="bytes=0-1", If_None_Match='"v1"').status == 304, "304 before 206")
    s = c.ask("/pkg", Range="bytes=1-4")
    ok(s.status == 206 and len(s.body) == 4, "a part of what is in memory", s)
    ok(c.ask("/pkg", Range="bytes=1-4", Accept_Encoding="gzip").status == 200, "no parts of compressed bodies")
    wrong = []

    def many():
        k = Client(e.port)
        wrong.extend(1 for _ in range(20) if k.ask("/big").body != BIG)
        k.close()
    workers = [threading.Thread(target=many) for _ in range(16)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    ok(not wrong, "from sixteen connections at once, too")
    before = descriptors(e.pid)
    for _ in range(20):
        c.send("GET /big HTTP/1.1\r\nHost: gate\r\n\r\n")
    for _ in range(3):
        e.tell("forget big")
    ok(all(c.read().body == BIG for _ in range(20)), "what is forgotten on its way arrives")
    e.tell("forget big")
    ok(descriptors(e.pid) < before or before == 0, "and its file is closed", (before, descriptors(e.pid)))
    c.close()


def together(e):
    got = []

    def one(path, **headers):
        c = Client(e.port)
        got.append(c.ask(path, **headers))
        c.close()

    def all_of(path, *headers):
        got.clear()
        workers = [threading.Thread(target=one, args=(path,), kwargs=h) for h in headers]
        [w.start() for w in workers]
        [w.join() for w in workers]
    all_of("/slow-a", *[{}] * 20)
    ok(len(got) == 20 and all(a.status == 200 for a in got), "twenty wait for one answer")
    ok(e.times(r"asks GET /slow-a ") == 1, "which is asked for once", e.lines[-30:])
    all_of("/slow-once-b", *[{"Authorization": f"Bearer user{i % 2}"} for i in range(6)])
    ok(e.times(r"asks GET /slow-once-b ") == 2, "but not for two users at once", e.said("slow-once-b"))
    gone = [Client(e.port) for _ in range(10)]
    for c in gone:
        c.send("GET /slow-c HTTP/1.1\r\nHost: gate\r\n\r\n")
    time.sleep(0.05)
    [c.close() for c in gone]
    time.sleep(0.6)
    k = Client(e.port)
    ok(k.ask("/slow-c").status == 200, "those who went away left nothing behind")
    k.send("GET /pkg HTTP/1.1\r\nHost: gate\r\n\r\nGET /slow-d HTTP/1.1\r\nHost: gate\r\n\r\nGET /-/ping HTTP/1.1\r\nHost: gate\r\n\r\n")
    three = [k.read(), k.read(), k.read()]
    ok([a.status for a in three] == [200] * 3 and b"slow-d" in three[1].body and three[2].body == b"{}\n", "pipelined requests in order", three)
    k.close()


def artifacts(e):
    c = Client(e.port)
    a = c.ask("/big/-/big-1.0.0.tgz", User_Agent="npm/10 ci/github-actions")
    ok(a.status == 200 and a.body == BIG, "an artifact is served")
    notes = e.said("^serves 7")
    ok(len(notes) == 1 and "agent=npm/10 ci/github-actions" in notes[0], "and noted", notes)
    c.ask("/big/-/big-1.0.0.tgz")
    ok(e.times("^serves 7") == 2 and e.times("asks GET /big/-/") == 1, "each time, though it is kept")
    c.ask("/big/-/big-1.0.0.tgz", "HEAD")
    c.ask("/big/-/big-1.0.0.tgz", If_None_Match='"v1"')
    ok(e.times("^serves 7") == 2, "but not for HEAD and 304")
    c.ask("/big/-/big-1.0.0.tgz", Range="bytes=0-9")
    ok(e.times("^serves 7") == 3, "for a part it is")
    c.ask("/big/-/big-1.0.0.tgz", Range="bytes=400000-")
    ok(e.times("^serves 7") == 3, "for no part it is not")
    r = c.ask("/refused/-/refused-1.0.0.tgz")
    ok(r.status == 503 and "error" in json.loads(r.body), "what cannot be noted is not served", r)
    start = time.time()
    ok(c.ask("/late/-/late-1.0.0.tgz").status == 200 and time.time() - start > 0.25, "what is noted late is served late")
    c.send("GET /late/-/late-1.0.1.tgz HTTP/1.1\r\nHost: gate\r\n\r\n")
    c.close()
    time.sleep(0.5)
    c = Client(e.port)
    ok(c.ask("/pkg").status == 200, "a client that goes before its note comes back hurts nobody")
    c.close()


def bodies(e):
    c = Client(e.port)
    p = c.ask("/pkg", "PUT", b"x" * 200000, Content_Type="application/json", Authorization="Bearer up")
    ok(p.status == 200 and b'"body":200000' in p.body and b'"auth":"Bearer up"' in p.body, "a body is passed on", p)
    ok(c.ask("/-/npm/v1/security/advisories/bulk", "POST", b"{}").status == 200, "POST")
    ok(c.ask("/-/package/pkg/dist-tags/beta", "DELETE").status == 200, "DELETE")
    c.send("PUT /pkg HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    ok(c.f.readline().startswith(b"HTTP/1.1 100") and c.f.readline() == b"\r\n", "100 Continue")
    c.send("abc")
    ok(b'"body":3' in c.read().body, "and what comes then")
    c.close()
    ok(b" 413 " in raw(e.port, "PUT /pkg HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000001\r\n\r\n"), "a body that is too large")
    ok(b" 413 " in raw(e.port, "PUT /pkg HTTP/1.1\r\nHost: gate\r\nContent-Length: 99999999999999999999999\r\n\r\n"), "far too large")
    ok(b" 413 " in raw(e.port, "PUT /pkg HTTP/1.1\r\nHost: gate\r\nContent-Length: 9223372036854775807\r\nExpect: 100-continue\r\n\r\n"),
       "and refused before it comes")


H = "Host: gate\r\n"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: gate\r\n\r\n"
ATTACKS = {
    "both lengths": f"POST /a HTTP/1.1\r\n{H}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "both, the other way round": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "two lengths": f"POST /a HTTP/1.1\r\n{H}Content-Length: 0\r\nContent-Length: 40\r\n\r\n{SMUGGLED}",
    "one length twice": f"POST /a HTTP/1.1\r\n{H}Content-Length: 0\r\nContent-Length: 0\r\n\r\n{SMUGGLED}",
    "a list of lengths": f"POST /a HTTP/1.1\r\n{H}Content-Length: 0, 0\r\n\r\n{SMUGGLED}",
    "a length with a sign": f"POST /a HTTP/1.1\r\n{H}Content-Length: +0\r\n\r\n{SMUGGLED}",
    "a negative length": f"POST /a HTTP/1.1\r\n{H}Content-Length: -1\r\n\r\n{SMUGGLED}",
    "a hexadecimal length": f"POST /a HTTP/1.1\r\n{H}Content-Length: 0x0\r\n\r\n{SMUGGLED}",
    "an empty length": f"POST /a HTTP/1.1\r\n{H}Content-Length: \r\n\r\n{SMUGGLED}",
    "broken chunks": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0x5;\nhello\n0\n\n{SMUGGLED}",
    "chunks by another name": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks and identity": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks with a blank behind": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks and more": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks of GET": f"GET /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks and an empty length": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length:\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks with a vertical tab": f"POST /a HTTP/1.1\r\n{H}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks in HTTP/1.0": f"POST /a HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a blank before the colon": f"POST /a HTTP/1.1\r\n{H}Content-Length : 0\r\n\r\n{SMUGGLED}",
    "a blank in a name": f"GET /a HTTP/1.1\r\n{H}X Y: 0\r\n\r\n{SMUGGLED}",
    "a folded header": f"GET /a HTTP/1.1\r\n{H}X: a\r\n b\r\n\r\n{SMUGGLED}",
    "a name put together by folding": f"POST /a HTTP/1.1\r\n{H}Transfer-Encod: chunked\r\n ing\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "a folded first header": f"GET /a HTTP/1.1\r\n {H}\r\n{SMUGGLED}",
    "lines without CR": f"GET /a HTTP/1.1\nHost: gate\n\n{SMUGGLED}",
    "one line without CR": f"GET /a HTTP/1.1\r\n{H}X: a\nY: b\r\n\r\n{SMUGGLED}",
    "an end without CR": f"GET /a HTTP/1.1\r\n{H}X: a\r\n\n{SMUGGLED}",
    "a bare CR": f"GET /a HTTP/1.1\r\n{H}X: a\rY: b\r\n\r\n{SMUGGLED}",
    "NUL in a value": f"GET /a HTTP/1.1\r\n{H}X: a\0b\r\n\r\n{SMUGGLED}",
    "NUL at the end of a value": f"GET /a HTTP/1.1\r\n{H}X: a\0\r\n\r\n{SMUGGLED}",
    "NUL in a name": f"GET /a HTTP/1.1\r\n{H}X\0Y: a\r\n\r\n{SMUGGLED}",
    "NUL at the beginning of a line": f"GET /a HTTP/1.1\r\n{H}\0X: a\r\n\r\n{SMUGGLED}",
    "a length behind NUL": f"POST /a HTTP/1.1\r\n{H}\0: a\r\nContent-Length: 40\r\n\r\n{SMUGGLED}",
    "NUL in the path": f"GET /a\0b HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "NUL in the method": f"GE\0T /a HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "NUL in the version": f"GET /a HTTP/1.1\0x\r\n{H}\r\n{SMUGGLED}",
    "a header without a name": f"GET /a HTTP/1.1\r\n{H}: a\r\n\r\n{SMUGGLED}",
    "a header without a colon": f"GET /a HTTP/1.1\r\n{H}abc\r\n\r\n{SMUGGLED}",
    "two hosts": f"GET /a HTTP/1.1\r\n{H}Host: other\r\n\r\n{SMUGGLED}",
    "no host": f"GET /a HTTP/1.1\r\n\r\n{SMUGGLED}",
    "two authorizations": f"GET /a HTTP/1.1\r\n{H}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n{SMUGGLED}",
    "a body of GET": f"GET /a HTTP/1.1\r\n{H}Content-Length: 40\r\n\r\n{SMUGGLED}",
    "two blanks in the first line": f"GET  /a HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "a blank in the path": f"GET /a b HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "a blank behind the version": f"GET /a HTTP/1.1 \r\n{H}\r\n{SMUGGLED}",
    "a tab in the first line": f"GET\t/a\tHTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "no version": f"GET /a\r\n{H}\r\n{SMUGGLED}",
    "another version": f"GET /a HTTP/1.7\r\n{H}\r\n{SMUGGLED}",
    "HTTP/2": f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{SMUGGLED}",
    "an absolute address": f"GET http://other/a HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "a fragment": f"GET /a#b HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "bytes that are not ASCII": f"GET /\xe4 HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "an unknown method": f"BREW /a HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "CONNECT": f"CONNECT other:443 HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "TRACE": f"TRACE /a HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "a strange expectation": f"POST /a HTTP/1.1\r\n{H}Content-Length: 1\r\nExpect: wonders\r\n\r\n{SMUGGLED}",
    "a long header": f"GET /a HTTP/1.1\r\n{H}X: {'a' * 100000}\r\n\r\n{SMUGGLED}",
    "many headers": f"GET /a HTTP/1.1\r\n{H}{'a: b' * 1}\r\n{''.join(f'X{i}: y' + chr(13) + chr(10) for i in range(5000))}\r\n{SMUGGLED}",
    "a long path": f"GET /{'a' * 5000} HTTP/1.1\r\n{H}\r\n{SMUGGLED}",
    "a path without end": f"GET /{'a' * 200000}",
    "noise": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 200 + "\r\n\r\n",
}


CHUNKED = f"{H}Transfer-Encoding: chunked\r\n\r\n"
FINE_CHUNKS = {  # what comes, and how long the body is
    "one chunk": ("5\r\nhello\r\n0\r\n\r\n", 5), "two": ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 11), "none": ("0\r\n\r\n", 0),
    "capital letters": ("A\r\n0123456789\r\n0\r\n\r\n", 10), "zeros in front": ("0005\r\nhello\r\n000\r\n\r\n", 5),
    "an extension": ("5;a=b\r\nhello\r\n0;c\r\n\r\n", 5), "a trailer": ("5\r\nhello\r\n0\r\nX: y\r\n\r\n", 5),
    "a length behind": ("5\r\nhello\r\n0\r\nContent-Length: 40\r\n\r\n", 5), "a token behind": ("5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n", 5),
}
BROKEN_CHUNKS = {
    "a CR for an end": "5\rhello\r\n0\r\n\r\n", "a CR behind data": "5\r\nhello\r0\r\n\r\n", "no end of data": "5\r\nhello0\r\n\r\n",
    "more data than said": "5\r\nhello!!0\r\n\r\n", "0x": "0x5\r\nhello\r\n0\r\n\r\n", "a sign": "+5\r\nhello\r\n0\r\n\r\n",
    "a minus": "-5\r\nhello\r\n0\r\n\r\n", "a blank before": " 5\r\nhello\r\n0\r\n\r\n", "a blank behind": "5 \r\nhello\r\n0\r\n\r\n",
    "NUL": "5\0\r\nhello\r\n0\r\n\r\n", "no size": "\r\nhello\r\n0\r\n\r\n", "no number": "g\r\nhello\r\n0\r\n\r\n",
    "a size of 65 bits": "10000000000000005\r\nhello\r\n0\r\n\r\n", "no last end": "5\r\nhello\r\n0\r\nX", "a trailer that is none": "5\r\nhello\r\n0\r\nX y\r\n\r\n",
    "long trailers": f"5\r\nhello\r\n0\r\nX: {'y' * 40000}\r\n\r\n",
}


def in_chunks(data, size):
    return b"".join(b"%x\r\n%b\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size)) + b"0\r\n\r\n"


def status_of(got):
    return int(got.split(b" ", 2)[1]) if got else None


def chunks(e):
    for i, (name, (data, n)) in enumerate(FINE_CHUNKS.items()):
        got = raw(e.port, f"PUT /chunks{i} HTTP/1.1\r\n{CHUNKED}{data}{SMUGGLED}") or b""
        ok(status_of(got) == 200 and f'"body":{n},"auth":""'.encode() in got and got.count(b"HTTP/1.1 ") == 1 and b"Connection: close" in got,
           f"chunks: {name}, and the connection ends", got[:600])
    for i, (name, data) in enumerate(BROKEN_CHUNKS.items()):
        got = raw(e.port, f"PUT /broken{i} HTTP/1.1\r\n{CHUNKED}{data}{SMUGGLED}")
        ok(got is not None and status_of(got) in (None, 400, 413, 431) and got.count(b"HTTP/1.1 ") <= 1, f"refused: chunks with {name}", got and got[:600])
    # libmicrohttpd takes LF for the end of a line of a chunk; whoever is before it may not, so nothing behind it counts
    for i, data in enumerate(("5\nhello\r\n0\r\n\r\n", "5;a\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\n\n", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n", "5\r\nhello\r\n0\n\n")):
        got = raw(e.port, f"PUT /odd{i} HTTP/1.1\r\n{CHUNKED}{data}{SMUGGLED}") or b""
        ok(got.count(b"HTTP/1.1 ") <= 1, "odd chunks end their connection", got[:600])
    ok(not e.said("smuggled|asks PUT /broken", 0.2), "nothing behind them was ever asked for", e.said("smuggled|broken", 0))
    for size in (1, 7, 4096, 65536, 1000000):
        data = BIG * 3 if size > 1 else BIG[:3000]
        got = raw(e.port, f"PUT /pkg HTTP/1.1\r\n{CHUNKED}".encode() + in_chunks(data, size)) or b""
        ok(f'"body":{len(data)},'.encode() in got, f"{len(data)} bytes in chunks of {size}", got[:300])
    most = b"x" * 1000000
    ok(status_of(raw(e.port, f"PUT /pkg HTTP/1.1\r\n{CHUNKED}".encode() + in_chunks(most, 50000))) == 200, "the largest body")
    got = raw(e.port, f"PUT /pkg HTTP/1.1\r\n{CHUNKED}".encode() + in_chunks(most + b"x", 50000))
    ok(status_of(got) == 413 and b"Connection: close" in got and b"too large" in got, "one byte more is 413", got)
    got = raw(e.port, f"PUT /pkg HTTP/1.1\r\n{CHUNKED}".encode() + in_chunks(most * 16, 500000))
    ok(status_of(got) == 413, "so is a body that is far too large", got)
    got = raw(e.port, f"PUT /pkg HTTP/1.1\r\n{CHUNKED}".encode() + in_chunks(most * 20, 500000))
    ok(got == b"", "but not one that does not end", got)
    c = Client(e.port)
    c.send(f"PUT /pkg HTTP/1.1\r\nExpect: 100-continue\r\n{CHUNKED}")
    ok(c.f.readline().startswith(b"HTTP/1.1 100") and c.f.readline() == b"\r\n", "100 Continue before chunks")
    c.send("3\r\nabc\r\n")
    time.sleep(0.05)
    c.send("0\r\n\r\n")
    ok(b'"body":3' in c.read().body and c.closed(), "and what comes then")
    c.close()
    for data, status in ((f"PUT /pkg HTTP/1.1\r\n{H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                         (f"PUT /pkg HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
                         (f"PUT /pkg HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                         (f"PUT /pkg HTTP/1.0\r\n{CHUNKED}", 400), (f"GET /pkg HTTP/1.1\r\n{CHUNKED}", 400),
                         (f"PUT /pkg HTTP/1.1\r\n{H}Transfer-Encoding: gzip\r\n\r\n", 501), (f"PUT /pkg HTTP/1.1\r\n{H}Transfer-Encoding: identity\r\n\r\n", 501)):
        ok(status_of(raw(e.port, data + "5\r\nhello\r\n0\r\n\r\n")) == status, f"{status}: {data.split(chr(13))[0]} {data.split(chr(13))[2].strip()}", raw(e.port, data))
    ok(Client(e.port).ask("/pkg").status == 200, "the face is well")


def attacks(e):
    for name, data in ATTACKS.items():
        got = raw(e.port, data)
        status = got.split(b" ", 2)[1:2] if got else [b"-"]
        # libmicrohttpd says it twice when it finds a broken length itself, and then closes
        answers = 2 if "length" in name and b"wrong value" in (got or b"") else 1
        ok(got is not None and got.count(b"HTTP/1.1 ") <= answers and (not got or status[0][:1] in b"45"), f"refused: {name}",
           got if got is None else got[:600])
    ok(not e.said("smuggled", 0.2), "and nothing of what came behind was ever asked for", e.said("smuggled", 0))
    c = Client(e.port)
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/a/%00", "/..%2f..%2fx", "//", "/-/../x", "/a%0d%0ab"):
        a = c.ask(path)
        ok(a.status == 404 and not e.said(re.escape(path), 0.02), f"nothing is at {path}", a)
    ok(c.ask("/-/v1/search?" + "a=b&" * 900).status == 200 and e.said("search.a=b&a=b"), "many arguments are one query")
    ok(c.ask("/pkg").status == 200, "the face is well")
    c.close()


def slow_ones():
    with Engine("--idle", "1", "--per-address", "8") as e:
        quiet, trickling = Client(e.port), Client(e.port)
        trickling.send("GET /pkg HTTP/1.1\r\nHost: gate\r\n")
        start = time.time()
        ok(quiet.closed(5) and time.time() - start < 4, "who says nothing is sent away")
        end = start + 25
        try:
            while time.time() < end:
                trickling.send("X: y\r\n")
                time.sleep(0.4)
        except OSError:
            pass
        ok(time.time() < end, "and who says little, too", time.time() - start)
        trickling = Client(e.port)
        trickling.send(f"PUT /pkg HTTP/1.1\r\n{CHUNKED}")
        start = time.time()
        end = start + 25
        try:
            while time.time() < end:
                trickling.send("1\r\nx\r\n")
                time.sleep(0.4)
        except OSError:
            pass
        ok(time.time() < end, "also in chunks", time.time() - start)
        some = [Client(e.port) for _ in range(12)]
        refused = sum(c.closed(0.3) for c in some)
        ok(refused >= 4, "one address has so many connections", refused)
        [c.close() for c in some]


def tokens():
    with Engine("--token", f"ci:{sha(TOKEN)}", "--token", f"root:{sha(ADMIN)}:admin") as e:
        c = Client(e.port)
        a = c.ask("/a", Authorization=f"Bearer {TOKEN}")
        ok(a.status == 200 and b'"auth":""' in a.body, "a token of the gate is not passed on", a)
        ok(e.said("asks GET /a .*token=ci "), "but its name is told", e.lines)
        basic = base64.b64encode(f"somebody:{TOKEN}".encode()).decode()
        c.ask("/b", Authorization=f"Basic {basic}")
        ok(e.said("asks GET /b .*token=ci "), "also as a password", e.lines)
        w = c.ask("/once-c", Authorization="Bearer wrong")
        ok(w.status == 200 and b'"auth":"Bearer wrong"' in w.body and e.said("asks GET /once-c .*token= "), "another one is passed on", w)
        ok(c.ask("/-/gate/metrics", Authorization=f"Bearer {TOKEN}").status == 401, "metrics are not for everybody")
        ok(c.ask("/-/gate/metrics", Authorization=f"Bearer {ADMIN}").status == 200 and e.said("metrics .*admin=1"), "but for administrators")
        got = [b""] * 2

        def whoami(i, token):
            k = Client(e.port)
            got[i] = k.ask("/-/whoami?slow-once", Authorization=f"Bearer {token}").body
            k.close()
        two = [threading.Thread(target=whoami, args=(i, t)) for i, t in enumerate((TOKEN, ADMIN))]
        [t.start() for t in two]
        [t.join() for t in two]
        ok(e.times("asks GET /-/whoami") == 2, "who they are, two learn each for itself", e.said("whoami"))
        e.tell("closed 1")
        d = c.ask("/a")
        ok(d.status == 401 and "www-authenticate" in d.headers and "error" in json.loads(d.body), "closed: 401", d)
        ok(c.ask("/a", Authorization="Bearer wrong").status == 401, "also with a wrong token")
        got = raw(e.port, f"PUT /a HTTP/1.1\r\n{CHUNKED}5\r\nhello\r\n0\r\n\r\n")
        ok(status_of(got) == 401 and b"WWW-Authenticate: Bearer" in got and b"Connection: close" in got, "and to chunks", got)
        ok(c.ask("/a", Authorization=f"Bearer {TOKEN}").status == 200, "not with a right one")
        ok(c.ask("/-/ping").status == 200 and c.ask("/-/gate/ready").status == 200, "ping and readiness are open")
        c.close()


def rates():
    with Engine("--rate", "5", "--burst", "3", "--token", f"ci:{sha(TOKEN)}", "--proxies", "127.0.0.1") as e:
        c = Client(e.port)
        got = [c.ask("/a").status for _ in range(6)]
        ok(got[:3] == [200] * 3 and 429 in got, "a rate is kept", got)
        r = [a for a in (c.ask("/a") for _ in range(5)) if a.status == 429]
        ok(r and r[0].headers["retry-after"] == "1" and "error" in json.loads(r[0].body), "and said how", r)
        ok(c.ask("/a", Authorization=f"Bearer {TOKEN}").status == 200, "tokens have their own")
        ok(c.ask("/fwd", X_Forwarded_For="198.51.100.7, 127.0.0.1").status == 200, "and other addresses")
        ok(e.said("asks GET /fwd .*address=198.51.100.7 "), "as a proxy says", e.lines)
        six = [c.ask("/a", X_Forwarded_For=f"2001:db8::{i}").status for i in range(5)]
        ok(429 in six, "one network is one address", six)
        ok(c.ask("/-/ping").status == 200, "ping is free")
        time.sleep(0.3)
        ok(c.ask("/a").status == 200, "after a while it goes on")
        c.close()


def certificate(directory):
    cert, key = os.path.join(directory, "c.pem"), os.path.join(directory, "k.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return cert, key


def over_tls(directory):
    cert, key = certificate(directory)
    context = ssl.create_default_context(cafile=cert)
    with Engine("--cert", cert, "--key", key) as e:
        c = Client(e.port, tls=context)
        ok(c.s.version() in ("TLSv1.2", "TLSv1.3"), "TLS", c.s.version())
        ok(c.ask("/pkg").status == 200 and c.ask("/pkg").status == 200, "the same over TLS")
        ok(c.ask("/big").body == BIG and c.ask("/big", Range="bytes=5-9").body == BIG[5:10], "a file over TLS")
        ok(c.ask("/slow-a").status == 200, "a question over TLS")
        c.close()
        old = ssl.DER_cert_to_PEM_cert(Client(e.port, tls=context).s.getpeercert(True))
        busy = Client(e.port, tls=context)
        busy.send("GET /slow-b HTTP/1.1\r\nHost: gate\r\n\r\n")
        time.sleep(0.1)
        certificate(directory)
        e.tell("config")
        new = Client(e.port, tls=ssl.create_default_context(cafile=cert))
        ok(ssl.DER_cert_to_PEM_cert(new.s.getpeercert(True)) != old and new.ask("/pkg").status == 200, "a new certificate")
        ok(busy.read().status == 200 and busy.ask("/pkg").status == 200, "hurts nobody who is connected")
        [x.close() for x in (busy, new)]
        time.sleep(3.5)
        ok(len(os.listdir(f"/proc/{e.pid}/task")) <= max(os.cpu_count(), 2) + 4, "and leaves nothing behind",
           os.listdir(f"/proc/{e.pid}/task"))
        ok(raw(e.port, "GET /pkg HTTP/1.1\r\nHost: gate\r\n\r\n") is not None, "plain text is not answered there")


def logging(directory):
    log = os.path.join(directory, "access.log")
    with Engine("--log", log) as e:
        c = Client(e.port)
        c.ask("/pkg", User_Agent='npm/10 "\\x')
        c.ask("/pkg")
        c.ask("/-/ping")
        c.ask("/nothing/at/all/here")
        time.sleep(2.3)
        lines = [json.loads(x) for x in open(log)]
        ok(len(lines) == 4, "a line for each request", lines)
        first = lines[0]
        ok(first["address"] == "127.0.0.1" and first["method"] == "GET" and first["path"] == "/pkg" and first["status"] == 200
           and first["from"] == "asked" and first["agent"] == 'npm/10 "\\x' and first["bytes"] > 50 and first["ms"] >= 0
           and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", first["time"]), "what it says", first)
        ok([x["from"] for x in lines] == ["asked", "kept", "front", "front"] and lines[3]["status"] == 404, "and the others", lines)
        counts = e.said("counts requests=4 kept=1", 2)
        ok(counts and "open=1" in counts[-1], "the gate knows the counters", e.lines[-3:])
        c.send("GET / HTTP/1.1\r\nX\r\n\r\n")
        c.read()
        c.close()
        ok(e.said("malformed=1", 2.5), "and what was malformed", e.lines[-3:])


def draining():
    with Engine() as e:
        idle, busy = Client(e.port), Client(e.port)
        idle.ask("/pkg")
        busy.send("GET /slow-x HTTP/1.1\r\nHost: gate\r\n\r\n")
        time.sleep(0.1)
        e.tell("drain 10")
        ok(busy.read().status == 200, "what is under way is finished")
        ok(idle.closed() and busy.closed(), "what waits is closed")
        try:
            socket.create_connection(("127.0.0.1", e.port), timeout=1).close()
            ok(False, "no new connections")
        except OSError:
            ok(True, "no new connections")
        ok(e.said("^gone", 3), "and the face is gone", e.lines[-3:])
    with Engine() as e:
        c = Client(e.port)
        c.send("GET /never HTTP/1.1\r\nHost: gate\r\n\r\n")
        time.sleep(0.1)
        start = time.time()
        e.tell("drain 1")
        ok(e.said("^gone", 4) and time.time() - start < 3, "it does not wait for longer than it is told")


def bounds():
    with Engine("--keep-max", "2000000") as e:
        c = Client(e.port)
        for i in range(2000):
            c.ask(f"/p{i}-k35")
        size, all_of_it = (int(re.search(rf"{x}:\s+(\d+)", open(f"/proc/{e.pid}/status").read())[1]) for x in ("VmRSS", "VmSize"))
        ok(size < 60000 or all_of_it > 1 << 30, "kept answers stay within their memory", size)
        c.ask("/p1999-k35")
        ok(e.times("asks GET /p1999-k35 ") == 1, "and the newest is still there")
        c.close()


def main():
    with tempfile.TemporaryDirectory() as directory:
        with Engine("--body-max", "1000000") as e:
            for part in (keeping, big_ones, together, artifacts, bodies, chunks, attacks):
                part(e)
            ok(e.p.poll() is None and not e.said("^gone", 0), "the role lives")
        slow_ones()
        tokens()
        rates()
        over_tls(directory)
        logging(directory)
        draining()
        bounds()
    done()


main()
