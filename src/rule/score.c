/* score.c - the learned score: reads a model, and adds it up over one package's events. */
#include "rule/score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/json.h"
#include "rule/eval.h"

#define UNIT       1000  /* thousandths in one */
#define WEIGHT_MAX 20000 /* so that sums of all features stay far within an int */
#define BIAS_MAX   99999

struct feature {
        struct qn_score_feature shown;
        struct qn_compiled cond;
        const struct qn_rule_cond *count; /* NULL: cond is true or not */
        unsigned most;                    /* it counts so far */
};

struct qn_score {
        struct qn_arena arena;
        struct feature *features;
        size_t n, cap;
        struct qn_map by_id;
        struct qn_rules patterns; /* only their number is used */
        unsigned version;
        int bias;
        int logs[QN_SCORE_EVENTS_MAX + 1]; /* ln(1 + n) */
        int steps[100];                    /* the logit from which on the score is 1, 2 … 100 */
};

struct reader {
        struct qn_compiler c;
        struct qn_score *score;
};

/* --- numbers --- */

/* The tables are the only place where floating point is used; rounded to thousandths, every libm gives the same. */
static void make_tables(struct qn_score *s)
{
        for (unsigned n = 0; n <= QN_SCORE_EVENTS_MAX; n++)
                s->logs[n] = (int)lround(UNIT * log1p(n));
        for (int k = 1; k <= 100; k++)
                s->steps[k - 1] = (int)lround(UNIT * log((k - 0.5) / (100.5 - k)));
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* "-3.25" → -3250; at most three decimals. */
static bool parse_thousandths(struct qn_str s, int most, int *ret)
{
        bool minus = qn_str_starts(s, "-");
        size_t i = minus, decimals = 0;
        int v = 0;

        if (i == s.n || !is_digit(s.p[i]))
                return false;
        for (; i < s.n && is_digit(s.p[i]); i++) {
                v = v * 10 + (s.p[i] - '0');
                if (v > most / UNIT)
                        return false;
        }
        if (i < s.n && s.p[i++] != '.')
                return false;
        for (; i < s.n && is_digit(s.p[i]) && decimals < 3; i++, decimals++)
                v = v * 10 + (s.p[i] - '0');
        if (i < s.n || (memchr(s.p, '.', s.n) && !decimals))
                return false;
        for (; decimals < 3; decimals++)
                v *= 10;
        if (v > most)
                return false;
        *ret = minus ? -v : v;
        return true;
}

static int get_thousandths(struct reader *r, const struct qn_node *n, const char *what, int least,
                           int most, int *ret)
{
        int v = 0;

        if (n->type != QN_NODE_NUMBER || !parse_thousandths(n->text, QN_MAX(most, -least), &v) ||
            v < least || v > most)
                return qn_compile_fail(&r->c, n,
                                       "%s takes a number from %d to %d with at most 3 decimals",
                                       what, least / UNIT, most / UNIT);
        *ret = v;
        return 0;
}

/* --- features --- */

/* What a feature belongs to; the training leaves out one group after the other to see what it is worth. */
static const char *const groups[] = { "counts", "details", "pairs", "flows", "diff", "metadata" };

static int check_group(struct reader *r, const struct qn_node *n)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(groups); i++)
                if (qn_str_is(n->text, groups[i]))
                        return 0;
        return qn_compile_fail(&r->c, n,
                               "group: takes counts, details, pairs, flows, diff or metadata");
}

/* Whether another event could make it false. */
static bool may_fall(const struct qn_rule_cond *c)
{
        if (c->op == QN_COND_NOT)
                return true;
        for (size_t i = 0; i < c->n; i++)
                if (may_fall(c->kids[i]))
                        return true;
        return false;
}

static int set_condition(struct reader *r, const struct qn_node *n, struct feature *f)
{
        int e = qn_compile_cond(&r->c, n, &f->cond.rule.when);

        if (e == 0 && may_fall(f->cond.rule.when))
                e = qn_compile_fail(
                        &r->c, n,
                        "a feature may not say not:, so that nothing that is added lowers "
                        "the score");
        return e;
}

