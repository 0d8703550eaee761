-- A ledger as the first version of its schema made it, with an alarm that nobody was told of.
CREATE TABLE artifact(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
 integrity TEXT NOT NULL, UNIQUE(name, version, integrity));
CREATE TABLE fetch(id INTEGER PRIMARY KEY AUTOINCREMENT, artifact INTEGER NOT NULL
 REFERENCES artifact, time INTEGER NOT NULL, token TEXT, address TEXT, user_agent TEXT,
 session TEXT, command TEXT, ci TEXT);
CREATE INDEX fetch_artifact ON fetch(artifact, time);
CREATE TRIGGER fetch_stays BEFORE DELETE ON fetch
 BEGIN SELECT RAISE(ABORT, 'the ledger forgets nothing'); END;
CREATE TRIGGER fetch_is_true BEFORE UPDATE ON fetch
 BEGIN SELECT RAISE(ABORT, 'the ledger changes nothing'); END;
CREATE TABLE verdict(integrity TEXT PRIMARY KEY, verdict TEXT NOT NULL,
 score INTEGER NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL,
 time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE alarm(artifact INTEGER PRIMARY KEY REFERENCES artifact,
 time INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
 told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE cached(kind INTEGER NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL,
 time INTEGER NOT NULL, used INTEGER NOT NULL, etag TEXT, last_modified TEXT,
 PRIMARY KEY(kind, key)) WITHOUT ROWID;
CREATE INDEX cached_used ON cached(used);
INSERT INTO artifact VALUES(1, 'old', '1.0.0', 'sha512-b2xk'), (2, '@s/older', '2.0.0', 'sha512-b2xkZXI=');
INSERT INTO fetch VALUES(1, 1, 1000, 'ci', '192.0.2.1', 'npm/10', NULL, NULL, NULL), (2, 2, 2000, NULL, '192.0.2.2', NULL, NULL, NULL, NULL);
INSERT INTO verdict VALUES('sha512-b2xk', 'clean', 0, 'nothing', '0123456789abcdef', 900);
INSERT INTO alarm VALUES(2, 3000, 'malicious', 'it is listed', 0);
INSERT INTO cached VALUES(0, 'sha512-b2xk', 7, 900, 900, NULL, NULL);
PRAGMA user_version = 1;
