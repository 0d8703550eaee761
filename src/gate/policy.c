#include "gate/policy.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "gate/policy-priv.h"

const char *const qn_policy_rule_names[QN_RULES + 1] = {
        [QN_RULE_OWNED] = "owned",           [QN_RULE_INTELLIGENCE] = "intelligence",
        [QN_RULE_VERDICT] = "verdict",       [QN_RULE_UNKNOWN] = "unknown",
        [QN_RULE_AGE] = "minimum-age",       [QN_RULE_HOOKS] = "install-hooks",
        [QN_RULE_PROVENANCE] = "provenance", [QN_RULE_LOOKALIKE] = "look-alikes",
};

const char *const qn_policy_words[QN_WORDS + 1] = {
        [QN_WORD_ALLOW] = "allow",           [QN_WORD_OBSERVE] = "observe", [QN_WORD_WARN] = "warn",
        [QN_WORD_QUARANTINE] = "quarantine", [QN_WORD_BLOCK] = "block",
};

const char *qn_policy_action_name(enum qn_policy_action a)
{
        static const char *const names[] = {
                [QN_POLICY_ALLOW] = "allow",
                [QN_POLICY_QUARANTINE] = "quarantine",
                [QN_POLICY_BLOCK] = "block",
        };

        return names[a];
}

const char *qn_policy_mode_name(enum qn_policy_mode m)
{
        static const char *const names[] = {
                [QN_POLICY_ENFORCE] = "enforce",
                [QN_POLICY_WARN] = "warn",
                [QN_POLICY_OBSERVE] = "observe",
        };

        return names[m];
}

enum qn_policy_mode qn_policy_mode(const struct qn_policy *p)
{
        return p->mode;
}

uint32_t qn_policy_budget_ms(const struct qn_policy *p)
{
        return (uint32_t)p->budget;
}

const char *qn_policy_revision(const struct qn_policy *p)
{
        return p->revision;
}

/* --- look-ups --- */

/* Exact ones by name, then patterns by weight; then what is stricter; then whatever is deterministic. */
int qn_policy_map_cmp(const void *a, const void *b)
{
        const struct qn_policy_entry *x = a, *y = b;

        if (x->pattern.exact != y->pattern.exact)
                return x->pattern.exact ? -1 : 1;
        if (!x->pattern.exact && x->pattern.weight != y->pattern.weight)
                return x->pattern.weight > y->pattern.weight ? -1 : 1;
        if (!x->pattern.exact && x->value != y->value)
                return x->value > y->value ? -1 : 1;
        return qn_str_cmp(x->pattern.text, y->pattern.text);
}

static int cmp_entry_name(const void *name, const void *entry)
{
        const struct qn_policy_entry *e = entry;

        return qn_str_cmp(*(const struct qn_str *)name, e->pattern.text);
}

const struct qn_policy_entry *qn_policy_map_find(const struct qn_policy_map *m, struct qn_str name)
{
        const struct qn_policy_entry *e = NULL;

        if (m->n_exact)
                e = bsearch(&name, m->v, m->n_exact, sizeof *m->v, cmp_entry_name);
        for (size_t i = m->n_exact; !e && i < m->n; i++)
                if (qn_policy_pattern_match(&m->v[i].pattern, name))
                        e = &m->v[i];
        return e;
}

