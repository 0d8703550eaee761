/* notice.h - one thing that people are told, and the message that several of them make: as JSON, as plain text, as Markdown.
 * HOSTILE INPUT: names, reasons and titles came from packages.  All of them pass through qn_notice_safe() before they are stored:
 * what is in an outbox is one line each, printable, defanged, without secrets and without anybody's "@name". */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "store/versions.h"

struct qn_arena;

enum qn_notice_kind {
        QN_NOTICE_MALICIOUS,
        QN_NOTICE_SUSPICIOUS,
        QN_NOTICE_CAMPAIGN,
        QN_NOTICE_CHANGED, /* the verdict is another one than before */
        QN_NOTICE_REPORT,  /* it was reported to others */
        QN_NOTICE_TEST,    /* nothing happened */
};
extern const char *const qn_notice_kinds[]; /* by kind, all but the test, then NULL */

/* Where a package is or was: an asset of the inventory; or "client": who fetched it from the gate. */
struct qn_notice_place {
        struct qn_str kind, name, owner, environment, path, version; /* p NULL: not known */
        int64_t since,
                last; /* milliseconds since 1970, or QN_TIME_NONE: from when on; when it was seen last */
        bool gone; /* it is there no more */
};

struct qn_notice {
        enum qn_notice_kind kind;
        struct qn_str name, version, integrity;
        struct qn_str before, verdict; /* p NULL: none */
        unsigned score;
        struct qn_str reason;
        const struct qn_seen_finding *findings;
        size_t n_findings;
        struct qn_str campaign; /* its id; p NULL: none */
        const struct qn_notice_place *places;
        size_t n_places, n_more; /* more: that there was no room for */
        int64_t time;            /* when it was judged; of a changed verdict each time is told */
};

/* Fit to leave the house, whatever it is: one line of at most max columns. */
void qn_notice_safe(struct qn_buf *out, struct qn_str s, size_t max);
/* The same for names and versions: those that npm could have stay as they are. */
void qn_notice_safe_name(struct qn_buf *out, struct qn_str s);

/* The notice as a JSON object, for the outbox. */
QN_MUST int qn_notice_write(const struct qn_notice *n, struct qn_buf *out);
/* "malicious: name@version" */
QN_MUST int qn_notice_subject(const struct qn_notice *n, struct qn_buf *out);
/* What it is filed with: its campaign, else its scope, else its package. */
QN_MUST int qn_notice_topic(const struct qn_notice *n, struct qn_buf *out);
/* What makes it the same as another one.  owner: told to them about their places; p NULL: to whom all is told. */
QN_MUST int qn_notice_fact(const struct qn_notice *n, struct qn_str owner, struct qn_buf *out);

struct qn_notice_message {
        struct qn_str uid, recipient, topic, subject;
        int64_t created;
        uint64_t count;              /* of all notices */
        const struct qn_str *bodies; /* of those that are listed: what qn_notice_write() wrote */
        size_t n;
};

/* One line: the subject, and how many more. */
QN_MUST int qn_notice_title(const struct qn_notice_message *m, struct qn_buf *out);
QN_MUST int qn_notice_json(const struct qn_notice_message *m, struct qn_buf *out);
/* For people: what happened, where theirs is, what to do in which order.  markdown: as GitHub reads it, else plain text.  The
 * arena is emptied. */
QN_MUST int qn_notice_text(const struct qn_notice_message *m, bool markdown, struct qn_arena *a,
                           struct qn_buf *out);
