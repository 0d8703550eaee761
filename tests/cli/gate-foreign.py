"""qanat gate with documents that place tarballs elsewhere than on their registry: on this machine, inside, behind a proxy."""
import http.server
import json
import socket
import threading
import urllib.parse

from gatelib import ALLOW_YOUNG, Client, Gate, Upstream, free_port, sri
from tap import done, ok, package, put, scratch, tgz_of

TARBALL = tgz_of({"package.json": package("moved", "1.0.0"), "index.js": "module.exports = 1;\n"})


class Other:
    """Another service on this machine: it has the tarball, and is a proxy that reaches nobody but itself."""

    def __init__(self):
        self.hits, self.to, self.body = [], None, TARBALL  # to: where /away leads
        other = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def do_GET(self):
                other.hits.append(self.path)
                away = urllib.parse.urlsplit(self.path).path == "/away"
                self.send_response(302 if away else 200)
                if away:
                    self.send_header("location", other.to)
                self.send_header("content-length", "0" if away else str(len(other.body)))
                self.end_headers()
                self.wfile.write(b"" if away else other.body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        hits, self.hits = self.hits, []
        return hits


class Places:
    """Packages, each with its tarball at an address."""

    def __init__(self, up):
        self.up, self.n = up, 0

    def at(self, url):
        self.n += 1
        name = f"moved{self.n}"
        data = tgz_of({"package.json": package(name, "1.0.0"), "index.js": "module.exports = 1;\n"})
        doc = {"_id": name, "name": name, "dist-tags": {"latest": "1.0.0"}, "time": {"1.0.0": "2020-01-01T00:00:00.000Z"},
               "versions": {"1.0.0": {"name": name, "version": "1.0.0", "dist": {"integrity": sri(data), "tarball": url}}}}
        self.up.packages[name] = {"1.0.0": data}
        self.up.mood[name] = lambda h: h.send(200, json.dumps(doc).encode())
        return name


def service(up, more=""):
    return f"listen: ['127.0.0.1:{free_port()}']\nupstreams: [{{ name: main, url: '{up.url}/' }}]\n{more}"


def fetch(g, name):
    return g.ask(f"/{name}/-/{name}-1.0.0.tgz")


def by_itself(d, up, places):
    """Without a word about it: only what is public."""
    other = Other()
    g = Gate(d, service=service(up))
    hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "a.localhost", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"]
    try:
        inside = socket.gethostbyname(socket.gethostname())
        hosts += [socket.gethostname()] if inside.startswith(("127.", "10.", "192.168.")) else []
    except OSError:
        pass
    for host in hosts:
        name = places.at(f"http://{host}:{other.port}/latest/meta-data/x.tgz")
        ok(g.ask(f"/{name}").status == 200, f"http://{host}: the document is served", "")
        r = fetch(g, name)
        ok(r.status == 403 and "not public" in r.json["error"] and f"{other.port}/latest" in r.json["error"] and "foreign-tarballs" in r.json["error"],
           "its tarball is refused, with where it was and why", r)
    ok(not other.take(), "nobody was asked", other.hits)
    ok(g.log().count(b"not public") == len(hosts), "the operator can read it, too", g.log()[-1500:])
    c = Client(d, "refused", g.url, {places.at(f"http://127.0.0.1:{other.port}/x.tgz"): "1.0.0"})
    r = c.npm("install")
    ok(r.returncode != 0 and "E403" in r.all and "not public" in r.all, "npm says so", r.all[-1500:])
    own = places.at(f"{up.url}/elsewhere/at/home.tgz")
    up.mood["elsewhere/at/home.tgz"] = lambda h: h.send(200, up.packages[own]["1.0.0"])
    ok(fetch(g, own).status == 200, "anywhere on the registry itself is no foreign place", fetch(g, own))
    name = places.at(f"{up.url}/away.tgz")
    up.redirect("away.tgz", f"http://localhost:{urllib.parse.urlsplit(up.url).port}/elsewhere/at/{name}.tgz")
    up.mood[f"elsewhere/at/{name}.tgz"] = lambda h: h.send(200, up.packages[name]["1.0.0"])
    ok(fetch(g, name).status == 200, "where the registry itself leads is followed", fetch(g, name))
    with open(f"{g.dir}/gate.yaml", "a", encoding="utf-8") as f:
        f.write("foreign-tarballs: any\n")
    g.reload()
    name = places.at(f"http://localhost:{other.port}/x.tgz")
    other.body = up.packages[name]["1.0.0"]
    r = fetch(g, name)
    ok(other.take() == ["/x.tgz"] and r.status == 200 and r.body == other.body, "once any place will do it is fetched", r.status)
    ok(g.stop() == 0, "it ends", g.log()[-1500:])


def refusing(d, up, places):
    g = Gate(d, service=service(up, "foreign-tarballs: refuse\n"))
    for url in ("http://127.0.0.1:1/x.tgz", "https://public.invalid/x.tgz"):
        r = fetch(g, places.at(url))
        ok(r.status == 403 and "says to refuse" in r.json["error"] and url in r.json["error"], f"{url} is refused", r)
    up.add("at-home")
    ok(fetch(g, "at-home").status == 200, "what is at home is served", "")
    g.stop()


def proxied(d, up, places):
    """The proxy is on this machine, which is where the configuration says that it is."""
    proxy, other = Other(), Other()
    host = socket.gethostname()
    g = Gate(d, service=service(up), policy=ALLOW_YOUNG, env={"npm_config_proxy": f"http://127.0.0.1:{proxy.port}", "npm_config_noproxy": f"127.0.0.1,{host}"})
    up.mood["moved"] = lambda h: h.send(200, json.dumps(
        {"_id": "moved", "name": "moved", "dist-tags": {"latest": "1.0.0"}, "time": {"1.0.0": "2020-01-01T00:00:00.000Z"},
         "versions": {"1.0.0": {"name": "moved", "version": "1.0.0", "dist": {"integrity": sri(TARBALL), "tarball": "http://public.invalid/x.tgz"}}}}).encode())
    r = fetch(g, "moved")
    ok(r.status == 200 and r.body == TARBALL and proxy.take() == ["http://public.invalid/x.tgz"], "what is public is fetched through the proxy", r.status)
    for to in (f"http://127.0.0.1:{other.port}/x.tgz", f"http://{host}:{other.port}/x.tgz", "http://169.254.169.254/x.tgz", f"http://localhost:{other.port}/x"):
        proxy.to = to
        r = fetch(g, places.at("http://public.invalid/away"))
        told = proxy.take()
        inside = r.status == 403 and "not public" in r.json["error"]
        ok((inside or r.status == 502) and told == ["http://public.invalid/away"] and not other.take(), f"a redirect to {to.split(':')[1]} is not followed", r)
    g.stop()


with scratch() as where:
    registry = Upstream()
    packages = Places(registry)
    by_itself(where, registry, packages)
    refusing(where, registry, packages)
    proxied(where, registry, packages)
done()
