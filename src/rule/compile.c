/* compile.c - YAML nodes → conditions.  Rules are written by analysts: an error says where it is and what to do. */
#include <errno.h>
#include <stdarg.h>

#include "base/near.h"
#include "parse/json.h"
#include "rule/cond.h"

#define USE_DEPTH_MAX 16 /* conditions that use conditions */

int qn_compile_fail(const struct qn_compiler *c, const struct qn_node *at, const char *fmt, ...)
{
        char msg[160];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(msg, sizeof msg, fmt, ap);
        va_end(ap);
        return qn_fail(c->err, -EINVAL, at ? at->off : 0, "%.*s:%u:%u: %s", QN_STR_ARG(c->file),
                       at ? at->line : 0, at ? at->column : 0, msg);
}

const char *qn_compile_hint(struct qn_str s, const char *(*name_at)(unsigned), unsigned n,
                            char *buf, size_t size)
{
        unsigned best = 4;

        buf[0] = '\0';
        for (unsigned i = 0; i < n && s.n; i++) {
                struct qn_str name = qn_str_c(name_at(i));
                unsigned d = qn_near(s, name);

                if (d >= best)
                        continue;
                best = d;
                snprintf(buf, size, " (did you mean \"%s\"?)", name.p);
        }
        return buf;
}

/* --- texts and lists --- */

static const struct qn_named *find_list(const struct qn_compiler *c, struct qn_str name)
{
        uint32_t i = qn_map_get(&c->lists, name);

        return i == QN_MAP_NONE ? NULL : &c->named[i];
}

struct texts {
        struct qn_str *list;
        size_t n, cap;
};

static int add_text(struct qn_compiler *c, const struct qn_node *n, struct texts *t)
{
        if (n->type != QN_NODE_STRING && n->type != QN_NODE_NUMBER && n->type != QN_NODE_BOOL)
                return qn_compile_fail(c, n, "a text is wanted here");
        if (QN_ARENA_ROOM(c->arena, t->list, t->n, t->cap) < 0)
                return -ENOMEM;
        t->list[t->n++] = n->text;
        return 0;
}

static int add_texts(struct qn_compiler *c, const struct qn_node *n, struct texts *t);

/* Lists may hold lists. */
static int add_list(struct qn_compiler *c, const struct qn_node *at, struct texts *t)
{
        const struct qn_named *l = find_list(c, qn_str_skip(at->text, 1));
        int r = 0;

        if (!l)
                return qn_compile_fail(c, at, "there is no list \"%.*s\"; define it under lists:",
                                       QN_STR_ARG(qn_str_skip(at->text, 1)));
        if (c->depth == USE_DEPTH_MAX)
                return qn_compile_fail(c, at, "lists name each other in a circle, or too deeply");
        c->depth++;
        for (size_t i = 0; r == 0 && i < l->node->n; i++)
                r = add_texts(c, l->node->items[i], t);
        c->depth--;
        return r;
}

static int add_texts(struct qn_compiler *c, const struct qn_node *n, struct texts *t)
{
        int r;

        if (n->type == QN_NODE_STRING && qn_str_starts(n->text, "$") &&
            !qn_str_starts(n->text, "$$"))
                return add_list(c, n, t);
        r = add_text(c, n, t);
        if (r == 0 && qn_str_starts(n->text, "$$"))
                t->list[t->n - 1] = qn_str_skip(n->text, 1);
        return r;
}

int qn_compile_texts(struct qn_compiler *c, const struct qn_node *n, struct qn_str **ret,
                     size_t *ret_n)
{
        struct texts t = { 0 };
        int r = 0;

        if (n->type != QN_NODE_ARRAY) {
                r = add_texts(c, n, &t);
        } else {
                for (size_t i = 0; r == 0 && i < n->n; i++)
                        r = add_texts(c, n->items[i], &t);
        }
        if (r == 0 && t.n == 0)
                r = qn_compile_fail(c, n, "the list is empty");
        if (r < 0)
                return r;
        *ret = t.list;
        *ret_n = t.n;
        return 0;
}

/* --- names --- */

static const char *phase_name(unsigned i)
{
        return i < QN_PHASE_MAX ? qn_phase_name(i) : "any";
}

static const char *layer_name(unsigned i)
{
        return qn_layer_name(i);
}

static const char *event_name(unsigned i)
{
        return qn_event_name(i);
}

static const char *label_name(unsigned i)
{
        return qn_label_name(i);
}

