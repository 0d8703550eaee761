"""qanat notify: what is in the outbox reaches real receivers on this machine, at least once, whatever fails and whoever is killed;
grouped, limited, and with nothing in it that a package could use."""
import email
import email.policy
import json
import os
import random
import signal
import stat
import subprocess
import time

from notifylib import Authority, Hook, Smtp, signed
from tap import QANAT, Run, done, ok, put, scratch

QUEUE = os.environ["NOTIFY_QUEUE"]
CLEAN = {k: "" for k in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")}
NOW = int(time.time() * 1000)


class Place:
    """A state directory and a configuration."""

    def __init__(self, d, name, conf):
        self.dir = os.path.join(d, name)
        self.state = os.path.join(self.dir, "state")
        self.conf = put(os.path.join(self.dir, "notify.yaml"), conf)

    def queue(self, *notices, now=None):
        lines = "\n".join(json.dumps(n) for n in notices)
        p = subprocess.run([QUEUE, self.state, self.conf, *([str(now)] if now else [])], input=lines.encode(), capture_output=True)
        return json.loads(p.stdout) if p.returncode == 0 else {"failed": p.stderr.decode()}

    def run(self, *args, **kw):
        return Run("notify", *args, "--state", self.state, "--notify", self.conf, env=CLEAN, **kw)

    def send(self):
        return self.run("send")

    def list(self, *state):
        r = self.run("list", *state, "--format", "json")
        return r.json["messages"] if r.code == 0 else [repr(r)]

    def states(self):
        return [m["state"] for m in self.list()]


def secret(d, name, text, mode=0o600):
    path = put(os.path.join(d, name), text)
    os.chmod(path, mode)
    return path


def notice(name="evil", version="1.0.0", kind="malicious", verdict="malicious", **more):
    return {"kind": kind, "name": name, "version": version, "integrity": "sha512-AAAA", "verdict": verdict, "score": 97,
            "reason": "the install script sends ~/.npmrc to https://drop.invalid/x", "rule": "install-sends", "title": "it sends a token",
            **more}


def hook_conf(url, d, extra="", timeout="3s"):
    return (f"channels:\n  - name: hook\n    kind: webhook\n    url: {url}\n    secret: {{file: {d}/hook.secret}}\n"
            f"    timeout: {timeout}\nroutes:\n  - to: hook\nwait: 0\nretry: 0\n{extra}")


# --- usage and configuration ---

def usage(d):
    p = Place(d, "usage", "channels: []\n")
    r = p.run("list")
    ok(r.code == 2 and b"nothing was watched yet" in r.err, "without a store it says so", r)
    for args in (["frob"], ["list", "x"], ["list", "dead", "more"], ["test"], ["test", "nobody"], ["retry", "x"], ["retry", "0"]):
        r = p.run(*args)
        ok(r.code == 2 and r.err, f"wrong usage: {' '.join(args)}", r)
    r = Run("notify", "send", "--state", p.state)
    ok(r.code == 2 and b"--notify" in r.err, "it asks for its configuration", r)
    ok(p.queue() == {"messages": 0, "joined": 0, "digested": 0, "known": 0}, "an empty store")
    ok(p.run("list").out == b"nobody is to be told anything\n", "nothing to tell")


def configuration(d):
    lines = {
        "channels:\n  - name: a\n    kind: telegram\n": ":3: kind is webhook, mail, command or issue",
        "channels:\n  - name: a\n    kind: webhook\n": ":2: a channel without `url`",
        "channels:\n  - name: a\n    kind: webhook\n    url: http://h\n    secret: hunter2\n": ":5: no secret is written here",
        "channels:\n  - name: a\n    kind: webhook\n    url: http://u:p@h\n": ":4: url holds no user",
        "channels:\n  - name: a\n    kind: webhook\n    url: file:///etc/passwd\n": ":4: url is an address",
        "channels:\n  - name: a\n    kind: mail\n    url: http://h\n    from: a@b\n": ":4: url is an address such as smtp",
        "channels:\n  - name: a\n    kind: mail\n    url: smtp://h\n    from: \"a@b>\\r\\nX: y\"\n": ":5: from is one line",
        "channels:\n  - name: a\n    kind: mail\n    url: smtp://h\n    from: a@b,c@d\n": ":5: from is an address",
        "channels:\n  - name: a\n    kind: mail\n    url: smtps://h\n    from: a@b\n    plain: true\n": ":6: smtps is never plain",
        "channels:\n  - name: a\n    kind: command\n    argv: [ls]\n": ":4: argv begins with the program's whole path",
        "channels:\n  - name: a\n    kind: command\n    argv: [/bin/ls]\n    url: http://h\n": ":5: a channel of kind command has no `url`",
        "channels:\n  - name: a\n    kind: issue\n": ":2: a channel without `directory` or `url`",
        "channels:\n  - {name: a, kind: command, argv: [/x]}\n  - {name: a, kind: command, argv: [/x]}\n": ":3: there is a channel of that name",
        "routes:\n  - to: b\n": ":2: there is no channel of that name",
        "channels:\n  - {name: a, kind: command, argv: [/x]}\nroutes:\n  - to: a\n    address: x@y\n": ":4: only mail has an `address`",
        "channels:\n  - {name: a, kind: command, argv: [/x]}\nroutes:\n  - to: a\n    kinds: [bad]\n": ":5: a kind",
        "tries: 0\n": ":1: tries is from 1 to 100",
        "limit: {per: 0}\n": ":1: `per` is at least 1s",
        "chanels: []\n": "did you mean \"channels\"",
    }
    for text, why in lines.items():
        p = Place(d, "conf", text)
        r = p.run("send")
        ok(r.code == 2 and why in r.err.decode(), f"refused: {why[:60]}", r)
    key = secret(d, "key", "s")
    mail = "channels:\n  - name: a\n    kind: mail\n    from: a@b\n    user: u\n    password: {file: %s}\n    plain: true\n    url: %s\n"
    issue = "channels:\n  - name: a\n    kind: issue\n    token: {file: %s}\n    url: %s\n"
    for form, url, why in ((mail, "smtp://mail.acme.invalid", ":7: the password is not sent without TLS"), (mail, "smtp://mail.acme.invalid:25/", "without TLS"),
                           (mail, "smtp://192.0.1.1:25", "without TLS"), (issue, "http://git.acme.invalid/api", ":5: the token is not sent without TLS"),
                           (issue, "http://[2a00::1]:80/", "without TLS")):
        r = Place(d, "conf", form % (key, url)).run("send")
        ok(r.code == 2 and why in r.err.decode(), f"no secret goes in clear to {url}", r)
    for form, url in ((mail, "smtp://127.0.0.1:1"), (mail, "smtp://[::1]"), (mail, "smtp://localhost:25/"), (issue, "https://git.acme.invalid"),
                      (issue, "http://localhost:1/")):
        r = Place(d, "conf", form % (key, url)).run("send")
        ok(b"without TLS" not in r.err and b"nothing was watched yet" in r.err, f"but to {url}", r)
    base = "channels:\n  - name: a\n    kind: webhook\n    url: http://h\n    secret: {file: %s}\n"
    for name, mode, why in (("open", 0o644, "others can read"), ("group", 0o640, "others can read")):
        r = Place(d, "conf", base % secret(d, name, "s", mode)).run("send")
        ok(r.code == 2 and why in r.err.decode() and ":5:" in r.err.decode(), f"a secret with mode {mode:o} is refused", r)
    for path, why in (("/nonexistent", "cannot be read"), (d, "no regular file"), (secret(d, "empty", " \n"), "is empty"),
                      (secret(d, "lines", "a\nb"), "no single line")):
        r = Place(d, "conf", base % path).run("send")
        ok(r.code == 2 and why in r.err.decode(), f"a secret: {why}", r)
    if os.geteuid() == 0:
        path = secret(d, "theirs", "s")
        os.chown(path, 12345, 12345)
        r = Place(d, "conf", base % path).run("send")
        ok(r.code == 2 and "somebody else's" in r.err.decode(), "a secret of another user is refused", r)


# --- webhooks ---

def webhook(d):
    hook = Hook()
    p = Place(d, "webhook", hook_conf(hook.url, d))
    ok(p.queue(notice())["messages"] == 1, "a notice is queued")
    ok(p.queue(notice())["known"] == 1, "the same fact is told once")
    m = p.list()[0]
    ok(m["state"] == "waiting" and m["notices"] == 1 and m["subject"] == "malicious: evil@1.0.0", "it is listed", m)
    r = p.send()
    ok(r.code == 0 and p.states() == ["done"], "it is sent", r)
    method, path, headers, body, _ = hook.got[0]
    ok(method == "POST" and path == "/hook" and signed(headers, body, b"shared secret") == m["id"], "signed, with time and id", headers)
    ok(not signed(headers, body + b" ", b"shared secret") and not signed(headers, body, b"other"), "the signature is of these bytes")
    said = json.loads(body)
    n = said["notices"][0]
    ok(said["schema"] == "qanat.notice/1" and said["id"] == m["id"] and n["name"] == "evil" and n["score"] == 97, "what it says", said)
    ok("hxxps://drop[.]invalid/x" in n["reason"], "addresses are defanged", n)
    ok(p.queue(notice())["known"] == 1 and p.send().code == 0 and len(hook.got) == 1, "also after it was sent")
    ok(p.queue(notice(kind="verdict-changed", before="malicious", verdict="clean"))["messages"] == 1, "another fact is told")
    r = p.run("test", "hook", "--format", "json")
    ok(r.code == 0 and r.json["sent"] and hook.messages[-1]["notices"][0]["kind"] == "test", "a test message", r)
    hook.stop()


def slow_and_wrong(d):
    for name, answers, delay, why in (("500", [(500, {})], 0, "status 500"), ("404", [(404, {})], 0, "status 404"),
                                      ("slow", [(204, {})], 4, "within the time"), ("429", [(429, {"retry-after": "7200"})], 0, "status 429")):
        hook = Hook(answers, delay)
        p = Place(d, "wrong" + name, hook_conf(hook.url, d, "tries: 3\n", "1s"))
        p.queue(notice())
        start = time.time()
        r = p.send()
        ok(r.code == 1 and time.time() - start < 15, f"{name}: it fails, and is not waited for", r)
        m = p.list()[0]
        ok(why in (m["error"] or ""), f"{name}: the outbox says why", m)
        ok("127.0.0.1" not in m["error"] and "/hook" not in m["error"], f"{name}: without the address, which may be a secret", m)
        if name == "429":
            due = time.mktime(time.strptime(m["due"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            ok(m["state"] == "waiting" and due - time.time() > 7000 and m["tries"] == 1, "Retry-After is kept to", m)
        else:
            ok(m["state"] == "dead" and m["tries"] == 3, f"{name}: it is dead after three tries", m)
            while len(hook.got) < 3 and time.time() - start < 30:
                time.sleep(0.1)
            ok(len({json.loads(b)["id"] for _, _, _, b, _ in hook.got}) == 1, f"{name}: each try has the same id")
            hook.answers, hook.delay = [(204, {})], 0
            r = p.run("retry")
            ok(r.code == 0 and b"1 dead messages are due again" in r.out, f"{name}: retry", r)
            ok(p.send().code == 0 and p.states() == ["done"], f"{name}: it arrives at last", p.list())
            ok(p.run("retry", "1").code == 1, f"{name}: what is not dead is not retried")
        hook.stop()


def side_by_side(d):
    slow, fast = Hook(delay=1.5), Hook()
    conf = hook_conf(slow.url, d, "limit: {messages: 0}\n").replace("routes:\n", f"  - {{name: fast, kind: webhook, url: \"{fast.url}\"}}\nroutes:\n  - to: fast\n")
    p = Place(d, "side", conf)
    p.queue(*(notice(f"pkg{i}") for i in range(12)))
    start = time.time()
    r = p.send()
    ok(r.code == 0 and len(slow.got) == len(fast.got) == 12, "two channels", r)
    ok(max(g[4] for g in fast.got) - start < 1.5, "a slow one does not hold up the other", [g[4] - start for g in fast.got])
    ok(slow.most == 4, "and has four messages under way at once", slow.most)
    slow.stop()
    fast.stop()


def redirects(d):
    elsewhere = Hook()
    hook = Hook([(307, {"location": elsewhere.url}), (302, {"location": elsewhere.url}), (308, {"location": "http://169.254.169.254/"})])
    p = Place(d, "redirects", hook_conf(hook.url, d, "tries: 3\n"))
    p.queue(notice())
    p.send()
    m = p.list()[0]
    ok(m["state"] == "dead" and "redirects are not followed" in m["error"], "redirects are not followed", m)
    ok(not elsewhere.got and len(hook.got) == 3, "nobody else hears of it", elsewhere.got)
    p = Place(d, "renamed", hook_conf(hook.url, d))
    p.queue(notice())
    put(p.conf, hook_conf(hook.url, d).replace("hook\n    kind", "other\n    kind").replace("to: hook", "to: other"))
    r = p.send()
    ok(p.states() == ["waiting"] and b"1 messages wait for channels" in r.err, "a channel that is gone is told of", r)
    p = Place(d, "refused", hook_conf("http://127.0.0.1:1/", d, "tries: 1\n"))
    p.queue(notice())
    p.send()
    ok(p.states() == ["dead"] and "refused" in p.list("dead")[0]["error"], "a receiver that is not there", p.list())


# --- mail ---

def mail_conf(smtp, ca, more=""):
    return (f"channels:\n  - name: mail\n    kind: mail\n    url: {smtp.url}\n    from: qanat@acme.invalid\n    timeout: 5s\n{more}"
            f"routes:\n  - to: mail\n    address: sec@acme.invalid\nwait: 0\nretry: 0\ntries: 1\nca: {ca}\n")


def mail(d):
    a = Authority(d)
    secret(d, "mail.password", "pa ss=w0rd\n")
    login = "    user: robot\n    password: {file: %s/mail.password}\n" % d
    for tls in ("starttls", "smtps"):
        s = Smtp(a.context(), tls, ("robot", "pa ss=w0rd"))
        p = Place(d, "mail" + tls, mail_conf(s, a.ca, login))
        p.queue(notice("@bad/one", "2.0.0"))
        r = p.send()
        ok(r.code == 0 and len(s.got) == 1, f"{tls}: a mail arrives", (r, s.said))
        sender, to, body, encrypted, who = s.got[0]
        ok(sender == "qanat@acme.invalid" and to == ["sec@acme.invalid"] and encrypted and who == "robot", f"{tls}: encrypted, logged in", s.got)
        m = email.message_from_bytes(body, policy=email.policy.default)
        uid = p.list()[0]["id"]
        ok(m["Subject"] == "[qanat] malicious: @bad/one@2.0.0" and m["Message-ID"] == f"<{uid}@acme.invalid>", f"{tls}: its headers", m.items())
        text = m.get_content()
        ok(m.get_content_type() == "text/plain" and "hxxps://drop[.]invalid/x" in text, f"{tls}: its text", text)
        steps = [text.find(x) for x in ("Stop the spread", "Isolate", "Clean:", "Only then rotate")]
        ok(-1 not in steps and steps == sorted(steps), f"{tls}: the next steps in the safe order", text)
        ok(abs(m["Date"].datetime.timestamp() - time.time()) < 120 and not m.defects, f"{tls}: a date, no defects", (m["Date"], m.defects))
        ok(max(map(len, body.split(b"\r\n"))) <= 200, f"{tls}: short lines")
        r = p.run("test", "mail", "other@acme.invalid")
        ok(r.code == 0 and s.got[-1][1] == ["other@acme.invalid"], f"{tls}: a test message to somebody else", r)
        ok(p.run("test", "mail", "a@b>,<c@d").code == 2, f"{tls}: but not to several")
        s.stop()
    cases = {
        "no TLS": (Smtp(None, None), "", "", "no TLS"),
        "an unknown authority": (Smtp(a.context()), "", "other", "certificate is not trusted"),
        "a wrong password": (Smtp(a.context(), login=("robot", "other")), login, "", "refuses user or password"),
        "a recipient that is refused": (Smtp(a.context(), faults={"RCPT": "550 no such user"}), "", "", "status 550"),
        "a server that is busy": (Smtp(a.context(), faults={"MAIL": "451 later"}), "", "", "status 451"),
        "a message that is refused": (Smtp(a.context(), faults={"END": "554 spam"}), "", "", "status 554"),
        "a server that hangs": (Smtp(a.context(), faults={"RCPT": None}), "    timeout: 1s\n", "", "time"),
        "a server that ends in STARTTLS": (Smtp(a.context(), faults={"STARTTLS": "454 no"}), "", "", "TLS"),
    }
    os.makedirs(os.path.join(d, "other"), exist_ok=True)
    other = Authority(os.path.join(d, "other"))
    for name, (s, more, ca, why) in cases.items():
        conf = mail_conf(s, other.ca if ca else a.ca, more)
        conf = conf.replace("    timeout: 5s\n", "") if "timeout: 1s" in more else conf
        p = Place(d, "mail-" + name.replace(" ", "-"), conf)
        p.queue(notice())
        r = p.send()
        m = p.list()[0]
        ok(m["state"] == "dead" and why in m["error"], f"{name}: {why}", (m, s.said))
        ok("pa ss" not in str(m) and "127.0.0.1" not in m["error"], f"{name}: nothing leaks", m)
        if name in ("no TLS", "a server that ends in STARTTLS"):
            ok(not any(x.upper().startswith(("MAIL", "AUTH", "DATA")) for x in s.said), f"{name}: nothing was said in the clear", s.said)
        s.stop()
    s = Smtp(None, None)
    p = Place(d, "mail-plain", mail_conf(s, a.ca, "    plain: true\n"))
    p.queue(notice())
    ok(p.send().code == 0 and len(s.got) == 1 and not s.got[0][3], "plain text where it is asked for", s.said)


# --- commands ---

def script(d, name, text):
    path = put(os.path.join(d, name), "#!/bin/sh\n" + text)
    os.chmod(path, 0o700)
    return path


def command_conf(path, more="", timeout="2s"):
    return (f"channels:\n  - name: run\n    kind: command\n    argv: [{path}, \"$(id)\", \"; touch {os.path.dirname(path)}/pwned\"]\n"
            f"    timeout: {timeout}\nroutes:\n  - to: run\nwait: 0\nretry: 0\ntries: 1\n{more}")


def command(d):
    path = script(d, "take", f"cat > {d}/stdin\nenv > {d}/env\nprintf '%s\\n' \"$@\" > {d}/argv\nls -l /proc/self/fd > {d}/fds\necho thanks\n")
    p = Place(d, "command", command_conf(path))
    os.environ["SECRET_OF_OURS"] = "x"
    p.queue(notice())
    r = p.send()
    said = json.load(open(f"{d}/stdin", encoding="utf-8"))
    ok(r.code == 0 and said["notices"][0]["name"] == "evil", "a command gets the message on standard input", r)
    env = dict(x.rstrip("\n").split("=", 1) for x in open(f"{d}/env", encoding="utf-8"))
    ok(env["QANAT_MESSAGE"] == said["id"] and set(env) <= {"PATH", "LANG", "QANAT_MESSAGE", "PWD", "_", "SHLVL", "OLDPWD"}, "a clean environment", env)
    ok(open(f"{d}/argv", encoding="utf-8").read().startswith("$(id)\n; touch") and not os.path.exists(f"{d}/pwned"), "no shell looks at arguments")
    fds = [x.split(" -> ")[0].split()[-1] for x in open(f"{d}/fds", encoding="utf-8") if "->" in x]
    ok(set(fds) <= set("0123"), "no descriptor of ours", fds)
    for name, text, why in (("fails", "echo no such team >&2\nexit 7\n", "exit 7: no such team"),
                            ("hangs", f"sleep 100.{os.getpid()} & sleep 100.{os.getpid()}\n", "did not end in time"),
                            ("dies", "kill -9 $$\n", "signal 9"),
                            ("hostile", "printf 'a\\033[31mb\\r\\nc \\342\\200\\256 https://x.invalid/ @everyone'\nexit 1\n", "exit 1")):
        p = Place(d, "command-" + name, command_conf(script(d, name, text), timeout="1s"))
        p.queue(notice())
        start = time.time()
        r = p.send()
        m = p.list()[0]
        ok(m["state"] == "dead" and why in m["error"] and time.time() - start < 8, f"a command that {name}", (m, r))
        if name == "hostile":
            ok(not set(m["error"]) & set("\x1b\r\n\u202e") and "@everyone" not in m["error"], "what it prints is made safe", m)
    end = time.time() + 5
    while (left := subprocess.run(["pgrep", "-f", rf"^sleep 100\.{os.getpid()}$"], capture_output=True).stdout) and time.time() < end:
        time.sleep(0.1)
    ok(not left, "what hangs is ended, with its children", left)
    big = script(d, "big", "head -c 20000000 /dev/zero | tr '\\0' x\n")
    p = Place(d, "command-big", command_conf(big, timeout="20s"))
    p.queue(notice())
    r = p.send()
    ok(r.code == 0 and p.states() == ["done"], "large output neither blocks nor fills anything", r)
    p = Place(d, "command-none", command_conf(f"{d}/nothing-here"))
    p.queue(notice())
    p.send()
    ok(p.states() == ["dead"] and "No such file" in p.list()[0]["error"], "a program that is not there", p.list())


# --- issues ---

def issue(d):
    hook = Hook([(201, {})])
    os.makedirs(f"{d}/issues")
    secret(d, "gh.token", "ghp_secretsecretsecretsecretsecretsecret")
    conf = (f"channels:\n  - name: gh\n    kind: issue\n    directory: {d}/issues\n    url: {hook.url}\n    token: {{file: {d}/gh.token}}\n"
            "    labels: [malware, qanat]\nroutes:\n  - to: gh\nwait: 0\nretry: 0\ntries: 2\n")
    p = Place(d, "issue", conf)
    p.queue(notice("@bad/pkg", reason="a ``` fence\n```\n<script>alert(1)</script> @octocat [x](http://y.invalid) ![i](z)"))
    r = p.send()
    _, _, headers, body, _ = hook.got[0]
    said = json.loads(body)
    ok(r.code == 0 and headers["authorization"].startswith("Bearer ghp_") and said["labels"] == ["malware", "qanat"], "an issue is made", said)
    ok(said["title"] == "[qanat] malicious: @bad/pkg@1.0.0", "its title", said["title"])
    text = said["body"]
    fence = max(text.split("\n"), key=lambda x: len(x) - len(x.lstrip("`"))).split("text")[0]
    inside = text.split(fence + "text\n")[1].split("\n" + fence)[0]
    ok(len(fence) >= 4 and "<script>" in inside and "\n" not in inside, "what a package says stands in a fence", text)
    outside = text.replace(inside, "")
    ok("<script" not in outside and "@octocat" not in text and "http://" not in text, "and does nothing outside", text)
    files = os.listdir(f"{d}/issues")
    ok(files == [p.list()[0]["id"] + ".md"] and text in open(f"{d}/issues/{files[0]}", encoding="utf-8").read(), "and a file", files)
    hook.answers = [(401, {})]
    p.queue(notice("other"))
    p.send()
    everything = json.dumps(p.list()) + p.run("list").out.decode()
    ok("secretsecret" not in everything and "401" in everything, "the token is nowhere", everything)
    hook.stop()


# --- grouping, limits, owners ---

def grouping(d):
    hook = Hook()
    inv = Place(d, "grouping", "")
    for asset, owner, dep in (("shop", "web", "@worm/p1"), ("desk", "office", "@worm/p2"), ("none", "ghost", "left-pad")):
        put(f"{inv.dir}/{asset}/package-lock.json", json.dumps({"name": asset, "lockfileVersion": 3, "packages": {
            "": {"dependencies": {dep: "*"}}, **{f"node_modules/@worm/p{i}": {"version": "1.0.0"} for i in range(500) if asset != "none"},
            "node_modules/left-pad": {"version": "1.0.0"}}}))
        r = Run("inventory", "add", f"{inv.dir}/{asset}", "--asset", asset, "--owner", owner, "--environment", "production", "--state", inv.state)
        ok(r.code == 0, f"an inventory of {asset}", r)
    take = "kind: command\n    argv: [%s]\n" % script(d, "into", f"cat > {d}/into-$$.json\n")
    p = Place(d, "grouping", hook_conf(hook.url, d).replace("routes:", f"  - name: own\n    {take}routes:") +
              "owners:\n  - {name: web, to: own}\n  - {name: office, to: own}\n  - {name: nobody, to: own}\n")
    q = p.queue(*(notice(f"@worm/p{i}") for i in range(500)))
    ok(q["messages"] == 2 and q["joined"] == 500 * 3 - 2, "500 findings of a scope: one message each to the route and to whom the owners are", q)
    ok(sorted((m["channel"], m["notices"]) for m in p.list()) == [("hook", 500), ("own", 1000)], "with their counts", p.list())
    p.send()
    said = hook.messages[0]
    ok(len(hook.got) == 1 and said["count"] == 500 and len(said["notices"]) == 500 and said["title"].endswith(" and 499 more (scope @worm)"), "it is one message", said["title"])
    ok([x["name"] for x in said["notices"][0]["places"]] == ["desk", "shop"], "the route is told all places", said["notices"][0])
    own = json.load(open([os.path.join(d, x) for x in os.listdir(d) if x.startswith("into-")][0], encoding="utf-8"))
    by = {tuple(pl["name"] for pl in n["places"]) for n in own["notices"]}
    ok(by == {("shop",), ("desk",)}, "owners are told theirs alone", by)
    ok(p.queue(notice("@worm/p1"), notice("@worm/p1", "9.9.9"))["known"] == 3, "known facts stay known, and nobody owns 9.9.9", p.list())
    ok(p.list()[-1]["notices"] == 1 and p.list()[-1]["channel"] == "hook", "what comes after it was sent is a message of its own", p.list()[-1])
    hook.stop()


def mail_to_owner(d):
    s = Smtp(None, None)
    p = Place(d, "grouping", mail_conf(s, Authority(d).ca, "    plain: true\n").replace("routes:\n  - to: mail\n    address: sec@acme.invalid\n",
              "owners:\n  - {name: web, to: mail, address: web@acme.invalid}\n  - {name: office, to: mail, address: office@acme.invalid}\n"))
    p.queue(*(notice(f"@worm/p{i}", integrity="sha512-BBBB") for i in range(500)))
    p.send()
    texts = {g[1][0]: email.message_from_bytes(g[2], policy=email.policy.default).get_content() for g in s.got}
    ok(len(s.got) == 2 and set(texts) == {"web@acme.invalid", "office@acme.invalid"}, "500 findings: one mail to each owner", [g[1] for g in s.got])
    web = texts["web@acme.invalid"]
    ok("project shop, environment production" in web and "desk" not in web, "with their assets, and no others", web[:3000])
    ok("and 200 more" in web and "Do not rotate before cleaning" in web, "how many more, and what to do", web[:1500])


def limits(d):
    hook = Hook()
    p = Place(d, "limits", hook_conf(hook.url, d, "limit: {messages: 3, per: 1h}\n"))
    q = p.queue(*(notice(f"pkg{i}") for i in range(50)), now=NOW)
    ok(q == {"messages": 3, "joined": 0, "digested": 47, "known": 0}, "three messages, and a digest", q)
    p.send()
    ok(len(hook.got) == 3 and sorted(p.states()) == ["done"] * 3 + ["waiting"], "the digest waits for the end of the hour", p.list())
    q = p.queue(notice("late"), now=NOW + 1800_000)
    ok(q["digested"] == 1, "what comes meanwhile is in it", q)
    p2 = Place(d, "limits2", hook_conf(hook.url, d, "limit: {messages: 1, per: 1s}\n"))
    p2.queue(*(notice(f"pkg{i}") for i in range(10)), now=NOW - 5000)
    hook.got.clear()
    p2.send()
    titles = sorted(m["title"] for m in hook.messages)
    ok(titles == ["[qanat] 9 further notices", "[qanat] malicious: pkg0@1.0.0"], "one digest with the rest", titles)
    q = p2.queue(notice("new"), now=NOW + 5000)
    ok(q["messages"] == 1, "after that there is room again", q)
    hook.stop()


def waits(d):
    hook = Hook()
    p = Place(d, "waits", hook_conf(hook.url, d).replace("wait: 0", "wait: 1h"))
    p.queue(notice("@s/a"), now=NOW)
    p.queue(notice("@s/b"), now=NOW + 60_000)
    p.queue(notice("c", campaign="k-1"), notice("d", campaign="k-1"), now=NOW)
    ok(p.send().code == 0 and not hook.got, "messages wait for others of their topic")
    ok([(m["topic"], m["notices"]) for m in p.list()] == [("scope @s", 2), ("campaign k-1", 2)], "by scope and campaign", p.list())
    hook.stop()


# --- hostile text ---

EVIL = ["line\r\nBcc: all@acme.invalid\r\n\r\nbody", "\x1b[2J\x1b]0;x\x07", "@everyone <!channel> <@U1>", "@everyone/pkg", "\u202egpj.exe\u202c", "`${x}` **b** [l](http://e.invalid)",
        "<img src=x onerror=alert(1)>", "=?utf-8?B?QmNj?=", "a\x00b", "\r\n.\r\nMAIL FROM:<x@y>\r\n", "x" * 5000, "\u200b\u2066hidden\u2069", "ghp_" + "a1B2" * 9]


def hostile(d):
    hook, s = Hook(), Smtp(None, None)
    os.makedirs(f"{d}/evil-issues")
    conf = (f"channels:\n  - {{name: hook, kind: webhook, url: \"{hook.url}\"}}\n"
            f"  - {{name: mail, kind: mail, url: \"{s.url}\", from: q@acme.invalid, plain: true}}\n"
            f"  - {{name: gh, kind: issue, directory: {d}/evil-issues}}\n"
            "routes:\n  - to: hook\n  - {to: mail, address: sec@acme.invalid}\n  - to: gh\nwait: 0\nretry: 0\nlimit: {messages: 0}\n")
    p = Place(d, "hostile-text", conf)
    for i, x in enumerate(EVIL):
        name = "pkg" if x.startswith("ghp_") else x  # what npm could have is said as it is
        p.queue(notice(name, name, reason=x, title=x, rule=name, campaign=None if i % 2 else name, before=name))
    r = p.send()
    ok(r.code == 0 and len(hook.got) == len(s.got) == len(EVIL), "all of it arrives", (r, len(hook.got), len(s.got), p.list()[-1]))
    bad = set("\x1b\x07\x00\u202e\u202c\u200b\u2066\u2069")
    texts = [json.dumps(m, ensure_ascii=False) for m in hook.messages]
    ok(not any(set(t) & bad or "@everyone" in t or "<@U1>" in t or "<!" in t or "http://" in t or "a1B2a1B2" in t for t in texts), "JSON: nothing of it is left", texts)
    for g in s.got:
        m = email.message_from_bytes(g[2], policy=email.policy.default)
        text, subject = m.get_content(), str(m["Subject"])
        fine = (g[1] == ["sec@acme.invalid"] and not m["Bcc"] and not set(text + subject) & bad and "@everyone" not in text + subject
                and "http://" not in text + subject and "\n" not in subject and len(m.keys()) == 10 and "a1B2a1B2" not in text)
        if not ok(fine, f"mail: {subject[:50]!r}", g[2].decode(errors="replace")[:1500]):
            break
    ok(not any("x@y" in x for x in s.said), "no command of a mail server came of it", s.said[-10:])
    for name in os.listdir(f"{d}/evil-issues"):
        text = open(f"{d}/evil-issues/{name}", encoding="utf-8").read()
        plain, fence = [], None
        for line in text.split("\n")[2:]:
            ticks = len(line) - len(line.lstrip("`"))
            if fence is None and ticks >= 3 and line.endswith("text"):
                fence = ticks
            elif fence is not None and line == "`" * fence:
                fence = None
            elif fence is None:
                plain.append(line)
        outside = "\n".join(without_spans(x) for x in plain)
        if not ok("<img" not in outside and "**" not in outside and "[l]" not in outside and "@everyone" not in text and not set(text) & bad,
                  f"issue {name[:8]}: package text only in spans and fences", outside):
            break
    out = p.run("list").out.decode()
    ok(not set(out) & bad and "\r" not in out and len(out.strip().split("\n")) == 3 * len(EVIL), "the list is fit for a terminal", out[:2000])
    hook.stop()


def without_spans(line):
    """The line without its code spans, as CommonMark pairs them."""
    out, i = "", 0
    while i < len(line):
        if line[i] != "`":
            out += line[i]
            i += 1
            continue
        n = len(line[i:]) - len(line[i:].lstrip("`"))
        end = i + n
        while end < len(line):
            if line[end] == "`":
                m = len(line[end:]) - len(line[end:].lstrip("`"))
                if m == n:
                    break
                end += m
            else:
                end += 1
        if end >= len(line):
            out += line[i:i + n]
            i += n
        else:
            i = end + n
    return out


# --- kills ---

def kills(d):
    hook = Hook(delay=0.1)
    p = Place(d, "kills", hook_conf(hook.url, d, "limit: {messages: 0}\ntries: 100\n", "500ms"))
    n = 240
    p.queue(*(notice(f"pkg{i}") for i in range(n)))
    ids = {m["id"] for m in p.list()}
    rng = random.Random(7)
    killed = 0
    for i in range(30):
        child = subprocess.Popen([QANAT, "notify", "send", "--state", p.state, "--notify", p.conf, "-q"], env={**os.environ, **CLEAN},
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(0.05 + rng.random() * 0.3)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
            killed += 1
        if i % 10 == 9:
            p.queue(*(notice(f"more{i}-{k}") for k in range(20)))
            ids |= {m["id"] for m in p.list()}
    end = time.time() + 60
    while time.time() < end and set(p.states()) != {"done"}:
        p.send()
        time.sleep(0.5)
    ok(killed >= 10, f"killed {killed} times while it sent")
    ok(set(p.states()) == {"done"} and len(p.list()) == n + 60, "all are done", [m for m in p.list() if m["state"] != "done"][:3])
    got = [m["id"] for m in hook.messages]
    ok(set(got) == ids, f"nothing is lost: {len(ids)} messages, {len(got)} times sent", len(ids - set(got)))
    ok(all(signed(h, b, b"shared secret") == json.loads(b)["id"] for _, _, h, b, _ in hook.got), "each with its own id")
    hook.stop()


with scratch() as work:
    secret(work, "hook.secret", "shared secret\n")
    for part in (usage, configuration, webhook, slow_and_wrong, side_by_side, redirects, mail, command, issue, grouping, mail_to_owner, limits, waits, hostile, kills):
        part(work)
done()