static int set_count(struct reader *r, const struct qn_node *n, struct feature *f)
{
        int e = set_condition(r, n, f);

        if (e == 0 && !qn_cond_is_events(f->cond.rule.when))
                e = qn_compile_fail(&r->c, n, "count: takes an event pattern, or any: of them");
        if (e < 0)
                return e;
        f->count = f->cond.rule.when;
        f->shown.counted = true;
        return 0;
}

static int set_most(struct reader *r, const struct qn_node *n, struct feature *f)
{
        uint64_t v = n->type == QN_NODE_NUMBER ? qn_node_u64(n, 0) : 0;

        if (v < 1 || v > QN_SCORE_EVENTS_MAX)
                return qn_compile_fail(&r->c, n, "most: takes a number from 1 to %u",
                                       QN_SCORE_EVENTS_MAX);
        f->most = (unsigned)v;
        return 0;
}

static int set_title(struct reader *r, const struct qn_node *n, struct feature *f)
{
        f->shown.title = qn_str_trim(qn_node_text(n));
        return f->shown.title.n ? 0 : qn_compile_fail(&r->c, n, "a text is wanted here");
}

static const char *const fields[] = { "id",    "title", "group", "phase",
                                      "count", "when",  "most",  "weight-at-most" };

static const char *field_name(unsigned i)
{
        return fields[i];
}

static int set_field(struct reader *r, struct feature *f, struct qn_str key,
                     const struct qn_node *n)
{
        char hint[96];
        int ignored;

        if (qn_str_is(key, "id"))
                return qn_source_id(&r->c, n, &f->shown.id);
        if (qn_str_is(key, "title"))
                return set_title(r, n, f);
        if (qn_str_is(key, "group"))
                return check_group(r, n);
        if (qn_str_is(key, "phase"))
                return qn_compile_phases(&r->c, n, &f->cond.phases);
        if (qn_str_is(key, "count"))
                return set_count(r, n, f);
        if (qn_str_is(key, "when"))
                return set_condition(r, n, f);
        if (qn_str_is(key, "most"))
                return set_most(r, n, f);
        if (qn_str_is(key, "weight-at-most")) /* for the training */
                return get_thousandths(r, n, "weight-at-most:", 0, WEIGHT_MAX, &ignored);
        return qn_compile_fail(
                &r->c, n, "a feature has no field \"%.*s\"%s", QN_STR_ARG(key),
                qn_compile_hint(key, field_name, QN_ARRAY_SIZE(fields), hint, sizeof hint));
}

static int check_complete(struct reader *r, const struct qn_node *n)
{
        bool count = qn_node_get(n, "count"), when = qn_node_get(n, "when");

        if (n->type != QN_NODE_OBJECT)
                return qn_compile_fail(&r->c, n, "a feature begins with - id:");
        if (n->duplicate)
                return qn_compile_fail(&r->c, n, "a field of this feature occurs twice");
        if (!qn_node_get(n, "id") || !qn_node_get(n, "title") || !qn_node_get(n, "group"))
                return qn_compile_fail(&r->c, n, "a feature has id:, title: and group:");
        if (count == when)
                return qn_compile_fail(&r->c, n, "a feature has either count: or when:");
        if (qn_node_get(n, "most") && !count)
                return qn_compile_fail(&r->c, n, "most: belongs to count:");
        return 0;
}

static int keep_feature(struct reader *r, const struct qn_node *n, const struct feature *f)
{
        struct qn_score *s = r->score;
        int e;

        if (s->n == QN_SCORE_FEATURES_MAX)
                return qn_compile_fail(&r->c, n, "there are more than %u features",
                                       QN_SCORE_FEATURES_MAX);
        e = qn_map_add(&s->by_id, &s->arena, f->shown.id, (uint32_t)s->n, NULL);
        if (e == 1)
                return qn_compile_fail(&r->c, n, "there is another feature \"%.*s\"",
                                       QN_STR_ARG(f->shown.id));
        if (e < 0 || QN_ARENA_ROOM(&s->arena, s->features, s->n, s->cap) < 0)
                return -ENOMEM;
        s->features[s->n++] = *f;
        return 0;
}