/* Each text's position in a table of names, as bits. */
static int get_bits(struct qn_compiler *c, const struct qn_node *n, const char *what,
                    const char *(*name_at)(unsigned), unsigned count, struct qn_kinds *ret)
{
        struct qn_str *list;
        size_t len;
        char hint[96];
        int r = qn_compile_texts(c, n, &list, &len);

        for (size_t i = 0; r == 0 && i < len; i++) {
                unsigned k = 0;

                while (k < count && !qn_str_is(list[i], name_at(k)))
                        k++;
                if (k == count)
                        return qn_compile_fail(
                                c, n, "unknown %s \"%.*s\"%s", what, QN_STR_ARG(list[i]),
                                qn_compile_hint(list[i], name_at, count, hint, sizeof hint));
                qn_kinds_add(ret, k);
        }
        return r;
}

int qn_compile_phases(struct qn_compiler *c, const struct qn_node *n, uint8_t *ret)
{
        struct qn_kinds bits = { 0 };
        int r = get_bits(c, n, "phase", phase_name, QN_PHASE_MAX + 1, &bits);

        if (r < 0)
                return r;
        *ret = (uint8_t)(bits.bits[0] >> QN_PHASE_MAX & 1 ? QN_PHASES_ALL : bits.bits[0]);
        return 0;
}

/* --- matchers --- */

static const char *field_name(unsigned i)
{
        return i == QN_FIELD_FILE ? "file" : i == QN_FIELD_TEXT ? "text" : qn_attr_name(i);
}

static const char *const ops[] = {
        [QN_MATCH_IS] = "is",
        [QN_MATCH_GLOB] = "glob",
        [QN_MATCH_CONTAINS] = "contains",
        [QN_MATCH_STARTS] = "starts",
        [QN_MATCH_ENDS] = "ends",
        [QN_MATCH_PRESENT] = "present",
        [QN_MATCH_AT_LEAST] = "at-least",
        [QN_MATCH_AT_MOST] = "at-most",
};

static const char *op_name(unsigned i)
{
        return i < QN_ARRAY_SIZE(ops) ? ops[i] : i == QN_ARRAY_SIZE(ops) ? "not" : "ignore-case";
}

struct pattern_builder {
        struct qn_pattern *p;
        size_t cap;
};

static int add_matcher(struct qn_compiler *c, struct pattern_builder *b, struct qn_matcher m)
{
        if (QN_ARENA_ROOM(c->arena, b->p->matchers, b->p->n_matchers, b->cap) < 0)
                return -ENOMEM;
        b->p->matchers[b->p->n_matchers++] = m;
        return 0;
}

static int get_number(struct qn_compiler *c, const struct qn_node *n, uint64_t *ret)
{
        *ret = qn_node_u64(n, UINT64_MAX);
        return n->type == QN_NODE_NUMBER && *ret != UINT64_MAX
                       ? 0
                       : qn_compile_fail(c, n, "a number is wanted here");
}

static int add_op(struct qn_compiler *c, struct pattern_builder *b, struct qn_matcher m,
                  const struct qn_node *n)
{
        struct qn_str *list;
        size_t len;
        int r = 0;

        if (m.op == QN_MATCH_PRESENT) {
                if (n->type != QN_NODE_BOOL)
                        return qn_compile_fail(c, n, "present: takes true or false");
                m.negate ^= !n->boolean;
        } else if (m.op >= QN_MATCH_AT_LEAST) {
                r = get_number(c, n, &m.number);
        } else {
                r = qn_compile_texts(c, n, &list, &len);
                if (r == 0) {
                        m.values = list;
                        m.n = (uint32_t)len;
                }
        }
        return r < 0 ? r : add_matcher(c, b, m);
}

static int add_matchers(struct qn_compiler *c, struct pattern_builder *b, struct qn_matcher m,
                        const struct qn_node *n);

/* {glob: …, not: …, ignore-case: true}: all must fit. */
static int add_matcher_object(struct qn_compiler *c, struct pattern_builder *b, struct qn_matcher m,
                              const struct qn_node *n)
{
        char hint[96];
        int r = 0;

        m.any_case |= qn_node_bool(qn_node_get(n, "ignore-case"), false);
        for (size_t i = 0; r == 0 && i < n->n; i++) {
                unsigned op = 0;

                if (qn_str_is(n->keys[i], "ignore-case"))
                        continue;
                if (qn_str_is(n->keys[i], "not")) {
                        struct qn_matcher negated = m;

                        if (m.negate)
                                return qn_compile_fail(c, n->items[i],
                                                       "not: inside not: says nothing");
                        negated.negate = true;
                        r = add_matchers(c, b, negated, n->items[i]);
                        continue;
                }
                while (op < QN_ARRAY_SIZE(ops) && !qn_str_is(n->keys[i], ops[op]))
                        op++;
                if (op == QN_ARRAY_SIZE(ops))
                        return qn_compile_fail(c, n->items[i], "unknown way to match \"%.*s\"%s",
                                               QN_STR_ARG(n->keys[i]),
                                               qn_compile_hint(n->keys[i], op_name,
                                                               QN_ARRAY_SIZE(ops) + 2, hint,
                                                               sizeof hint));
                m.op = (uint8_t)op;
                r = add_op(c, b, m, n->items[i]);
        }
        return r;
}

