"""qanat gate before a real registry (Verdaccio), asked by real package managers."""
import gzip
import hashlib
import json
import os
import re
import time

from gatelib import ALLOW_YOUNG, BUN, MANAGERS, PNPM, THIEF, YARN1, YARN4, Client, Gate, Receiver, Verdaccio, clients_of, free_port, needs, wait_for
from tap import Run, done, ok, put, scratch

SHORT = {"accept": "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"}


def publish(v):
    for n in ("1.0.0", "1.1.0", "1.2.0"):
        v.publish("plain", n)
    v.publish("plain", "2.0.0-beta.1", tag="beta")
    v.publish("@scope/inner", "1.0.0")
    v.publish("@scope/inner", "1.0.1")
    for n in ("3.0.0", "3.0.1"):
        v.publish("listed", n)
    v.publish("stolen", "1.0.0")
    v.publish("stolen", "1.0.1", {"setup.js": THIEF}, scripts={"postinstall": "node setup.js"})
    v.publish("needs", "1.0.0", dependencies={"listed": "^3.0.0", "@scope/inner": "^1.0.0"})
    v.publish("all-bad", "1.0.0")
    v.publish("old-hole", "1.0.0")


def block(state, *specs):
    for spec in specs:
        r = Run("intel", "block", spec, "--reason", "stolen in a test", "--owner", "tests@example.invalid", "--state", state)
        assert r.code == 0, r


def documents(v, g):
    r = g.ask("/plain")
    full = r.json
    ok(r.status == 200 and sorted(full["versions"]) == ["1.0.0", "1.1.0", "1.2.0", "2.0.0-beta.1"] and "_id" in full, "a full document", r)
    ok(all(x["dist"]["tarball"] == f"{g.url}/plain/-/plain-{n}.tgz" for n, x in full["versions"].items()),
       "its tarballs are the gate's", full["versions"]["1.0.0"]["dist"])
    short = g.ask("/plain", headers=SHORT)
    ok(short.headers["content-type"].startswith("application/vnd.npm.install-v1+json") and
       set(short.json) == {"name", "modified", "dist-tags", "versions"}, "an abbreviated document", short)
    ok(g.ask("/@scope/inner").json == g.ask("/@scope%2finner").json == g.ask("/@scope%2Finner").json, "both spellings of a scope", "")
    z = g.ask("/plain", headers={**SHORT, "accept-encoding": "gzip, deflate, br"})
    ok(z.headers["content-encoding"] == "gzip" or len(short.body) < 1024 and z.body == short.body, "gzip", z)
    ok("accept" in (z.headers["vary"] or "").lower(), "what it depends on is told", z.headers)
    again = g.ask("/plain", headers={**SHORT, "if-none-match": short.headers["etag"]})
    ok(again.status == 304 and not again.body, "304 for what the client has", again)
    ok(g.ask("/plain", headers={"if-none-match": '"other"'}).status == 200, "and 200 for what it has not", "")
    head = g.ask("/plain", "HEAD")
    ok(head.status == 200 and not head.body and head.headers["content-length"] == str(len(r.body)), "HEAD", head)
    one, tagged = g.ask("/plain/1.1.0"), g.ask("/plain/beta")
    ok(one.json["version"] == "1.1.0" and tagged.json["version"] == "2.0.0-beta.1", "one version, one tag", one)
    tags = g.ask("/-/package/plain/dist-tags")
    ok(tags.json == {"latest": "1.2.0", "beta": "2.0.0-beta.1"}, "dist-tags", tags)
    ok(g.ask("/plain/9.9.9").status == 404 and "no such version" in g.ask("/plain/9.9.9").json["error"], "a version that is not there", "")
    ok(g.ask("/not-there").status == 404 and "error" in g.ask("/not-there").json, "a package that is not there", g.ask("/not-there"))


