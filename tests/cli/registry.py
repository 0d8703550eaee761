"""registry.py - a small registry on this machine, in all the moods that registries have."""
import base64
import hashlib
import http.server
import json
import threading

from tap import package, tgz_of


def sri(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class Registry:
    """Serves self.packages = {name: {version: tarball}}; self.mood changes how it answers."""

    def __init__(self):
        self.more = {}  # (name, version): further fields
        self.packages, self.fields, self.hits, self.mood, self.fail_first = {}, {}, [], "well", 0
        self.documents = {}  # path: what is answered there, before all else
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def answer(self, code, body, kind="application/json"):
                self.send_response(code)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                registry.hits.append(self.path)
                if registry.mood == "broken" or registry.fail_first > 0:
                    registry.fail_first -= 1
                    return self.answer(500, b"{}")
                path = self.path.replace("%2f", "/").replace("%2F", "/").lstrip("/")
                if registry.documents.get(path):
                    return self.answer(200, json.dumps(registry.documents[path]).encode())
                if "/-/" in path:
                    name, file = path.split("/-/")
                    version = file[len(name.rsplit("/", 1)[-1]) + 1 : -len(".tgz")]
                    data = registry.packages.get(name, {}).get(version)
                    return self.answer(200, data, "application/octet-stream") if data else self.answer(404, b"{}")
                if path not in registry.packages:
                    return self.answer(404, b'{"error":"Not found"}')
                self.answer(200, json.dumps(registry.packument(path)).encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def packument(self, name):
        versions = self.packages[name]
        base = name.split("/")[-1]
        integrity = (lambda d: sri(b"other")) if self.mood == "lying" else sri
        return {
            "_id": name, "name": name, "dist-tags": {"latest": sorted(versions)[-1]},
            "versions": {v: {**self.fields[name], **self.more.get((name, v), {}), "name": name, "version": v, "dist": {
                "integrity": integrity(d), "tarball": f"{self.url}{name}/-/{base}-{v}.tgz"}}
                for v, d in versions.items()},
        }

    def add(self, name, version, **more):
        data = tgz_of({"package.json": package(name, version, **more), "index.js": "module.exports = 1;\n"})
        self.packages.setdefault(name, {})[version] = data
        self.fields[name] = more
        return data


def env(registry, d):
    return {"npm_config_registry": registry.url if isinstance(registry, Registry) else registry, "npm_config_cache": f"{d}/cache",
            "npm_config_fetch_retries": "2", "npm_config_fetch_retry_mintimeout": "10",
            "npm_config_fetch_retry_maxtimeout": "50", "HOME": d}
