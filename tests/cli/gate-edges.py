"""qanat gate where two things happen at once, or where somebody relies on its edges: what is blocked meanwhile, names of the
organisation's own, secrets, a store that is locked, files that are damaged, a service file that changes."""
import contextlib
import datetime
import gzip
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from gatelib import ALLOW_YOUNG, PATIENCE, RULE, THIEF, Gate, Receiver, Upstream, ask, free_port, name_of, parent_is, sri, stopped, wait_for
from tap import QANAT, Run, done, ok, package, put, scratch, tgz_of

SHORT = {"accept": "application/vnd.npm.install-v1+json"}


def block(g, spec, **options):
    extra = [x for k, v in options.items() for x in (f"--{k}", v)]
    r = Run("intel", "block", spec, "--reason", "stolen in a test", "--owner", "tests@example.invalid", "--state", g.state, *extra)
    assert r.code == 0, r


class Later:
    """A request that is under way."""

    def __init__(self, work):
        self.reply = None
        self.thread = threading.Thread(target=lambda: setattr(self, "reply", work()))
        self.thread.start()

    def get(self):
        self.thread.join()
        return self.reply


def blocked_meanwhile(up, g):
    for v in ("1.0.0", "1.0.1"):
        up.add("meanwhile", v)
    ok(len(g.ask("/meanwhile").json["versions"]) == 2, "both versions are offered", "")
    with stopped(g.roles()):
        late = Later(lambda: g.ask("/meanwhile", headers=SHORT))
        late2 = Later(lambda: g.ask("/meanwhile/1.0.1"))
        time.sleep(0.5)
        block(g, "meanwhile@1.0.1")
        g.reload()
    r = late.get()
    ok(r.status == 200 and list(r.json["versions"]) == ["1.0.0"], "what is blocked while a document is made is not in it", r)
    ok(late2.get().status == 403, "nor is its manifest", late2.get())
    r = g.ask("/meanwhile", headers=SHORT)
    ok(list(r.json["versions"]) == ["1.0.0"], "and no older answer is kept", r)
    up.add("fetching")
    up.mood["fetching/-/fetching-1.0.0.tgz"] = "slow"
    ok(g.ask("/fetching").status == 200, "a document", "")
    late = Later(lambda: g.ask("/fetching/-/fetching-1.0.0.tgz"))
    time.sleep(1)
    block(g, "fetching@1.0.0")
    g.reload()
    r = late.get()
    ok(r.status == 403 and "stolen in a test" in r.json["error"], "what is blocked while it is fetched is not served", r)
    ok(g.ask("/fetching/-/fetching-1.0.0.tgz").status == 403, "nor kept", "")
    up.add("kept")
    ok(g.ask("/kept/-/kept-1.0.0.tgz").status == 200 and g.ask("/kept/-/kept-1.0.0.tgz").status == 200, "what the face keeps", "")
    block(g, "kept@1.0.0")
    g.reload()
    ok(g.ask("/kept/-/kept-1.0.0.tgz").status == 403, "is forgotten when it is blocked", "")


def ends(up, g):
    """An entry of the own list that ends."""
    for v in ("1.0.0", "1.0.1"):
        up.add("ending", v)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
    block(g, "ending@1.0.1", expires=until.strftime("%Y-%m-%dT%H:%M:%SZ"))
    g.reload()
    ok(list(g.ask("/ending").json["versions"]) == ["1.0.0"] and g.ask("/ending/-/ending-1.0.1.tgz").status == 403, "blocked for some seconds", "")
    time.sleep(5)
    ok(len(g.ask("/ending").json["versions"]) == 2 and g.ask("/ending/-/ending-1.0.1.tgz").status == 200, "and then no longer", g.ask("/ending"))


def hooks(up, g):
    """One release after the other, as thieves publish."""
    for v, day, hook in (("1.0.0", "2020-01-01", 0), ("1.0.1", "2026-03-01", 1), ("1.0.2", "2026-03-02", 1), ("1.1.0", "2026-06-01", 1),
                         ("0.9.0", "2020-01-01", 0), ("0.9.1", "2026-03-02", 1), ("2.0.0-beta.1", "2026-06-02", 0), ("2.0.0-beta.2", "2026-06-03", 1),
                         ("2.0.0", "2026-06-04", 1)):
        up.times["hooked", v] = f"{day}T00:00:00.000Z"
        more = {"scripts": {"postinstall": "node x.js"}, "hasInstallScript": True} if hook else {}
        up.more.setdefault("hooked", {})[v] = more
        up.packages.setdefault("hooked", {})[v] = tgz_of({"package.json": package("hooked", v, **({"scripts": more["scripts"]} if hook else {})),
                                                         "x.js": "console.log('hello');\n"})
    r = g.ask("/hooked")
    ok(sorted(r.json["versions"]) == ["0.9.0", "1.0.0", "1.1.0", "2.0.0-beta.1"],
       "new install scripts stay new: in the next release, behind a beta, on an old line", sorted(r.json["versions"]))
    for v, day, hook in (("1.9.0", "2020-01-01", 0), ("1.9.1", "2024-06-01", 1), ("2.0.0", "2020-02-01", 1), ("2.1.0", "2021-02-01", 1)):
        up.times["lines", v] = f"{day}T00:00:00.000Z"
        up.more.setdefault("lines", {})[v] = {"scripts": {"postinstall": "node x.js"}} if hook else {}
        up.packages.setdefault("lines", {})[v] = b"x"
    r = g.ask("/lines")
    ok(sorted(r.json["versions"]) == ["1.9.0", "2.1.0"], "but not because an older line got them later", sorted(r.json["versions"]))


