"""qanat inventory scan on files and trees that are broken, odd or made to hurt: a named error, and the rest of the work done."""
import json
import os
import resource
import time

from tap import QANAT, Run, done, ok, put, scratch

GOOD = json.dumps({"name": "p", "lockfileVersion": 3, "packages": {
    "": {"dependencies": {"a": "1"}}, "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AA=="}}})


def scan(*paths, **kw):
    return Run("inventory", "scan", "--format", "json", *paths, **kw)


def names(doc):
    return {(c["name"], c["version"]) for c in doc["components"]}


def broken_files(d):
    laughs = "lockfileVersion: '9.0'\n" + "x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n"
    laughs += "".join(f"x{i}: &x{i} [{','.join([f'*x{i - 1}'] * 10)}]\n" for i in range(1, 12))
    bad = {
        "cut/package-lock.json": GOOD[:60],
        "deep/package-lock.json": '{"lockfileVersion":3,"packages":' + "[" * 100000,
        "deep2/bun.lock": "[" * 100000,
        "cycle/pnpm-lock.yaml": "lockfileVersion: '9.0'\na: &a [*a]\n",
        "laughs/pnpm-lock.yaml": laughs,
        "deepyaml/pnpm-lock.yaml": "lockfileVersion: '9.0'\na: " + "[" * 5000,
        "conflict/yarn.lock": "# yarn lockfile v1\n<<<<<<< HEAD\n",
        "binary/bun.lockb": b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n\x02\0\0\0" + b"\xff" * 200,
        "empty/package-lock.json": "",
        "nul/yarn.lock": b"__metadata:\n  version: 8\n\0\0",
        "utf/pnpm-lock.yaml": b"lockfileVersion: '9.0'\nx: \xff\xfe\n",
        "newer/deno.lock": '{"version":"99"}',
    }
    for path, text in bad.items():
        put(f"{d}/bad/{path}", text)
    put(f"{d}/bad/good/package-lock.json", GOOD)
    run = scan(f"{d}/bad")
    doc = run.json
    errors = {e["source"]: e["message"] for e in doc["errors"]}
    ok(run.code == 3, "something could not be read", run)
    for path in bad:
        ok(errors.get(f"{d}/bad/{path}"), f"{path}: a named error", errors)
    ok(names(doc) == {("a", "1.0.0")} and len(errors) == len(bad), "the rest of the work is done", doc["components"])
    ok(b"\x1b" not in run.err and b"cut/package-lock.json" in run.err, "the errors are on standard error too")


def odd_trees(d):
    t = f"{d}/tree"
    put(f"{t}/package.json", '{"name":"t","dependencies":{"a":"1"}}')
    put(f"{t}/node_modules/a/package.json", '{"name":"a","version":"1.0.0"}')
    put(f"{t}/node_modules/broken/package.json", "{")
    put(f"{t}/node_modules/\x1b[31mred\x1b[0m/package.json", '{"version":"1.0.0"}')
    put(f"{t}/node_modules/{'n' * 255}/package.json", '{"version":"1.0.0"}')
    put(f"{t}/node_modules/array/package.json", "[]")
    os.symlink("..", f"{t}/node_modules/a/loop")
    os.symlink("self", f"{t}/node_modules/self")
    os.symlink("../..", f"{t}/node_modules/up")
    os.symlink("/proc", f"{t}/node_modules/proc")
    os.mkdir(f"{t}/sub")
    os.symlink("..", f"{t}/sub/loop")
    os.mkfifo(f"{t}/sub/yarn.lock")
    os.mkdir(f"{t}/node_modules/fifo")
    os.mkfifo(f"{t}/node_modules/fifo/package.json")
    os.mkdir(f"{t}/node_modules/dir")
    os.makedirs(f"{t}/node_modules/dir/package.json")
    run = scan(t, timeout=60)
    doc = run.json
    got = names(doc)
    ok(("a", "1.0.0") in got and ("\x1b[31mred\x1b[0m", "1.0.0") in got and ("n" * 255, "1.0.0") in got, "odd names are names", got)
    ok(run.code == 3 and any("2 parts" in e["message"] for e in doc["errors"]), "what is broken in a tree is told", doc["errors"])
    table = Run("inventory", "scan", t)
    ok(b"\x1b[31m" not in table.out + table.err, "names cannot drive a terminal", table)
    deep = t + "/deep"
    fd = os.getcwd()
    os.mkdir(deep)
    os.chdir(deep)
    for _ in range(300):
        os.mkdir("node_modules")
        os.chdir("node_modules")
        os.mkdir("x")
        os.chdir("x")
        with open("package.json", "w", encoding="ascii") as f:
            f.write('{"name":"x","version":"1.0.0"}')
    os.chdir(fd)
    run = scan(t)
    ok(("a", "1.0.0") in names(run.json) and any("too deep" in e["message"] for e in run.json["errors"]), "a tree that is too deep",
       run.json["errors"])


