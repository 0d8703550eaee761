/* submit.h - records of what was found, handed on: as commits on a branch of a clone of OpenSSF's malicious-packages, which nobody
 * pushes but a person, or as objects below an address.  What was reported already, here or by others, is said and left out.
 * Everything that goes wrong is logged.
 *
 *      qn_submit_open(); for each result: qn_submit_known() or qn_mal_gather(); qn_mal_end(); qn_submit_send(); qn_submit_free(); */
#pragma once

#include "base/err.h"
#include "report/osv.h"

struct qn_db;
struct qn_submit;

struct qn_submit_config {
        const char *state_dir, *data_dir, *cache_dir;
        const char *store; /* qn_db_open() */
        const char *repository,
                *base;      /* a clone, and what to begin a branch with; NULL: the default branch */
        const char *upload; /* instead: an address */
        const char *token_file; /* for that; NULL: $QANAT_UPLOAD_TOKEN, or none */
        const char *author;     /* "NAME <MAIL>", of commits */
        const char *campaign; /* all in one branch of that name; NULL: a branch for each package */
        int64_t time_ms;      /* since 1970: of commits, and of what is written down */
        bool force;           /* also what is known or was withdrawn */
        bool sign_off, quiet, no_sandbox;
};

/* All of it is borrowed.  One process at a time works on a state directory: -EBUSY. */
QN_MUST int qn_submit_open(const struct qn_submit_config *config, struct qn_submit **ret);
struct qn_submit *qn_submit_free(struct qn_submit *s);
/* The store that reports are written down in. */
struct qn_db *qn_submit_db(struct qn_submit *s);
void qn_submit_freep(struct qn_submit **s);

/* Why a version is not to be reported. */
enum qn_submit_why {
        QN_SUBMIT_NEW,       /* it is */
        QN_SUBMIT_REPORTED,  /* it was, elsewhere or on a branch that is gone */
        QN_SUBMIT_WITHDRAWN, /* it was, and was taken back */
        QN_SUBMIT_KNOWN,     /* others have reported it */
};
/* What intelligence and the store know: 0 and *ret, which is said unless it is new; -errno. */
QN_MUST int qn_submit_known(struct qn_submit *s, struct qn_str name, struct qn_str version,
                            struct qn_str integrity, enum qn_submit_why *ret);

struct qn_submit_done {
        size_t written; /* records that are new or longer now */
        size_t there;   /* that said all of it already */
        size_t known;   /* packages that others have reported */
};
/* Hands on all packages, whose lists may be shortened by what is known.  conf: as for qn_mal_write().  Each package is tried; the first
 * error comes back. */
QN_MUST int qn_submit_send(struct qn_submit *s, struct qn_mal *m, const struct qn_mal_conf *conf,
                           struct qn_submit_done *ret);

struct qn_submit_withdrawal {
        struct qn_str name, version;
        const char *reason, *by;
        struct qn_str time; /* RFC 3339, UTC */
};
/* 0: done, or it was before; -ENOENT: there is no record of it. */
QN_MUST int qn_submit_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w);
