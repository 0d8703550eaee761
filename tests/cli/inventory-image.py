"""qanat inventory scan of container images: layer by layer, whiteouts, links, OCI layouts and docker-save archives."""
import gzip
import hashlib
import io
import json
import os
import tarfile

from tap import Run, done, ok, package, put, scratch


def layer(files):
    """files: {path: text, ("link", target), ("hard", target), None for a directory}"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for path, what in files.items():
            info = tarfile.TarInfo(path)
            data = b""
            if what is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(what, tuple):
                info.type = tarfile.SYMTYPE if what[0] == "link" else tarfile.LNKTYPE
                info.linkname = what[1]
            else:
                data = what.encode()
                info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


LAYERS = [
    layer({
        "./app/": None, "./app/package.json": json.dumps({"name": "app", "dependencies": {"a": "1", "b": "1", "d": "1"}}),
        "./app/node_modules/a/package.json": package("a", "1.0.0"),
        "./app/node_modules/b/package.json": package("b", "1.0.0"),
        "./app/node_modules/b/node_modules/c/package.json": package("c", "1.0.0"),
        "./app/node_modules/old/package.json": package("old", "1.0.0"),
        "./usr/local/lib/node_modules/npm/package.json": package("npm", "10.0.0"),
        "./tmp/node_modules/build/package.json": package("build", "1.0.0"),
        "./srv/yarn.lock": "# yarn lockfile v1\n\nx@1:\n  version \"1.0.0\"\n",
        "./root/store/aa": package("hard", "3.0.0"),
        "./app/node_modules/hard/package.json": ("hard", "root/store/aa"),
    }),
    layer({
        "app/node_modules/.wh.old": "", "tmp/.wh.node_modules": "", "app/node_modules/b/.wh..wh..opq": "",
        "app/node_modules/b/package.json": package("b", "2.0.0"),
        "app/node_modules/.pnpm/d@1/node_modules/d/package.json": package("d", "1.0.0"),
        "app/node_modules/d": ("link", ".pnpm/d@1/node_modules/d"),
        "app/node_modules/up": ("link", "../../../../../../../etc"),
        "../../escape/package-lock.json": "{",
    }),
]
def zstd(data):
    """A zstd frame of raw blocks: no compressor is needed to write one."""
    out = b"\x28\xb5\x2f\xfd" + bytes([0x80, 0x58]) + len(data).to_bytes(4, "little")
    blocks = [data[i:i + 100000] for i in range(0, len(data), 100000)]
    for i, block in enumerate(blocks):
        out += (len(block) << 3 | (i + 1 == len(blocks))).to_bytes(3, "little") + block
    return out


WANTED = {("a", "1.0.0"), ("b", "2.0.0"), ("d", "1.0.0"), ("npm", "10.0.0"), ("x", "1.0.0"), ("hard", "3.0.0")}


def scan(path, **kw):
    return Run("inventory", "scan", "--format", "json", path, **kw)


def names(doc):
    return {(c["name"], c["version"]) for c in doc["components"]}


def docker(path, layers, wrap=lambda b: b, **change):
    manifest = [{"Config": "c.json", "RepoTags": ["shop:1.2"], "Layers": [f"{i}/layer.tar" for i in range(len(layers))], **change}]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in [(f"{i}/layer.tar", b) for i, b in enumerate(layers)] + [("manifest.json", json.dumps(manifest).encode())]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return put(path, wrap(out.getvalue()))


def oci(path, layers, compress=True):
    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        put(f"{path}/blobs/sha256/{digest}", data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    kind = "application/vnd.oci.image.layer.v1.tar"
    listed = [{**blob(gzip.compress(x) if compress else x), "mediaType": kind + ("+gzip" if compress else "")} for x in layers]
    listed.append({**blob(b"{}"), "mediaType": "application/vnd.in-toto+json"})
    manifest = blob(json.dumps({"schemaVersion": 2, "layers": listed}).encode())
    inner = blob(json.dumps({"schemaVersion": 2, "manifests": [manifest, {"digest": "sha256:00", "size": 1}]}).encode())
    put(f"{path}/index.json", json.dumps({"schemaVersion": 2, "manifests": [{**inner, "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))
    put(f"{path}/oci-layout", '{"imageLayoutVersion":"1.0.0"}')
    return path


def images(d):
    for label, path in (("docker save", docker(f"{d}/save.tar", LAYERS)),
                        ("docker save, gzipped layers", docker(f"{d}/save2.tar", [gzip.compress(x) for x in LAYERS])),
                        ("docker save, gzipped", docker(f"{d}/save.tar.gz", LAYERS, gzip.compress)),
                        ("docker save, layers in zstd", docker(f"{d}/save3.tar", [zstd(x) for x in LAYERS])),
                        ("an OCI layout", oci(f"{d}/layout", LAYERS)),
                        ("an OCI layout, plain layers", oci(f"{d}/plain", LAYERS, False))):
        run = scan(path)
        doc = run.json
        ok(names(doc) == WANTED and {c["kind"] for c in doc["components"]} == {"image"}, f"{label}: what the topmost layer shows",
           names(doc) ^ WANTED)
        ok([e["source"] for e in doc["errors"]] == [f"{path}/escape/package-lock.json"] and run.code == 3,
           f"{label}: a path cannot leave; what is broken is told", doc["errors"])
        by = {c["name"]: c for c in doc["components"]}
        ok(by["d"]["direct"] and by["d"]["source"] == f"{path}/app/node_modules" and by["npm"]["source"] == f"{path}/usr/local/lib/node_modules",
           f"{label}: links and places", by["d"])
    put(f"{d}/dir/sub/x", "")
    oci(f"{d}/dir/images/one", LAYERS)
    ok(names(scan(f"{d}/dir").json) == WANTED, "a layout somewhere in a directory")
    r = Run("inventory", "--state", f"{d}/state", "add", f"{d}/save.tar", "--asset", "shop:1.2", "--kind", "image")
    found = Run("inventory", "--state", f"{d}/state", "who-has", "b", "--format", "json").json["matches"]
    ok(r.code == 3 and [(m["version"], m["asset"]["kind"]) for m in found] == [("2.0.0", "image")], "an image as an asset", found)


def broken(d):
    for label, path, message in (
            ("a layer that is missing", docker(f"{d}/b1.tar", LAYERS, Layers=["nothing.tar"]), "lacks"),
            ("a layer of broken zstd", docker(f"{d}/b2.tar", [b"\x28\xb5\x2f\xfd" + b"x" * 600]), "zstd"),
            ("a layer of zstd that is cut short", docker(f"{d}/b7.tar", [zstd(LAYERS[0])[:-40]]), "zstd"),
            ("a layer that is cut short", docker(f"{d}/b3.tar", [gzip.compress(LAYERS[0])[:100]]), ""),
            ("no manifest", put(f"{d}/b4.tar", LAYERS[0]), "no manifest"),
            ("an archive that is cut short", put(f"{d}/b5.tar", open(docker(f"{d}/b6.tar", LAYERS), "rb").read()[:5000]), "")):
        run = scan(path)
        ok(run.code == 3 and len(run.json["errors"]) == 1 and message in run.json["errors"][0]["message"], label, run)
    many = {f"app/node_modules/p{i}/package.json": package(f"p{i}", "1.0.0") for i in range(3000)}
    many.update({f"app/node_modules/.wh.p{i}": "" for i in range(0)})
    gone = {f"app/node_modules/.wh.p{i}": "" for i in range(1, 3000)}
    ok(names(scan(docker(f"{d}/many.tar", [layer(many), layer(gone)])).json) == {("p0", "1.0.0")}, "many whiteouts")
    os.symlink(f"{d}/save.tar", f"{d}/linked.tar")
    ok(names(scan(f"{d}/linked.tar").json) == WANTED, "an archive behind a link")


with scratch() as tmp:
    images(tmp)
    broken(tmp)
    done()
