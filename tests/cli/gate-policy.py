"""qanat gate policy test NAME@VERSION: what the gate would do, asked without one; and that a gate does it."""
import hashlib
import json
import os

from gatelib import THIEF, Gate, Upstream, free_port
from tap import Run, done, ok, package, put, scratch, tgz_of

POLICY = """minimum-age: { default: 24h, packages: { young-allowed: 0 } }
contact: Jo
exceptions:
  - { package: excepted, rules: [install-hooks], reason: looked at, owner: jo@acme.example, expires: never }
owned: { '@acme/*': inside, acme-nowhere: true }
"""
HOOK = {"scripts": {"postinstall": "node x.js"}, "hasInstallScript": True}


def fill(up, inside):
    for name in ("plain", "blocked", "allowed-hook", "excepted", "hooked", "young", "young-allowed", "undated"):
        for v in ("1.0.0", "1.0.1"):
            up.add(name, v)
    for name in ("hooked", "excepted"):
        up.more.setdefault(name, {})["1.0.1"] = HOOK
        up.packages[name]["1.0.1"] = tgz_of({"package.json": package(name, "1.0.1", scripts=HOOK["scripts"]), "x.js": "1;\n"})
    for name in ("young", "young-allowed"):
        up.times[name, "1.0.1"] = "2099-01-01T00:00:00.000Z"
    up.add("stolen", "1.0.0", {"setup.js": THIEF})
    up.packages["stolen"]["1.0.0"] = tgz_of({"package.json": package("stolen", "1.0.0", scripts={"postinstall": "node setup.js"}), "setup.js": THIEF})
    inside.add("@acme/web", "1.0.0")
    up.mood["broken"] = lambda h: h.send(200, b"[[[[")
    doc = up.document("plain")
    up.packages["other"] = up.packages["plain"]
    up.mood["other"] = lambda h: h.send(200, json.dumps(doc).encode())


def verb(*args, **kw):
    return Run("gate", "policy", "test", *args, **kw)


def line(r):
    return r.err.decode().strip()


def wrong_usage(d, up):
    cases = put(f"{d}/cases.yaml", "tests:\n  - { package: a@1.0.0, expect: allow }\n")
    for args, says in ((["a b@1.0.0"], "before the @ there is no package's name"), (["..@1.0.0"], None), (["plain@latest"], "write one version, such as plain@1.0.0"),
                       (["plain@^1.0.0"], "write one version"), (["plain@"], "write one version"), (["plain@1"], "write one version"),
                       (["plain@1.0.0", cases], "only packages, written NAME@VERSION"), (["plain@1.0.0", "plain"], "only packages"), ([cases, "plain@1.0.0"], "write: qanat gate"),
                       ([cases, cases], "write: qanat gate"), (["--packument", cases], "goes with a package"), (["--packument", cases, cases], "goes with a package"),
                       (["--packument", f"{d}/none", "plain@1.0.0"], "No such file"), (["--packument", cases, "plain@1.0.0", "blocked@1.0.0"], "is of one package, plain"),
                       (["plain"], "No such file"), (["--policy", f"{d}/none", "plain@1.0.0"], "No such file"), (["--service", f"{d}/none", "plain@1.0.0"], "No such file"),
                       (["--registry", "nowhere", "plain@1.0.0"], "write the registry as a URL"), (["--format", "xml", "plain@1.0.0"], "xml")):
        r = verb("--state", f"{d}/none-state", *args)
        ok(r.code == 2 and not r.out and line(r).count("\n") == 0 and (says is None or says in line(r)), f"wrong: {' '.join(os.path.basename(a) for a in args)}", r)
    odd = put(f"{d}/cases@2.yaml", "tests:\n  - { package: a@1.0.0, expect: allow }\n")
    r = verb(odd)
    ok(r.code == 0 and b"1 cases, 0 failed" in r.out, "a file of cases may have an @", r)
    r = verb("cases@2.yaml", cwd=d)
    ok(r.code == 0 and b"1 cases, 0 failed" in r.out, "also when only its end tells", r)
    put(f"{d}/x@1.0.0", "tests:\n  - { package: a@1.0.0, expect: allow }\n")
    ok(verb("./x@1.0.0", cwd=d).code == 0, "or its path", "")
    ok(not os.path.exists(f"{d}/none-state"), "nothing is made of it", "")


def failing(d, up, options):
    for spec, says in (("absent@1.0.0", "404"), ("plain@9.9.9", "plain has no version 9.9.9"), ("broken@1.0.0", "cannot be used"), ("other@1.0.0", "cannot be used"),
                       ("acme-nowhere@1.0.0", "never asked for outside")):
        r = verb(*options, spec)
        ok(r.code == 2 and not r.out and says in line(r) and "\n" not in line(r), f"{spec}: {says}", r)
    hits = len(up.hits)
    r = verb(*options, "acme-nowhere@1.0.0")
    ok(r.code == 2 and len(up.hits) == hits, "for a name that is owned nobody outside is asked", up.hits[hits:])
    r = verb("--policy", options[1], "--registry", f"http://127.0.0.1:{free_port()}/", "--state", f"{d}/none-state", "plain@1.0.0")
    ok(r.code == 2 and "cannot be used" in line(r) and not os.path.exists(f"{d}/none-state"), "a registry that is away", r)