def tarballs(v, g):
    want = v.tarballs["plain", "1.0.0"]
    r = g.ask("/plain/-/plain-1.0.0.tgz")
    ok(r.status == 200 and r.body == want, "a tarball, byte for byte", r.status)
    ok(g.ask("/plain/-/plain-1.0.0.tgz").body == want, "and again", "")
    part = g.ask("/plain/-/plain-1.0.0.tgz", headers={"range": "bytes=10-19"})
    ok(part.status == 206 and part.body == want[10:20] and part.headers["content-range"] == f"bytes 10-19/{len(want)}", "a part of it", part.headers)
    ok(g.ask("/plain/-/plain-1.0.0.tgz", headers={"range": "bytes=99999999-"}).status == 416, "a part that is not there", "")
    head = g.ask("/plain/-/plain-1.0.0.tgz", "HEAD")
    ok(head.status == 200 and head.headers["content-length"] == str(len(want)), "HEAD of it", head)
    ok(g.ask("/plain/-/plain-1.0.0.tgz", headers={"if-none-match": r.headers["etag"]}).status == 304, "304 of it", "")
    ok(g.ask("/@scope%2finner/-/inner-1.0.1.tgz").body == v.tarballs["@scope/inner", "1.0.1"], "a scoped one", "")
    ok(g.ask("/plain/-/plain-7.0.0.tgz").status == 404 and g.ask("/plain/-/other-1.0.0.tgz").status == 404, "those that are not there", "")
    rows = g.ledger("plain@1.0.0")["fetches"]
    ok(len(rows) == 3 and all(x["address"] == "127.0.0.1" for x in rows), "each of them is in the ledger, HEAD and 304 are not", len(rows))


def strange(v, g):
    for path in ("/..%2f..%2fetc%2fpasswd", "/plain/-/..%2f..%2fplain-1.0.0.tgz", "/plain%00", "//plain", "/plain/-/%2e%2e/x.tgz", "/%5cplain", "/" + "a" * 3000):
        r = g.ask(path)
        ok(r.status in (400, 404, 414), f"{path[:40]}: {r.status}", r)
    ok(g.ask("/plain", "PATCH").status in (405, 501), "a method that no registry has", "")
    ok(g.ask("/-/ping").json == {} and g.ask("/-/gate/ready").status == 200, "ping", "")
    ok(g.ask("/-/whoami").status == 401 and g.ask("/-/gate/metrics").status == 401, "nobody is nobody", g.ask("/-/whoami"))


def denied(v, g):
    block(g.state, "listed@3.0.1", "all-bad@1.0.0")
    g.reload()
    doc = g.ask("/listed", headers=SHORT).json
    ok(sorted(doc["versions"]) == ["3.0.0"] and doc["dist-tags"] == {"latest": "3.0.0"}, "a blocked version is not offered, its tag moves", doc)
    ok("3.0.1" in doc["policyRestrictions"]["versions"] and "stolen in a test" in doc["policyRestrictions"]["message"], "npm is told why", doc)
    full = g.ask("/listed").json
    ok("3.0.1" not in full["time"] and "3.0.0" in full["time"], "time has what versions has", full["time"])
    r = g.ask("/listed/-/listed-3.0.1.tgz")
    ok(r.status == 403 and "stolen in a test" in r.json["error"], "its tarball is 403 with the reason", r)
    ok(g.ask("/listed/3.0.1").status == 403, "its manifest, too", g.ask("/listed/3.0.1"))
    r = g.ask("/all-bad")
    ok(r.status == 403 and "stolen in a test" in r.json["error"] and r.headers["npm-notice"], "a package with nothing left is 403", r)


# What people see: of a lock file with a blocked version, of one that is pinned, of a package of which nothing is left.  npm prints
# the reason; what is no npm prints no more of a 403 than its status and its address, and knows no reason why a version is not there.
WHY = "listed@3.0.1 is known to be malicious (OWN:listed@3.0.1: stolen in a test): do not install it, choose another version, and tell your security team"
GONE = "all-bad@1.0.0 is known to be malicious (OWN:all-bad@1.0.0: stolen in a test): do not install it, choose another version, and tell your security team"
SAYS = {
    "npm": (WHY, WHY, GONE),
    "npm 8": (WHY, WHY, GONE),
    "pnpm": ("/listed/-/listed-3.0.1.tgz: Forbidden - 403", "No matching version found for listed@3.0.1", "/all-bad: Forbidden - 403"),
    "yarn classic": ('/listed/-/listed-3.0.1.tgz: Request failed "403 Forbidden"', 'Couldn\'t find any versions for "listed" that matches "3.0.1"', GONE),
    "yarn": ("Response Code: 403 (Forbidden)", "listed@npm:3.0.1: No candidates found", "Response Code: 403 (Forbidden)"),
    "bun": ("/listed/-/listed-3.0.1.tgz - 403", 'No version matching "3.0.1" found for specifier "listed"', "/all-bad - 403"),
}


