/* watch-report.h - what `qanat watch` has found is reported by itself, where policy and configuration say so: a process of its own,
 * `qanat report submit`, is given the list.  Private to watch-*.c. */
#pragma once

#include <sys/types.h>

#include "store/db.h"
#include "watch/policy.h"

struct qn_args;

/* Options of where reports go, as `qanat report submit` has them. */
#define QN_OPT_REPORTS                                                                                  \
        { "repository",                                                                                 \
          0,                                                                                            \
          QN_OPT_CONFIG,                                                                                \
          "DIR",                                                                                        \
          NULL,                                                                                         \
          NULL,                                                                                         \
          "report what policy says in this clone of malicious-packages (qanat report submit)" },        \
                { "upload", 0, QN_OPT_CONFIG, "URL", NULL, NULL, "or below this address" },             \
                { "token-file", 0, QN_OPT_CONFIG, "FILE", NULL, NULL, "holds the token for --upload" }, \
                { "author",                                                                             \
                  0,                                                                                    \
                  QN_OPT_CONFIG,                                                                        \
                  "WHO",                                                                                \
                  NULL,                                                                                 \
                  NULL,                                                                                 \
                  "who commits reports: \"NAME <MAIL>\"" },                                             \
        {                                                                                               \
                "credit", 0, QN_OPT_CONFIG, "WHO", NULL, NULL, "who found it: \"NAME <CONTACT>\""       \
        }

struct qn_watch_reporter {
        const struct qn_args *args;
        const struct qn_watch_policy *policy;
        bool on;       /* it is configured */
        pid_t pid;     /* that is at it; 0: none */
        uint64_t next; /* not before that, in nanoseconds */
        uint64_t full; /* then, whatever seems to have changed */
        uint64_t wait; /* after the last report; 0: it had no problem */
        uint64_t stamp;
};

void qn_watch_reporter_init(struct qn_watch_reporter *p, const struct qn_args *a,
                            const struct qn_watch_policy *policy);
/* Begins when there is something to report, and looks after what was begun; not within a transaction.  Logs what is wrong. */
void qn_watch_reporter_step(struct qn_watch_reporter *p, struct qn_db *db);
/* Ends what was begun, after some seconds at the most.  db: first everything is reported, however long that takes, until there is
 * something to read from `wake`; NULL: nothing more is begun. */
void qn_watch_reporter_end(struct qn_watch_reporter *p, struct qn_db *db, int wake);