static int add_matchers(struct qn_compiler *c, struct pattern_builder *b, struct qn_matcher m,
                        const struct qn_node *n)
{
        if (n->type == QN_NODE_OBJECT)
                return add_matcher_object(c, b, m, n);
        if (n->type == QN_NODE_BOOL) {
                m.op = QN_MATCH_PRESENT;
                return add_op(c, b, m, n);
        }
        m.op = QN_MATCH_IS;
        return add_op(c, b, m, n);
}

/* --- patterns --- */

static int set_layers(struct qn_compiler *c, struct qn_pattern *p, const struct qn_node *n)
{
        struct qn_kinds bits = { 0 };
        int r = get_bits(c, n, "layer", layer_name, QN_LAYER_MAX, &bits);

        p->layers = (uint8_t)bits.bits[0];
        return r;
}

/* new: true, false, or how new at least. */
static int set_novelty(struct qn_compiler *c, struct qn_pattern *p, const struct qn_node *n)
{
        enum qn_novelty v = QN_NOVELTY_CODE;

        if (n->type == QN_NODE_BOOL)
                p->not_fresh = !n->boolean;
        else if (qn_novelty_from_name(qn_node_text(n), &v) < 0 || v == QN_NOVELTY_NONE)
                return qn_compile_fail(c, n, "new: takes true, false, code, behaviour or kind");
        p->fresh = p->not_fresh ? QN_NOVELTY_NONE : (uint8_t)v;
        return 0;
}

static int set_labels(struct qn_compiler *c, uint64_t *to, const struct qn_node *n)
{
        struct qn_kinds bits = { 0 };
        int r = get_bits(c, n, "label", label_name, QN_LABEL_MAX, &bits);

        *to = bits.bits[0];
        return r;
}

static int set_times(struct qn_compiler *c, struct qn_pattern *p, const struct qn_node *n)
{
        uint64_t v = 0;
        int r = get_number(c, n, &v);

        p->times = (uint32_t)QN_MIN(v, (uint64_t)UINT32_MAX);
        return r;
}

/* The names that a pattern may use: fields and what is not a field. */
static const char *const pattern_words[] = { "event",      "phase", "layer", "labels",
                                             "labels-all", "times", "new" };

static const char *pattern_word(unsigned i)
{
        return i < QN_ARRAY_SIZE(pattern_words) ? pattern_words[i]
                                                : field_name(i - QN_ARRAY_SIZE(pattern_words));
}

static int add_field(struct qn_compiler *c, struct pattern_builder *b, struct qn_str key,
                     const struct qn_node *n)
{
        struct qn_matcher m = { 0 };
        char hint[96];

        while (m.field < QN_FIELD_MAX && !qn_str_is(key, field_name(m.field)))
                m.field++;
        if (m.field == QN_FIELD_MAX)
                return qn_compile_fail(c, n, "an event pattern has no field \"%.*s\"%s",
                                       QN_STR_ARG(key),
                                       qn_compile_hint(key, pattern_word,
                                                       QN_ARRAY_SIZE(pattern_words) + QN_FIELD_MAX,
                                                       hint, sizeof hint));
        return add_matchers(c, b, m, n);
}

static int add_word(struct qn_compiler *c, struct pattern_builder *b, struct qn_str key,
                    const struct qn_node *n)
{
        struct qn_pattern *p = b->p;

        if (qn_str_is(key, "event"))
                return get_bits(c, n, "event", event_name, QN_EVENT_MAX, &p->kinds);
        if (qn_str_is(key, "phase"))
                return qn_compile_phases(c, n, &p->phases);
        if (qn_str_is(key, "layer"))
                return set_layers(c, p, n);
        if (qn_str_is(key, "labels"))
                return set_labels(c, &p->labels_any, n);
        if (qn_str_is(key, "labels-all"))
                return set_labels(c, &p->labels_all, n);
        if (qn_str_is(key, "new"))
                return set_novelty(c, p, n);
        if (qn_str_is(key, "times"))
                return set_times(c, p, n);
        return add_field(c, b, key, n);
}

