/* submit-priv.h - what submit*.c share. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "cli/git.h"
#include "cli/submit.h"
#include "role/pool.h"
#include "role/record.h"
#include "store/reports.h"

struct qn_intel;
struct qn_intel_trust;
struct qn_tell;
struct qn_upload;

struct qn_submit {
        struct qn_submit_config c;
        struct qn_db db;
        struct qn_tell *tell; /* NULL: nothing is known */
        struct qn_pool *pool; /* reads records */
        struct qn_git git;    /* of a repository */
        char base[QN_GIT_ID];
        struct qn_upload *upload;
        char *place; /* as in reports.h */
        int lock;
};

/* A record that is ready to be handed on. */
struct qn_submit_record {
        struct qn_mal_package *p;
        struct qn_str path, text;
        bool taken; /* the default branch has it already */
};

/* Each package's record is made and checked: text in the arena. */
QN_MUST int qn_submit_make(struct qn_submit *s, struct qn_mal_package *p,
                           const struct qn_mal_conf *conf, struct qn_arena *a, struct qn_str *ret);
/* Says something about a package or a version: one line. */
void qn_submit_say(const struct qn_submit *s, struct qn_str name, struct qn_str version,
                   const char *fmt, ...) QN_PRINTF(4, 5);
/* The versions of a package that `gone` is true of are left out. */
void qn_submit_drop(struct qn_mal_package *p, const bool *gone);
/* Writes a row for each version; path: of the record. */
QN_MUST int qn_submit_note(struct qn_submit *s, const struct qn_mal_package *p,
                           const struct qn_reported *how);

/* submit-git.c */
QN_MUST int qn_submit_git_open(struct qn_submit *s);
QN_MUST int qn_submit_git_send(struct qn_submit *s, struct qn_mal *m,
                               const struct qn_mal_conf *conf, struct qn_submit_done *ret);
/* row: where the report was, and then where it was taken back; its texts in the arena. */
QN_MUST int qn_submit_git_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                                   struct qn_str note, struct qn_arena *a, struct qn_reported *row);
/* Whether it is the branch that reports of the package go to, and is there. */
bool qn_submit_git_is_branch(struct qn_submit *s, struct qn_str name, struct qn_str branch);
/* submit-upload.c */
QN_MUST int qn_submit_upload_open(struct qn_submit *s);
void qn_submit_upload_free(struct qn_submit *s);
QN_MUST int qn_submit_upload_send(struct qn_submit *s, struct qn_mal *m,
                                  const struct qn_mal_conf *conf, struct qn_submit_done *ret);
QN_MUST int qn_submit_upload_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                                      struct qn_str note);
