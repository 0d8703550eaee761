#!/usr/bin/env python3
"""train.py - learns the weights of the learned score, and says how good they are.

    usage: tools/score/train.py ROWS FEATURES [--model OUT] [--report OUT]

ROWS: what collect.py made.  --model writes the model that the product reads; --report docs/SCORE.md, below its head.  Plain
Python, no clock and no chance: the same rows give the same bytes."""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from model import auc, fingerprint, fit, hold_out, is_made, read_features, read_rows, sigmoid, threshold  # noqa: E402

VERSION = 1
PENALTY = 3.0
PRIOR = 0.1
RATES = (0.001, 0.005, 0.01)
ABLATIONS = [
    ("all features", lambda f: True),
    ("without metadata", lambda f: f.group != "metadata"),
    ("without diff", lambda f: f.group != "diff"),
    ("without flows", lambda f: f.group != "flows"),
    ("without pairs", lambda f: f.group != "pairs"),
    ("without details", lambda f: f.group != "details"),
    ("counts only", lambda f: f.group == "counts"),
]


# --- the model ---

def model_text(made, features, features_path, rows):
    numbers = {key: sum(r["n"] for r in rows if r["source"] == source and r["bad"] == bad) for key, source, bad in (
        ("bad-examples", "example", True), ("bad-mutants", "mutant", True), ("good-examples", "example", False),
        ("good-mutants", "mutant", False), ("packages", "corpus", False))}
    lines = ["# Made by tools/score/train.py (make score) from features.yaml: do not edit.  docs/SCORE.md says how good it is.",
             f"version: {VERSION}", f"features: \"{fingerprint(features_path)}\"", "trained:"]
    lines += [f"  {key}: {number}" for key, number in numbers.items()]
    lines += [f"  penalty: {PENALTY:.3f}", f"  prior: {PRIOR:.3f}", f"bias: {made.bias:.3f}", "weights:"]
    lines += [f"  {f.name}: {max(w, 0.0):.3f}" for f, w in zip(features, made.weights)]
    return "\n".join(lines) + "\n"


# --- how good it is ---

class Trial:
    """Each family held out in turn: learned without it, asked about it, beside packages that were never learned."""

    def __init__(self, rows, features, signed=False):
        self.index = {f.name: i for i, f in enumerate(features)}
        self.features = features
        real = [r for r in rows if r["source"] == "corpus"]
        self.unseen = [r for r in rows if r["source"] == "corpus2"]
        self.families = []
        self.asked = []      # (row, logit, limits): held-out rows
        self.scored = []     # (logit, n, bad): of examples, and of the second corpus by all models
        for family, learned, held in hold_out([r for r in rows if is_made(r)]):
            fitted = fit(learned + real, features, PENALTY, PRIOR, signed)
            good = [(self.logit(fitted, r), r["n"]) for r in self.unseen]
            limits = [threshold(good, rate) for rate in RATES]
            asked = [(r, self.logit(fitted, r), limits) for r in held]
            bad = [(z, r["n"]) for r, z, _ in asked if r["bad"] and r["source"] == "example"]
            self.families.append((family, sum(n for _, n in bad), auc(bad, good), asked))
            self.asked += asked
            self.scored += [(z, n, True) for z, n in bad] + [(z, n, False) for z, n in good]

    def logit(self, fitted, row):
        return fitted.logit([(self.index[k], self.features[self.index[k]].x(v)) for k, v in row["values"].items() if k in self.index])

    def auc(self):
        return sum(n * a for _, n, a, _ in self.families) / sum(n for _, n, _, _ in self.families)


def share_above(asked, wanted, k):
    """How many of the wanted rows are above the k-th limit, and how many there are."""
    chosen = [(r, z > limits[k]) for r, z, limits in asked if wanted(r)]
    return sum(r["n"] for r, above in chosen if above), sum(r["n"] for r, _ in chosen)