/* Index of the first exact pass that is not before the name. */
static size_t lower_bound(const struct qn_policy_passes *p, struct qn_str name)
{
        size_t low = 0, high = p->n_exact;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (qn_str_cmp(p->v[mid].pattern.text, name) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

const struct qn_policy_pass *qn_policy_passes_next(const struct qn_policy_passes *p,
                                                   struct qn_str name, size_t *at)
{
        if (*at < p->n_exact) {
                *at = QN_MAX(*at, lower_bound(p, name));
                if (*at < p->n_exact && qn_str_eq(p->v[*at].pattern.text, name))
                        return &p->v[(*at)++];
                *at = p->n_exact;
        }
        while (*at < p->n) {
                const struct qn_policy_pass *pass = &p->v[(*at)++];

                if (qn_policy_pattern_match(&pass->pattern, name))
                        return pass;
        }
        return NULL;
}

bool qn_policy_owned(const struct qn_policy *p, struct qn_str name, struct qn_str *ret_upstream)
{
        const struct qn_policy_entry *e = qn_policy_map_find(&p->owned, name);

        if (ret_upstream)
                *ret_upstream = e && e->value ? e->text : QN_STR("");
        return e && e->value;
}

enum qn_policy_mode qn_policy_mode_of(const struct qn_policy *p, struct qn_str name)
{
        const struct qn_policy_entry *e = qn_policy_map_find(&p->modes, name);

        return e ? (enum qn_policy_mode)(QN_POLICY_OBSERVE - e->value) : p->mode;
}

int64_t qn_policy_age_of(const struct qn_policy *p, struct qn_str name)
{
        const struct qn_policy_entry *e = qn_policy_map_find(&p->ages, name);

        return e ? e->value : p->age;
}

/* --- the meaning as text --- */

static int cmp_i64(int64_t a, int64_t b)
{
        return (a > b) - (a < b);
}

static int cmp_pass(const void *a, const void *b)
{
        const struct qn_policy_pass *x = a, *y = b;
        int r = (int)y->pattern.exact - (int)x->pattern.exact;

        r = r ? r : qn_str_cmp(x->pattern.text, y->pattern.text);
        r = r ? r : qn_str_cmp(x->range_text, y->range_text);
        r = r ? r : (x->rules > y->rules) - (x->rules < y->rules);
        r = r ? r : cmp_i64(x->since, y->since);
        r = r ? r : cmp_i64(x->until, y->until);
        r = r ? r : qn_str_cmp(x->who, y->who);
        return r ? r : qn_str_cmp(x->reason, y->reason);
}

void qn_policy_passes_sort(struct qn_policy_passes *p)
{
        if (p->n)
                qsort(p->v, p->n, sizeof *p->v, cmp_pass);
        p->n_exact = 0;
        while (p->n_exact < p->n && p->v[p->n_exact].pattern.exact)
                p->n_exact++;
}

static void write_text(struct qn_buf *out, struct qn_str s)
{
        qn_buf_printf(out, " %zu:", s.n);
        qn_buf_str(out, s);
}

static void write_map(struct qn_buf *out, const char *name, const struct qn_policy_map *m)
{
        for (size_t i = 0; i < m->n; i++) {
                qn_buf_printf(out, "%s %" PRId64, name, m->v[i].value);
                write_text(out, m->v[i].pattern.text);
                write_text(out, m->v[i].text);
                qn_buf_byte(out, '\n');
        }
}

static void write_passes(struct qn_buf *out, const char *name, const struct qn_policy_passes *p)
{
        for (size_t i = 0; i < p->n; i++) {
                const struct qn_policy_pass *v = &p->v[i];

                qn_buf_printf(out, "%s %x %" PRId64 " %" PRId64, name, v->rules, v->since,
                              v->until);
                write_text(out, v->pattern.text);
                write_text(out, v->range_text);
                write_text(out, v->reason);
                write_text(out, v->who);
                qn_buf_byte(out, '\n');
        }
}

int qn_policy_write(const struct qn_policy *p, struct qn_buf *out)
{
        qn_buf_printf(out, "policy 1 %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, (int)p->mode,
                      p->age, p->new_package, p->release_after, p->budget);
        for (unsigned i = 0; i < QN_SETTINGS; i++)
                qn_buf_printf(out, " %u", p->words[i]);
        write_text(out, p->contact);
        qn_buf_byte(out, '\n');
        write_map(out, "mode", &p->modes);
        write_map(out, "age", &p->ages);
        write_map(out, "owned", &p->owned);
        write_passes(out, "exception", &p->exceptions);
        write_passes(out, "override", &p->overrides);
        return qn_buf_error(out);
}

static int make_revision(struct qn_policy *p)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_GATE_ARENA_MAX);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r = qn_policy_write(p, &text);

        if (r == 0)
                r = qn_digest(QN_SHA256, text.p, text.n, digest);
        for (unsigned i = 0; r == 0 && i < 8; i++)
                snprintf(p->revision + 2 * i, 3, "%02x", digest[i]);
        return r;
}

/* --- the file --- */

static int make(struct qn_policy *p, struct qn_conf *c, struct qn_str text)
{
        const struct qn_node *root;
        struct qn_conf file = *c;
        _cleanup_(qn_arena_done) struct qn_arena tree = QN_ARENA_INIT(QN_GATE_ARENA_MAX);
        int r;

        file.a = &tree;
        r = qn_conf_parse(&file, text, &root);
        c->text = text;
        if (r == 0)
                r = qn_policy_read(c, root, p);
        return r < 0 ? r : make_revision(p);
}

static struct qn_policy *policy_new(void)
{
        struct qn_policy *p = calloc(1, sizeof *p);

        if (p)
                p->arena = QN_ARENA_INIT(QN_GATE_ARENA_MAX);
        return p;
}

int qn_policy_parse(struct qn_str text, const char *path, struct qn_policy **ret,
                    struct qn_err *reterr)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p = policy_new();
        struct qn_conf c = { .path = path, .err = reterr };
        int r;

        if (!p)
                return qn_fail(reterr, -ENOMEM, 0, "out of memory");
        c.a = &p->arena;
        qn_policy_defaults(p);
        r = make(p, &c, text);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

int qn_policy_load(const char *path, struct qn_policy **ret, struct qn_err *reterr)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_GATE_ARENA_MAX);
        struct qn_conf c = { .a = &a, .path = path, .err = reterr };
        struct qn_str text;
        int r = qn_conf_load(&c, &text);

        return r < 0 ? r : qn_policy_parse(text, path, ret, reterr);
}

struct qn_policy *qn_policy_free(struct qn_policy *p)
{
        if (!p)
                return NULL;
        qn_arena_done(&p->arena);
        free(p);
        return NULL;
}

void qn_policy_freep(struct qn_policy **p)
{
        *p = qn_policy_free(*p);
}