def installs(d, v, g):
    """Before anything is blocked: everybody gets everything; then a lock file holds what is blocked since."""
    clients = clients_of(d, g)
    for name, c, install, _ in clients:
        c.set({"needs": "1.0.0", "plain": "^1.0.0"})
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
        r = install(c)
        ok(r.returncode == 0 and c.version("plain") == "1.2.0", f"{name} installs", r.all[-1500:])
    block(g.state, "listed@3.0.1")
    g.reload()
    for name, c, install, frozen in clients:
        lock = {x: open(f"{c.dir}/{x}", "rb").read() for x in os.listdir(c.dir) if "lock" in x and os.path.isfile(f"{c.dir}/{x}")}
        c.clean()
        for x, data in lock.items():
            put(f"{c.dir}/{x}", data)
        r = frozen(c)
        ok(r.returncode != 0 and "403" in r.all, f"{name}: a lock file with a blocked version fails", r.all[-1500:])
        ok(SAYS[name][0] in r.all, f"{name}: and says why, or which address says so", r.all[-1500:])
        for url in set(re.findall(re.escape(g.url) + r"/listed\S*?\.tgz", r.all)):
            r = g.ask(url[len(g.url):])
            ok(r.status == 403 and WHY in r.json["error"], f"{name}: which it does", r)
        c.clean()
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
        r = install(c)
        held = [x for x in ("listed",) if c.version(x) == "3.0.1"]
        ok(r.returncode == 0 and not held, f"{name}: a range falls back", r.all[-1500:])
        c.clean()
        c.set({"listed": "3.0.1"})
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
        r = install(c)
        ok(r.returncode != 0 and c.version("listed") is None, f"{name}: a pin fails", r.all[-1500:])
        ok(SAYS[name][1] in r.all and ("E403" in r.all or not name.startswith("npm")), f"{name}: and says why, or that it is not there", r.all[-1500:])
    block(g.state, "all-bad@1.0.0")
    g.reload()
    for name, c, install, _ in clients:
        c.clean()
        c.set({"all-bad": "1.0.0"})
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
        r = install(c)
        ok(r.returncode != 0 and SAYS[name][2] in r.all, f"{name}: a package of which nothing is left", r.all[-1500:])


def judged(d, v, g):
    r = g.ask("/stolen/-/stolen-1.0.1.tgz")
    ok(r.status == 403 and "stolen@1.0.1" in r.json["error"], "what the analysis convicts is not served", r)
    doc = g.ask("/stolen", headers=SHORT).json
    ok(sorted(doc["versions"]) == ["1.0.0"] and doc["dist-tags"]["latest"] == "1.0.0", "and is not offered from then on", doc)
    ok(g.ask("/stolen/-/stolen-1.0.0.tgz").status == 200, "the version before is", "")
    c = Client(d, "judged", g.url, {"stolen": "1.0.1"})
    r = c.npm("install")
    ok(r.returncode != 0 and "E403" in r.all and "stolen" in r.all, "npm says so", r.all[-800:])


def commands(d, v, g):
    c = Client(d, "commands", g.url, {"plain": "1.0.0"})
    ok(c.npm("install").returncode == 0, "npm install", "")
    c.set({"plain": "^1.0.0"})
    out = c.npm("outdated", "--json")
    ok(json.loads(out.stdout)["plain"]["latest"] == "1.2.0", "npm outdated", out.all)
    r = c.npm("update")
    ok(r.returncode == 0 and c.version("plain") == "1.2.0", "npm update", r.all)
    view = c.npm("view", "@scope/inner", "versions", "--json")
    ok(json.loads(view.stdout) == ["1.0.0", "1.0.1"], "npm view", view.all)
    r = c.npm("pack", "plain@1.1.0", "--json")
    ok(r.returncode == 0 and json.loads(r.stdout)[0]["version"] == "1.1.0", "npm pack", r.all)
    ok(c.npm("ping").returncode == 0, "npm ping", "")
    tags = c.npm("dist-tag", "ls", "plain")
    ok("latest: 1.2.0" in tags.stdout, "npm dist-tag ls", tags.all)


