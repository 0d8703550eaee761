-- What was watched, as the first version of its schema kept it.
CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE pending(name TEXT PRIMARY KEY, seq TEXT NOT NULL, priority INTEGER NOT NULL, seen INTEGER NOT NULL, due INTEGER NOT NULL, tries
 INTEGER NOT NULL, why TEXT);
CREATE INDEX pending_due ON pending(due, priority);
CREATE TABLE version(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, integrity TEXT NOT NULL, publisher TEXT, published
 INTEGER, seen INTEGER NOT NULL, judged INTEGER NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL, reason TEXT NOT NULL, rules TEXT
 NOT NULL, UNIQUE(name, version));
CREATE INDEX version_integrity ON version(integrity);
CREATE INDEX version_publisher ON version(publisher);
CREATE INDEX version_seen ON version(seen);
CREATE INDEX version_verdict ON version(verdict, judged);
CREATE TABLE events(version INTEGER PRIMARY KEY REFERENCES version, bytes BLOB NOT NULL);
CREATE TABLE finding(version INTEGER NOT NULL REFERENCES version, rule TEXT NOT NULL, severity TEXT NOT NULL, verdict TEXT NOT NULL, title
 TEXT NOT NULL, PRIMARY KEY(version, rule));
CREATE INDEX finding_rule ON finding(rule);
CREATE TABLE judgement(id INTEGER PRIMARY KEY, version INTEGER NOT NULL REFERENCES version, time INTEGER NOT NULL, verdict TEXT NOT NULL,
 score INTEGER NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL);
CREATE INDEX judgement_version ON judgement(version, id);
CREATE INDEX judgement_time ON judgement(time);
INSERT INTO setting VALUES('seq', '12345');
INSERT INTO pending VALUES('waiting', '12346', 1, 1000, 2000, 0, NULL), ('@s/again', '12340', 0, 900, 5000, 3, 'the registry does not answer');
INSERT INTO version VALUES(1, 'old', '1.0.0', 'sha512-b2xk', 'ann', 500, 1000, 1100, 'clean', 0, 'nothing', '0123456789abcdef'),
 (2, '@s/older', '2.0.0', 'sha512-b2xkZXI=', NULL, NULL, 2000, 3000, 'malicious', 95, 'it sends what it must not have', 'fedcba9876543210');
INSERT INTO finding VALUES(2, 'sends-secrets', 'critical', 'malicious', 'Secrets are sent');
INSERT INTO judgement VALUES(1, 1, 1100, 'clean', 0, 'nothing', '0123456789abcdef'), (2, 2, 2100, 'unknown', 0, 'it was not there', '0123456789abcdef'),
 (3, 2, 3000, 'malicious', 95, 'it sends what it must not have', 'fedcba9876543210');
INSERT INTO events VALUES(1, x'00ff10'), (2, x'01');
PRAGMA user_version = 1;
