/* watch-db.c - the tables of what was seen at the registry.  Times are milliseconds since 1970. */
#include "store/watch-db.h"

/* --- what versions from 2 on have --- */

/* What people decided about versions, and what it was about: nothing of it is ever changed. */
#define REVIEW                                                                                 \
        "CREATE TABLE review(id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL"   \
        " REFERENCES version, time INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL," \
        " integrity TEXT NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL,"             \
        " rules TEXT NOT NULL, reason TEXT NOT NULL);"                                         \
        "CREATE INDEX review_version ON review(version, id);"

/* What people are to be told: messages, and the facts that are in them (outbox.h). */
#define OUTBOX                                                                                  \
        "CREATE TABLE outbox(id INTEGER PRIMARY KEY, uid TEXT NOT NULL, channel TEXT NOT NULL," \
        " recipient TEXT NOT NULL, topic TEXT NOT NULL, subject TEXT NOT NULL,"                 \
        " state TEXT NOT NULL, joinable INTEGER NOT NULL, parts INTEGER NOT NULL,"              \
        " created INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL,"              \
        " ended INTEGER, error TEXT);"                                                          \
        "CREATE INDEX outbox_due ON outbox(channel, state, due);"                               \
        "CREATE INDEX outbox_recipient ON outbox(channel, recipient, created);"                 \
        "CREATE INDEX outbox_joinable ON outbox(channel, recipient, topic) WHERE joinable = 1;" \
        "CREATE TABLE outbox_part(id INTEGER PRIMARY KEY, fact TEXT NOT NULL UNIQUE,"           \
        " message INTEGER NOT NULL REFERENCES outbox, body TEXT NOT NULL);"                     \
        "CREATE INDEX outbox_part_message ON outbox_part(message, id);"

/* What was reported to others: a row for each version and place (reports.h). */
#define REPORT                                                                                   \
        "CREATE TABLE report(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL," \
        " place TEXT NOT NULL, state TEXT NOT NULL, branch TEXT, commit_id TEXT,"                \
        " path TEXT NOT NULL, campaign TEXT, time INTEGER NOT NULL, changed INTEGER NOT NULL,"   \
        " reason TEXT, who TEXT, UNIQUE(name, version, place));"

/* What is kept of each version so that others can be found to belong to it, in the order of being seen (campaign/trace.h). */
#define TRACE                                                                        \
        "CREATE TABLE trace(id INTEGER PRIMARY KEY, version INTEGER NOT NULL UNIQUE" \
        " REFERENCES version, bytes BLOB NOT NULL);"

/* Versions that belong together (campaigns.h).  size: packages, rounded down; joined: the campaign that it became part of.  Of a member,
 * verdict: how far that of the campaign reaches it. */
#define CAMPAIGN                                                                       \
        "CREATE TABLE campaign(id TEXT PRIMARY KEY, founded INTEGER NOT NULL,"         \
        " verdict TEXT NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL,"             \
        " size INTEGER NOT NULL, pattern TEXT, joined TEXT);"                          \
        "CREATE TABLE campaign_member(version INTEGER PRIMARY KEY REFERENCES version," \
        " campaign TEXT NOT NULL REFERENCES campaign, other INTEGER NOT NULL,"         \
        " kinds INTEGER NOT NULL, percent INTEGER NOT NULL, verdict TEXT NOT NULL);"   \
        "CREATE INDEX campaign_member_campaign ON campaign_member(campaign);"

/* What a campaign was judged to be, and how large it was then. */
#define CAMPAIGN_STEP                                                               \
        "CREATE TABLE campaign_step(id INTEGER PRIMARY KEY, campaign TEXT NOT NULL" \
        " REFERENCES campaign, time INTEGER NOT NULL, verdict TEXT NOT NULL,"       \
        " rule TEXT NOT NULL, packages INTEGER NOT NULL);"                          \
        "CREATE INDEX campaign_step_campaign ON campaign_step(campaign, id);"

/* What was to be reported and was not, and from when on it may be offered again (reports.h). */
#define REPORT_LATER                                                            \
        "CREATE TABLE report_later(name TEXT NOT NULL, version TEXT NOT NULL,"  \
        " known INTEGER NOT NULL, time INTEGER NOT NULL, due INTEGER NOT NULL," \
        " tries INTEGER NOT NULL, PRIMARY KEY(name, version));"

/* What a person ended, which stays on record (campaigns.h). */
#define DISMISSAL                                                               \
        "CREATE TABLE campaign_dismissal(id INTEGER PRIMARY KEY AUTOINCREMENT," \
        " campaign TEXT NOT NULL REFERENCES campaign, time INTEGER NOT NULL,"   \
        " who TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL);"     \
        "CREATE INDEX campaign_dismissal_campaign ON campaign_dismissal(campaign, id);"

#define LATER REVIEW OUTBOX REPORT REPORT_LATER TRACE CAMPAIGN CAMPAIGN_STEP DISMISSAL

static const char schema[] =
        /* Small facts that survive a restart: where the feed was left. */
        "CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
        /* Names that the feed brought and nobody has looked at to the end. */
        "CREATE TABLE pending(name TEXT PRIMARY KEY, seq TEXT NOT NULL, priority INTEGER NOT NULL,"
        " seen INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL,"
        " taken INTEGER NOT NULL, why TEXT);"
        "CREATE INDEX pending_next ON pending(taken, priority, due);"
        "CREATE TABLE version(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,"
        " integrity TEXT NOT NULL, publisher TEXT, published INTEGER, seen INTEGER NOT NULL,"
        " judged INTEGER NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL,"
        " reason TEXT NOT NULL, rules TEXT NOT NULL, UNIQUE(name, version));"
        "CREATE INDEX version_integrity ON version(integrity);"
        "CREATE INDEX version_publisher ON version(publisher);"
        "CREATE INDEX version_seen ON version(seen);"
        "CREATE INDEX version_verdict ON version(verdict, judged);"
        /* What was observed, without what intelligence knew: event/event.h, the form of the wire. */
        "CREATE TABLE events(version INTEGER PRIMARY KEY REFERENCES version,"
        " bytes BLOB NOT NULL);"
        "CREATE TABLE finding(version INTEGER NOT NULL REFERENCES version, rule TEXT NOT NULL,"
        " severity TEXT NOT NULL, verdict TEXT NOT NULL, title TEXT NOT NULL,"
        " PRIMARY KEY(version, rule));"
        "CREATE INDEX finding_rule ON finding(rule);"
        /* Every verdict that a version ever had. */
        "CREATE TABLE judgement(id INTEGER PRIMARY KEY, version INTEGER NOT NULL"
        " REFERENCES version, time INTEGER NOT NULL, verdict TEXT NOT NULL,"
        " score INTEGER NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL);"
        "CREATE INDEX judgement_version ON judgement(version, id);"
        "CREATE INDEX judgement_time ON judgement(time);" LATER;

static const char *const steps[] = {
        "ALTER TABLE pending ADD COLUMN taken INTEGER NOT NULL DEFAULT 0; DROP INDEX pending_due;"
        "CREATE INDEX pending_next ON pending(taken, priority, due);" LATER,
};

const struct qn_db_def qn_db_watch = { .file = "watch.db",
                                       .schema = schema,
                                       .version = QN_ARRAY_SIZE(steps) + 1,
                                       .missing = "nothing was watched yet: qanat watch",
                                       .steps = steps,
                                       .grows = { { "review", 2 }, { "campaign_dismissal", 2 } } };