def gone(d, up):
    """What the registry takes back, and what it says when it is ill."""
    service = "listen: ['127.0.0.1:%d']\ncache: { fresh: 1s }\nupstreams: [{ name: main, url: '%s/' }]\n"
    up.add("removed")
    up.add("healthy")
    g = Gate(d, service=service % (free_port(), up.url))
    ok(g.ask("/removed").status == 200 and g.ask("/healthy").status == 200, "they are there", "")
    kept = up.packages.pop("removed")
    up.mood["healthy"] = lambda h: h.send(200, b"<html>log in</html>", "text/html")
    time.sleep(1.5)
    ok(g.ask("/removed").status == 404, "what the registry has no more is 404", "")
    r = g.ask("/healthy")
    ok(r.status == 200 and "110" in r.headers["warning"], "what it says while it is ill is not believed", r)
    up.down = True
    g.stop()
    g.start()
    r = g.ask("/removed")
    ok(r.status in (502, 504), "what was taken back does not come back when the registry is away", r)
    ok(g.ask("/healthy").status == 200, "and the last good document is still there", g.ask("/healthy"))
    up.down = False
    up.mood.pop("healthy")
    up.packages["removed"] = kept
    up.add("damaged")
    body = g.ask("/damaged/-/damaged-1.0.0.tgz").body
    g.stop()
    for where, _, files in os.walk(f"{g.cache}/gate/tarballs"):
        for f in files:
            with open(f"{where}/{f}", "r+b") as x:
                x.seek(20)
                x.write(b"\0\0\0")
    g.start()
    r = g.ask("/damaged/-/damaged-1.0.0.tgz")
    ok(r.status == 200 and r.body == body == up.packages["damaged"]["1.0.0"], "a damaged file of the cache is not served", r.status)
    ok(b"damaged" in g.log(True) and up.hits.count("damaged/-/damaged-1.0.0.tgz") == 2, "it is fetched again", "")
    g.stop()


def own_names(d, up):
    """Dependency confusion."""
    inside, secret = Upstream(), "a-secret-of-the-inside"
    inside.add("@acme/web", "1.0.0")
    up.add("@acme/web", "99.0.0")
    up.add("acme-tool", "99.0.0")
    inside.add("acme-tool", "1.0.0")
    up.add("foreign", "1.0.0")
    evil = Upstream()
    evil.add("foreign", "1.0.0")
    evil.packages["foreign"] = up.packages["foreign"]
    doc = up.document("foreign")
    doc["versions"]["1.0.0"]["dist"]["tarball"] = f"{evil.url}/foreign/-/foreign-1.0.0.tgz"
    up.mood["foreign"] = lambda h: h.send(200, json.dumps(doc).encode())
    inside.add("@acme/moved", "1.0.0")
    inside.redirect("@acme/moved/-/moved-1.0.0.tgz", f"{evil.url}/@acme/moved/-/moved-1.0.0.tgz")
    evil.packages["@acme/moved"] = inside.packages["@acme/moved"]
    inside.add("@acme/elsewhere", "1.0.0")
    other = inside.document("@acme/elsewhere")
    other["versions"]["1.0.0"]["dist"]["tarball"] = f"{evil.url}/foreign/-/foreign-1.0.0.tgz"
    other["versions"]["1.0.0"]["dist"]["integrity"] = doc["versions"]["1.0.0"]["dist"]["integrity"]
    inside.mood["@acme/elsewhere"] = lambda h: h.send(200, json.dumps(other).encode())
    port = free_port()
    inside.prefix, inside.url = "repo/npm", inside.url + "/repo/npm"
    service = (f"listen: ['127.0.0.1:{port}']\nurl: http://127.0.0.1:{port}/registry\naccess-log: access.log\nforeign-tarballs: any\nupstreams:\n  - name: main\n    url: {up.url}/\n"
               f"    token: {{ env: MAIN_TOKEN }}\n  - name: inside\n    url: {inside.url}/\n    scopes: ['@acme']\n    token: {{ env: INSIDE_TOKEN }}\n")
    policy = ALLOW_YOUNG + "owned: { '@acme/*': inside, acme-nowhere: true }\n"
    g = Gate(d, service=service, policy=policy, env={"INSIDE_TOKEN": secret, "MAIN_TOKEN": "a-secret-of-main"})

    def get(path, **kw):
        return ask(f"{g.url}/registry", path, **kw)

    before = len(up.headers)
    for path in ("/-/npm/v1/hooks", "/-/org/acme/user", "/-/npm/v1/keys", "/-/v1/search?text=acme-towel"):
        get(path)
    lent = {p: h.get("Authorization") for p, h in up.headers[before:]}
    ok(lent.get("-/npm/v1/hooks", "") is None and lent.get("-/org/acme/user", "") is None, "the token of a registry is for packages", lent)
    ok(lent.get("-/npm/v1/keys") == "Bearer a-secret-of-main", "which it is sent with", lent)
    r = get("/@acme%2fweb")
    ok(r.status == 200 and list(r.json["versions"]) == ["1.0.0"], "what is owned comes from its own place", r)
    ok(r.json["versions"]["1.0.0"]["dist"]["tarball"] == f"http://127.0.0.1:{port}/registry/@acme/web/-/web-1.0.0.tgz",
       "with paths on both sides", r.json["versions"]["1.0.0"]["dist"])
    ok(get("/@acme/web/-/web-1.0.0.tgz").body == inside.packages["@acme/web"]["1.0.0"], "its tarball, too", "")
    ok(g.ask("/plain").status == 404, "nothing is outside the path", g.ask("/plain"))
    ok(get("/foreign/-/foreign-1.0.0.tgz").status == 200 and "foreign/-/foreign-1.0.0.tgz" in evil.hits, "a tarball on another host", "")
    ok(get("/@acme/moved/-/moved-1.0.0.tgz").status == 200, "one behind a redirection to another host", "")
    get("/@acme/elsewhere/-/elsewhere-1.0.0.tgz")
    ok(all("authorization" not in {k.lower() for k in h} for _, h in evil.headers), "no secret goes there", evil.headers)
    ok(any(h.get("Authorization") == f"Bearer {secret}" for _, h in inside.headers) and
       all(secret not in str(h) for _, h in up.headers), "each upstream sees its own", "")
    hits = len(up.hits)
    inside.down = True
    for path in ("/@acme%2fother", "/@acme/other", "/@acme/web/-/web-2.0.0.tgz", "/@acme/other/-/other-1.0.0.tgz", "/acme-nowhere",
                 "/acme-nowhere/1.0.0", "/-/package/acme-nowhere/dist-tags", "/-/package/@acme%2fother/dist-tags", "/-/package/@acme%2fother/access",
                 "/-/npm/v1/attestations/@acme%2fother@1.0.0"):
        r = get(path)
        ok(r.status in (403, 404, 502, 504) and len(up.hits) == hits, f"{path}: {r.status}, and nobody outside was asked", up.hits[hits:])
    for text in ("acme-nowhere", "acme%2dnowhere", "left+@acme/web", "%40acme", "scope:acme", "ACME-nowhere@1.0.0", "keywords:acme-nowhere&size=20", "x" * 990 + "+acme-nowhere"):
        r = get(f"/-/v1/search?text={text}")
        ok(r.status == 200 and r.json["objects"] == [] and len(up.hits) == hits, f"a search for {text[-40:]} stays inside", up.hits[hits:])
    up.mood["-/v1/search?text=acme-towel"] = lambda h: h.send(200, b'{"objects":[1]}')
    ok(get("/-/v1/search?text=acme-towel").json["objects"] == [1], "others do not", "")
    inside.down = False
    ok(list(get("/acme-tool").json["versions"]) == ["99.0.0"] and get("/acme-tool/-/acme-tool-99.0.0.tgz").status == 200,
       "a name that nobody owns yet", "")
    g.set_policy(policy.replace("acme-nowhere", "acme-tool: inside, acme-nowhere"))
    g.reload()
    r = get("/acme-tool")
    ok(r.status == 200 and list(r.json["versions"]) == ["1.0.0"], "once it is owned, what was fetched outside is nobody's", r)
    ok(get("/acme-tool/-/acme-tool-99.0.0.tgz").status == 404, "nor is that tarball", "")
    inside.down = True
    g.stop()
    g.start()
    hits = len(up.hits)
    ok(list(get("/acme-tool").json["versions"]) == ["1.0.0"] and len(up.hits) == hits, "also after a start without the place inside", "")
    with open(f"{g.dir}/access.log", encoding="ascii") as f:
        lines = f.read()
    said = g.log().decode() + lines + get("/@acme%2fother").text
    ok("secret" not in said, "no secret is in a log or a message", said[-2000:])
    rows = [json.loads(x) for x in lines.splitlines()]
    ok(len(rows) > 20 and all("status" in x for x in rows), "each line of the access log is JSON", rows[:1])
    g.stop()


