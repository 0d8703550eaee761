"""qanat campaign: the campaigns of a made-up day (tests/campaign/sim.h), wrong ids, hostile text, a store that is not there."""
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from tap import done, ok, Run, scratch

SIM, DATA = os.environ["CAMPAIGN_SIM"], os.environ["DATA"]
KINDS = ["quiet day", "worm", "token farm", "many accounts", "staged takeover", "bait"]


def sim(d, *args):
    os.makedirs(d)
    p = subprocess.run([SIM, DATA, d, *args], capture_output=True, text=True, check=True)
    return {KINDS[int(k)]: (i, int(n), rule) for k, i, n, rule in (line.split() for line in p.stdout.splitlines())}


def campaign(d, *args):
    return Run("campaign", *args, "--state", d)


def lists(d, found):
    r = campaign(d, "list", "--format", "json")
    rows = {c["id"]: c for c in r.json["campaigns"]}
    ok(r.code == 0 and r.json["schema"] == "qanat.campaigns/1" and len(rows) == 5, "five campaigns", r)
    for kind, (i, n, rule) in found.items():
        c = rows[i]
        ok(c["packages"] == n and c["rule"] == rule and c["first"] <= c["founded"] <= c["last"] and
           c["last_day"] <= c["versions"], f"{kind}: size, rule and times", c)
    t = campaign(d, "list")
    lines = t.out.decode().splitlines()
    ok(t.code == 0 and len(lines) == 6 and lines[0].startswith("campaign "), "as a table", t)
    ok([line.split()[0] for line in lines[1:]] == [c["id"] for c in r.json["campaigns"]], "in the same order", t)
    founded = [c["founded"] for c in r.json["campaigns"]]
    ok(founded == sorted(founded, reverse=True), "the latest first", founded)


