"""qanat rules docs: what a page takes out of rule files, however they are commented and nested."""
import os

from tap import done, ok, put, Run, scratch

SHARED = """lists:
  # Not part of what is above it.
  drops: [request-bin, paste]
  all-drops: [$drops, tunnel]
  unused: [x]

conditions:
  # A comment of the condition below.
  sends:
    any:
    - {event: net.send, class: $all-drops}
    # inside

    - {event: dns.query}
  # A comment at the end belongs to nobody.
"""
RULES = """# The file.
rules:
- id: first-rule
  title: Sends <b>keys</b> away | by `itself`
  severity: high
  verdict: suspicious
  tactics: [T1041]
  phase: [install, import]
  when:
    all:
    - {use: sends}
    - {not: {event: proc.exec, command: "$$HOME"}}
  explain: It sends to {host|a server}.
  references: [https://example.invalid/a]

# Of the second.
- id: second-rule
  title: Short
  severity: info
  verdict: info
  phase: any
  when: {event: net.send, class: $drops}
  explain: Nothing to add.
"""
FIRST = """when:
  all:
  - {use: sends}
  - {not: {event: proc.exec, command: "$$HOME"}}

# conditions
sends:
  any:
  - {event: net.send, class: $all-drops}
  # inside

  - {event: dns.query}

# lists
all-drops: [$drops, tunnel]
drops: [request-bin, paste]
```
"""


def page(d, name):
    with open(f"{d}/to/{name}.md", encoding="utf-8") as f:
        return f.read()


with scratch() as d:
    os.makedirs(f"{d}/data/rules")
    os.makedirs(f"{d}/tests/rules/first-rule/bad")
    os.makedirs(f"{d}/to")
    put(f"{d}/data/rules/a.yaml", RULES.encode())
    put(f"{d}/data/rules/shared.yaml", SHARED.encode())
    put(f"{d}/tests/rules/first-rule/good.events.ndjson", b"")
    r = Run("rules", "docs", f"{d}/to", "--data", f"{d}/data")
    ok(r.code == 0 and sorted(os.listdir(f"{d}/to")) == ["first-rule.md", "index.md", "second-rule.md"], "a page for each rule and an index", r)
    first, second, index = (page(d, name) for name in ("first-rule", "second-rule", "index"))
    ok(first.partition("```yaml\n")[2].partition("\n## ")[0].rstrip("\n") == FIRST.rstrip("\n"),
       "the condition as it is written, with what it uses", first)
    ok(first.startswith("# Sends \\<b\\>keys\\</b\\> away \\| by \\`itself\\`\n"), "text is escaped", first)
    ok("| looks at | install, import |" in first and "| ATT&CK | T1041 Exfiltration Over C2 Channel |" in first, "phases and tactics", first)
    ok("- `tests/rules/first-rule/bad`\n- `tests/rules/first-rule/good.events.ndjson`\n" in first, "its examples", first)
    ok("- <https://example.invalid/a>" in first, "its references", first)
    ok("when: {event: net.send, class: $drops}\n\n# lists\ndrops: [request-bin, paste]\n```" in second and
       "| looks at | any |" in second, "a condition of one line", second)
    ok("## Examples" not in second and "braces" not in second, "nothing is said of what is not there", second)
    ok("| [second-rule](second-rule.md) | info | info | Short |" in index, "the index names each", index)
    ok(Run("rules", "docs").code == 2, "without a directory: wrong usage")
    ok(Run("rules", "docs", f"{d}/nowhere", "--data", f"{d}/data").code == 2, "a directory that is not there")
done()