def reloading(d, up):
    """The service file is read again, and what is wrong with it changes nothing."""
    port = free_port()
    text = f"listen: ['127.0.0.1:{port}']\naccess-log: access.log\nclosed: true\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n"
    text += f"tokens:\n  - name: old\n    sha256: {'0' * 64}\n"
    token = "".join(["tok", "en-of-a-test"])
    g = Gate(d, service=text)
    up.add("small")
    auth = {"authorization": f"Bearer {token}"}
    ok(g.ask("/small", headers=auth).status == 401, "nobody without a token", "")
    with_token = text + f"  - name: new\n    sha256: {hashlib.sha256(token.encode()).hexdigest()}\n    admin: true\n"
    put(f"{g.dir}/gate.yaml", with_token)
    os.rename(f"{g.dir}/access.log", f"{g.dir}/access.log.1")
    g.reload()
    wait_for(lambda: g.ask("/small", headers=auth).status == 200, 10)
    ok(g.ask("/-/whoami", headers=auth).json["username"] == "new", "a token that is new in the file counts without a restart", "")
    wait_for(lambda: os.path.exists(f"{g.dir}/access.log") and os.path.getsize(f"{g.dir}/access.log"), 10)
    ok(True, "the access log is opened anew", "")
    for wrong, word in ((with_token.replace("closed: true", "closed: perhaps"), "closed"),
                        (with_token + f"tls: {{ cert: {g.dir}/gate.yaml, key: {g.dir}/gate.yaml }}\n", "certificate"),
                        (with_token + "tls: { cert: /none, key: /none }\n", "none")):
        put(f"{g.dir}/gate.yaml", wrong)
        n = g.log().count(b"not reloaded")
        g.process.send_signal(signal.SIGHUP)
        wait_for(lambda n=n: g.log().count(b"not reloaded") > n, 10)
        ok(g.ask("/small", headers=auth).status == 200 and word in g.log().decode().splitlines()[-1], f"a wrong service file ({word}) changes nothing", g.log()[-500:])
    moved = Upstream()
    moved.add("small", "2.0.0")
    put(f"{g.dir}/gate.yaml", with_token.replace(up.url, moved.url))
    g.reload()
    r = g.ask("/small", headers=auth)
    ok(list(r.json["versions"]) == ["2.0.0"], "another upstream, from now on", r)
    strict_metrics(g, auth)
    wait_for(lambda: "/-/gate/metrics" in open(f"{g.dir}/access.log", encoding="ascii").read(), 10)
    put(f"{g.dir}/gate.yaml", with_token.replace(up.url, moved.url).replace("access-log: access.log\n", ""))
    size = os.path.getsize(f"{g.dir}/access.log")
    g.reload()
    for _ in range(5):
        g.ask("/small", headers=auth)
    ok(g.stop() == 0 and os.path.getsize(f"{g.dir}/access.log") == size, "an access log that is taken out of the file is written no more", "")


