"""notifylib.py - receivers of notifications, real ones on this machine: HTTP, and SMTP with STARTTLS, login and faults."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time


class Hook:
    """Takes POSTs; answers: status and headers for each, the last one for all further ones."""

    def __init__(self, answers=((204, {}),), delay=0.0):
        self.got, self.answers, self.delay = [], list(answers), delay
        self.lock, self.now, self.most = threading.Lock(), 0, 0
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with hook.lock:
                    hook.now += 1
                    hook.most = max(hook.most, hook.now)
                time.sleep(hook.delay)
                with hook.lock:
                    hook.now -= 1
                    hook.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.time()))
                    status, headers = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                try:
                    self.send_response(status)
                    for k, v in headers.items():
                        self.send_header(k, v)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:
                    pass

            do_POST = do_GET = answer

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *a):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def messages(self):
        return [json.loads(body) for _, _, _, body, _ in self.got]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def signed(headers, body, secret):
    """Whether the header is the body's, and made now; the id."""
    parts = dict(p.split("=", 1) for p in headers.get("qanat-signature", "").split(",") if "=" in p)
    want = hmac.new(secret, f"{parts.get('t')}.{parts.get('id')}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(parts.get("t", 0))) < 60
    return hmac.compare_digest(want, parts.get("sha256", "")) and fresh and parts["id"]


class Authority:
    """A certificate for 127.0.0.1, and the authority that made it."""

    def __init__(self, d):
        self.ca, self.cert, self.key = (os.path.join(d, n) for n in ("ca.pem", "cert.pem", "key.pem"))
        ca_key, csr, ext = (os.path.join(d, n) for n in ("ca.key", "csr.pem", "ext"))
        with open(ext, "w", encoding="ascii") as f:
            f.write("subjectAltName=IP:127.0.0.1\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"]
        for args in (["req", "-x509", *new, "/CN=test authority", "-keyout", ca_key, "-out", self.ca, "-days", "2",
                      "-addext", "basicConstraints=critical,CA:TRUE"],
                     ["req", *new, "/CN=mail", "-keyout", self.key, "-out", csr],
                     ["x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-out", self.cert, "-days", "2",
                      "-extfile", ext]):
            subprocess.run(["openssl", *args], check=True, capture_output=True)

    def context(self):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self.cert, self.key)
        return c


class Smtp:
    """A mail server.  tls: None, "starttls" or "smtps"; login: (user, password) that it insists on; faults: a command → answer."""

    def __init__(self, context=None, tls="starttls", login=None, faults=None):
        self.context, self.tls, self.login, self.faults = context, tls, login, faults or {}
        self.got, self.said = [], []  # messages: (from, [to], bytes, encrypted, who); every line of every client
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"{'smtps' if tls == 'smtps' else 'smtp'}://127.0.0.1:{self.sock.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            Session(self, c).run()
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            c.close()

    def stop(self):
        self.sock.close()


class Session:
    def __init__(self, server, sock):
        self.server, self.sock, self.encrypted, self.who = server, sock, False, None
        self.sender, self.to, self.buffer = None, [], b""
        if server.tls == "smtps":
            self.encrypt()

    def encrypt(self):
        self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        self.encrypted, self.buffer = True, b""

    def say(self, *lines):
        self.sock.sendall(b"".join(x.encode() + b"\r\n" for x in lines))

    def line(self):
        while b"\r\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise OSError("gone")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        if b"\n" in line or b"\r" in line:
            raise ValueError("a bare line end")
        return line

    def data(self):
        out = []
        while (x := self.line()) != b".":
            out.append(x[1:] if x.startswith(b".") else x)
        return b"\r\n".join(out) + b"\r\n"

    def auth(self, words):
        if words[1].upper() == "PLAIN":
            raw = words[2] if len(words) > 2 else (self.say("334 "), self.line().decode())[1]
            _, user, password = base64.b64decode(raw).decode().split("\0")
        else:
            user = base64.b64decode(words[2] if len(words) > 2 else (self.say("334 VXNlcm5hbWU6"), self.line())[1]).decode()
            password = base64.b64decode((self.say("334 UGFzc3dvcmQ6"), self.line())[1]).decode()
        if (user, password) == self.server.login:
            self.who = user
            self.say("235 welcome")
        else:
            self.say("535 who are you")

    def ehlo(self):
        lines = ["mail.invalid", "8BITMIME", "SIZE 10000000"]
        if self.server.tls == "starttls" and not self.encrypted:
            lines.append("STARTTLS")
        if self.server.login and (self.encrypted or self.server.tls is None):
            lines.append("AUTH PLAIN LOGIN")
        self.say(*(f"250{' ' if i == len(lines) - 1 else '-'}{x}" for i, x in enumerate(lines)))

    def run(self):
        self.say("220 mail.invalid ESMTP")
        while True:
            line = self.line().decode()
            self.server.said.append(line)
            words = line.split()
            verb = words[0].upper() if words else ""
            if verb in self.server.faults:
                answer = self.server.faults[verb]
                if answer is None:  # it says nothing any more
                    time.sleep(30)
                    return
                self.say(answer)
                continue
            if verb == "EHLO":
                self.ehlo()
            elif verb == "HELO":
                self.say("250 mail.invalid")
            elif verb == "STARTTLS" and self.server.tls == "starttls":
                self.say("220 go")
                self.encrypt()
            elif verb == "AUTH":
                self.auth(words)
            elif verb == "MAIL":
                if self.server.login and not self.who:
                    self.say("530 log in first")
                    continue
                self.sender, self.to = line[10:].split(">")[0].lstrip("<"), []
                self.say("250 ok")
            elif verb == "RCPT":
                self.to.append(line[8:].split(">")[0].lstrip("<"))
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                body = self.data()
                self.server.got.append((self.sender, self.to, body, self.encrypted, self.who))
                self.say(self.server.faults.get("END", "250 taken"))
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("502 what")