static struct qn_rule_cond *new_cond(struct qn_compiler *c, enum qn_cond_op op)
{
        struct qn_rule_cond *cond = QN_ARENA_NEW(c->arena, struct qn_rule_cond);

        if (cond)
                cond->op = op;
        return cond;
}

static struct qn_pattern *new_pattern(struct qn_compiler *c)
{
        struct qn_pattern *p = QN_ARENA_NEW(c->arena, struct qn_pattern);

        if (p) {
                p->id = c->rules->n_patterns++;
                p->layers = QN_LAYERS_ALL;
        }
        return p;
}

/* {event: …, …}, or the event's name alone. */
static int compile_pattern(struct qn_compiler *c, const struct qn_node *n,
                           const struct qn_rule_cond **ret)
{
        struct qn_rule_cond *cond = new_cond(c, QN_COND_EVENT);
        struct pattern_builder b = { new_pattern(c), 0 };
        int r = 0;

        if (!cond || !b.p)
                return -ENOMEM;
        if (n->type == QN_NODE_STRING)
                r = get_bits(c, n, "event", event_name, QN_EVENT_MAX, &b.p->kinds);
        for (size_t i = 0; r == 0 && i < n->n; i++)
                r = add_word(c, &b, n->keys[i], n->items[i]);
        if (r < 0)
                return r;
        cond->pattern = b.p;
        *ret = cond;
        return 0;
}

/* --- conditions --- */

static int compile_kids(struct qn_compiler *c, const struct qn_node *n, struct qn_rule_cond *cond)
{
        int r = 0;

        if (n->type != QN_NODE_ARRAY || n->n == 0)
                return qn_compile_fail(c, n, "a list of conditions is wanted here");
        cond->kids = qn_arena_calloc(c->arena, n->n, sizeof *cond->kids);
        if (!cond->kids)
                return -ENOMEM;
        for (; r == 0 && cond->n < n->n; cond->n++)
                r = qn_compile_cond(c, n->items[cond->n], &cond->kids[cond->n]);
        return r;
}

static int compile_group(struct qn_compiler *c, const struct qn_node *n, enum qn_cond_op op,
                         const struct qn_rule_cond **ret)
{
        struct qn_rule_cond *cond = new_cond(c, op);
        int r = cond ? compile_kids(c, n, cond) : -ENOMEM;

        if (r < 0)
                return r;
        if ((op == QN_COND_SAME_FILE || op == QN_COND_SAME_PHASE) &&
            cond->kids[0]->op == QN_COND_NOT)
                return qn_compile_fail(c, n,
                                       "begin the list with what must be there, not with not:");
        *ret = cond;
        return 0;
}

static int compile_one(struct qn_compiler *c, const struct qn_node *n, struct qn_rule_cond *cond)
{
        cond->kids = qn_arena_calloc(c->arena, 1, sizeof *cond->kids);
        if (!cond->kids)
                return -ENOMEM;
        cond->n = 1;
        return qn_compile_cond(c, n, &cond->kids[0]);
}

static int compile_not(struct qn_compiler *c, const struct qn_node *n,
                       const struct qn_rule_cond **ret)
{
        struct qn_rule_cond *cond = new_cond(c, QN_COND_NOT);
        int r = cond ? compile_one(c, n, cond) : -ENOMEM;

        if (r == 0)
                *ret = cond;
        return r;
}

static const char *distinct_name(unsigned i)
{
        static const char *const more[] = { "event", "file", "kind", "label" };

        return i < QN_ATTR_COUNT_ ? qn_attr_name(i) : more[i - QN_ATTR_COUNT_];
}

static int get_distinct(struct qn_compiler *c, const struct qn_node *n, uint8_t *ret)
{
        char hint[96];
        unsigned i = 0;

        *ret = QN_DISTINCT_EVENT;
        if (!n)
                return 0;
        while (i <= QN_DISTINCT_LABEL && !qn_str_is(n->text, distinct_name(i)))
                i++;
        if (i > QN_DISTINCT_LABEL)
                return qn_compile_fail(c, n,
                                       "distinct: takes an attribute, event, file, kind or label%s",
                                       qn_compile_hint(n->text, distinct_name,
                                                       QN_DISTINCT_LABEL + 1, hint, sizeof hint));
        *ret = (uint8_t)i;
        return 0;
}

bool qn_cond_is_events(const struct qn_rule_cond *cond)
{
        if (cond->op == QN_COND_EVENT)
                return true;
        if (cond->op != QN_COND_ANY)
                return false;
        for (size_t i = 0; i < cond->n; i++)
                if (!qn_cond_is_events(cond->kids[i]))
                        return false;
        return true;
}

