"""model.py - the mathematics of the learned score, in plain Python: a logistic regression whose weights are not negative.

The rows are small (few features of a package are not 0) and many are equal, so that no library is needed.  Nothing here depends
on a clock, on random numbers or on the order of a set: the same rows give the same weights, digit for digit."""
import hashlib
import json
import math
import re


def group_of_package(name):
    """Packages of one scope are of one people; a package without a scope is alone, with all its versions."""
    return name.split("/")[0] if name.startswith("@") else name


# --- features ---

class Feature:
    def __init__(self, name):
        self.name, self.title, self.group, self.counted, self.at_most = name, "", "", False, None

    def x(self, value):
        return math.log1p(value) if self.counted else float(value > 0)


def read_features(path):
    """What the training needs of features.yaml; the product reads all of it, and strictly."""
    features = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            match = re.match(r"(?:- |  )(id|title|group|count|weight-at-most):\s*(.*?)\s*$", line)
            if not match:
                continue
            key, value = match.groups()
            if key == "id":
                features.append(Feature(value))
            elif key == "count":
                features[-1].counted = True
            elif key == "weight-at-most":
                features[-1].at_most = float(value)
            else:
                setattr(features[-1], key, value)
    return features


def fingerprint(path):
    """Of what the features say: neither comments nor titles."""
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip() for line in f if not re.match(r"\s*(#|$)|  title:", line)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


# --- rows ---

def is_made(row):
    """Written by us, or a mutation of that; else it is a real package."""
    return row["source"] in ("example", "mutant")


def compact(rows):
    """What the training needs of what was collected, so little that it can be kept: equal rows are one with their number, named
    after the first.  What is unknown has no score.  Of the second corpus only packages that the first has no version of, and nothing of whose scope."""
    seen = {r["group"] for r in rows if r["source"] == "corpus"}
    merged = {}
    for r in rows:
        if r["verdict"] == "unknown" or (r["source"] == "corpus2" and r["group"] in seen):
            continue
        key = (r["source"], r["family"], r["group"] if is_made(r) else "", r["bad"], r["verdict"], tuple(sorted(r["values"].items())))
        number, name = merged.get(key, (0, r["id"]))
        merged[key] = (number + 1, min(name, r["id"]))
    return [{"source": source, "family": family, "group": group, "bad": bad, "verdict": verdict, "n": number, "id": name,
             "values": dict(values)} for (source, family, group, bad, verdict, values), (number, name) in sorted(merged.items())]


def write_rows(path, rows):
    """The names of the features once, then lines that number them; what is empty is left out."""
    names = sorted({name for r in rows for name in r["values"]})
    index = {name: i for i, name in enumerate(names)}
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps({"features": names}) + "\n")
        for r in rows:
            short = {k: v for k, v in r.items() if v and k != "values" and not (k == "id" and is_made(r))}
            short["values"] = [n for name, v in sorted(r["values"].items()) for n in (index[name], v)]
            out.write(json.dumps(short, separators=(",", ":")) + "\n")


def read_rows(path):
    with open(path, encoding="utf-8") as f:
        names = json.loads(f.readline())["features"]
        rows = [json.loads(line) for line in f]
    for r in rows:
        pairs = r["values"]
        r["values"] = {names[i]: v for i, v in zip(pairs[::2], pairs[1::2])}
        for key, empty in (("family", ""), ("group", ""), ("bad", False)):
            r.setdefault(key, empty)
    return rows


def weigh(rows, prior):
    """A mutated example counts as much as one that is not: all forms of one share its weight.  The bad ones are `prior` of all."""
    shares, sums = {}, {True: 0.0, False: 0.0}
    for r in rows:
        if is_made(r):
            shares[r["group"]] = shares.get(r["group"], 0) + r["n"]
    out = []
    for r in rows:
        weight = r["n"] / shares[r["group"]] if is_made(r) else float(r["n"])
        sums[r["bad"]] += weight
        out.append({**r, "weight": weight})
    total = sums[True] + sums[False]
    for r in out:
        r["weight"] *= total * (prior if r["bad"] else 1 - prior) / sums[r["bad"]]
    return out


