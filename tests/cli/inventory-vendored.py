"""qanat inventory learn, and copies of packages in a project's own files: what is recognised, what is not, hostile archives."""
import json
import os
import zipfile

from tap import Run, done, ok, package, put, scratch, tgz_of


def code(seed, size=900):
    return f"// {seed}\n" + "".join(f"exports.f{i} = function () {{ return {i} + '{seed}'; }};\n" for i in range(size // 50))


def lib(name, version, tag=None, **files):
    tag = tag or f"{name}-{version}"
    return {"package.json": package(name, version, description="x" * 300),
            "index.js": code(f"{tag} main"), "dist/{}.min.js".format(name.rsplit("/", 1)[-1]): code(f"{tag} dist"),
            "lib/util.js": code(f"{tag} util"), "lib/same.js": code(f"{name} same in every version"),
            "LICENSE": "Permission is hereby granted " * 40, "shim.js": "module.exports = {}\n", **files}


def unpack(where, files):
    for path, text in files.items():
        put(f"{where}/{path}", text)


class Place:
    def __init__(self, d):
        self.d, self.state = d, f"{d}/state"

    def run(self, *args):
        return Run("inventory", "--state", self.state, *args)

    def found(self, path, **kw):
        doc = self.run("scan", "--format", "json", path).json
        return {(c["locations"][0], c["name"], c["version"], c["copy"]["files"], c["copy"]["of"]): c
                for c in doc["components"] if c["kind"] == "vendored"}


def learning(p):
    a, b = tgz_of(lib("alpha", "1.0.0")), tgz_of(lib("alpha", "1.1.0"))
    put(f"{p.d}/in/alpha-1.0.0.tgz", a)
    put(f"{p.d}/in/_cacache/content-v2/sha512/aa/bb/cc", b)
    put(f"{p.d}/in/_cacache/content-v2/sha512/aa/bb/dd", '{"a": "document"}')
    unpack(f"{p.d}/in/app/node_modules/@s/beta", lib("@s/beta", "2.0.0"))
    unpack(f"{p.d}/in/app/node_modules/@s/beta/node_modules/gamma", lib("gamma", "3.0.0"))
    unpack(f"{p.d}/in/delta@4.0.0@@@1", lib("delta", "4.0.0"))
    put(f"{p.d}/in/app/package.json", package("app"))
    os.makedirs(f"{p.d}/in/cache")
    with zipfile.ZipFile(f"{p.d}/in/cache/eps-npm-5.0.0-x-1.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in lib("eps", "5.0.0").items():
            z.writestr(f"node_modules/eps/{path}", text)
    r = p.run("scan", f"{p.d}/in")
    ok(not os.path.exists(f"{p.state}/learnt.db") and b"vendored" not in r.out, "nothing is recognised before something was learnt", r)
    r = p.run("learn", f"{p.d}/in", "--format", "json")
    ok(r.code == 0 and r.json["packages"] == 6 and r.json["new"] == 6 and r.json["files"] == 30, "learn: archives, caches, trees", r)
    r = p.run("learn", f"{p.d}/in")
    ok(r.out == b"6 packages, 0 new, with 0 files\n", "learn: again", r)
    unpack(f"{p.d}/zeta", lib("zeta", "6.0.0"))
    ok(p.run("learn", f"{p.d}/zeta").out.startswith(b"1 packages, 1 new"), "learn: one directory")
    r = p.run("learn", f"{p.d}/none")
    ok(r.code == 3 and b"No such file" in r.err, "learn: what is not there", r)
    r = Run("inventory", "--state", p.state, "learn", env={"HOME": f"{p.d}/nobody", "npm_config_cache": ""})
    ok(r.code == 2 and b"name a PATH" in r.err, "learn: without a cache", r)
    r = Run("inventory", "--state", p.state, "learn", env={"HOME": f"{p.d}/nobody", "npm_config_cache": f"{p.d}/in"})
    ok(r.code == 0 and r.out.startswith(b"1 packages"), "learn: npm's cache by itself", r)


def copies(p):
    v = f"{p.d}/proj"
    put(f"{v}/package.json", package("proj"))
    alpha, beta, eps = lib("alpha", "1.0.0"), lib("@s/beta", "2.0.0"), lib("eps", "5.0.0")
    unpack(f"{v}/vendor/alpha", alpha)
    put(f"{v}/public/js/beta.min.js", beta["dist/beta.min.js"].replace("\n", "\r\n") + "\n//# sourceMappingURL=beta.min.js.map\n")
    unpack(f"{v}/third_party/eps-fork", {**eps, "lib/util.js": eps["lib/util.js"] + "patched();\n"})
    put(f"{v}/src/lib/gamma/util.js", lib("gamma", "3.0.0")["lib/util.js"])
    put(f"{v}/src/lib/gamma/same.js", lib("gamma", "3.0.0")["lib/same.js"])
    put(f"{v}/src/zeta-same.js", lib("zeta", "6.0.0")["lib/same.js"])
    put(f"{v}/src/LICENSE", alpha["LICENSE"])
    put(f"{v}/src/shim.js", alpha["shim.js"])
    put(f"{v}/src/own.js", code("own"))
    put(f"{v}/test/fixtures/delta/package.json", lib("delta", "4.0.0")["package.json"])
    got = p.found(v)
    want = {("vendor/alpha", "alpha", "1.0.0", 5, 5), ("public/js/beta.min.js", "@s/beta", "2.0.0", 1, 5),
            ("third_party/eps-fork", "eps", "5.0.0", 4, 5), ("src/lib/gamma", "gamma", "3.0.0", 2, 5),
            ("src/zeta-same.js", "zeta", "6.0.0", 1, 5)}
    ok(set(got) == want, "copies: whole, one file, changed, in part, renamed; no licence, no stub, no manifest", set(got) ^ want)
    alpha_c = got[("vendor/alpha", "alpha", "1.0.0", 5, 5)]
    ok(alpha_c["origin"] == "vendored" and alpha_c["direct"] and alpha_c["integrity"].startswith("sha512-") and alpha_c["path"] == ["alpha@1.0.0"],
       "a copy is a component", alpha_c)
    put(f"{v}/src/alpha-same.js", lib("alpha", "1.0.0")["lib/same.js"])
    one = p.found(v).get(("src/alpha-same.js", "alpha", "1.1.0", 1, 5))
    ok(one and one["copy"]["others"] == ["alpha@1.0.0"], "what two versions have: the higher one, and the other beside it", one)
    ok(p.run("scan", "--format", "json", v).out == p.run("scan", "--format", "json", v).out, "the same again")
    table = p.run("scan", v)
    ok(b"vendored direct, 4 of 5 files" in table.out and table.code == 0, "table", table)
    cdx = p.run("sbom", v).json
    evidence = {c["name"]: c["evidence"]["identity"][0] for c in cdx["components"] if "evidence" in c}
    ok(evidence["eps"]["confidence"] == 0.8 and evidence["eps"]["methods"][0]["technique"] == "hash-comparison", "CycloneDX: evidence", evidence)
    spdx = p.run("sbom", "--format", "spdx", v).json
    ok("recognised by 4 of its 5 files" in [x.get("sourceInfo") for x in spdx["packages"]], "SPDX: where it is from", spdx["packages"])
    p.run("add", v, "--asset", "shop")
    m = p.run("who-has", "alpha", "--format", "json").json["matches"]
    ok([(x["version"], x["kind"]) for x in m] == [("1.0.0", "vendored"), ("1.1.0", "vendored")], "who-has a copy", m)
    ways = p.run("why", "eps", "--format", "json").json["sources"]
    ok([s["paths"] for s in ways] == [[["eps@5.0.0"]]], "why: the project itself", ways)
    collected = p.run("collect", v)
    put(f"{p.d}/c.json", collected.out)
    ok(p.run("ingest", f"{p.d}/c.json").code == 0, "a collection with copies", collected)


def own(p):
    v = f"{p.d}/own"
    unpack(v, lib("alpha", "1.0.0"))
    put(f"{v}/package-lock.json", json.dumps({"name": "alpha", "lockfileVersion": 3, "packages": {"": {"name": "alpha"}}}))
    ok(not p.found(v), "a project is no copy of what it publishes", p.found(v))
    os.remove(f"{v}/package-lock.json")
    ok(p.found(v), "but an unpacked package is one")
    os.makedirs(f"{v}/node_modules/alpha")
    unpack(f"{p.d}/tree/node_modules/alpha", lib("alpha", "1.0.0"))
    ok(not p.found(f"{p.d}/tree"), "what is installed is no copy")


def hostile(p):
    h = f"{p.d}/hostile"
    put(f"{h}/cut.tgz", tgz_of(lib("cut", "1.0.0"))[:-40])
    put(f"{h}/none.tgz", tgz_of({"a.js": code("none")}))
    put(f"{h}/text.tgz", "no archive")
    put(f"{h}/broken.zip", b"PK\3\4" + b"\xff" * 400)
    put(f"{h}/odd.tgz", tgz_of(lib("../../odd\x1b[31m", "1.0.0")))
    put(f"{h}/bomb.tgz", tgz_of({"package.json": package("bomb"), "x.js": "x" * (64 << 20)}))
    put(f"{h}/good.tgz", tgz_of(lib("good", "1.0.0")))
    os.mkfifo(f"{h}/fifo.tgz")
    os.symlink("..", f"{h}/loop")
    r = Run("inventory", "--state", f"{p.d}/hstate", "learn", h)
    ok(r.code == 3 and b"cut.tgz: " in r.err and b"broken.zip: " in r.err and b"text" not in r.err and b"none" not in r.err,
       "hostile archives: named errors", r)
    unpack(f"{p.d}/hv/vendor/good", lib("good", "1.0.0"))
    unpack(f"{p.d}/hv/vendor/odd", lib("../../odd\x1b[31m", "1.0.0"))
    r = Run("inventory", "--state", f"{p.d}/hstate", "scan", f"{p.d}/hv")
    ok(b"good" in r.out and b"\x1b[31m" not in r.out, "the rest is learnt; names cannot drive a terminal", r)
    put(f"{p.d}/hv/fifo.js/x", "")
    os.mkfifo(f"{p.d}/hv/pipe.js")
    os.symlink("/dev/zero", f"{p.d}/hv/zero.js")
    ok(Run("inventory", "--state", f"{p.d}/hstate", "scan", f"{p.d}/hv", timeout=60).code == 0, "pipes and devices called like code")
    put(f"{p.d}/dstate/learnt.db", b"this is no database" * 400)
    r = Run("inventory", "--state", f"{p.d}/dstate", "scan", f"{p.d}/hv")
    ok(r.code == 3 and b"damaged" in r.err, "a damaged table is told", r)


with scratch() as tmp:
    place = Place(tmp)
    for part in (learning, copies, own, hostile):
        part(place)
    done()