def no_such(d):
    run = scan(f"{d}/none", f"{d}/bad/good")
    ok(run.code == 3 and names(run.json) == {("a", "1.0.0")} and "No such file" in run.json["errors"][0]["message"], "a path that is not there", run)
    run = scan("/dev/null")
    ok(run.code == 3 and "neither" in run.json["errors"][0]["message"], "a device", run)
    run = scan("/proc/self/fdinfo/..", timeout=60)
    ok(run.code == 0 and not run.json["components"], "what the kernel makes up is left out", run)
    put(f"{d}/empty/README", "")
    run = scan(f"{d}/empty")
    ok(run.code == 0 and not run.json["components"] and not run.json["errors"], "nothing is there", run)
    ok(Run("inventory", "frob").code == 2, "a word that is no action")


def secrets(d):
    put(f"{d}/secret/package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {
        "node_modules/a": {"version": "1.0.0", "resolved": "https://user:token@r.invalid/a/-/a-1.0.0.tgz"}}}))
    run = scan(f"{d}/secret")
    ok(b"token" not in run.out and run.json["components"][0]["resolved"] == "https://r.invalid/a/-/a-1.0.0.tgz",
       "passwords in addresses are left out", run)


def large(d):
    path = f"{d}/large/package-lock.json"
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="ascii") as f:
        f.write('{"lockfileVersion":3,"packages":{"":{}')
        for i in range(1000001):
            f.write(f',"node_modules/p{i}":{{"version":"1.0.0"}}')
        f.write("}}")
    put(f"{d}/large/good/package-lock.json", GOOD)
    start = time.time()
    run = scan(f"{d}/large")
    ok(run.code == 3 and names(run.json) == {("a", "1.0.0")} and "more than 1000000" in run.json["errors"][0]["message"],
       f"a lock file with a million packages and one ({time.time() - start:.1f} s)", run.json["errors"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    ok("asan" in os.path.basename(os.path.dirname(QANAT)) or peak < 1200, f"memory stays bounded ({peak} MiB)")


def large_with_needs(d):
    """A million packages is what may be; that each needs two others is more than the memory of one document."""
    path = f"{d}/needs/package-lock.json"
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="ascii") as f:
        f.write('{"lockfileVersion":3,"packages":{"":{"dependencies":{"p0":"1"}}')
        for i in range(999999):
            f.write(f',"node_modules/p{i}":{{"version":"1.0.0","resolved":"https://r.invalid/p{i}/-/p{i}-1.0.0.tgz",'
                    f'"dependencies":{{"p{(i * 7 + 1) % 999999}":"1","p{(i * 3 + 2) % 999999}":"1"}}}}')
        f.write("}}")
    put(f"{d}/needs/good/package-lock.json", GOOD)
    start = time.time()
    run = scan(f"{d}/needs")
    errors = run.json["errors"]
    ok(run.code == 3 and names(run.json) == {("a", "1.0.0")} and len(errors) == 1 and errors[0]["source"] == path and
       "memory" in errors[0]["message"], f"a lock file with a million packages that need two others each ({time.time() - start:.1f} s)", errors)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    ok("asan" in os.path.basename(os.path.dirname(QANAT)) or peak < 1200, f"memory stays bounded there too ({peak} MiB)")
    run = Run("inventory", "--state", f"{d}/nstate", "add", f"{d}/needs", "--asset", "x")
    ok(run.code == 3 and b"2 sources" not in run.out and b"1 packages in 1 sources" in run.out, "and the rest is recorded", run)
    os.remove(path)


with scratch() as tmp:
    for part in (broken_files, odd_trees, no_such, secrets, large, large_with_needs):
        part(tmp)
    done()
