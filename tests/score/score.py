"""The training of the learned score: that the model and the page which are shipped are what the rows give, that nothing of a family
that is held out was learned, and the mathematics where it can be told by hand.  TAP.
    usage: score.py ROOT"""
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
os.environ.setdefault("QANAT", "qanat")
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests" / "cli"), str(ROOT / "tools" / "score")]
from tap import done, ok  # noqa: E402
import model  # noqa: E402

FEATURES = ROOT / "data" / "score" / "features.yaml"
ROWS = ROOT / "tools" / "score" / "rows.ndjson"
SMALL = ROOT / "tests" / "score" / "small.ndjson"


def train(rows, *more):
    with tempfile.TemporaryDirectory() as d:
        out = [f"{d}/model.yaml", f"{d}/page.md"]
        options = ["--model", out[0], *(["--report", out[1]] if more else [])]
        subprocess.run([sys.executable, "-B", ROOT / "tools/score/train.py", rows, FEATURES, *options], check=True)
        return [pathlib.Path(p).read_bytes() for p in out[:1 + len(more)]]


def made(group, family, bad, values, source="example"):
    return {"source": source, "family": family, "group": group, "bad": bad, "verdict": "clean", "n": 1, "id": group, "values": values}


def two():
    a, b = model.Feature("a"), model.Feature("b")
    b.counted = True
    return [a, b]


def mathematics():
    ok(model.auc([(2, 1), (3, 1)], [(0, 5), (1, 5)]) == 1.0, "AUC: all bad ones above all good ones")
    ok(model.auc([(1, 2)], [(1, 3)]) == 0.5, "AUC: all tied")
    ok(model.auc([(0, 1), (2, 1)], [(1, 4)]) == 0.5, "AUC: one below, one above")
    good = [(float(z), 1) for z in range(1000)]
    for rate, above in ((0, 0), (0.001, 1), (0.005, 5), (1, 1000)):
        limit = model.threshold(good, rate)
        ok(sum(z > limit for z, _ in good) == above, f"{above} of 1000 are above the limit of {rate}", limit)
    ok(model.threshold([(5.0, 3), (1.0, 97)], 0.01) == 5.0, "what is tied stays together")
    f = two()
    ok(f[0].x(7) == 1.0 and f[1].x(7) == math.log1p(7), "a condition counts once, events by their logarithm")
    rows = [made(str(i), "", i % 2 == 0, {"a": 1} if i % 2 == 0 else {"b": 1}) for i in range(40)]
    fitted = model.fit(rows, f, 1.0, 0.5)
    ok(fitted.weights[0] > 1 and fitted.weights[1] == 0.0, "what only good ones have weighs nothing, never less", fitted.weights)
    ok(model.fit(rows, f, 1.0, 0.5, signed=True).weights[1] < -1, "unless signs are free", "")
    f[0].at_most = 0.5
    ok(model.fit(rows, f, 1.0, 0.5).weights[0] == 0.5, "a weight ends at its most")
    slope = sum((model.sigmoid(fitted.logit(x)) - bad) * w for bad, w, x in fitted.data)
    ok(abs(slope) < 1e-3, "and the bias is where the slope is flat", slope)


def weights():
    rows = model.weigh([made("e", "f", True, {}), *[made("m", "f", True, {}, "mutant") for _ in range(9)], made("m", "f", True, {}),
                        *[made(str(i), "", False, {}, "corpus") for i in range(18)]], 0.1)
    by = {}
    for r in rows:
        by[r["group"]] = by.get(r["group"], 0) + r["weight"]
    ok(abs(by["e"] - by["m"]) < 1e-9, "an example with nine mutations weighs as much as one without", by)
    ok(abs(by["e"] + by["m"] - 0.1 * sum(by.values())) < 1e-9, "the bad ones are the share that was said", by)


def families():
    rows = [r for r in model.read_rows(ROWS) if model.is_made(r)]
    trials = list(model.hold_out(rows))
    ok(len(trials) >= 10 and sorted(t[0] for t in trials) == sorted({r["family"] for r in rows}), "each family is held out once")
    ok(all({r["group"] for r in learned}.isdisjoint(r["group"] for r in held) and all(r["family"] != family for r in learned)
           and all(r["family"] == family for r in held) for family, learned, held in trials), "no example, no mutation of one is on both sides")
    ok(all(len(learned) + len(held) == len(rows) for _, learned, held in trials), "and none is lost")
    torn = [made("x", "one", True, {}), made("x", "two", True, {}, "mutant"), made("y", "two", True, {})]
    ok(all({r["group"] for r in learned}.isdisjoint(r["group"] for r in held) for _, learned, held in model.hold_out(torn)),
       "not even when a mutation is filed under another family")
    real = [{**made("left-pad", "", False, {"a": 1}, "corpus"), "id": "left-pad@1"}, {**made("left-pad", "", False, {"a": 1}, "corpus2"), "id": "left-pad@2"},
            {**made("@s", "", False, {}, "corpus"), "id": "@s/a@1"}, {**made("@s", "", False, {}, "corpus2"), "id": "@s/b@1"},
            {**made("new", "", False, {}, "corpus2"), "id": "new@1"}]
    kept = [r["id"] for r in model.compact(real) if r["source"] == "corpus2"]
    ok(kept == ["new@1"], "of the second corpus nothing is kept whose name or scope the first one has", kept)
    ok(model.group_of_package("@babel/core") == "@babel" and model.group_of_package("babel") == "babel", "a scope is one group")


def shipped():
    text = (ROOT / "data/score/model.yaml").read_bytes()
    ok(f'features: "{model.fingerprint(FEATURES)}"'.encode() in text, "the model is of the features that are shipped (else: make score)")
    again, page = train(ROWS, "report")
    ok(again == text, "training gives the model that is shipped, byte for byte (else: make score)")
    ok(page == (ROOT / "docs/SCORE.md").read_bytes(), "and the page (else: make score)")
    small = [train(SMALL)[0] for _ in range(2)]
    ok(small[0] == small[1] == (ROOT / "tests/score/small.yaml").read_bytes(), "a few rows give their model, byte for byte")


for part in (mathematics, weights, families, shipped):
    part()
done()
