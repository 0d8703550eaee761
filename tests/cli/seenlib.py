"""seenlib.py - stores of what was seen, for the tests of back-scans and reviews."""
import glob
import json
import os
import sqlite3
import subprocess

from tap import put, Run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RULES = os.path.join(ROOT, "data", "rules")
SEEN_MAKE = os.environ["SEEN_MAKE"]


def sent(name, version="1.0.0", integrity="sha512-AAAA", host="c.example.invalid", text="fetch(x)", **more):
    """Events of a package that sends a key when it is installed."""
    event = {"event": "net.send", "phase": "install", "layer": "static", "file": "index.js", "offset": 80, "line": 5, "column": 2,
             "labels": ["ssh"], "attrs": {"host": host, "how": "fetch"}, "text": text, **more}
    return [{"schema": "qanat.events/1", "name": name, "version": version, "integrity": integrity}, event]


def harmless(name, version="1.0.0", integrity="sha512-BBBB"):
    event = {"event": "env.read", "phase": "import", "layer": "static", "file": "index.js", "line": 1, "attrs": {"name": "DEBUG"}}
    return [{"schema": "qanat.events/1", "name": name, "version": version, "integrity": integrity}, event]


def examples():
    """The event sets that rules are tested with, under names of their own."""
    for i, path in enumerate(sorted(glob.glob(os.path.join(ROOT, "tests", "rules", "*", "*.events.ndjson")))):
        lines = [json.loads(line) for line in open(path)]
        yield [{**lines[0], "name": f"example-{i}", "version": "1.0.0", "integrity": f"sha512-{i}"}, *lines[1:]]


def make(state, sets, rules=(RULES,), times=1):
    text = "".join(json.dumps(line) + "\n" for lines in sets for line in lines)
    os.makedirs(state, exist_ok=True)
    subprocess.run([SEEN_MAKE, state, str(times), *rules], input=text.encode(), check=True)
    return state


def ask(state, sql):
    db = sqlite3.connect(f"{state}/watch.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def rule(d, name="new", verdict="suspicious", when="{event: env.read}"):
    return put(f"{d}/{name}.yaml", f"""rules:
- id: {name}
  title: It is new
  severity: high
  verdict: {verdict}
  explain: It does something.
  when: {when}
""")


def run(state, *args, **kw):
    return Run(args[0], "--state", state, *args[1:], **kw)