static int add_feature(struct reader *r, const struct qn_node *n)
{
        struct feature f = { .cond.phases = QN_PHASES_USUAL, .most = QN_SCORE_EVENTS_MAX };
        int e = check_complete(r, n);

        for (size_t i = 0; e == 0 && i < n->n; i++)
                e = set_field(r, &f, n->keys[i], n->items[i]);
        if (e == 0)
                e = qn_compile_needs(&r->c, &f.cond);
        return e < 0 ? e : keep_feature(r, n, &f);
}

static int read_features(struct reader *r, const char *path)
{
        const struct qn_node *root, *list;
        uint64_t revision = 0;
        int e = qn_source_read(&r->c, path, &root, &revision);

        if (e < 0)
                return e;
        list = qn_node_get(root, "features");
        if (!qn_node_is(list, QN_NODE_ARRAY))
                return qn_compile_fail(&r->c, root,
                                       "a file of features holds features: and a list");
        for (size_t i = 0; e == 0 && i < root->n; i++) {
                if (qn_str_is(root->keys[i], "lists"))
                        e = qn_source_lists(&r->c, root->items[i]);
                else if (!qn_str_is(root->keys[i], "features"))
                        e = qn_compile_fail(
                                &r->c, root->items[i],
                                "a file of features holds lists: and features:, no \"%.*s\"",
                                QN_STR_ARG(root->keys[i]));
        }
        for (size_t i = 0; e == 0 && i < list->n; i++)
                e = add_feature(r, list->items[i]);
        return e;
}

/* --- the model --- */

static int set_weights(struct reader *r, const struct qn_node *n)
{
        struct qn_score *s = r->score;
        int e = 0;

        if (n->type != QN_NODE_OBJECT || n->duplicate)
                return qn_compile_fail(&r->c, n, "weights: takes each feature's id: weight, once");
        for (size_t i = 0; e == 0 && i < n->n; i++) {
                uint32_t k = qn_map_get(&s->by_id, n->keys[i]);

                if (k == QN_MAP_NONE)
                        return qn_compile_fail(
                                &r->c, n->items[i],
                                "there is no feature \"%.*s\"; make score trains anew",
                                QN_STR_ARG(n->keys[i]));
                e = get_thousandths(r, n->items[i], "a weight", 0, WEIGHT_MAX,
                                    &s->features[k].shown.weight);
        }
        return e;
}

static int set_version(struct reader *r, const struct qn_node *n)
{
        uint64_t v = n->type == QN_NODE_NUMBER ? qn_node_u64(n, 0) : 0;

        if (v < 1 || v > 1000000)
                return qn_compile_fail(&r->c, n, "version: takes a number from 1 to 1000000");
        r->score->version = (unsigned)v;
        return 0;
}

static int set_model_field(struct reader *r, struct qn_str key, const struct qn_node *n)
{
        if (qn_str_is(key, "version"))
                return set_version(r, n);
        if (qn_str_is(key, "bias"))
                return get_thousandths(r, n, "bias:", -BIAS_MAX, BIAS_MAX, &r->score->bias);
        if (qn_str_is(key, "weights"))
                return set_weights(r, n);
        if (qn_str_is(key, "features") || qn_str_is(key, "trained")) /* for people and tests */
                return 0;
        return qn_compile_fail(&r->c, n, "a model has no field \"%.*s\"", QN_STR_ARG(key));
}