def shows(d, found):
    i, n, _ = found["worm"]
    r = campaign(d, "show", i, "--format", "json")
    doc = r.json
    ok(r.code == 0 and doc["schema"] == "qanat.campaign/1" and doc["verdict"] == "malicious", "one campaign", r)
    ok(len(doc["members"]) == n and sum(g["versions"] for g in doc["growth"]) == n, "all members, and the growth adds up", r)
    ok(doc["judged"][0]["packages"] == 5, "with five packages it became one", doc["judged"])
    things = {(t["kind"], t["what"]): t["versions"] for t in doc["shared"]["things"]}
    ok(things.get(("indicator", "collect.worm.invalid")) == n, "the host that all talk to", things)
    ok(things.get(("addition", "node bundle.js")) == things.get(("payload", "bundle.js")) == n * 2 // 3, "the hook and the file", things)
    ok(all(m["by"] for m in doc["members"][1:]) and doc["members"][0]["verdict"] == "clean", "why each belongs to it", doc["members"][:3])
    t = campaign(d, "show", i, "--limit", "7")
    text = t.out.decode()
    ok(t.code == 0 and "collect[.]worm[.]invalid" in text and "collect.worm" not in text, "addresses are defanged", t)
    ok(f"and {n - 7} more" in text, "the table has a limit", t)
    ok("more (--limit" not in campaign(d, "show", i, "--limit", "0").out.decode(), "or none", "")
    ring = campaign(d, "show", found["token farm"][0], "--format", "json").json
    ok(ring["shared"]["on_each_other"] > 50, "the farm depends on itself", ring["shared"])


def wrong(d, quiet):
    for args, why in ((("show", "C-000000000000"), "there is no campaign"), (("show", "x\x1b[2J"), "there is no campaign"),
                      (("show",), "usage"), (("list", "C-1"), "usage")):
        r = campaign(d, *args)
        err = r.err.decode()
        ok(r.code == 2 and not r.out and why in err and len(err.splitlines()) == 1 and "\x1b" not in err, f"wrong: {args!r}", r)
    r = campaign(d + "/none", "list")
    ok(r.code == 2 and b"nothing was watched yet" in r.err, "no store", r)
    r = campaign(quiet, "list")
    ok(r.code == 0 and not r.out and b"no campaign" in r.err, "a quiet day has none", r)
    r = campaign(quiet, "list", "--format", "json")
    ok(r.code == 0 and r.json["campaigns"] == [], "in JSON, too", r)


def dismisses(d, found):
    i, n, _ = found["bait"]
    for args, why in (((i,), "--reason"), ((i, "--reason", " "), "--reason"), ((i, "--reason", "a\nb"), "one line"),
                      ((i, "--reason", "x" * 5000), "one line"), ((i, "--reason", "x", "--by", "a\x1b"), "one line"),
                      (("C-000000000000", "--reason", "x"), "there is no campaign"), (("--reason", "x"), "usage")):
        r = campaign(d, "dismiss", *args)
        err = r.err.decode()
        ok(r.code == 2 and not r.out and why in err and len(err.splitlines()) == 1 and "\x1b" not in err, f"dismiss, wrong: {args!r:.60}", r)
    ok(not campaign(d, "show", i, "--format", "json").json["dismissals"], "nothing of that is on record", "")
    r = campaign(d, "dismiss", i, "--reason", "they all \u202e use http://evil.invalid", "--by", "ada")
    ok(r.code == 0 and f"of its {n} versions" in r.out.decode(), "dismissed", r)
    doc = campaign(d, "show", i, "--format", "json").json
    said = doc["dismissals"]
    ok(doc["dismissed"] and len(said) == 1 and said[0]["who"] == "ada" and said[0]["verdict"] == "malicious" and said[0]["time"],
       "who and when and why is on record", said)
    ok(len(doc["members"]) == n, "what was in it, too", doc["members"][:2])
    text = campaign(d, "show", i).out.decode()
    ok("dismissed " in text and "ada" in text and "http://evil" not in text and "\u202e" not in text, "and is shown", text[:500])
    rows = {line.split()[0]: line.split()[1] for line in campaign(d, "list").out.decode().splitlines()[1:]}
    ok(rows[i] == "dismissed" and list(rows.values()).count("dismissed") == 1, "the list says so", rows)
    r = campaign(d, "dismiss", i, "--reason", "again")
    ok(r.code == 0 and b"already" in r.err and len(campaign(d, "show", i, "--format", "json").json["dismissals"]) == 1, "once is enough", r)


def hostile(d, found):
    i = found["worm"][0]
    evil = "@a/\x1b[31mred\u202e\r\nC-fake malicious http://evil.invalid/x"
    db = sqlite3.connect(f"{d}/watch.db")
    db.execute("UPDATE version SET name = ?, publisher = ?, reason = ? WHERE id ="
               " (SELECT min(version) FROM campaign_member WHERE campaign = ?)", (evil, evil, evil, i))
    db.execute("UPDATE campaign SET pattern = ? WHERE id = ?", (evil, i))
    db.commit()
    db.close()
    for args in (("list",), ("show", i, "--limit", "0")):
        out = campaign(d, *args).out.decode()
        ok("\x1b" not in out and "\r" not in out and "\u202e" not in out and "http://evil" not in out and
           not any(line.startswith("C-fake") for line in out.splitlines()), f"hostile names in {args[0]}", out)
    doc = campaign(d, "show", i, "--format", "json").json
    ok(any(m["name"] == evil for m in doc["members"]), "JSON has them as they are", "")
    db = sqlite3.connect(f"{d}/watch.db")
    db.execute("UPDATE trace SET bytes = x'00' WHERE version IN (SELECT version FROM campaign_member WHERE campaign = ?)", (i,))
    db.commit()
    db.close()
    r = campaign(d, "show", i)
    ok(r.code == 2 and not r.out and len(r.err.decode().splitlines()) == 1, "a damaged store is one clear line", r)


def main():
    with scratch() as d:
        found = sim(f"{d}/day")
        ok(set(found) == set(KINDS[1:]), "the day has its campaigns", found)
        sim(f"{d}/quiet", "quiet")
        lists(f"{d}/day", found)
        shows(f"{d}/day", found)
        wrong(f"{d}/day", f"{d}/quiet")
        dismisses(f"{d}/day", found)
        hostile(f"{d}/day", found)
    done()


main()
