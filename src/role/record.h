/* record.h - work on one record of OpenSSF's malicious-packages (parse/mal-record.h) in an analyse role.  A record may be anybody's,
 * so that its reader has no power; what comes back is checked there once more before it is handed on. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "parse/mal-record.h"

struct qn_pool;

enum qn_record_work {
        QN_RECORD_CHECK,    /* whether it is fit to be handed on */
        QN_RECORD_EXTEND,   /* by another one */
        QN_RECORD_WITHDRAW, /* one version of it */
        QN_RECORD_FIND,     /* what it says of a version */
};

struct qn_record_job {
        enum qn_record_work work;
        unsigned flags;                    /* of qn_mal_record_check(), for what comes out */
        struct qn_str name;                /* of the package */
        struct qn_str version, time, note; /* WITHDRAW and FIND */
        struct qn_cur record, more;        /* they live until the answer; more: EXTEND */
};

struct qn_record_answer {
        enum qn_mal_outcome outcome; /* EXTEND and WITHDRAW */
        bool speaks, names;          /* FIND: it condemns the version; it lists it */
        bool withdrawn;              /* FIND: but it was taken back */
        struct qn_str text;          /* of the record that came out; may be empty */
};

/* What the role does. */
QN_MUST int qn_record_run(struct qn_cur params, struct qn_cur record, struct qn_cur more,
                          struct qn_arena *a, struct qn_buf *reply, struct qn_err *reterr);

/* A question to a pool that has nothing else to do, and its answer: 0 or -errno, as in mal-record.h, with the reason.  The answer lives
 * in the arena. */
QN_MUST int qn_record_ask(struct qn_pool *pool, const struct qn_record_job *job, struct qn_arena *a,
                          struct qn_record_answer *ret, struct qn_err *reterr);
