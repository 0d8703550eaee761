"""qanat intel update: feeds over the network.  Nothing is asked twice, what was cut goes on, and whatever servers do the index
stays what it was until all of the new is there."""
import hashlib
import http.server
import io
import json
import os
import random
import signal
import ssl
import subprocess
import threading
import time
import zipfile

from tap import QANAT, Run, done, ok, put, scratch

PIECE = 16 << 20  # what qanat asks for at a time


def record(n, modified="2025-01-01T00:00:00Z", name=None, versions=("1.0.0",), **more):
    return {"id": f"MAL-2025-{n}", "modified": modified, "details": more.pop("details", ""),
            "affected": [{"package": {"ecosystem": "npm", "name": name or f"bad-{n}"}, "versions": list(versions)}], **more}


class Server:
    """What OSV's bucket looks like: all.zip, modified_id.csv, <id>.json, with etags and ranges; moods spoil it."""

    def __init__(self, cert=None):
        self.records, self.hits, self.mood, self.extra, self.served = {}, [], "", {}, 0
        self.filler = b""
        s = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def do_GET(self):
                s.hits.append((self.path, self.headers.get("Range"), self.headers.get("If-None-Match"), self.headers.get("Authorization")))
                body = s.body(self.path)
                if s.mood == "broken":
                    return self.reply(503, b"no")
                if s.mood == "to-file":
                    return self.reply(302, b"", {"Location": "file:///etc/passwd"})
                if s.mood == "slow":
                    time.sleep(20)
                if body is None:
                    return self.reply(404, b"")
                self.give(body)

            def give(self, body):
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                span, more = self.headers.get("Range"), {"ETag": etag}
                if s.mood == "weak":
                    more = {"ETag": "W/" + etag}
                more.update(s.extra.get(self.path, {}))
                if self.headers.get("If-None-Match") == etag:
                    return self.reply(304, b"", more)
                if not span or s.mood == "whole":
                    return self.reply(200, body, more)
                begin, end = (int(x) for x in span[len("bytes="):].split("-"))
                if begin >= len(body):
                    return self.reply(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                part = body[begin:end + 1]
                more["Content-Range"] = f"bytes {begin}-{begin + len(part) - 1}/{len(body)}"
                if s.mood == "other-part":
                    more["Content-Range"] = f"bytes {begin + 1}-{begin + len(part)}/{len(body)}"
                self.reply(206, part, more)

            def reply(self, code, body, headers=()):
                if s.mood == "cut-late" and len(body) > 1000 and s.served >= 1:
                    self.send_response(code)
                    for k, v in dict(headers).items():
                        self.send_header(k, v)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[: len(body) // 2])
                    self.close_connection = True
                    return
                s.served += len(body) > 1000
                self.send_response(code)
                for k, v in dict(headers).items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *a):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http{'s' if cert else ''}://127.0.0.1:{self.server.server_port}"

    def body(self, path):
        name = path.lstrip("/").split("?")[0]
        if name == "all.zip":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as z:
                for i, r in self.records.items():
                    z.writestr(zipfile.ZipInfo(f"{i}.json", (2025, 1, 1, 0, 0, 0)), json.dumps(r))
                if self.filler:
                    z.writestr(zipfile.ZipInfo("filler.bin", (2025, 1, 1, 0, 0, 0)), self.filler)
            return out.getvalue()
        if name == "modified_id.csv":
            rows = sorted(((r["modified"], i) for i, r in self.records.items()), reverse=True)
            return "".join(f"{m},{i}\n" for m, i in rows).encode()
        if name.endswith(".json") and name[:-5] in self.records:
            return json.dumps(self.records[name[:-5]]).encode()
        return self.extra_bodies.get(path)

    extra_bodies = {}

    def add(self, *records):
        self.records.update({r["id"]: r for r in records})

    def paths(self):
        seen, self.hits = [h[0] for h in self.hits], []
        return seen


def sources(d, server, name="sources.yaml", kind="osv", more=""):
    text = f"sources:\n  - name: feed\n    kind: {kind}\n    url: {server.url}/all.zip\n"
    if kind == "osv":
        text += f"    changes: {server.url}/modified_id.csv\n    record: {server.url}/{{id}}.json\n"
    return put(f"{d}/{name}", text + more)


class Qanat:
    def __init__(self, d, conf, env=None):
        self.d, self.conf = d, conf
        self.env = {"npm_config_fetch_retries": "0", "HOME": d, **(env or {})}
        self.common = ["--state", f"{d}/state", "--cache", f"{d}/cache"]

    def run(self, *args, **kw):
        return Run("intel", args[0], *self.common, *args[1:], env=self.env, **kw)

    def update(self, *more):
        return self.run("update", "--sources", self.conf, *more)

    def knows(self, what):
        return self.run("lookup", what).code == 1


def increments(d):
    s = Server()
    s.add(record(1), record(2))
    q = Qanat(d, sources(d, s))
    r = q.update()
    ok(r.code == 0 and q.knows("bad-1@1.0.0") and q.knows("bad-2@1.0.0"), "the first update takes everything", r)
    ok(s.paths() == ["/modified_id.csv", "/all.zip"], "…with the list of changes first")
    r = q.update()
    ok(r.code == 0 and b"nothing new" in r.out, "the second says that there is nothing new", r)
    ok(s.hits[0][2] and s.paths() == ["/modified_id.csv"], "…because the server says so (If-None-Match)")
    s.add(record(3, "2025-02-01T00:00:00Z"), record(2, "2025-02-02T00:00:00.123456Z", versions=["2.0.0"]))
    r = q.update()
    ok(r.code == 0 and q.knows("bad-3@1.0.0") and q.knows("bad-2@2.0.0") and not q.knows("bad-2@1.0.0"), "what changed is taken over", r)
    seen = s.paths()
    ok("/all.zip" not in seen and set(seen) >= {"/modified_id.csv", "/MAL-2025-2.json", "/MAL-2025-3.json"},
       "…one by one (and what is as old as the newest that was known)", seen)
    ok(q.run("diff").out.count(b"MAL-2025-") == 2, "diff tells the two", q.run("diff"))
    s.add(record(2, "2025-03-01T00:00:00Z", versions=["2.0.0"], withdrawn="2025-03-01T00:00:00Z"))
    r = q.update()
    ok(r.code == 0 and not q.knows("bad-2@2.0.0"), "what is withdrawn does not count any more", r)
    ok(b"withdrawn  MAL-2025-2" in q.run("diff").out, "…and diff says so", q.run("diff"))
    s.add(record(4, "2025-03-02T00:00:00Z"))
    s.extra_bodies = {}
    real = s.body
    s.body = lambda p: None if p == "/MAL-2025-4.json" else real(p)
    r = q.update()
    ok(r.code == 0 and not q.knows("bad-4@1.0.0"), "a record that is gone again is passed over", r)
    s.body = real
    s.paths()
    r = q.update()
    ok("/MAL-2025-1.json" not in s.paths(), "what is older is not asked for again")
    r = q.update("--whole")
    ok(r.code == 0 and "/all.zip" in s.paths() and q.knows("bad-4@1.0.0"), "--whole takes everything again", r)


def failures(d):
    s = Server()
    s.add(record(1))
    q = Qanat(d, sources(d, s))
    q.update()
    s.add(record(2, "2025-02-01T00:00:00Z"))
    for mood, word in (("broken", b"503"), ("broken", b"not updated"), ("to-file", b"redirected"), ("other-part", b"makes no sense")):
        s.mood = mood
        r = q.update("--whole")
        ok(r.code == 2 and word in r.err and q.knows("bad-1@1.0.0") and not q.knows("bad-2@1.0.0"), f"{mood}: named, and the old index stays", r)
    s.mood = ""
    real = s.body
    for name, data in (("no archive", b"PK\3\4 not really"), ("half an archive", real("/all.zip")[:-40]), ("nothing", b"")):
        s.body = lambda p, data=data: data if p == "/all.zip" else real(p)
        r = q.update("--whole")
        ok(r.code == 2 and b"not updated" in r.err and q.knows("bad-1@1.0.0"), f"{name}: named, and the old index stays", r)
    s.body = lambda p: b"<html>maintenance</html>" if p == "/modified_id.csv" else real(p)
    r = q.update()
    ok(r.code == 2 and b"list of changed records" in r.err, "a list of changes that is none", r)
    s.body = real
    slow = Qanat(d, q.conf, {"npm_config_fetch_timeout": "1500"})
    s.mood = "slow"
    r = slow.update()
    ok(r.code == 2 and (b"in time" in r.err or b"slowly" in r.err), "a server that does not answer", r)
    s.mood = ""
    ok(q.update().code == 0 and q.knows("bad-2@1.0.0"), "the next update makes up for it")
    r = Run("intel", "update", "nosuch", *q.common, "--sources", q.conf, env=q.env)
    ok(r.code == 2 and b"no source is named" in r.err, "a source that is not configured", r)
    for text, word in (("sources: 1\n", b"list"), ("sources:\n  - name: x\n    kind: osv\n    url: file:///x\n", b"http"), ("a: [", b""),
                       ("sources:\n  - name: x\n    kind: what\n    url: y\n", b"kind"), ("sources:\n  - name: own\n    kind: list\n    url: y\n", b"own")):
        r = Run("intel", "update", *q.common, "--sources", put(f"{d}/wrong.yaml", text), env=q.env)
        ok(r.code == 2 and b"wrong.yaml" in r.err and word in r.err, f"sources that are wrong: {text[:20]!r}", r)


def certificates(d):
    def make(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=d)
    make("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1")
    s = Server((f"{d}/c.pem", f"{d}/k.pem"))
    s.add(record(1))
    conf = sources(d, s)
    r = Qanat(d, conf).update()
    ok(r.code == 2 and b"certificate is not trusted" in r.err, "a certificate that nobody vouches for", r)
    q = Qanat(d, conf, {"npm_config_cafile": f"{d}/c.pem"})
    r = q.update()
    ok(r.code == 0 and q.knows("bad-1@1.0.0"), "…and one that npm's cafile vouches for", r)


def resumes(d):
    s = Server()
    s.add(record(1))
    s.filler = random.Random(1).randbytes(3 * PIECE)
    q = Qanat(d, sources(d, s))
    s.mood = "cut-late"
    r = q.update()
    ok(r.code == 2 and b"cut" in r.err, "a download that is cut fails", r)
    s.mood = ""
    s.hits = []
    r = q.update()
    first = next(h[1] for h in s.hits if h[0] == "/all.zip")
    ok(r.code == 0 and first == f"bytes={PIECE}-{2 * PIECE - 1}" and q.knows("bad-1@1.0.0"), "the next goes on where it stopped", (r, first))
    ok(not [f for f in os.listdir(f"{d}/cache/intel")], "nothing is left over", os.listdir(f"{d}/cache/intel"))
    s.mood, s.served = "cut-late", 0
    q.update("--whole")
    s.add(record(2, "2025-02-02T00:00:00Z"))
    s.mood = ""
    r = q.update("--whole")
    ok(r.code == 0 and q.knows("bad-2@1.0.0"), "what became another in between is fetched anew", r)
    for mood in ("weak", "whole"):
        s.mood = mood
        s.add(record(3 + len(mood), "2025-03-02T00:00:00Z"))
        r = q.update("--whole")
        ok(r.code == 0 and q.knows(f"bad-{3 + len(mood)}@1.0.0"), f"a server that knows no pieces ({mood})", r)


def kills(d):
    s = Server()
    s.add(*(record(i, f"2025-01-{i % 28 + 1:02d}T00:00:00Z") for i in range(60)))
    q = Qanat(d, sources(d, s))
    q.update()
    rng, seen = random.Random(7), set()
    for round_ in range(200):
        versions = [f"{round_ + 2}.0.0"]
        s.add(*(record(i, f"2026-01-01T{round_ // 60:02d}:{round_ % 60:02d}:00Z", versions=versions) for i in range(60)))
        p = subprocess.Popen([QANAT, "intel", "update", *q.common, "--sources", q.conf], env={**os.environ, **q.env},
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while p.poll() is None and rng.random() < 0.9:
            time.sleep(rng.random() * 0.02)
        p.send_signal(signal.SIGKILL)
        p.wait()
        r = q.run("lookup", "--format", "json", "bad-7", "bad-50")
        found = {tuple(sorted(v for m in json.loads(line)["matches"] for v in [m["id"]])) for line in r.out.splitlines()}
        shown = [json.loads(q.run("show", f"MAL-2025-{i}").out)["affected"][0]["versions"] for i in (7, 50)]
        seen.add(shown[0] == versions)
        if not ok(r.code == 1 and len(found) == 2 and shown[0] == shown[1], f"killed at a random moment {round_ + 1}: old or new, never half", (r, shown)):
            break
    r = q.update()
    ok(r.code == 0 and q.knows("bad-7@201.0.0"), "and the next update is complete", r)


def readers(d):
    s = Server()
    q = Qanat(d, sources(d, s))
    s.add(record(1, versions=["1.0.0"]), record(2, versions=["1.0.0"]))
    q.update()
    halves, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            r = q.run("lookup", "--format", "json", "bad-1@1.0.0", "bad-2@1.0.0")
            found = [bool(json.loads(line)["matches"]) for line in r.out.splitlines()]
            if len(found) != 2 or found[0] != found[1]:
                halves.append(r)
    threads = [threading.Thread(target=read) for _ in range(2)]
    for t in threads:
        t.start()
    for i in range(12):
        v = ["1.0.0"] if i % 2 else ["2.0.0"]
        s.add(record(1, f"2025-02-{i + 1:02d}T00:00:00Z", versions=v), record(2, f"2025-02-{i + 1:02d}T00:00:00Z", versions=v))
        q.update()
    stop.set()
    for t in threads:
        t.join()
    ok(not halves, "readers during updates see old or new", halves)


def other_kinds(d):
    s = Server()
    pages = [[{"ghsa_id": f"GHSA-p{p}-{i}", "type": "malware", "summary": "x", "severity": "critical", "updated_at": f"2025-01-0{p + 1}T00:00:00Z",
               "published_at": "2025-01-01T00:00:00Z", "vulnerabilities": [{"package": {"ecosystem": "npm", "name": f"adv-{p}-{i}"},
                                                                           "vulnerable_version_range": ">= 1.0.0, < 1.2.0"}]} for i in range(3)] for p in range(3)]
    s.extra_bodies = {f"/advisories?page={p}": json.dumps(page).encode() for p, page in enumerate(pages)}
    s.extra_bodies["/advisories?since=2010-01-01T00:00:00Z"] = s.extra_bodies["/advisories?page=0"]
    s.extra_bodies["/advisories?since=2025-01-03T00:00:00Z"] = s.extra_bodies["/advisories?page=2"]
    nexts = ["/advisories?since=2010-01-01T00:00:00Z", "/advisories?page=1"]
    for p, path in enumerate(nexts):
        s.extra[path] = {"Link": f'<{s.url}/advisories?page={p + 1}>; rel="next", <{s.url}/advisories?page=2>; rel="last"'}
    conf = put(f"{d}/adv.yaml", f"sources:\n  - {{name: adv, kind: advisories, url: '{s.url}/advisories?since={{since}}', token: MY_TOKEN}}\n")
    q = Qanat(d, conf, {"MY_TOKEN": "secret"})
    r = q.update()
    ok(r.code == 0 and all(q.knows(f"adv-{p}-1@1.1.0") and not q.knows(f"adv-{p}-1@1.2.0") for p in range(3)), "pages of advisories, to the last", r)
    ok({h[3] for h in s.hits} == {"Bearer secret"} and b"secret" not in r.out + r.err, "the token goes to the server and nowhere else")
    s.hits = []
    r = q.update()
    ok(r.code == 0 and s.paths() == ["/advisories?since=2025-01-03T00:00:00Z"], "the next update asks for what came since", r)
    s.extra["/advisories?since=2025-01-03T00:00:00Z"] = {"Link": '<http://elsewhere.invalid/x>; rel="next"'}
    ok(q.update().code == 0 and len(s.paths()) == 1, "a next page at another server is not asked")
    s.extra_bodies["/list.csv"] = b"package,versions\nlisted,1.0.0\n"
    conf = put(f"{d}/list.yaml", f"sources:\n  - {{name: lst, kind: list, url: '{s.url}/list.csv'}}\n  - {{name: off, kind: list, url: '{s.url}/none', enabled: false}}\n")
    q = Qanat(d, conf)
    r = q.update()
    ok(r.code == 0 and q.knows("listed@1.0.0"), "a list", r)
    ok(b"nothing new" in q.update().out, "…with its etag")
    r = q.update("off")
    ok(r.code == 2 and b"404" in r.err, "a source that is off is updated when it is named", r)
    r = q.update("lst", "--from", put(f"{d}/other.csv", "package,versions\nlisted-2,1.0.0\nlisted-3,1.0.0\n"))
    ok(r.code == 0 and q.knows("listed-2@1.0.0") and not q.knows("listed@1.0.0"), "a source from a file", r)
    r = q.update("lst", "--from", put(f"{d}/allow.yaml", "- allow: listed-2\n  reason: because\n"))
    ok(r.code == 2 and q.knows("listed-2@1.0.0"), "nobody else's list permits anything", r)
    put(f"{d}/tree/npm/x/MAL-2025-77.json", json.dumps(record(77)))
    q.conf = put(f"{d}/tree.yaml", f"sources:\n  - {{name: checkout, kind: records, url: {d}/tree}}\n")
    r = q.update()
    ok(r.code == 0 and q.knows("bad-77@1.0.0"), "a checkout of a repository", r)


def main():
    for test in (increments, failures, certificates, resumes, kills, readers, other_kinds):
        with scratch() as d:
            test(d)
    done()


main()