def strict_metrics(g, auth):
    """As Prometheus reads them."""
    text = g.ask("/-/gate/metrics", headers=auth).text
    kinds, seen, wrong, buckets = {}, set(), [], {}
    for line in text.splitlines():
        m = re.fullmatch(r"# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)", line)
        if m:
            wrong += [line] if m[1] in kinds else []
            kinds[m[1]] = m[2]
            continue
        if re.fullmatch(r"# HELP [a-z_:][a-z0-9_:]* [^\n]+\.", line):
            continue
        m = re.fullmatch(r'([a-z_:][a-z0-9_:]*)((?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})?) ([0-9.e+-]+)', line)
        if not m or (m[1], m[2]) in seen:
            wrong.append(line)
            continue
        seen.add((m[1], m[2]))
        base = re.sub(r"_(bucket|sum|count)$", "", m[1])
        kind = kinds.get(m[1]) or (kinds.get(base) == "histogram" and "histogram")
        wrong += [line] if not kind or (kind == "counter") != m[1].endswith("_total") or float(m[3]) < 0 else []
        if m[1].endswith("_bucket"):
            buckets.setdefault(base, []).append((float(re.search('le="([^"]+)"', m[2])[1]), float(m[3])))
    for base, rows in buckets.items():
        counted = [float(x.split()[1]) for x in text.splitlines() if x.startswith(base + "_count ")]
        summed = [x for x in text.splitlines() if x.startswith(base + "_sum ")]
        if rows != sorted(rows) or [v for _, v in rows] != sorted(v for _, v in rows) or rows[-1][0] != float("inf") or counted != [rows[-1][1]] or len(summed) != 1:
            wrong.append(base)
    ok(not wrong and len(buckets) == 2 and text.endswith("\n"), "metrics are what Prometheus reads", wrong)


def passed(d, up):
    """What is asked of the registry as it stands."""
    results = json.dumps({"objects": [{"package": {"name": f"found{i}"}} for i in range(100)], "total": 100}).encode()
    up.mood["-/v1/search?text=found"] = lambda h: h.send(200, results)
    up.mood["-/npm/v1/keys"] = lambda h: h.send(200, b'{"keys":[]}')
    up.add("plain")
    up.mood["-/npm/v1/attestations/plain@1.0.0"] = lambda h: h.send(200, b'{"attestations":[]}')
    up.mood["-/whoami"] = lambda h: h.send(200, b'{"username":"of the registry"}')
    up.mood["-/all/plain.tgz"] = lambda h: h.send(200, up.packages["plain"]["1.0.0"], "application/octet-stream")
    service = f"listen: ['127.0.0.1:{free_port()}']\nupstreams: [{{ name: main, url: '{up.url}/', writes: true, login: true }}]\n"
    g = Gate(d, service=service)
    r = g.ask("/-/v1/search?text=found")
    ok(r.status == 200 and r.body == results, "a search", r)
    ok(g.ask("/-/npm/v1/keys").json == {"keys": []} and g.ask("/-/npm/v1/attestations/plain@1.0.0").json == {"attestations": []}, "keys, attestations", "")
    for path in ("/-/v1/search?text=found", "/-/npm/v1/keys", "/-/npm/v1/attestations/plain@1.0.0", "/plain", "/plain/1.0.0", "/-/package/plain/dist-tags",
                 "/plain/-/plain-1.0.0.tgz"):
        full, head = g.ask(path), g.ask(path, "HEAD")
        ok(head.status == 200 and not head.body and head.headers["content-length"] == str(len(full.body)), f"HEAD {path}", head)
    ok(g.ask("/-/whoami", headers={"authorization": "Bearer of-the-registry"}).json == {"username": "of the registry"} and
       g.ask("/-/whoami").status == 401, "who has a token of the registry behind is somebody there", "")
    r = g.ask("/-/all/plain.tgz")
    ok(r.status == 502 and "no document" in r.json["error"], "no package comes by a way on which nobody looks at it", r)
    for n in range(40):
        up.add("long", f"1.0.{n}")
    plain = g.ask("/long")
    z, zs = g.ask("/long", headers={"accept-encoding": "gzip"}), g.ask("/long", headers={"accept-encoding": "zstd, gzip;q=0.5"})
    ok(z.headers["content-encoding"] == "gzip" and gzip.decompress(z.body) == plain.body, "gzip", z.headers)
    un = subprocess.run(["zstd", "-dc"], input=zs.body, capture_output=True, check=False).stdout if shutil.which("zstd") else plain.body
    ok(zs.headers["content-encoding"] == "zstd" and un == plain.body, "zstd", zs.headers)
    part = g.ask("/long", headers={"range": "bytes=0-9"})
    ok(part.status in (200, 206) and part.body == plain.body[:10] or part.body == plain.body, "a part of a document", part.status)
    first = g.ask("/long").headers["etag"]
    g.set_policy(ALLOW_YOUNG + "look-alikes: block\n")
    g.reload()
    second = g.ask("/long", headers={"if-none-match": first})
    ok(second.status == 200 and second.headers["etag"] != first, "the entity tag changes with the policy", second.headers)
    tree = {"name": "p", "version": "1.0.0", "requires": {"plain": "1.0.0"}, "dependencies": {"plain": {"version": "1.0.0"}}}
    block(g, "plain@1.0.0")
    g.reload()
    r = g.ask("/-/npm/v1/security/audits/quick", "POST", gzip.compress(json.dumps(tree).encode()), {"content-type": "application/json", "content-encoding": "gzip"})
    ok(r.status == 200 and [x["module_name"] for x in r.json["advisories"].values()] == ["plain"], "npm 6 asks for advisories", r)
    r = g.ask("/-/npm/v1/security/audits", "POST", json.dumps(tree), {"content-type": "application/json"})
    ok(r.status == 200 and r.json["metadata"]["vulnerabilities"]["critical"] == 1, "yarn classic's question (which it asks its own registry alone)", r)
    ok(not [x for x in up.hits if "security" in x], "nobody outside is asked", "")
    g.stop()


