#!/usr/bin/env python3
"""feed_simulator - a small npm registry with its replication feed, for tests and demonstrations of `qanat watch`.

It publishes what a scenario says, at the pace that it says, and answers as the real one does: `_changes` with since and limit,
full packuments with times and people, tarballs.  Everything that it makes itself is inert: hosts are below .invalid, code is guarded.

    tools/feed_simulator.py [--port N] [--rate PER_SECOND] [--events N] [--cache DIR] [--lag MS] [--flaky PERCENT] [--record FILE]

--cache   npm's cache: its tarballs are published, each again and again with a higher patch number
--record  also writes the feed, one change a line, as `qanat watch --input` takes it

As a module: Registry, its publish(), and serve()."""
import argparse
import base64
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import random
import re
import signal
import socketserver
import sys
import tarfile
import threading
import time
import urllib.parse
import zlib


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def tar_entry(name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), mode, 499162500
    return info.tobuf(tarfile.USTAR_FORMAT) + data + b"\0" * (-len(data) % 512)


def make_tarball(manifest, files):
    """A package: its manifest as a dict, and other files by name."""
    entries = [tar_entry("package/package.json", json.dumps(manifest, indent=2).encode())]
    entries += [tar_entry("package/" + n, d.encode() if isinstance(d, str) else d) for n, d in sorted(files.items())]
    return gzip.compress(b"".join(entries) + b"\0" * 1024, 6, mtime=0)


class Stock:
    """A real tarball of which versions are made: its manifest anew, and all the rest as it is, in a second gzip member."""

    def __init__(self, path):
        self.path = path
        self.manifest = None
        self.rest = None

    def load(self):
        if self.rest is not None:
            return
        with tarfile.open(self.path, "r:gz") as tar:
            rest = io.BytesIO()
            out = tarfile.open(fileobj=rest, mode="w", format=tarfile.PAX_FORMAT)
            for member in tar:
                data = tar.extractfile(member).read() if member.isreg() else None
                if member.isreg() and re.fullmatch(r"[^/]+/package\.json", member.name):
                    self.manifest = json.loads(data.decode("utf-8-sig"))
                    self.top = member.name.split("/")[0]
                elif data is not None:
                    out.addfile(member, io.BytesIO(data))
            out.close()
        self.rest = gzip.compress(rest.getvalue(), 1, mtime=0)

    def tarball(self, version):
        manifest = dict(self.manifest, version=version)
        first = tar_entry(self.top + "/package.json", json.dumps(manifest, indent=2).encode())
        return manifest, gzip.compress(first, 1, mtime=0) + self.rest