def audits(d, v, g):
    c = Client(d, "audits", g.url, {"old-hole": "1.0.0", "plain": "1.0.0"})
    ok(c.npm("install").returncode == 0, "what is about to be reported is installed", "")
    record = {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "summary": "A hole in old-hole",
              "affected": [{"package": {"ecosystem": "npm", "name": "old-hole"},
                            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.5"}]}]}],
              "database_specific": {"severity": "HIGH"}}
    file = put(f"{d}/ghsa.json", json.dumps(record))
    r = Run("intel", "import", file, "--source", "ghsa", "--state", g.state)
    ok(r.code == 0, "a vulnerability becomes known", r)
    g.reload()
    bulk = g.ask("/-/npm/v1/security/advisories/bulk", "POST", gzip.compress(json.dumps({"old-hole": ["1.0.0"], "plain": ["1.0.0"]}).encode()),
                 {"content-type": "application/json", "content-encoding": "gzip"})
    ok(bulk.status == 200 and list(bulk.json) == ["old-hole"] and bulk.json["old-hole"][0]["severity"] == "high", "the bulk question", bulk)
    parts = iter([b'{"old-', b'hole":["1.0', b'.0"]}'])
    r = g.ask("/-/npm/v1/security/advisories/bulk", "POST", parts, {"content-type": "application/json", "transfer-encoding": "chunked"})
    ok(r.status == 200 and r.json == {"old-hole": bulk.json["old-hole"]}, "the same in chunks", r)
    hits = len(v.hits) if hasattr(v, "hits") else 0
    r = c.npm("audit", "--json")
    ok(r.returncode == 1 and "old-hole" in json.loads(r.stdout)["vulnerabilities"], "npm audit", r.all[-1500:])
    p = Client(d, "audits-pnpm", g.url, {"old-hole": "1.0.0"})
    ok(p.node(*PNPM, "install").returncode == 0, "pnpm installs it", "")
    r = p.node(*PNPM, "audit", "--json")
    ok(r.returncode == 1 and "old-hole" in r.stdout and "A hole in old-hole" in r.stdout, "pnpm audit", r.all[-1500:])
    y = Client(d, "audits-yarn", g.url, {"old-hole": "1.0.0"})
    put(f"{y.dir}/yarn.lock", "")
    ok(y.node(*YARN4, "install").returncode == 0, "yarn installs it", "")
    r = y.node(*YARN4, "npm", "audit", "--all")
    ok(r.returncode == 1 and "A hole in old-hole" in r.all, "yarn npm audit", r.all[-1500:])
    six = Client(d, "audits-npm6", g.url, {"old-hole": "1.0.0"})
    six.npm("install", version=6)
    r = six.npm("audit", "--json", version=6)
    ok(r.returncode == 1 and "A hole in old-hole" in r.stdout, "npm 6 audit", r.all[-1500:])
    bun = os.path.join(MANAGERS, BUN, "bin", "bun")
    if os.path.exists(bun):
        b = Client(d, "audits-bun", g.url, {"old-hole": "1.0.0"})
        b.run(bun, "install")
        r = b.run(bun, "audit", "--json")
        ok("A hole in old-hole" in r.stdout, "bun audit", r.all[-1500:])
    bad = g.ask("/-/npm/v1/security/advisories/bulk", "POST", b"[[[[", {"content-type": "application/json"})
    ok(bad.status == 400 and "error" in bad.json and hits == 0, "a question that is none", bad)


def alarms(d, v):
    hook = Receiver()
    token = "a-token-of-a-test"
    service = (f"listen: ['127.0.0.1:{free_port()}']\nupstreams:\n  - name: main\n    url: {v.url}/\n    writes: true\n    login: true\n"
               f"tokens:\n  - name: ci\n    sha256: {hashlib.sha256(token.encode()).hexdigest()}\n    admin: true\n"
               f"webhook:\n  url: {hook.url}\n  secret: {{ env: HOOK_SECRET }}\n")
    g = Gate(d, service=service, env={"HOOK_SECRET": "shared"})
    auth = {"authorization": f"Bearer {token}", "user-agent": "npm/11.0.0 node/v20 linux x64 workspaces/false ci/github-actions",
            "npm-session": "abc123"}
    ok(g.ask("/-/whoami", headers=auth).json["username"] == "ci", "a token has a name", g.ask("/-/whoami", headers=auth))
    ok(g.ask("/plain/-/plain-1.1.0.tgz", headers=auth).status == 200, "it fetches", "")
    row = g.ledger()["fetches"][0]
    ok(row["token"] == "ci" and row["session"] == "abc123" and "github" in (row["ci"] or "") and row["name"] == "plain", "the ledger knows who", row)
    block(g.state, "plain@1.1.0")
    g.reload()
    wait_for(lambda: hook.got)
    head, body = hook.got[0]
    said = json.loads(body)
    ok("plain" in body.decode() and "ci" in body.decode() and "1.1.0" in body.decode(), "what turns bad is told with who has it", said)
    import hmac
    signature = dict(x.split("=", 1) for x in head["qanat-signature"].split(","))
    want = hmac.new(b"shared", f"{signature['t']}.{signature['id']}.".encode() + body, hashlib.sha256).hexdigest()
    ok(signature["sha256"] == want and abs(int(signature["t"]) - time.time()) < 60 and signature["id"] == str(said["id"]),
       "and signed, with its time and id", head)
    ok(g.ledger()["alarms"][0]["name"] == "plain", "the ledger has the alarm", g.ledger()["alarms"])
    ok(g.ask("/plain/-/plain-1.1.0.tgz", headers=auth).status == 403, "and it is served no more", "")
    time.sleep(0.5)
    g.reload()
    time.sleep(1)
    ok(len(hook.got) == 1, "it is told once", len(hook.got))
    m = g.ask("/-/gate/metrics", headers=auth)
    ok(m.status == 200 and "qanat_gate_alarms_total 1" in m.text and "qanat_gate_served_total 1" in m.text, "metrics", m.text[:3000])
    c = Client(d, "publisher", g.url)
    put(f"{c.home}/.npmrc", f"//{g.address}/:_authToken={v.token}\n")
    with open(f"{c.dir}/package.json", "w", encoding="utf-8") as f:
        f.write(json.dumps({"name": "mine", "version": "1.0.0"}))
    r = c.npm("publish")
    ok(r.returncode == 0 and g.ask("/mine").json["dist-tags"]["latest"] == "1.0.0", "publishing is passed through", r.all[-800:])
    r = c.npm("dist-tag", "add", "mine@1.0.0", "next")
    ok(r.returncode == 0 and g.ask("/mine").json["dist-tags"].get("next") == "1.0.0", "so are tags", r.all[-800:])
    tag = {"authorization": f"Bearer {v.token}", "content-type": "application/json", "transfer-encoding": "chunked"}
    r = g.ask("/-/package/mine/dist-tags/parts", "PUT", iter([b'"1.', b'0.0"']), tag)
    ok(r.status in (200, 201) and g.ask("/mine").json["dist-tags"].get("parts") == "1.0.0", "also when they are sent in chunks", r)
    ok(g.stop() == 0, "it ends when it is told to", g.log())


def setups(d, v, g):
    """`qanat gate setup` is all that a client needs: nothing else in its environment names a registry."""
    bun = os.path.join(MANAGERS, BUN, "bin", "bun")
    tools = [("npm", ["npm", "install"]), ("npm", ["node", f"{MANAGERS}/npm6/bin/npm-cli.js", "install"]), ("pnpm", ["node", f"{MANAGERS}/{'/'.join(PNPM)}", "install", "--no-frozen-lockfile"]),
             ("yarn-classic", ["node", f"{MANAGERS}/{'/'.join(YARN1)}", "install", "--non-interactive"]),
             ("yarn", ["node", f"{MANAGERS}/{'/'.join(YARN4)}", "install"])]
    tools += [("bun", [bun, "install"])] if os.path.exists(bun) else []
    for i, (name, command) in enumerate(tools):
        c = Client(d, f"setup{i}", g.url, {"plain": "^1.0.0", "@scope/inner": "1.0.0"})
        if name == "yarn":
            put(f"{c.dir}/yarn.lock", "")
            put(f"{c.dir}/.yarnrc.yml", "nodeLinker: node-modules\nunsafeHttpWhitelist:\n  - other.invalid\n")
        r = Run("gate", "setup", name, c.dir, "--url", g.url)
        before = len(g.ledger()["fetches"])
        r2 = c.run(*command, without=("registry", "whitelist"))
        ok(r.code == 0 and r2.returncode == 0 and c.version("plain") == "1.2.0" and len(g.ledger()["fetches"]) == before + 2,
           f"setup {name}: {' '.join(os.path.basename(x) for x in command[:2])} asks the gate", r2.all[-1500:])
    put(f"{d}/y/.yarnrc.yml", "unsafeHttpWhitelist: [a]\nnpmScopes:\n  acme:\n    npmRegistryServer: https://acme.invalid\n    npmAuthToken: x\n")
    for _ in range(2):
        r = Run("gate", "setup", "yarn", f"{d}/y", "--url", "http://[::1]:4873", "--token-variable", "T")
    with open(f"{d}/y/.yarnrc.yml", encoding="utf-8") as f:
        text = f.read()
    ok(text == 'unsafeHttpWhitelist: ["[::1]", a]\nnpmScopes:\n  acme:\n    npmRegistryServer: https://acme.invalid\n    npmAuthToken: x\n'
       'npmRegistryServer: "http://[::1]:4873"\nnpmAuthToken: "${T}"\n' and b"single scopes" in r.err, "setup leaves the rest of a file as it is", text)


def without_writes(d, v, g):
    c = Client(d, "refused", g.url)
    put(f"{c.home}/.npmrc", f"//{g.address}/:_authToken={v.token}\n")
    with open(f"{c.dir}/package.json", "w", encoding="utf-8") as f:
        f.write(json.dumps({"name": "refused", "version": "1.0.0"}))
    r = c.npm("publish")
    ok(r.returncode != 0 and "403" in r.all and "only reads" in r.all, "publishing is refused where nobody allowed it", r.all[-800:])


def ages(d, v):
    g = Gate(d, v.url, policy="minimum-age: { default: 24h }\n")
    r = g.ask("/plain")
    ok(r.status == 403 and "24" in r.json["error"], "what was published now has to wait", r)
    c = Client(d, "young", g.url, {"plain": "1.0.0"})
    r = c.npm("install")
    ok(r.returncode != 0 and "E403" in r.all and "24" in r.all, "npm says so", r.all[-800:])
    g.set_policy("minimum-age: { default: 24h, packages: { plain: 0 } }\n")
    g.reload()
    ok(g.ask("/plain").status == 200 and g.ask("/@scope/inner").status == 403, "an exception by name, without a restart", "")
    g.set_policy("minimum-age: { default: [\n")
    g.process.send_signal(1)
    wait_for(lambda: b"not reloaded" in g.log())
    ok(g.ask("/plain").status == 200, "a policy that cannot be read changes nothing", g.log())
    g.set_policy("mode: warn\nminimum-age: { default: 24h }\n")
    g.reload()
    r = g.ask("/plain/-/plain-1.0.0.tgz")
    ok(r.status == 200 and "24" in (r.headers["npm-notice"] or ""), "to warn is to serve and say so", r.headers)
    g.set_policy("owned: { '@scope/*': nowhere, 'plain': true }\n" + ALLOW_YOUNG)
    g.process.send_signal(1)
    time.sleep(1)
    g.stop()


def main():
    needs()
    with scratch() as d:
        v = Verdaccio(d)
        try:
            publish(v)
            g = Gate(d, v.url)
            documents(v, g)
            tarballs(v, g)
            strange(v, g)
            commands(d, v, g)
            installs(d, v, g)
            denied(v, g)
            judged(d, v, g)
            audits(d, v, g)
            setups(d, v, g)
            without_writes(d, v, g)
            ok(g.stop() == 0, "it ends when it is told to", g.log())
            alarms(d, v)
            ages(d, v)
        finally:
            v.stop()
    done()


main()