def vectors(rows, features):
    """Equal rows become one with the sum of their weights: [(bad, weight, ((feature, x), ...))], sorted."""
    index = {f.name: i for i, f in enumerate(features)}
    merged = {}
    for r in rows:
        key = (r["bad"], tuple(sorted((index[n], features[index[n]].x(v)) for n, v in r["values"].items() if n in index)))
        merged[key] = merged.get(key, 0.0) + r["weight"]
    return [(bad, weight, x) for (bad, x), weight in sorted(merged.items())]


# --- the regression ---

def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


class Fit:
    """Minimises the sum of w·log(1 + e^-margin) + penalty/2·Σ weight², weights within [0, at_most]: one coordinate after the
    other, each by a step of Newton's method, until none moves.  The values are of one order already (0 or 1, ln(1 + n)); divided
    by their deviations, what is rare would go unpunished, and a handful of examples would say what it weighs."""

    def __init__(self, data, features, penalty, signed=False):
        self.data, self.n = data, len(features)
        self.most = [math.inf if f.at_most is None else f.at_most for f in features]
        self.least = -math.inf if signed else 0.0
        self.penalty = penalty
        self.bias, self.weights = 0.0, [0.0] * self.n
        self.columns = [[] for _ in range(self.n)]
        for k, (_, _, x) in enumerate(data):
            for i, v in x:
                self.columns[i].append((k, v))
        self.margin = [0.0] * len(data)
        self.slope = [0.0] * len(data)     # of the loss, per row
        self.bend = [0.0] * len(data)
        self.refresh(range(len(data)))

    def refresh(self, rows):
        for k in rows:
            bad, w, _ = self.data[k]
            p = sigmoid(self.margin[k])
            self.slope[k] = w * (p - (1.0 if bad else 0.0))
            self.bend[k] = max(w * p * (1 - p), 1e-12)

    def step_bias(self):
        move = -math.fsum(self.slope) / math.fsum(self.bend)
        move = max(-1.0, min(1.0, move))
        self.bias += move
        self.margin = [m + move for m in self.margin]
        self.refresh(range(len(self.data)))
        return abs(move)

    def step(self, i):
        column = self.columns[i]
        if not column:
            return 0.0
        slope = self.penalty * self.weights[i]
        bend = self.penalty
        for k, v in column:
            slope += self.slope[k] * v
            bend += self.bend[k] * v * v
        move = max(-1.0, min(1.0, -slope / bend))
        to = min(max(self.weights[i] + move, self.least), self.most[i])
        move = to - self.weights[i]
        if not move:
            return 0.0
        self.weights[i] = to
        for k, v in column:
            self.margin[k] += move * v
        self.refresh([k for k, _ in column])
        return abs(move)

    def run(self, rounds=300, still=1e-5):
        for _ in range(rounds):
            moved = self.step_bias()
            for i in range(self.n):
                moved = max(moved, self.step(i))
            if moved < still:
                break
        return self

    def logit(self, x):
        return self.bias + math.fsum(self.weights[i] * v for i, v in x)


def fit(rows, features, penalty, prior, signed=False):
    return Fit(vectors(weigh(rows, prior), features), features, penalty, signed).run()


# --- what is said about it ---

def auc(bad, good):
    """How often a bad one is above a good one, of pairs (logit, number); a tie is half."""
    both = sorted([(z, n, 0) for z, n in bad] + [(z, 0, n) for z, n in good])
    below, wins, i = 0, 0.0, 0
    while i < len(both):
        j, tied_bad, tied_good = i, 0, 0
        while j < len(both) and both[j][0] == both[i][0]:
            tied_bad += both[j][1]
            tied_good += both[j][2]
            j += 1
        wins += tied_bad * (below + tied_good / 2)
        below += tied_good
        i = j
    total = sum(n for _, n in bad)
    return wins / (total * below) if total and below else 0.0


def threshold(good, rate):
    """The least logit that at most this share of the good ones, pairs (logit, number), is above."""
    allowed = rate * sum(n for _, n in good)
    above = 0
    for z, n in sorted(good, reverse=True):
        above += n
        if above > allowed:
            return z
    return -math.inf


def hold_out(rows):
    """(family, training rows, held-out rows) of each family.  No group is on both sides, whatever its rows say they are."""
    for family in sorted({r["family"] for r in rows if r["family"]}):
        held = [r for r in rows if r["family"] == family]
        groups = {r["group"] for r in held}
        yield family, [r for r in rows if r["family"] != family and r["group"] not in groups], held