def stock_of_cache(cache, limit=None):
    """The tarballs in npm's cache, in the order of their keys."""
    found = {}
    for index in sorted(pathlib.Path(cache, "_cacache/index-v5").rglob("*")):
        if not index.is_file():
            continue
        for line in index.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line.split("\t", 1)[1])
            except (IndexError, ValueError):
                continue
            if entry.get("integrity", "").startswith("sha512-") and entry["key"].endswith(".tgz"):
                digest = base64.b64decode(entry["integrity"][7:].split("?")[0]).hex()
                found[entry["key"]] = pathlib.Path(cache, "_cacache/content-v2/sha512", digest[:2], digest[2:4], digest[4:])
    stock = [Stock(p) for _, p in sorted(found.items()) if p.exists()]
    return stock[::max(1, len(stock) // limit)][:limit] if limit else stock


class Registry:
    """Packages, what was published when, and the feed of it.  lag_ms: documents show a version so much later than the feed."""

    def __init__(self, lag_ms=0, flaky=0.0, seed=1):
        self.lock = threading.Lock()
        self.packages = {}  # name → [(version, manifest, tarball maker or bytes, time, user)]
        self.feed = []      # (seq, name, deleted)
        self.seq = 0
        self.lag_ms = lag_ms
        self.flaky = flaky
        self.random = random.Random(seed)
        self.base = None
        self.requests = {"feed": 0, "document": 0, "tarball": 0, "failed": 0}
        self.dropped = set()

    # --- publishing ---

    def publish(self, name, version, files=None, manifest=None, user="someone", when=None, tarball=None, maker=None, told=True):
        """maker: called for the bytes when somebody asks for them; it must give the same each time.  told False: it was there before
        the feed begins."""
        manifest = dict(manifest or {}, name=name, version=version)
        if tarball is None and maker is None:
            tarball = make_tarball(manifest, files or {})
        when = int(time.time() * 1000) if when is None else when
        with self.lock:
            self.packages.setdefault(name, {})[version] = {
                "manifest": manifest, "tarball": tarball, "maker": maker, "time": when, "user": user, "integrity": None,
                "shown": time.time() * 1000 + self.lag_ms}
            if told:
                self.seq += 1
                self.feed.append((self.seq, name, False))
        return self.seq

    def touch(self, name):
        """A change that brings no version: a tag, an owner, a repeated event."""
        with self.lock:
            self.seq += 1
            self.feed.append((self.seq, name, False))

    def delete(self, name):
        with self.lock:
            self.packages.pop(name, None)
            self.seq += 1
            self.feed.append((self.seq, name, True))

    def begin_anew(self):
        """The feed is made anew, with lower sequences, as after a restore."""
        with self.lock:
            self.feed = [(i + 1, n, d) for i, (_, n, d) in enumerate(self.feed)]
            self.seq = len(self.feed)

    # --- answers ---

    def bytes_of(self, entry):
        if entry["tarball"] is not None:
            return entry["tarball"]
        return entry["maker"]()

    def integrity_of(self, entry):
        if entry["integrity"] is None:
            entry["integrity"] = "sha512-" + base64.b64encode(hashlib.sha512(self.bytes_of(entry)).digest()).decode()
        return entry["integrity"]

    def document(self, name):
        with self.lock:
            now = time.time() * 1000
            versions = [(v, e) for v, e in self.packages.get(name, {}).items() if e["shown"] <= now]
        if not versions:
            return None
        doc = {"_id": name, "_rev": f"{len(versions)}-0", "name": name, "dist-tags": {"latest": versions[-1][0]},
               "versions": {}, "time": {"created": iso(versions[0][1]["time"]), "modified": iso(versions[-1][1]["time"])},
               "maintainers": [{"name": versions[0][1]["user"], "email": versions[0][1]["user"] + "@mail.invalid"}]}
        short = name.split("/")[-1]
        for version, e in versions:
            person = {"name": e["user"], "email": e["user"] + "@mail.invalid"}
            doc["versions"][version] = dict(e["manifest"], _id=f"{name}@{version}", _npmUser=person, maintainers=[person], dist={
                "integrity": self.integrity_of(e), "tarball": f"{self.base}/{name}/-/{short}-{version}.tgz"})
            doc["time"][version] = iso(e["time"])
        return doc

    def changes(self, since, limit):
        with self.lock:
            since = self.seq if since == "now" else int(re.match(r"\d+", since).group()) if since else 0
            # Sequences are dense here: what follows one is found by counting.
            page = [c for c in self.feed[max(0, since):] if c[0] > since][:limit]
            last = page[-1][0] if page else self.seq
            pending = self.seq - last
        return {"results": [dict({"seq": s, "id": n, "changes": [{"rev": f"{s}-0"}]}, **({"deleted": True} if d else {}))
                            for s, n, d in page], "last_seq": last, "pending": pending}

    def answer(self, path):
        """(status, type, body)"""
        url = urllib.parse.urlsplit(path)
        where = urllib.parse.unquote(url.path).lstrip("/")
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.flaky and self.random.random() < self.flaky:
            self.requests["failed"] += 1
            return 503, "text/plain", b"try again"
        if where == "_changes":
            self.requests["feed"] += 1
            page = self.changes(query.get("since", "0"), int(query.get("limit", "1000")))
            return 200, "application/json", json.dumps(page).encode()
        name, _, file = where.partition("/-/")
        if file.endswith(".tgz"):
            self.requests["tarball"] += 1
            entry = self.packages.get(name, {}).get(file[len(name.split("/")[-1]) + 1:-4])
            return (200, "application/octet-stream", self.bytes_of(entry)) if entry else (404, "text/plain", b"")
        if re.fullmatch(r"(?:@[^/]+/)?[^/]+", where) and not where.startswith("-"):
            self.requests["document"] += 1
            doc = self.document(where)
            return (200, "application/json", json.dumps(doc).encode()) if doc else (404, "application/json", b"{}")
        return 404, "application/json", b"{}"

    def serve(self, port=0):
        """Answers from a thread of its own; gives the server, whose shutdown() ends it."""
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                status, kind, body = registry.answer(self.path)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 512

        server = Server(("127.0.0.1", port), Handler)
        self.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def bump(version, by):
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return f"{found.group(1)}.{found.group(2)}.{int(found.group(3)) + by}" if found else f"1.0.{by}"


def load(stock):
    """Reads them; of each name the last one, so that no version is published twice."""
    for s in stock:
        s.load()
    return list({s.manifest["name"]: s for s in stock}.values())


def replay(registry, stock, events, rate, begin=0):
    """Publishes versions of real packages, each package again and again: updates of what was there a year ago."""
    stock = load(stock)
    year_ago = int((time.time() - 365 * 24 * 3600) * 1000)
    for s in stock if not begin else ():
        version = s.manifest.get("version", "1.0.0")
        registry.publish(s.manifest["name"], version, manifest=s.manifest, user="maintainer", when=year_ago, told=False,
                         maker=lambda s=s, version=version: s.tarball(version)[1])
    started = time.time()
    for i in range(begin, events):
        s = stock[i % len(stock)]
        version = bump(s.manifest.get("version", "1.0.0"), i // len(stock) + 1)
        registry.publish(s.manifest["name"], version, manifest=s.manifest, user="maintainer",
                         maker=lambda s=s, version=version: s.tarball(version)[1])
        if rate:
            time.sleep(max(0, started + (i - begin + 1) / rate - time.time()))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--rate", type=float, default=10)
    p.add_argument("--events", type=int, default=100)
    p.add_argument("--stock", type=int, default=None, help="use so many tarballs of the cache")
    p.add_argument("--cache")
    p.add_argument("--lag", type=int, default=0)
    p.add_argument("--flaky", type=float, default=0)
    p.add_argument("--record")
    p.add_argument("--load-first", action="store_true", help="read all tarballs, say so, and begin at SIGUSR1")
    a = p.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    registry = Registry(a.lag, a.flaky / 100)
    registry.serve(a.port)
    print(registry.base, flush=True)
    if a.cache:
        stock = stock_of_cache(a.cache, a.stock)
        if a.load_first:
            load(stock)
            print("ready", flush=True)
            signal.sigwait([signal.SIGUSR1])
        replay(registry, stock, a.events, a.rate)
    else:
        for i in range(a.events):
            registry.publish(f"made-{i % 97}", f"1.0.{i // 97}", {"index.js": f"module.exports = {i};\n"})
            time.sleep(1 / a.rate if a.rate else 0)
    if a.record:
        with open(a.record, "w", encoding="utf-8") as f:
            for seq, name, deleted in registry.feed:
                f.write(json.dumps({"seq": seq, "id": name, **({"deleted": True} if deleted else {})}) + "\n")
    print("published", len(registry.feed), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
