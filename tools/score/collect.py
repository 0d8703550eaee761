#!/usr/bin/env python3
"""collect.py - makes the training set of the learned score: what the product itself sees in packages that are known.

    usage: tools/score/collect.py QANAT OUT [--survival DIR] [--corpus NAME=CACHE]...

Bad and good examples are those of tests/rules, and their mutations below DIR (made by `make survival`).  Real packages come from
npm caches (bench/get-corpus); where a cache has an earlier version of a package too, the two are compared.  OUT is a file of
lines of JSON (model.py, compact()); equal packages are one line.
Nothing is fetched and nothing of a package is run."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from model import compact, group_of_package, write_rows  # noqa: E402

BATCH = 400
OPTIONS = ["--offline", "--quiet", "--no-intel", "--explain", "--format", "json"]


def blank_data(work):
    """The data directory with a model that weighs nothing: features may be changed before there are weights for them."""
    data = work / "data"
    (data / "score").mkdir(parents=True)
    for entry in sorted((ROOT / "data").iterdir()):
        if entry.name != "score":
            (data / entry.name).symlink_to(entry)
    (data / "score" / "features.yaml").symlink_to(ROOT / "data" / "score" / "features.yaml")
    (data / "score" / "model.yaml").write_text("version: 1\nbias: 0\nweights: {}\n")
    return str(data)


class Product:
    def __init__(self, qanat, data):
        self.qanat, self.data = qanat, data

    def run(self, verb, options, targets):
        done = subprocess.run([self.qanat, verb, *options, "--data", self.data, *targets], capture_output=True, text=True)
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"collect: qanat {verb}: {done.stderr.strip()}")
        return json.loads(done.stdout)["results"]

    def check(self, targets, *beside):
        return self.run("check", [*OPTIONS, "--jobs", "1", *beside], targets)

    def judge(self, path):
        return self.run("judge", ["--explain", "--format", "json"], [path])


def row(result, **known):
    learned = result.get("learned")
    if learned is None:
        print(f"collect: left out, nothing was seen in it: {known['id']}: {result['reason']}", file=sys.stderr)
        return []
    return [{**known, "verdict": result["verdict"], "values": dict(sorted(learned["features"].items()))}]


def families():
    """The rules by the file that they stand in: what is alike is held out together."""
    found = {}
    for path in sorted((ROOT / "data" / "rules").glob("*.yaml")):
        for rule in re.findall(r"^- id: (\S+)$", path.read_text(), re.M):
            found[rule] = path.stem
    return found


def example(product, path, **known):
    if path.name.endswith(".events.ndjson"):
        return row(product.judge(str(path))[0], **known)
    beside = []
    for option, suffix in (("--packument", ".packument.json"), ("--previous", ".previous")):
        if os.path.exists(f"{path}{suffix}"):
            beside += [option, f"{path}{suffix}"]
    return row(product.check([str(path)], *beside)[0], **known)


def example_jobs(product):
    for rule, family in sorted(families().items()):
        if family == "intel":  # what somebody else says is no feature
            continue
        for path in sorted((ROOT / "tests" / "rules" / rule).iterdir()):
            name = path.name
            if not re.match("bad|good", name) or name.endswith((".packument.json", ".previous")):
                continue
            yield example, product, path, {"id": f"{rule}/{name}", "source": "example", "family": family, "group": f"{rule}/{name}",
                                           "bad": name.startswith("bad")}


def mutant_jobs(product, survival):
    known = families()
    for mutation in sorted(survival.iterdir()) if survival else []:
        if mutation.name in ("as-is", "without"):
            continue
        for rule in sorted(mutation.iterdir()):
            for path in sorted(rule.iterdir()) if known.get(rule.name, "intel") != "intel" else []:
                name = path.name.removesuffix(".tgz")
                yield example, product, path, {"id": f"{rule.name}/{name}/{mutation.name}", "source": "mutant",
                                               "family": known[rule.name], "group": f"{rule.name}/{name}", "bad": name.startswith("bad")}


def batch(product, links, known):
    by_target = {r["target"]: r for r in product.check([str(link) for link in links])}
    return [r for link, k in zip(links, known) for r in row(by_target[str(link)], **k)]


def pair(product, link, before, known):
    return row(product.check([str(link)], "--previous", str(before))[0], **known)


def corpus_jobs(product, work, source, cache):
    """Packages alone in batches; those with an earlier version beside it one by one."""
    lines = subprocess.run([ROOT / "bench" / "pairs", cache], capture_output=True, text=True, check=True).stdout.splitlines()
    (work / source).mkdir()
    links, known = [], []
    for number, (new, old, name, version, _) in enumerate(line.split() for line in lines):
        link = work / source / f"{number}.tgz"
        link.symlink_to(os.path.abspath(new))
        about = {"id": f"{name}@{version}", "source": source, "family": "", "group": group_of_package(name), "bad": False}
        if old != "-":
            before = work / source / f"{number}.before.tgz"
            before.symlink_to(os.path.abspath(old))
            yield pair, product, link, before, about
            continue
        links.append(link)
        known.append(about)
    for i in range(0, len(links), BATCH):
        yield batch, product, links[i:i + BATCH], known[i:i + BATCH]


def run(job):
    function, *arguments = job
    if function is example:
        return example(*arguments[:-1], **arguments[-1])
    return function(*arguments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("qanat")
    parser.add_argument("out")
    parser.add_argument("--survival", type=pathlib.Path)
    parser.add_argument("--corpus", action="append", default=[])
    args = parser.parse_args()
    args.qanat = os.path.abspath(args.qanat)
    args.survival = args.survival and args.survival.resolve()
    with tempfile.TemporaryDirectory(prefix="qanat-score-") as scratch:
        work = pathlib.Path(scratch)
        product = Product(args.qanat, blank_data(work))
        jobs = [*example_jobs(product), *mutant_jobs(product, args.survival)]
        for name, cache in (c.split("=", 1) for c in args.corpus):
            jobs += corpus_jobs(product, work, name, cache)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            rows = [r for found in pool.map(run, jobs) for r in found]
    lines = compact(rows)
    write_rows(args.out, lines)
    print(f"collect: {len(rows)} packages, {len(lines)} different lines in {args.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