def percent(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "-"


def is_bad_example(r):
    return r["bad"] and r["source"] == "example"


def is_bad_mutant(r):
    return r["bad"] and r["source"] == "mutant"


def is_twin(r):
    return not r["bad"] and r["source"] == "example"


def is_missed(r):
    return r["bad"] and r["verdict"] == "clean"


def table(head, lines):
    columns = "|".join("---" if i == 0 else "--:" for i in range(len(head)))
    return "\n".join([f"| {' | '.join(head)} |", f"|{columns}|", *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"


def said_overall(trial):
    kinds = [("bad examples", is_bad_example), ("their mutations", is_bad_mutant), ("good examples (alarms)", is_twin),
             ("bad ones that the rules pass (missed by them)", is_missed)]
    lines = []
    for name, wanted in kinds:
        total = share_above(trial.asked, wanted, 0)[1]
        lines.append([name, str(total), *(percent(*share_above(trial.asked, wanted, k)) for k in range(len(RATES)))])
    return table(["of a family that was not learned", "number", *(f"% at {100 * r:.1f} % false alarms" for r in RATES)], lines)


def said_by_family(trial):
    lines = [[family, str(n), f"{a:.3f}", *(percent(*share_above(asked, is_bad_example, k)) for k in range(len(RATES)))]
             for family, n, a, asked in trial.families]
    return table(["family held out", "bad examples", "AUC", *(f"% at {100 * r:.1f} %" for r in RATES)], lines)


def said_ablation(rows, features, whole):
    lines = []
    for name, keep in ABLATIONS:
        kept = [f for f in features if keep(f)]
        trial = whole if len(kept) == len(features) else Trial(rows, kept)
        lines.append([name, str(len(kept)), f"{trial.auc():.3f}",
                      *(percent(*share_above(trial.asked, is_bad_example, k)) for k in range(len(RATES)))])
    trial = Trial(rows, features, signed=True)
    lines.append(["all, weights may be negative (not shipped)", str(len(features)), f"{trial.auc():.3f}",
                  *(percent(*share_above(trial.asked, is_bad_example, k)) for k in range(len(RATES)))])
    return table(["features", "number", "AUC", *(f"% at {100 * r:.1f} %" for r in RATES)], lines)


def said_calibration(trial):
    """The unseen packages were asked once for each family; they count once."""
    bands, runs = [(0, 2), (2, 5), (5, 10), (10, 25), (25, 50), (50, 75), (75, 90), (90, 101)], len(trial.families)
    bad_all = sum(n for _, n, bad in trial.scored if bad)
    good_all = sum(n for _, n, bad in trial.scored if not bad) / runs
    lines = []
    for low, high in bands:
        inside = [(100 * sigmoid(z), n, bad) for z, n, bad in trial.scored if low <= 100 * sigmoid(z) < high]
        bad = sum(n for _, n, b in inside if b)
        good = sum(n for _, n, b in inside if not b) / runs
        mass = PRIOR * bad / bad_all + (1 - PRIOR) * good / good_all
        said = sum(s * n * (PRIOR / bad_all if b else (1 - PRIOR) / good_all / runs) for s, n, b in inside)
        lines.append([f"{low} to {min(high, 100)}", str(bad), f"{good:.1f}", f"{said / mass:.1f}" if mass else "-",
                      f"{100 * PRIOR * bad / bad_all / mass:.1f}" if mass else "-"])
    return table(["score", "bad examples", "packages", "% that it says, on average", "% that are bad"], lines)


def said_weights(made, features, rows):
    bad = [r for r in rows if is_bad_example(r)]
    real = [r for r in rows if r["source"] == "corpus"]
    lines = []
    for w, f in sorted(zip(made.weights, features), key=lambda p: (-round(p[0], 3), p[1].name)):
        have = [percent(sum(r["n"] for r in some if f.name in r["values"]), sum(r["n"] for r in some)) for some in (bad, real)]
        lines.append([f"`{f.name}`", f.title, f.group, f"{w:.3f}", *have])
    return table(["feature", "what", "group", "weight", "% of bad examples", "% of packages"], lines)


def said_alarms(made, features, rows):
    index = {f.name: i for i, f in enumerate(features)}
    asked = [(made.logit([(index[k], features[index[k]].x(v)) for k, v in r["values"].items()]), r) for r in rows if r["source"] == "corpus2"]
    asked.sort(key=lambda p: (-p[0], p[1]["id"]))
    lines = []
    for z, r in asked[:15]:
        parts = sorted(((made.weights[index[k]] * features[index[k]].x(v), k) for k, v in r["values"].items()), reverse=True)
        why = ", ".join(f"`{k}`" for points, k in parts[:4] if points > 0.1)
        lines.append([r["id"], f"{100 * sigmoid(z):.0f}", r["verdict"], why])
    return table(["package", "score", "verdict of the rules", "mostly because of"], lines)


def report(rows, features, made):
    whole = Trial(rows, features)
    count = {s: sum(r["n"] for r in rows if r["source"] == s) for s in ("corpus", "corpus2")}
    text = (HERE / "SCORE.head.md").read_text()
    for key, value in {
        "features": len(features), "weighed": sum(w >= 0.0005 for w in made.weights),
        "bad": sum(r["n"] for r in rows if is_bad_example(r)), "mutants": sum(r["n"] for r in rows if r["source"] == "mutant"),
        "good": sum(r["n"] for r in rows if is_twin(r)), "families": len(whole.families), "packages": count["corpus"],
        "unseen": count["corpus2"], "penalty": f"{PENALTY:g}", "prior": f"{100 * PRIOR:g}", "auc": f"{whole.auc():.3f}",
        "overall": said_overall(whole), "by-family": said_by_family(whole), "ablation": said_ablation(rows, features, whole),
        "calibration": said_calibration(whole), "weights": said_weights(made, features, rows), "alarms": said_alarms(made, features, rows),
    }.items():
        text = text.replace("{" + key + "}", str(value))
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows")
    parser.add_argument("features")
    parser.add_argument("--model")
    parser.add_argument("--report")
    args = parser.parse_args()
    rows = read_rows(args.rows)
    features = read_features(args.features)
    made = fit([r for r in rows if r["source"] != "corpus2"], features, PENALTY, PRIOR)
    if args.model:
        pathlib.Path(args.model).write_text(model_text(made, features, args.features, rows))
    if args.report:
        pathlib.Path(args.report).write_text(report(rows, features, made))


if __name__ == "__main__":
    main()