def published_meanwhile(d, up):
    """What was on its way from the registry when somebody published is older than that."""
    up.add("mine")
    begun = threading.Event()

    def slowly(h):
        body = json.dumps(up.document("mine")).encode()
        if not begun.is_set():
            begun.set()
            time.sleep(1.5)
        h.send(200, body)

    def publish(h):
        h.rfile.read(int(h.headers["content-length"]))
        up.add("mine", "1.0.1")
        h.send(201, b"{}")

    up.mood["mine"], up.server.RequestHandlerClass.do_PUT = slowly, publish
    g = Gate(d, service=f"listen: ['127.0.0.1:{free_port()}']\nupstreams: [{{ name: main, url: '{up.url}/', writes: true, login: true }}]\n")
    asked = Later(lambda: g.ask("/mine"))
    begun.wait(20)
    ok(g.ask("/mine", "PUT", "{}", {"content-type": "application/json"}).status == 201, "somebody publishes", "")
    ok(list(asked.get().json["versions"]) == ["1.0.0", "1.0.1"], "who waited sees it", asked.reply)
    ok(list(g.ask("/mine").json["versions"]) == ["1.0.0", "1.0.1"], "and who comes then", "")
    del up.server.RequestHandlerClass.do_PUT
    up.more["mine"] = {"1.0.0": {"description": "x" * 5000, **up.document("mine")["versions"]["1.0.0"]}}
    g.stop()
    g.start()
    for path in ("/mine", "/mine/1.0.0", "/-/package/mine/dist-tags"):
        r = g.ask(path, headers={"accept-encoding": "gzip"})
        ok(r.status == 200 and "Accept-Encoding" in (r.headers["vary"] or ""), f"{path} says by what it varies", r.headers)
    g.stop()
    put(f"{d}/large.yaml", f"body: 129MB\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n")
    r = Run("gate", "--service", f"{d}/large.yaml", "--state", f"{d}/ls", "--cache", f"{d}/lc", timeout=30)
    ok(r.code == 2 and b"body is at most 128MB" in r.err, "bodies that cannot be passed on are not promised", r)


