/* git.h - git's plumbing on a repository of the user's: with an environment of its own, no hooks, no helpers, no network, and an index
 * of its own, so that work tree, index and HEAD of the repository stay as they are.  What is made becomes visible in one step, or not
 * at all: qn_git_move(). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define QN_GIT_ID 65 /* bytes of an object's name with its NUL */

struct qn_git {
        char *dir;   /* resolved */
        char *index; /* the file that stands in for the repository's own */
        struct qn_str name, mail;
        int64_t time;    /* seconds since 1970 */
        int patience_ms; /* one call of git that takes longer is ended: a repository may hang */
};

/* -EINVAL: there is no repository in that very directory, or git does not want it; -errno.  name, mail and time of what is
 * committed are the caller's to set. */
QN_MUST int qn_git_open(const char *dir, const char *index, struct qn_git *ret,
                        struct qn_err *reterr);
void qn_git_done(struct qn_git *g);

/* The commit that a name stands for: 0, -ENOENT, -errno. */
QN_MUST int qn_git_commit_of(const struct qn_git *g, const char *name, char ret[QN_GIT_ID],
                             struct qn_err *reterr);
/* The commit to begin with: `name`, or the default branch: the remote's, else main or master, else the only HEAD of a bare one. */
QN_MUST int qn_git_base(const struct qn_git *g, const char *name, char ret[QN_GIT_ID],
                        struct qn_err *reterr);
/* Whether a work tree stands on the branch: 1 or 0, -errno. */
QN_MUST int qn_git_is_used(const struct qn_git *g, const char *branch, struct qn_err *reterr);

struct qn_git_file {
        struct qn_str path; /* from the top */
        char id[QN_GIT_ID];
};

/* The files right in a directory of a commit, by path: none when it is not there.  Lives in the arena. */
QN_MUST int qn_git_files(const struct qn_git *g, const char *commit, struct qn_str dir,
                         struct qn_arena *a, struct qn_git_file **ret, size_t *ret_n,
                         struct qn_err *reterr);
/* What a commit has at the path: -errno, or one of these. */
enum { QN_GIT_NOTHING, QN_GIT_DIR, QN_GIT_OTHER };
QN_MUST int qn_git_look(const struct qn_git *g, const char *commit, const char *path,
                        struct qn_err *reterr);
QN_MUST int qn_git_read(const struct qn_git *g, const char *id, struct qn_buf *out,
                        struct qn_err *reterr);

struct qn_git_change {
        struct qn_str path;
        struct qn_str text; /* p NULL: the file goes */
};

/* A commit of its parent with these changes: 0; 1: they change nothing, and *ret is the parent; -errno. */
QN_MUST int qn_git_make(const struct qn_git *g, const char *parent, const struct qn_git_change *c,
                        size_t n, struct qn_str message, char ret[QN_GIT_ID],
                        struct qn_err *reterr);
/* Lets the branch, which stood at `from` (NULL: was not there), stand at `to`.  -EBUSY: it does not stand there any more, or is locked. */
QN_MUST int qn_git_move(const struct qn_git *g, const char *branch, const char *from,
                        const char *to, struct qn_err *reterr);
