"""tap.py - the little that the black-box tests share: TAP lines, running the program, making tarballs."""
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile

QANAT = os.environ["QANAT"]  # the program under test
_n = 0
_failed = 0


def ok(condition, name, detail=""):
    """One test line; detail is shown when it failed."""
    global _n, _failed
    _n += 1
    if condition:
        print(f"ok {_n} - {name}")
    else:
        _failed += 1
        print(f"not ok {_n} - {name}")
        for line in str(detail).splitlines()[:40]:
            print(f"#   {line}")
    sys.stdout.flush()
    return bool(condition)


def done():
    print(f"1..{_n}")
    sys.exit(1 if _failed else 0)


class Run:
    """One run of the program; .code, .out, .err, and .json when asked for."""

    def __init__(self, *args, stdin=b"", env=None, timeout=300, cwd=None):
        full = dict(os.environ)
        full.update(env or {})
        p = subprocess.run([QANAT, *args], input=stdin, capture_output=True, env=full, timeout=timeout, cwd=cwd)
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n{self.out.decode(errors='replace')[:1500]}\n{self.err.decode(errors='replace')[:1500]}"


def check(*args, **kw):
    return Run("check", "--format", "json", *args, **kw)


def verdicts(run):
    return [r["verdict"] for r in run.json["results"]]


def without_times(out):
    """The JSON report without what may differ between two runs."""
    doc = json.loads(out)
    for r in doc["results"]:
        r.pop("elapsed_ms", None)
    return json.dumps(doc, ensure_ascii=False)


def tar_of(files, prefix="package/", order=None):
    """files: {path: str or bytes}, or a list of (TarInfo or path, bytes)."""
    out = io.BytesIO()
    items = list(files.items()) if isinstance(files, dict) else list(files)
    if order is not None:
        random.Random(order).shuffle(items)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, data in items:
            data = data.encode() if isinstance(data, str) else data
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(prefix + name)
            if info.isreg():
                info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tgz_of(files, **kw):
    return gzip.compress(tar_of(files, **kw), mtime=0)


def put(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    return path


def scratch():
    return tempfile.TemporaryDirectory(prefix="qanat-test-")


def package(name="example", version="1.0.0", **more):
    return json.dumps({"name": name, "version": version, **more})