def readiness(d, up):
    """Whoever waits for it hears that it is ready once its face is."""
    path = f"{d}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        for _ in range(10):  # the face may be faster than this test
            p = subprocess.Popen([QANAT, "gate", "--state", f"{d}/rs", "--cache", f"{d}/rc", "--listen", "127.0.0.1:0", "--registry", up.url],
                                 env={**os.environ, "NOTIFY_SOCKET": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            others, face, end = set(), None, time.time() + 10
            while face is None and time.time() < end:  # the roles that come before it have to be ready themselves
                children = {int(x) for x in os.listdir("/proc") if x.isdigit() and parent_is(x, p.pid)}
                others |= {x for x in children if name_of(x) in ("analyse", "fetch")}
                face = next(iter(children - others), None) if others else None
            os.kill(face, signal.SIGSTOP)
            time.sleep(1)
            s.settimeout(0.1)
            try:
                early = s.recv(100)
            except TimeoutError:
                early = b""
            os.kill(face, signal.SIGCONT)
            s.settimeout(20)
            late = early or s.recv(100)
            p.terminate()
            p.wait(60)
            s.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                s.recv(100)  # that it ends
            if not early:
                break
        ok(not early and late == b"READY=1", "it is not ready before its face is", (early, late))


def counted_once(d, up):
    """What cannot be written down leaves the size of the cache as it is on record."""
    up.add("growing", files={"more.txt": "x" * 1000})
    up.add("lasting")
    service = f"listen: ['127.0.0.1:{free_port()}']\ncache: {{ fresh: 1s }}\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n"
    admin = {"authorization": "Bearer an-admin"}
    g = Gate(d, service=service + f"tokens: [{{ name: ops, admin: true, sha256: {hashlib.sha256(b'an-admin').hexdigest()} }}]\n")
    ok(g.ask("/growing").status == 200 and g.ask("/lasting/-/lasting-1.0.0.tgz").status == 200, "both are kept", "")
    for version in ("1.0.1", "1.0.2"):
        up.add("growing", version)
        time.sleep(1.1)
        with contextlib.closing(sqlite3.connect(f"{g.state}/gate.db", isolation_level=None, timeout=30)) as db:
            db.execute("BEGIN IMMEDIATE")
            ok(len(g.ask("/growing").json["versions"]) > 1, "a document that cannot be kept is served", g.log())
            db.execute("ROLLBACK")
            on_record = db.execute("SELECT sum(size) FROM cached").fetchone()[0]
        ok(metric(g, "cache_bytes", admin) == on_record, "and counted as it is on record", (metric(g, "cache_bytes", admin), on_record))
    time.sleep(1.1)
    ok(g.ask("/growing").status == 200, "later it is kept", "")
    with contextlib.closing(sqlite3.connect(f"{g.state}/gate.db")) as db:
        on_record = db.execute("SELECT sum(size) FROM cached").fetchone()[0]
    on_disk = sum(os.path.getsize(f"{w}/{f}") for w, _, files in os.walk(f"{g.cache}/gate") for f in files)
    ok(metric(g, "cache_bytes", admin) == on_record == on_disk, "and counted", (metric(g, "cache_bytes", admin), on_record, on_disk))
    g.stop()


def store(d, up):
    """Somebody holds the ledger, or its disk is full."""
    up.add("locked")
    up.add("fresh")
    g = Gate(d, up.url)
    ok(g.ask("/locked/-/locked-1.0.0.tgz").status == 200, "served and noted", "")
    db = sqlite3.connect(f"{g.state}/gate.db", isolation_level=None, timeout=30)
    db.execute("BEGIN IMMEDIATE")
    begun = time.time()
    r = g.ask("/locked/-/locked-1.0.0.tgz")
    ok(r.status == 503, "what cannot be noted is not served", r)
    r = g.ask("/fresh/-/fresh-1.0.0.tgz")
    ok(r.status == 503 and time.time() - begun < 30 * PATIENCE, "nor is what is new", r)
    db.execute("ROLLBACK")
    db.close()
    ok(g.ask("/locked/-/locked-1.0.0.tgz").status == 200 and g.ask("/fresh/-/fresh-1.0.0.tgz").status == 200, "and it goes on when that is over", "")
    ok(len(g.ledger("locked")["fetches"]) == 2, "with as many rows as were served", g.ledger("locked"))
    g.stop()
    counted_once(d, up)
    small = f"{d}/small"
    os.makedirs(f"{small}")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True, check=False).returncode:
        ok(True, "a full disk # SKIP nothing can be mounted here", "")
        return
    try:
        up.add("filling", files={"big.bin": random.Random(1).randbytes(300000)})
        g = Gate(d, up.url, state=small)
        ok(g.ask("/locked/-/locked-1.0.0.tgz").status == 200, "on a small disk", g.log())
        with contextlib.suppress(OSError), open(f"{small}/fill", "wb", 0) as f:
            while True:
                f.write(b"x" * 4096)
        noted = len(g.ledger()["fetches"])
        served = sum(g.ask("/locked/-/locked-1.0.0.tgz").status == 200 for _ in range(200))
        r = g.ask("/filling/-/filling-1.0.0.tgz")
        ok(r.status in (200, 503) and (r.status != 200 or r.body == up.packages["filling"]["1.0.0"]), f"a full disk: {r.status}", r)
        served += r.status == 200
        os.remove(f"{small}/fill")
        rows = len(g.ledger()["fetches"])
        ok(rows == noted + served and served < 200, f"every one of {served} served is noted, the others were refused", (noted, rows))
        ok(g.ask("/filling/-/filling-1.0.0.tgz").status == 200, "and it goes on when there is room", g.log())
        g.stop()
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def known_to_inventory(up, g):
    """Who fetched what turns out bad."""
    up.add("spread", "1.0.0")
    up.add("spread", "1.0.1")
    for v in ("1.0.0", "1.0.1", "1.0.1"):
        g.ask(f"/spread/-/spread-{v}.tgz")
    r = Run("inventory", "who-has", "spread@^1.0.1", "--format", "json", "--state", g.state)
    m = r.json["matches"]
    ok(r.code == 0 and [(x["version"], x["asset"]["kind"], x["asset"]["name"]) for x in m] == [("1.0.1", "client", "127.0.0.1")],
       "the inventory knows who fetched it", r)
    r = Run("inventory", "who-has", "spread", "--state", g.state)
    ok(r.code == 0 and r.out.count(b"127.0.0.1") == 2 and b"gate" in r.out, "also for people", r)
    record = {"id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "Malicious code in spread",
              "affected": [{"package": {"ecosystem": "npm", "name": "spread"}, "versions": ["1.0.1"]}]}
    file = put(f"{g.dir}/mal.json", json.dumps(record))
    ok(Run("intel", "import", file, "--source", "ossf", "--state", g.state).code == 0, "a report", "")
    g.reload()
    ok("spread@1.0.1" in g.log(True).decode() and [x["name"] for x in g.ledger("spread@1.0.1")["alarms"]] == ["spread"] and
       not g.ledger("spread@1.0.0")["alarms"], "an alarm about one version", g.ledger("spread"))
    r = Run("inventory", "exposure", "MAL-2026-1", "--format", "json", "--state", g.state)
    ok(r.code == 1 and [x["version"] for x in r.json["matches"]] == ["1.0.1"], "and who is exposed", r)


def crowd(d, up):
    """64 clients want 300 packages at once, cold and warm."""
    names = [f"crowd{i}" for i in range(300)]
    clients = 64 if PATIENCE == 1 else 16
    for n in names:
        up.add(n, files={"data.js": "module.exports = '" + random.Random(n).randbytes(2000).hex() + "';\n"})
    admin = {"authorization": "Bearer an-admin"}
    g = Gate(d, policy=ALLOW_YOUNG + "unknown: { budget: 120s }\n",
             service=f"listen: ['127.0.0.1:{free_port()}']\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n"
                     f"tokens: [{{ name: ops, admin: true, sha256: {hashlib.sha256(b'an-admin').hexdigest()} }}]\n")
    wrong = []

    def work(seed):
        host, port = g.address.rsplit(":", 1)
        mine = names[:]
        random.Random(seed).shuffle(mine)
        c = http.client.HTTPConnection(host, int(port), timeout=300)
        for n in mine:
            c.request("GET", f"/{n}/-/{n}-1.0.0.tgz")
            r = c.getresponse()
            body = r.read()
            if r.status != 200 or body != up.packages[n]["1.0.0"]:
                wrong.append((n, r.status, body[:200]))
        c.close()

    for heat in ("cold", "warm"):
        threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
        begun = time.time()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        ok(not wrong, f"{clients} clients, {len(names)} packages, {heat}: every body is right ({time.time() - begun:.1f} s)", wrong[:3])
    got = [x for x in up.hits if x.startswith("crowd") and x.endswith(".tgz")]
    ok(len(got) == len(set(got)) == len(names), "each was fetched once", len(got))
    ok(metric(g, "analysed_total", admin) == len(names), "and analysed once", metric(g, "analysed_total", admin))
    ok(len(g.ledger()["fetches"]) == 2 * clients * len(names), "each is in the ledger", "")
    g.stop()


def draining(d, up):
    """Who downloads may go on; socket activation."""
    up.add("large", files={"x.bin": random.Random(5).randbytes(24 << 20)})
    g = Gate(d, up.url, policy=ALLOW_YOUNG + "unknown: { budget: 120s }\n")
    ok(g.ask("/large/-/large-1.0.0.tgz").status == 200, "a large tarball", "")
    host, port = g.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall(b"GET /large/-/large-1.0.0.tgz HTTP/1.1\r\nhost: x\r\n\r\n")
        out = s.recv(65536)
        g.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        ok(g.process.poll() is None, "it does not end while somebody downloads", "")
        refused = False
        try:
            socket.create_connection((host, int(port)), 2).close()
        except OSError:
            refused = True
        while True:
            data = s.recv(1 << 20)
            if not data:
                break
            out += data
    ok(out.split(b"\r\n\r\n", 1)[1] == up.packages["large"]["1.0.0"], "the download is whole", len(out))
    ok(g.process.wait(30) == 0 and refused, "then it ends, and took nobody new", refused)
    if not shutil.which("systemd-socket-activate"):
        return
    port = free_port()
    log = open(f"{d}/activated.log", "wb")
    with subprocess.Popen(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", QANAT, "gate", "--state", f"{d}/act/s", "--cache", f"{d}/act/c",
                           "--registry", up.url], stdout=log, stderr=log) as p:
        time.sleep(0.5)
        try:
            r = ask(f"http://127.0.0.1:{port}", "/-/gate/ready")
            doc = ask(f"http://127.0.0.1:{port}", "/large")
            ok(r.status == 200 and doc.json["versions"]["1.0.0"]["dist"]["tarball"].startswith(f"http://127.0.0.1:{port}/"), "a socket of systemd's", doc)
        finally:
            p.terminate()
            ok(p.wait(30) == 0, "and its end", "")
    log.close()