def decided(d, up, g, options):
    """The same answer as the gate's, with the same words."""
    for spec, outcome, rule in (("plain@1.0.0", "allow", None), ("blocked@1.0.1", "block", "intelligence"), ("hooked@1.0.0", "allow", None),
                                ("hooked@1.0.1", "quarantine", "install-hooks"), ("excepted@1.0.1", "allow", "install-hooks"), ("young@1.0.1", "block", "minimum-age"),
                                ("young-allowed@1.0.1", "allow", None), ("@acme/web@1.0.0", "allow", None)):
        name, version = spec.rsplit("@", 1)
        r = verb(*options, "--format", "json", spec)
        got = r.json["results"][0]
        ok(r.json["schema"] == "qanat.gate-policy-explain/1" and (got["name"], got["version"], got["outcome"], got["rule"]) == (name, version, outcome, rule) and
           r.code == (outcome != "allow") and got["analysed"] is False and len(got["steps"]) == 9, f"{spec}: {outcome}", r)
        deciding = [s["rule"] for s in got["steps"] if s["decides"]]
        ok(deciding == ([rule] if rule else []), "by the rule that says so", got["steps"])
        a = g.ask(f"/{name}/-/{name.split('/')[-1]}-{version}.tgz")
        ok(a.status == (200 if outcome == "allow" else 403) and (outcome == "allow" or a.json["error"].endswith(got["reason"])), "and the gate does it", a)
    r = verb(*options, "plain@1.0.0", "blocked@1.0.1", "blocked@1.0.0")
    ok(r.code == 1 and [x.split(":")[0] for x in r.out.decode().splitlines() if not x.startswith((" ", "*"))] == ["plain@1.0.0", "blocked@1.0.1", "blocked@1.0.0"],
       "several at once, in their order", r)
    r = verb(*options, "plain@1.0.1")
    ok(r.out.decode().splitlines() == ["plain@1.0.1: allow", "  verdict  -  it is not analysed yet"], "what is still open is said", r)
    r = verb(*options, "--explain", "young@1.0.1")
    text = r.out.decode()
    ok(text.startswith("young@1.0.1: block until 2099-01-02T00:00:00Z\n") and text.count("\n") == 10 and "\n*  minimum-age" in text and "   provenance" in text,
       "--explain: every rule", r)


def analysed(g, options):
    r = verb(*options, "--format", "json", "stolen@1.0.0")
    ok(r.code == 0 and r.json["results"][0]["analysed"] is False, "what nobody has looked at yet", r)
    a = g.ask("/stolen/-/stolen-1.0.0.tgz")
    r = verb(*options, "--format", "json", "stolen@1.0.0")
    got = r.json["results"][0]
    ok(a.status == 403 and r.code == 1 and got["analysed"] and got["rule"] == "verdict" and a.json["error"].endswith(got["reason"]), "the verdict on record counts", r)
    ok(verb(*options, "--format", "json", "plain@1.0.0").json["results"][0]["analysed"], "also one that is good", "")
    rows = g.ledger()
    verb(*options, "plain@1.0.0", "stolen@1.0.0", "hooked@1.0.1")
    ok(g.ledger() == rows, "the ledger is as it was", "")


def documents(d, up, options):
    doc = put(f"{d}/doc.json", json.dumps(up.document("hooked")))
    hits = len(up.hits)
    r = verb(*options, "--packument", doc, "--format", "json", "hooked@1.0.0", "hooked@1.0.1")
    ok(r.code == 1 and [x["outcome"] for x in r.json["results"]] == ["allow", "quarantine"] and len(up.hits) == hits, "a document that is here is enough", r)
    r = verb(*options, "--packument", doc, "plain@1.0.0")
    ok(r.code == 2 and "plain" in line(r), "but not that of another package", r)
    r = verb(*options, "--packument", put(f"{d}/none.json", "nothing"), "plain@1.0.0")
    ok(r.code == 2 and "cannot be used" in line(r), "nor one that is none", r)
    r = verb(*options, "--packument", d, "plain@1.0.0")
    ok(r.code == 2 and "\n" not in line(r), "nor a directory", r)


with scratch() as where:
    registry, internal = Upstream(), Upstream()
    fill(registry, internal)
    wrong_usage(where, registry)
    service = (f"listen: ['127.0.0.1:{free_port()}']\nupstreams:\n  - {{ name: main, url: '{registry.url}/' }}\n"
               f"  - {{ name: inside, url: '{internal.url}/', scopes: ['@acme'], token: {{ env: INSIDE }} }}\n")
    os.environ["INSIDE"] = hashlib.sha256(b"x").hexdigest()
    gate = Gate(where, service=service, policy=POLICY)
    block = Run("intel", "block", "blocked@1.0.1", "--reason", "blocked in a test", "--owner", "tests@example.invalid", "--state", gate.state)
    ok(block.code == 0, "a version is blocked", block)
    gate.reload()
    same = ["--policy", f"{gate.dir}/policy.yaml", "--service", f"{gate.dir}/gate.yaml", "--state", gate.state, "--cache", gate.cache]
    failing(where, registry, same)
    analysed_before = verb(*same, "plain@1.0.1")
    ok(analysed_before.code == 0, "a version that is fine", analysed_before)
    decided(where, registry, gate, same)
    analysed(gate, same)
    documents(where, registry, same)
    ok(any(h.get("Authorization", "").startswith("Bearer ") for _, h in internal.headers) and not any("Authorization" in h for _, h in registry.headers),
       "each registry sees its own token", "")
    ok(gate.stop() == 0, "it ends", gate.log()[-1500:])
done()
