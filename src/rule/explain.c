/* explain.c - puts evidence into a rule's text: {host}, {which|a secret}, {path|command|the evidence}, {file}, {labels}. */
#include "base/buf.h"
#include "base/limits.h"
#include "rule/cond.h"

#define VALUES_SHOWN 3   /* distinct values of one placeholder */
#define VALUE_MAX    120 /* bytes of one value */

enum { SPECIAL_FILE = QN_ATTR_COUNT_, SPECIAL_LABELS, SPECIAL_EVENT, SPECIAL_TEXT, SPECIAL_MAX };

static const char *const special_names[] = { "file", "labels", "event", "text" };

static int find_name(struct qn_str s)
{
        enum qn_attr a;

        if (qn_attr_from_name(s, &a) == 0)
                return (int)a;
        for (unsigned i = 0; i < QN_ARRAY_SIZE(special_names); i++)
                if (qn_str_is(s, special_names[i]))
                        return (int)(QN_ATTR_COUNT_ + i);
        return -1;
}

/* Takes text up to the next placeholder into *ret_plain and its inside into *ret_inside; false: no placeholder is left. */
static bool next_placeholder(struct qn_str *rest, struct qn_str *ret_plain,
                             struct qn_str *ret_inside)
{
        ptrdiff_t open = qn_str_chr(*rest, '{'), close;

        if (open >= 0) {
                close = qn_str_chr(qn_str_skip(*rest, (size_t)open), '}');
                if (close >= 0) {
                        *ret_plain = qn_str_take(*rest, (size_t)open);
                        *ret_inside = qn_str_take(qn_str_skip(*rest, (size_t)open + 1),
                                                  (size_t)close - 1);
                        *rest = qn_str_skip(*rest, (size_t)(open + close) + 1);
                        return true;
                }
        }
        *ret_plain = *rest;
        *rest = qn_str_skip(*rest, rest->n);
        return false;
}

bool qn_explain_check(struct qn_str text, struct qn_str *ret_bad)
{
        struct qn_str plain, inside;

        while (next_placeholder(&text, &plain, &inside)) {
                struct qn_str name = qn_str_cut(&inside, '|');

                if (find_name(name) < 0) {
                        *ret_bad = name;
                        return false;
                }
        }
        return true;
}

struct values {
        struct qn_str list[VALUES_SHOWN];
        size_t n;
        bool more;
};

static void add_value(struct values *v, struct qn_str s)
{
        if (!s.n)
                return;
        for (size_t i = 0; i < v->n; i++)
                if (qn_str_eq(v->list[i], s))
                        return;
        if (v->n == VALUES_SHOWN)
                v->more = true;
        else
                v->list[v->n++] = s;
}

static void add_labels(struct values *v, uint64_t labels)
{
        for (unsigned i = 0; i < QN_LABEL_MAX; i++)
                if (labels >> i & 1)
                        add_value(v, qn_str_c(qn_label_name(i)));
}

static void collect(const struct qn_finding *f, const struct qn_event_set *s, int name,
                    struct values *v)
{
        for (size_t i = 0; i < f->n_evidence; i++) {
                const struct qn_event *e = f->evidence[i];

                if (name == SPECIAL_FILE)
                        add_value(v, e->file < s->n_files ? s->files[e->file]
                                                          : (struct qn_str){ NULL, 0 });
                else if (name == SPECIAL_LABELS)
                        add_labels(v, e->labels);
                else if (name == SPECIAL_EVENT)
                        add_value(v, qn_str_c(qn_event_name(e->kind)));
                else if (name == SPECIAL_TEXT)
                        add_value(v, e->text);
                else
                        add_value(v, qn_event_get(e, (enum qn_attr)name));
        }
}

static void put_value(struct qn_buf *b, struct qn_str s)
{
        size_t n = QN_MIN(s.n, (size_t)VALUE_MAX);

        while (n < s.n && n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
                n--;
        qn_buf_str(b, qn_str_take(s, n));
        if (n < s.n)
                qn_buf_puts(b, "\xe2\x80\xa6");
}

/* Addresses stand in quotes: the printers then know where one begins and ends, and defang it. */
static void put_values(struct qn_buf *b, const struct values *v, bool quoted)
{
        for (size_t i = 0; i < v->n; i++) {
                if (i)
                        qn_buf_puts(b, ", ");
                if (quoted)
                        qn_buf_byte(b, '"');
                put_value(b, v->list[i]);
                if (quoted)
                        qn_buf_byte(b, '"');
        }
        if (v->more)
                qn_buf_puts(b, " and others");
}

/* The first name that the evidence has values for, or the first word that is no name. */
static void put_placeholder(struct qn_buf *b, const struct qn_finding *f,
                            const struct qn_event_set *s, struct qn_str inside)
{
        while (inside.n) {
                struct qn_str word = qn_str_cut(&inside, '|');
                struct values v = { 0 };
                int name = find_name(word);

                if (name < 0) {
                        qn_buf_str(b, word);
                        return;
                }
                collect(f, s, name, &v);
                if (v.n) {
                        put_values(b, &v,
                                   name == QN_ATTR_HOST || name == QN_ATTR_URL ||
                                           name == QN_ATTR_SPEC);
                        return;
                }
        }
        qn_buf_puts(b, "(unknown)");
}

struct qn_str qn_explain(const struct qn_finding *f, const struct qn_event_set *s,
                         struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_EXPLAIN_MAX);
        struct qn_str rest = f->rule->explain, plain, inside;

        if (!rest.n)
                return QN_STR("");
        while (next_placeholder(&rest, &plain, &inside)) {
                qn_buf_str(&b, plain);
                put_placeholder(&b, f, s, inside);
        }
        qn_buf_str(&b, plain);
        return qn_arena_dup(a, qn_buf_view(&b));
}
