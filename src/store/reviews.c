#include "store/reviews.h"

#include <errno.h>

static const char *const actions[] = {
        [QN_REVIEW_CONFIRM] = "confirm",
        [QN_REVIEW_REJECT] = "reject",
        [QN_REVIEW_NOTE] = "note",
};

const char *qn_review_action_name(enum qn_review_action a)
{
        return actions[a];
}

int qn_reviews_add(struct qn_db *db, const struct qn_review *v)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO review(version, time, who, action, integrity, verdict, score,"
                    " rules, reason) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

        qn_db_bind_int(s, 1, v->version);
        qn_db_bind_int(s, 2, v->time);
        qn_db_bind_text(s, 3, v->who);
        qn_db_bind_text(s, 4, qn_str_c(actions[v->action]));
        qn_db_bind_text(s, 5, v->integrity);
        qn_db_bind_text(s, 6, v->verdict);
        qn_db_bind_int(s, 7, v->score);
        qn_db_bind_text(s, 8, v->rules.p ? v->rules : QN_STR(""));
        qn_db_bind_text(s, 9, v->reason.p ? v->reason : QN_STR(""));
        return qn_db_run(s);
}

/* -EBADMSG: an action that nobody knows. */
static int review_of(struct qn_stmt *s, struct qn_review *ret)
{
        struct qn_str action = qn_db_text(s, 4);
        unsigned a = 0;

        while (a < QN_ARRAY_SIZE(actions) && !qn_str_is(action, actions[a]))
                a++;
        if (a == QN_ARRAY_SIZE(actions))
                return -EBADMSG;
        *ret = (struct qn_review){ .id = qn_db_int(s, 0),
                                   .version = qn_db_int(s, 1),
                                   .time = qn_db_int(s, 2),
                                   .who = qn_db_text(s, 3),
                                   .action = (enum qn_review_action)a,
                                   .integrity = qn_db_text(s, 5),
                                   .verdict = qn_db_text(s, 6),
                                   .score = (unsigned)qn_db_int(s, 7),
                                   .rules = qn_db_text(s, 8),
                                   .reason = qn_db_text(s, 9) };
        return 0;
}

#define COLUMNS                                                                      \
        "r.id, r.version, r.time, r.who, r.action, r.integrity, r.verdict, r.score," \
        " r.rules, r.reason"

static int each(struct qn_stmt *s, bool named, qn_reviews_fn *fn, void *ctx)
{
        int r, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                struct qn_review v;

                answer = review_of(s, &v);
                if (answer == 0 && named) {
                        v.name = qn_db_text(s, 10);
                        v.version_text = qn_db_text(s, 11);
                }
                if (answer == 0)
                        answer = fn(ctx, &v);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_reviews_of(struct qn_db *db, int64_t version, qn_reviews_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT " COLUMNS
                                              " FROM review r WHERE r.version = ?1 ORDER BY r.id");

        qn_db_bind_int(s, 1, version);
        return each(s, false, fn, ctx);
}

int qn_reviews_all(struct qn_db *db, int64_t since, qn_reviews_fn *fn, void *ctx)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT " COLUMNS ", v.name, v.version FROM review r"
                                  " JOIN version v ON v.id = r.version WHERE r.time >= ?1"
                                  " ORDER BY r.id");

        qn_db_bind_int(s, 1, since);
        return each(s, true, fn, ctx);
}

/* --- as a list --- */

struct listing {
        struct qn_arena *a;
        struct qn_review *v;
        size_t n, cap;
};

static int on_review(void *ctx, const struct qn_review *v)
{
        struct listing *l = ctx;
        struct qn_review k = *v;
        struct qn_str *const texts[] = { &k.who, &k.integrity, &k.verdict, &k.rules, &k.reason };

        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                *texts[i] = qn_arena_dup(l->a, *texts[i]);
                if (!texts[i]->p)
                        return -ENOBUFS;
        }
        if (QN_ARENA_ROOM(l->a, l->v, l->n, l->cap) < 0)
                return -ENOBUFS;
        l->v[l->n++] = k;
        return 0;
}

int qn_reviews_list(struct qn_db *db, int64_t version, struct qn_arena *a, struct qn_review **ret,
                    size_t *ret_n)
{
        struct listing l = { .a = a };
        int r = qn_reviews_of(db, version, on_review, &l);

        if (r < 0)
                return r;
        *ret = l.v;
        *ret_n = l.n;
        return 0;
}
