/* cmd-review.c - what people decide about what was seen: the queue, one version in full, and what is written down of decisions. */
#include <errno.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/args.h"
#include "cli/load-rules.h"
#include "cli/review.h"
#include "cli/verbs.h"
#include "rule/rule.h"

#define SUBJECT_MAX ((size_t)256 << 20)

/* --- what a person says --- */

static bool is_line(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return false;
        return qn_utf8_valid(s);
}

int qn_review_who(const struct qn_args *a, struct qn_str *ret)
{
        const char *by = qn_args_get(a, "by"), *user = getenv("QANAT_USER");
        const struct passwd *p = by || (user && *user) ? NULL : getpwuid(getuid());
        struct qn_str who = qn_str_trim(qn_str_c(by              ? by
                                                 : user && *user ? user
                                                 : p             ? p->pw_name
                                                                 : ""));

        if (!who.n)
                return log_err(-EINVAL, "who decides? say it with --by, or in QANAT_USER");
        if (who.n > QN_REVIEW_WHO_MAX || !is_line(who))
                return log_err(-EINVAL, "who decides is a name of at most %u bytes on one line",
                               QN_REVIEW_WHO_MAX);
        *ret = who;
        return 0;
}

int qn_review_reason(const char *text, struct qn_str *ret)
{
        struct qn_str s = qn_str_trim(qn_str_c(text ? text : ""));

        if (s.n > QN_REVIEW_TEXT_MAX || !is_line(s))
                return log_err(-EINVAL, "a reason or note is one line of at most %u bytes",
                               QN_REVIEW_TEXT_MAX);
        *ret = s;
        return 0;
}

/* --- decisions --- */

static int check_reject(const struct qn_review_subject *s)
{
        if (s->c.verdict >= QN_SUSPICIOUS || s->effect.verdict >= QN_SUSPICIOUS)
                return 0;
        return log_err(-EINVAL, "%.*s@%.*s: there is nothing to reject, it is %.*s",
                       QN_STR_ARG(s->v.name), QN_STR_ARG(s->v.version), QN_STR_ARG(s->v.verdict));
}

static int decide(struct qn_db *db, const char *text, const struct qn_review *what,
                  struct qn_arena *arena)
{
        struct qn_review v = *what;
        struct qn_review_subject s;
        int r = qn_review_find(db, text, arena, &s);

        if (r == 0 && v.action == QN_REVIEW_REJECT)
                r = check_reject(&s);
        if (r < 0)
                return r;
        v.version = s.v.id;
        v.integrity = s.v.integrity;
        v.score = s.v.score;
        if (v.action != QN_REVIEW_CONFIRM)
                v.verdict = s.v.verdict;
        v.rules = qn_review_rules(s.c.findings, s.c.n_findings, arena);
        r = v.rules.p ? qn_reviews_add(db, &v) : -ENOBUFS;
        return r < 0 ? log_err(r, "it is not written down: %s", strerrordesc_np(-r)) : 0;
}

/* Before anything is decided: what cannot be made an example is not rejected. */
static int write_examples(const struct qn_args *a, struct qn_db *db)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(SUBJECT_MAX);
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        const char *dir = qn_args_get(a, "example");
        int r = dir ? qn_load_rules(a, &rules) : 0;

        for (size_t i = 1; dir && r == 0 && i < a->n; i++) {
                struct qn_review_subject s;

                r = qn_review_find(db, a->argv[i], &arena, &s);
                if (r == 0)
                        r = check_reject(&s);
                if (r == 0)
                        r = qn_review_write_examples(rules, db, dir, &s);
                qn_arena_reset(&arena, 1 << 20);
        }
        return r;
}

/* All that are named, or none. */
static int decide_all(const struct qn_args *a, struct qn_db *db, size_t n,
                      const struct qn_review *what)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(SUBJECT_MAX);
        int r = qn_db_begin(db);

        if (r < 0)
                return log_err(r, "the store cannot be written: %s", strerrordesc_np(-r));
        for (size_t i = 1; r == 0 && i <= n; i++) {
                r = decide(db, a->argv[i], what, &arena);
                qn_arena_reset(&arena, 1 << 20);
        }
        if (r == 0) {
                r = qn_db_commit(db);
                if (r < 0)
                        r = log_err(r, "it is not written down: %s", strerrordesc_np(-r));
        }
        if (r < 0)
                qn_db_rollback(db);
        return r;
}

static int act(const struct qn_args *a, struct qn_db *db, enum qn_review_action action)
{
        struct qn_review what = { .action = action, .time = (int64_t)time(NULL) * 1000 };
        bool note = action == QN_REVIEW_NOTE;
        const char *text = note && a->n > 2 ? a->argv[2] : qn_args_get(a, "reason");
        int r;

        if (a->n < 2)
                return log_err(-EINVAL, "about what? usage: qanat review %s NAME@VERSION%s",
                               a->argv[0], note ? " TEXT" : "...");
        if (note && (a->n > 3 || !text))
                return log_err(-EINVAL, "usage: qanat review note NAME@VERSION TEXT");
        if (action != QN_REVIEW_REJECT && qn_args_get(a, "example"))
                return log_err(-EINVAL, "--example is for qanat review reject");
        r = qn_review_who(a, &what.who);
        if (r == 0)
                r = qn_review_reason(text, &what.reason);
        if (r == 0 && note && !what.reason.n)
                r = log_err(-EINVAL, "a note says something");
        if (r == 0)
                r = write_examples(a, db);
        if (r < 0)
                return r;
        if (action == QN_REVIEW_CONFIRM)
                what.verdict = qn_str_c(qn_args_get(a, "as"));
        return decide_all(a, db, note ? 1 : a->n - 1, &what);
}

static int confirm(const struct qn_args *a, struct qn_db *db)
{
        return act(a, db, QN_REVIEW_CONFIRM);
}

static int reject(const struct qn_args *a, struct qn_db *db)
{
        return act(a, db, QN_REVIEW_REJECT);
}

static int note(const struct qn_args *a, struct qn_db *db)
{
        return act(a, db, QN_REVIEW_NOTE);
}

int cmd_review(const struct qn_args *a)
{
        static const struct {
                const char *name;
                bool write;
                int (*run)(const struct qn_args *a, struct qn_db *db);
        } parts[] = {
                { "list", false, qn_review_verb_list },
                { "show", false, qn_review_verb_show },
                { "log", false, qn_review_verb_log },
                { "confirm", true, confirm },
                { "reject", true, reject },
                { "note", true, note },
        };
        struct qn_err err = { 0 };
        struct qn_db db;
        size_t i = 0;
        int r;

        while (i < QN_ARRAY_SIZE(parts) && strcmp(parts[i].name, a->argv[0]) != 0)
                i++;
        if (i == QN_ARRAY_SIZE(parts))
                return log_err(-EINVAL, "%s: no part of qanat review; see qanat-review(1)",
                               a->argv[0]);
        r = qn_db_open(&qn_db_watch, a->store, false, &db, &err);
        if (r == 0 && parts[i].write) { /* there is one: none is made by deciding */
                qn_db_close(&db);
                r = qn_db_open(&qn_db_watch, a->store, true, &db, &err);
        }
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = parts[i].run(a, &db);
        qn_db_close(&db);
        return r;
}
