/* search.c - a search goes to the registry behind this one, unless its text says what the organisation's own packages are called:
 * that is nobody's business outside. */
#include "base/hash.h"
#include "gate/gate-priv.h"

/* One byte of a query (application/x-www-form-urlencoded); a broken escape stands for itself. */
static char take_byte(struct qn_str *s)
{
        char c = s->p[0];
        int high = c == '%' && s->n > 2 ? qn_hex_value(s->p[1]) : -1;
        int low = high >= 0 ? qn_hex_value(s->p[2]) : -1;

        *s = qn_str_skip(*s, low >= 0 ? 3 : 1);
        c = low >= 0 ? (char)(high << 4 | low) : c == '+' ? ' ' : c;
        return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; /* names are in lower case */
}

/* Whether it comes from elsewhere than what is searched. */
static bool is_elsewhere(struct qn_gate *g, struct qn_str name)
{
        struct qn_failure f;

        return qn_upstream_of(g, name, NULL, &f) != &g->upstreams[0];
}

/* "left-pad", "@acme/web@1.0.0", "@acme", "scope:acme", "keywords:acme-web" */
static bool is_own(struct qn_gate *g, struct qn_str word)
{
        char name[QN_ROUTE_PATH_MAX + 8];
        bool scope = qn_str_starts(word, "scope:");
        ptrdiff_t at = qn_str_chr(word, ':');

        if (at >= 0)
                word = qn_str_skip(word, (size_t)at + 1);
        at = word.n ? qn_str_chr(qn_str_skip(word, 1), '@') : -1;
        if (at >= 0)
                word.n = (size_t)at + 1;
        if (word.n && is_elsewhere(g, word))
                return true;
        if (!scope && !qn_str_starts(word, "@"))
                return false;
        word = qn_str_skip(word, qn_str_starts(word, "@"));
        word = qn_str_cut(&word, '/');
        snprintf(name, sizeof name, "@%.*s/x", QN_STR_ARG(word));
        return is_elsewhere(g, qn_str_c(name));
}

/* What is too long to be looked at stays inside as well. */
static bool names_own(struct qn_gate *g, struct qn_str text)
{
        char word[QN_ROUTE_PATH_MAX];
        size_t n = 0;

        while (text.n) {
                char c = take_byte(&text);
                bool ends = (unsigned char)c <= ' ' || c == ',' || c == '"';

                if (ends || !text.n) {
                        if (!ends && n < sizeof word)
                                word[n++] = c;
                        if (is_own(g, (struct qn_str){ word, n }))
                                return true;
                        n = 0;
                } else if (n == sizeof word) {
                        return true;
                } else {
                        word[n++] = c;
                }
        }
        return false;
}

void qn_search_ask(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_str query = a->q.path;

        qn_str_cut(&query, '?');
        while (query.n) {
                struct qn_str value = qn_str_cut(&query, '&');

                qn_str_cut(&value, '=');
                if (names_own(g, value)) {
                        qn_answer_json(g, a, QN_STR("{\"objects\":[],\"total\":0}"));
                        return;
                }
        }
        qn_pass_read(g, a);
}