static int check_count(struct qn_compiler *c, const struct qn_node *n)
{
        if (n->type != QN_NODE_OBJECT || !qn_node_get(n, "of") || !qn_node_get(n, "at-least"))
                return qn_compile_fail(c, n, "count: takes {of: …, at-least: N, distinct: …}");
        for (size_t i = 0; i < n->n; i++)
                if (!qn_str_is(n->keys[i], "of") && !qn_str_is(n->keys[i], "at-least") &&
                    !qn_str_is(n->keys[i], "distinct"))
                        return qn_compile_fail(c, n->items[i], "count: has no field \"%.*s\"",
                                               QN_STR_ARG(n->keys[i]));
        return 0;
}

static int compile_count(struct qn_compiler *c, const struct qn_node *n,
                         const struct qn_rule_cond **ret)
{
        struct qn_rule_cond *cond = new_cond(c, QN_COND_COUNT);
        uint64_t at_least = 0;
        int r = cond ? check_count(c, n) : -ENOMEM;

        if (r == 0)
                r = get_number(c, qn_node_get(n, "at-least"), &at_least);
        if (r == 0 && (at_least < 1 || at_least > QN_COUNT_MAX))
                r = qn_compile_fail(c, qn_node_get(n, "at-least"), "at-least: takes 1 to %u",
                                    QN_COUNT_MAX);
        if (r == 0)
                r = get_distinct(c, qn_node_get(n, "distinct"), &cond->distinct);
        if (r == 0)
                r = compile_one(c, qn_node_get(n, "of"), cond);
        if (r == 0 && !qn_cond_is_events(cond->kids[0]))
                r = qn_compile_fail(c, qn_node_get(n, "of"),
                                    "of: takes an event pattern, or any: of them");
        if (r < 0)
                return r;
        cond->at_least = (uint32_t)at_least;
        *ret = cond;
        return 0;
}

/* A named condition is compiled once, in the file that defines it, and shared. */
static int compile_use(struct qn_compiler *c, const struct qn_node *n,
                       const struct qn_rule_cond **ret)
{
        uint32_t i = qn_map_get(&c->conditions, qn_node_text(n));
        struct qn_str file = c->file;
        int r = 0;

        if (i == QN_MAP_NONE)
                return qn_compile_fail(
                        c, n, "there is no condition \"%.*s\"; define it under conditions:",
                        QN_STR_ARG(qn_node_text(n)));
        if (!c->compiled[i]) {
                if (c->depth == USE_DEPTH_MAX)
                        return qn_compile_fail(
                                c, n, "conditions use each other in a circle, or too deeply");
                c->depth++;
                c->file = c->named[i].file;
                r = qn_compile_cond(c, c->named[i].node, &c->compiled[i]);
                c->file = file;
                c->depth--;
        }
        if (r == 0)
                *ret = c->compiled[i];
        return r;
}

static const char *const cond_words[] = { "all",       "any",        "not", "count",
                                          "same-file", "same-phase", "use", "event" };

static const char *cond_word(unsigned i)
{
        return cond_words[i];
}

int qn_compile_cond(struct qn_compiler *c, const struct qn_node *n, const struct qn_rule_cond **ret)
{
        struct qn_str key;
        char hint[96];

        if (n->type == QN_NODE_STRING || (n->type == QN_NODE_OBJECT && qn_node_get(n, "event")))
                return compile_pattern(c, n, ret);
        if (n->type != QN_NODE_OBJECT || n->n != 1)
                return qn_compile_fail(
                        c, n,
                        "a condition is {event: …} or one of all, any, not, count, same-file, "
                        "same-phase, use");
        key = n->keys[0];
        if (qn_str_is(key, "all"))
                return compile_group(c, n->items[0], QN_COND_ALL, ret);
        if (qn_str_is(key, "any"))
                return compile_group(c, n->items[0], QN_COND_ANY, ret);
        if (qn_str_is(key, "same-file"))
                return compile_group(c, n->items[0], QN_COND_SAME_FILE, ret);
        if (qn_str_is(key, "same-phase"))
                return compile_group(c, n->items[0], QN_COND_SAME_PHASE, ret);
        if (qn_str_is(key, "not"))
                return compile_not(c, n->items[0], ret);
        if (qn_str_is(key, "count"))
                return compile_count(c, n->items[0], ret);
        if (qn_str_is(key, "use"))
                return compile_use(c, n->items[0], ret);
        return qn_compile_fail(
                c, n, "unknown condition \"%.*s\"%s", QN_STR_ARG(key),
                qn_compile_hint(key, cond_word, QN_ARRAY_SIZE(cond_words), hint, sizeof hint));
}
