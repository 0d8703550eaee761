"""postgres.py - a private PostgreSQL in a temporary directory: a Unix socket only, nothing kept.
usage: postgres.py PROGRAM [ARGUMENT...]     runs a unit test with $QANAT_TEST_PG, the address of an empty database
Where PostgreSQL is not installed, the program runs without it and says what it left out."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def programs():
    """The directory of initdb and postgres, or None."""
    for found in sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True) + [shutil.which("initdb") or ""]:
        if found and os.path.exists(os.path.join(os.path.dirname(found), "postgres")):
            return os.path.dirname(found)
    return None


class Cluster:
    """with Cluster() as pg: pg.url("db") …"""

    def __init__(self, *settings):
        self.settings = settings
        self.bin = programs()

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="qanat-pg-", dir="/tmp")
        self.user, self.as_user = "postgres", []
        if os.getuid() == 0:  # it refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.top, owner.pw_uid, owner.pw_gid)
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        os.chmod(self.top, 0o755)
        self.data = f"{self.top}/data"
        self._run("initdb", "--no-sync", "-A", "trust", "-U", self.user, "-E", "UTF8", "--locale=C.UTF-8", "-D", self.data)
        self.start()
        return self

    def _run(self, program, *args):
        p = subprocess.run([*self.as_user, f"{self.bin}/{program}", *args], capture_output=True, cwd="/", timeout=120)
        if p.returncode:
            raise RuntimeError(f"{program}: {p.stdout.decode()}{p.stderr.decode()}")

    def start(self):
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.top}", "-c", "fsync=off", "-c", "full_page_writes=off",
                   "-c", "shared_buffers=16MB", "-c", "max_connections=20", "-c", "autovacuum=off"]
        for s in self.settings:
            options += ["-c", s]
        with open(f"{self.top}/log", "ab") as log:
            self.server = subprocess.Popen([*self.as_user, f"{self.bin}/postgres", "-D", self.data, *options], stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, cwd="/", start_new_session=True)
        for _ in range(600):
            if self.server.poll() is not None:
                break
            try:
                self.sql("postgres", "SELECT 1")
                return
            except RuntimeError:
                time.sleep(0.05)
        with open(f"{self.top}/log", errors="replace") as log:
            raise RuntimeError("PostgreSQL does not start: " + log.read()[-2000:])

    def stop(self, how=signal.SIGINT):
        if self.server.poll() is None:
            self.server.send_signal(how)
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def __exit__(self, *_):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.top, ignore_errors=True)

    def sql(self, database, text):
        """The answer without headings, columns by |."""
        p = subprocess.run([f"{self.bin}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.top, "-U", self.user, "-d", database, "-f", "-"],
                           input=text.encode(), capture_output=True, cwd="/", timeout=120)
        if p.returncode:
            raise RuntimeError(p.stderr.decode())
        return p.stdout.decode().strip()

    def database(self, name):
        """The address of a new one."""
        self.sql("postgres", f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name, user="postgres", password=None):
        secret = f":{password}" if password else ""
        return f"postgres://{user}{secret}@{self.top.replace('/', '%2F')}/{name}"


def main():
    if not programs():
        print("# PostgreSQL is not installed: tests with it are left out", flush=True)
        os.execv(sys.argv[1], sys.argv[1:])
    with Cluster() as pg:
        env = dict(os.environ, QANAT_TEST_PG=pg.database("test"))
        sys.exit(subprocess.run(sys.argv[1:], env=env).returncode)


if __name__ == "__main__":
    main()