def metric(g, name, auth):
    return int(re.search(rf"qanat_gate_{name} (\d+)", g.ask("/-/gate/metrics", headers=auth).text).group(1))


def convicted_on_the_way(d, up):
    """What lies at the face when the gate learns that it is bad does not go out any more."""
    up.add("on-the-way", files={"package.json": package("on-the-way", "1.0.0", scripts={"postinstall": "node setup.js"}), "setup.js": THIEF})
    up.add("on-the-way-too")
    g = Gate(d, up.url, policy=ALLOW_YOUNG + "install-hooks: { new: allow }\nunknown: { action: allow, budget: 1s }\n")
    ok(g.ask("/on-the-way").status == 200 and g.ask("/on-the-way-too").status == 200, "both are known", "")

    def verdicts():
        with contextlib.closing(sqlite3.connect(f"{g.state}/gate.db")) as db:
            return [v for v, in db.execute("SELECT verdict FROM verdict")]

    face = g.roles("serve")
    with stopped(g.roles()):
        asked = Later(lambda: g.ask("/on-the-way/-/on-the-way-1.0.0.tgz"))
        time.sleep(0.5)
        for p in face:
            os.kill(p, signal.SIGSTOP)
        time.sleep(1.5)  # its budget is over, and the answer on its way to the face
    wait_for(lambda: verdicts() == ["malicious"])
    for p in face:
        os.kill(p, signal.SIGCONT)
    r = asked.get()
    ok(r.status == 503 and b"postinstall" not in r.body, "what is convicted between the answer and its note is not served", r)
    ok(not g.ledger()["fetches"] and not g.ledger()["alarms"], "and the ledger says so", g.ledger())
    ok(g.ask("/on-the-way/-/on-the-way-1.0.0.tgz").status == 403, "then it is refused with the reason", "")
    with stopped(g.roles()):
        asked = Later(lambda: g.ask("/on-the-way-too/-/on-the-way-too-1.0.0.tgz"))
        time.sleep(0.5)
        with stopped(g.roles("serve")):
            time.sleep(1)
            block(g, "on-the-way-too@1.0.0")
            g.reload()
    ok(asked.get().status == 503 and not g.ledger()["fetches"], "nor is what is blocked meanwhile", asked.reply)
    ok(g.ask("/on-the-way-too/-/on-the-way-too-1.0.0.tgz").status == 403, "then it is refused, too", "")
    up.add("unharmed")
    ok(g.ask("/unharmed/-/unharmed-1.0.0.tgz").status == 200, "others are not touched", "")
    g.reload()
    ok(g.ask("/unharmed/-/unharmed-1.0.0.tgz").status == 200, "nor after a reload", "")
    ok(g.stop() == 0, "it ends", g.log())


