/* report-check.h - targets of `qanat report`, checked and gathered: what osv and submit have in common. */
#pragma once

#include "base/arena.h"
#include "cli/check-targets.h"
#include "parse/packument.h"
#include "report/osv.h"

struct qn_args;
struct qn_result;
struct qn_rules;

#define QN_REPORT_CREDITS_MAX 16u
#define QN_REPORT_EXIT_NONE   1 /* there is none of at least one */
#define QN_REPORT_EXIT_UNSURE 3 /* at least one could not be judged, or was left out */

/* What became of a target; a lock file is many packages. */
struct qn_report_outcome {
        size_t clean, suspicious, unknown, reported, known;
        struct qn_str why; /* the first of the unknown ones */
};

struct qn_report_run {
        const struct qn_args *a;
        struct qn_targets targets;
        size_t n_names;                     /* of the targets, the last ones: from lists */
        struct qn_report_outcome *outcomes; /* one of each target */
        struct qn_arena arena;
        struct qn_mal mal;
        struct qn_mal_credit credits[QN_REPORT_CREDITS_MAX];
        struct qn_mal_conf conf;
        struct qn_rules *rules; /* what it was judged by */
        int64_t time_ms;        /* that records are made at */
        char time[QN_TIME_TEXT];
        int status;
        bool digests;
        /* NULL: nothing is left out.  1: it is not to be reported, which was said; 0; -errno. */
        int (*known)(void *user, const struct qn_result *res);
        /* NULL: nobody has confirmed anything.  1: a person has confirmed that it is malicious, whatever was found; 0;
         * -errno, which is logged. */
        int (*confirmed)(void *user, const struct qn_result *res);
        /* Of a target that could not be judged, before that is told: 1: gathered after all.  NULL: nothing else is tried. */
        int (*otherwise)(struct qn_report_run *r, size_t target);
        void *user;
};

/* Reads the options; logs what is wrong.  qn_report_run_done() in any case. */
QN_MUST int qn_report_run_init(struct qn_report_run *r, const struct qn_args *a);
/* Checks and gathers: 0 or -errno.  What there will be no record of is said, and is in the status. */
QN_MUST int qn_report_run_check(struct qn_report_run *r, const char *const *argv, size_t n);
/* Of a result that is malicious or confirmed: gathers it, unless it is known or cannot be reported. */
QN_MUST int qn_report_run_take(struct qn_report_run *r, const struct qn_result *res, size_t target);
/* Whether a person has confirmed it: 1, 0 or -errno. */
QN_MUST int qn_report_run_confirmed(const struct qn_report_run *r, const struct qn_result *res);
void qn_report_run_done(struct qn_report_run *r);

/* The time that an option names, milliseconds since 1970, and now when it is not given: 0 or -EINVAL, which is logged. */
QN_MUST int qn_report_time(const struct qn_args *a, const char *option, int64_t *ret_ms,
                           char text[QN_TIME_TEXT]);

/* The other actions; exit status or -errno, which is logged. */
int qn_report_submit(const struct qn_args *a);   /* report-submit.c */
int qn_report_withdraw(const struct qn_args *a); /* the same */
int qn_report_list(const struct qn_args *a);     /* report-list.c */