static int read_model(struct reader *r, const char *path)
{
        const struct qn_node *root;
        uint64_t revision = 0;
        int e = qn_source_read(&r->c, path, &root, &revision);

        if (e < 0)
                return e;
        if (root->type != QN_NODE_OBJECT || root->duplicate || !qn_node_get(root, "version") ||
            !qn_node_get(root, "bias") || !qn_node_get(root, "weights"))
                return qn_compile_fail(&r->c, root,
                                       "a model has version:, bias: and weights:, once");
        for (size_t i = 0; e == 0 && i < root->n; i++)
                e = set_model_field(r, root->keys[i], root->items[i]);
        return e;
}

int qn_score_load(const char *features, const char *model, struct qn_score **ret,
                  struct qn_err *reterr)
{
        _cleanup_(qn_score_freep) struct qn_score *s = calloc(1, sizeof *s);
        struct reader r = { .score = s };
        int e;

        if (!s)
                return qn_fail(reterr, -ENOMEM, 0, "out of memory");
        s->arena = QN_ARENA_INIT(QN_RULES_ARENA_MAX);
        r.c = (struct qn_compiler){ .rules = &s->patterns, .arena = &s->arena, .err = reterr };
        make_tables(s);
        e = read_features(&r, features);
        if (e == 0)
                e = read_model(&r, model);
        if (e == -ENOMEM)
                return qn_fail(reterr, e, 0, "the features need more memory than they may have");
        if (e < 0)
                return e;
        *ret = TAKE_PTR(s);
        return 0;
}

struct qn_score *qn_score_free(struct qn_score *s)
{
        if (s)
                qn_arena_done(&s->arena);
        free(s);
        return NULL;
}

void qn_score_freep(struct qn_score **s)
{
        *s = qn_score_free(*s);
}

size_t qn_score_count(const struct qn_score *s)
{
        return s->n;
}

const struct qn_score_feature *qn_score_at(const struct qn_score *s, size_t i)
{
        return &s->features[i].shown;
}

/* --- adding up --- */

static unsigned value_of(struct qn_eval *e, const struct feature *f)
{
        struct qn_scope scope = { f->cond.phases, QN_ANY_FILE };

        if (!qn_eval_worth(e, &f->cond))
                return 0;
        return f->count ? qn_eval_count(e, f->count, scope, f->most)
                        : qn_eval_cond(e, f->cond.rule.when, scope);
}

static int points_of(const struct qn_score *s, const struct feature *f, unsigned value)
{
        int x = f->count ? s->logs[value] : UNIT;

        return (f->shown.weight * x + UNIT / 2) / UNIT;
}

static int cmp_parts(const void *pa, const void *pb)
{
        const struct qn_score_part *a = pa, *b = pb;
        int c = (a->points < b->points) - (a->points > b->points);

        return c ? c : qn_str_cmp(a->feature->id, b->feature->id);
}

static unsigned score_of(const struct qn_score *s, int logit)
{
        unsigned score = 0;

        while (score < QN_ARRAY_SIZE(s->steps) && logit >= s->steps[score])
                score++;
        return score;
}

int qn_score_learned(const struct qn_score *s, const struct qn_event_set *set, struct qn_arena *a,
                     struct qn_learned *ret)
{
        struct qn_learned l = { .model = s->version, .bias = s->bias, .logit = s->bias };
        struct qn_score_part *parts = qn_arena_alloc(a, (s->n + 1) * sizeof *parts);
        struct qn_eval e;
        int r = parts ? qn_eval_init(&e, set, a, s->patterns.n_patterns) : -ENOBUFS;

        for (size_t i = 0; r == 0 && i < s->n; i++) {
                const struct feature *f = &s->features[i];
                unsigned value = value_of(&e, f);

                if (!value)
                        continue;
                parts[l.n_all] = (struct qn_score_part){ &f->shown, value, points_of(s, f, value) };
                l.n += parts[l.n_all].points > 0;
                l.logit += parts[l.n_all++].points;
        }
        if (r == 0 && e.full)
                r = -ENOBUFS;
        if (r < 0)
                return r;
        qsort(parts, l.n_all, sizeof *parts, cmp_parts);
        l.score = score_of(s, l.logit);
        l.parts = parts;
        *ret = l;
        return 0;
}