def attested(d, up):
    """A registry that has no attestations, though its document speaks of some: an answer like others."""
    body = up.add("attested")
    up.more["attested"] = {"1.0.0": {"dist": {
        "integrity": sri(body), "tarball": f"{up.url}/attested/-/attested-1.0.0.tgz",
        "attestations": {"url": f"{up.url}/-/npm/v1/attestations/attested@1.0.0", "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}}}}
    path = "-/npm/v1/attestations/attested@1.0.0"
    g = Gate(d, up.url)
    for mood, want in (("500", 2), ("well", 1)):
        up.mood[path] = mood
        before = len([x for x in up.hits if "v1/attestations" in x])
        for _ in range(2):
            ok(g.ask("/attested/-/attested-1.0.0.tgz").status == 200, "what is attested is served", g.log())
            g.reload()
        n = len([x for x in up.hits if "v1/attestations" in x]) - before
        ok(n >= want if want == 2 else n == want, f"attestations that are {'away are asked for again' if want == 2 else 'not there, once'}", n)
    g.stop()


def judged_anew(d, up):
    """Rules that come later, and what was served before them: nobody asks for it again."""
    hook, rules, admin = Receiver(), f"{d}/new-rules.yaml", {"authorization": "Bearer an-admin"}
    service = f"listen: ['127.0.0.1:{free_port()}']\ncache: {{ fresh: 1s }}\nupstreams: [{{ name: main, url: '{up.url}/' }}]\nwebhook: {{ url: '{hook.url}' }}\n"
    service += f"tokens: [{{ name: ops, admin: true, sha256: {hashlib.sha256(b'an-admin').hexdigest()} }}]\n"
    hosts = {"staying": "other", "using": "used-by-thieves"}
    names = ("turning", "turning-later", "taken-back", "staying", "using")
    for name in names:
        host = hosts.get(name, name)
        starts = "if (process.env.QANAT_FIXTURE_NEVER_SET) " if name == "using" else "module.exports = () => "
        up.add(name, files={"index.js": f"{starts}require('https').get('https://{host}.invalid/x');\n"})
    put(rules, RULE % ("nobody", "nobody"))
    g = Gate(d, service=service, args=("--rules", rules))
    ok(all(g.ask(f"/{n}/-/{n}-1.0.0.tgz").status == 200 for n in names), "they are served", g.log()[-1000:])
    g.stop()
    kept = up.packages.pop("taken-back")
    asked = len(up.hits)
    put(rules, RULE % ("turning", "turning") + (RULE % ("taken-back", "taken-back")).replace("rules:\n", ""))
    g.start()
    wait_for(lambda: len(hook.got) == 2 and metric(g, "again_total", admin) == 5)  # before anybody asks: that would judge it, too
    told = {x["artifact"]["name"]: x for x in (json.loads(b) for _, b in hook.got)}
    ok(sorted(told) == ["taken-back", "turning"], "rules of a new start convict what was served, also what the registry took back", told)
    ok(all('"clean"' in json.dumps(x) and "malicious" in json.dumps(x) for x in told.values()), "the webhook tells what it was before", told)
    ok(not any(".tgz" in x for x in up.hits[asked:]), "from the bytes that are here", up.hits[asked:])
    ok(g.ask("/turning/-/turning-1.0.0.tgz").status == 403, "it is served no more", "")
    ok(g.ask("/turning-later/-/turning-later-1.0.0.tgz").status == 200, "something else still is", "")
    put(rules, RULE % ("turning-later", "turning-later"))
    g.reload()
    wait_for(lambda: len(hook.got) == 3 and metric(g, "again_total", admin) == 10)
    ok("turning-later" in hook.got[2][1].decode(), "rules that are read again convict too", hook.got[2])
    ok(g.ask("/turning-later/-/turning-later-1.0.0.tgz").status == 403, "and what the face kept is forgotten", "")
    ok(sorted(a["name"] for a in g.ledger()["alarms"]) == ["taken-back", "turning", "turning-later"], "the ledger has the alarms", g.ledger()["alarms"])
    ok(metric(g, "again_total", admin) == 10, "each was looked at again, twice", "")
    kept_bytes = sum(os.path.getsize(f"{w}/{f}") for w, _, files in os.walk(f"{g.cache}/gate") for f in files)
    said = metric(g, "cache_bytes", admin)
    ok(said == kept_bytes, "what replaces something on disk is counted once", (said, kept_bytes))
    r = Run("intel", "import", "--state", g.state, put(f"{d}/hosts.csv", "type,indicator,campaign\ndomain,used-by-thieves.invalid,wave\n"))
    g.reload()
    wait_for(lambda: len(hook.got) == 4)
    ok("using" in hook.got[3][1].decode(), "an indicator that is listed later convicts what only names it", (r, hook.got[3]))
    shutil.rmtree(f"{g.cache}/gate/tarballs")
    del up.packages["staying"]
    put(rules, RULE % ("staying", "other"))
    g.reload()
    wait_for(lambda: b"staying@1.0.0 was judged by other rules, and cannot be judged again" in g.log())
    ok("qanat_gate_again_lost_total 2" in g.ask("/-/gate/metrics", headers=admin).text, "what cannot be looked at again is told", "")
    g.stop()
    up.packages["taken-back"] = kept


def units(d):
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "units")
    if not shutil.which("systemd-analyze"):
        return
    for f in ("qanat-gate.service", "qanat-gate.socket"):
        with open(f"{here}/{f}", encoding="utf-8") as x:
            put(f"{d}/units/{f}", x.read().replace("/usr/bin/qanat", QANAT))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{d}/units/qanat-gate.service", f"{d}/units/qanat-gate.socket"], capture_output=True,
                       check=False, text=True, env={**os.environ, "SYSTEMD_LOG_TARGET": "console"})
    said = [x for x in r.stderr.splitlines() if "qanat" in x]
    ok(r.returncode == 0 and not said, "systemd understands the units", r.stderr[-1500:])


with scratch() as d:
    up = Upstream()
    g = Gate(d, up.url, args=("--jobs", "1"))
    blocked_meanwhile(up, g)
    ends(up, g)
    hooks(up, g)
    known_to_inventory(up, g)
    ok(g.stop() == 0, "it ends", g.log()[-2000:])
    gone(d, up)
    own_names(d, up)
    reloading(d, up)
    passed(d, up)
    published_meanwhile(d, up)
    readiness(d, up)
    store(d, up)
    convicted_on_the_way(d, up)
    attested(d, up)
    crowd(d, up)
    draining(d, up)
    judged_anew(d, up)
    units(d)
    done()
