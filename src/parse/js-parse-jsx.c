/* js-parse-jsx.c - JSX.  Inside a tag tokens are JavaScript's but for names with a dash and strings without escapes; between
 * tags everything is text up to < or {, so no token may be read ahead there: js->p is set and reading goes on from it. */
#include "parse/js-impl.h"
#include "parse/js-scan.h"

#define T(id) QN_JS_TOK_##id

/* The current token begins with this character: cuts it down to that one (>> or >= after a tag). */
static bool cut_to(struct qn_js *js, uint8_t c)
{
        if (js->src[js->t.start] != c || js->t.type <= T(WORD_LAST))
                return false;
        js->t.end = js->t.start + 1;
        js->p = js->src + js->t.end;
        return true;
}

static bool is_name(const struct qn_js *js)
{
        return qn_js_is_word(js->t.type);
}

/* Makes the name token longer by what JSX allows: dashes, and names after them. */
static void stretch_name(struct qn_js *js)
{
        const uint8_t *p = js->src + js->t.end;

        while (*p == '-' || qn_js_name_run(p)) {
                p += *p == '-';
                p += qn_js_name_run(p);
        }
        js->t.end = qn_js_off(js, p);
        js->p = p;
}

/* Goes over `name`, `name:name`, `name.name…`; returns where it ended. */
static uint32_t skip_name(struct qn_js *js, bool dots)
{
        uint32_t end = 0;
        bool more = true;

        while (more && is_name(js)) {
                stretch_name(js);
                end = js->t.end;
                qn_js_next(js);
                more = qn_js_is(js, T(COLON)) || (dots && qn_js_is(js, T(DOT)));
                if (more)
                        qn_js_next(js);
        }
        if (!end || more)
                qn_js_fail(js, "expected a name in a tag");
        return end;
}

static uint32_t element_name(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_JSX_NAME, js->t.start), end;
        uint8_t c = js->src[js->t.start];

        qn_js_at(js, n)->val = js->t.val;
        end = skip_name(js, true);
        qn_js_at(js, n)->end = end;
        /* `<a>` is HTML's, `<A>` and `<a.b>` use the variable */
        if (end && (!(c >= 'a' && c <= 'z') ||
                    memchr(js->src + qn_js_at(js, n)->start, '.', end - qn_js_at(js, n)->start)))
                qn_js_log(js, n);
        return n;
}

/* A string as HTML has it: up to the same quote, over line ends.  The current token is =. */
static uint32_t string_value(struct qn_js *js, const uint8_t *p)
{
        uint32_t n = qn_js_node(js, QN_JS_STRING, qn_js_off(js, p));
        const uint8_t *q = memchr(p + 1, *p, (size_t)(js->end - p - 1));

        if (!q) {
                qn_js_lex_bad(js, p, js->end, "string is not closed");
                return qn_js_fail(js, "");
        }
        js->t.end = qn_js_at(js, n)->end = qn_js_off(js, q + 1);
        js->p = q + 1;
        qn_js_next(js);
        return n;
}

/* { expression }, { ...expression } or { }: leaves the closing brace as the current token. */
static uint32_t container(struct qn_js *js)
{
        uint8_t around = js->around;
        uint32_t e;

        js->around = 0;
        qn_js_next(js);
        if (qn_js_is(js, T(RBRACE)))
                e = qn_js_empty(js);
        else
                e = qn_js_is(js, T(ELLIPSIS)) ? qn_js_spread(js) : qn_js_expr(js);
        js->around = around;
        if (!qn_js_is(js, T(RBRACE)))
                qn_js_fail(js, "expected '}'");
        return e;
}

static uint32_t attribute_value(struct qn_js *js)
{
        const uint8_t *p = qn_js_lex_blank(js, js->p);
        uint32_t e;

        if (p && (*p == '"' || *p == '\''))
                return string_value(js, p);
        qn_js_next(js);
        if (qn_js_is(js, T(LBRACE))) {
                e = container(js);
                qn_js_expect(js, T(RBRACE));
                return e;
        }
        return qn_js_is(js, T(LT)) ? qn_js_jsx(js)
                                   : qn_js_fail(js, "expected an attribute's value");
}

static uint32_t attribute(struct qn_js *js)
{
        uint32_t n, end, start = js->t.start;

        if (qn_js_is(js, T(LBRACE))) {
                qn_js_next(js);
                if (!qn_js_is(js, T(ELLIPSIS)))
                        return qn_js_fail(js, "expected '...'");
                n = qn_js_spread(js);
                qn_js_expect(js, T(RBRACE));
                return n;
        }
        n = qn_js_node(js, QN_JS_JSX_ATTR, start);
        end = skip_name(js, false);
        if (end)
                qn_js_at(js, n)->val = qn_js_intern(
                        js, (struct qn_str){ (const char *)js->src + start, end - start });
        qn_js_child_of(js, n, qn_js_is(js, T(ASSIGN)) ? attribute_value(js) : qn_js_empty(js));
        qn_js_at(js, n)->end = end;
        if (qn_js_at(js, qn_js_at(js, n)->first)->type != QN_JS_EMPTY)
                qn_js_finish(js, n);
        return n;
}

/* Text up to the next < or {, which becomes the current token. */
static void text(struct qn_js *js, struct qn_js_list *l)
{
        const uint8_t *start = js->src + js->t.end, *p = start;
        uint32_t n;

        for (;; p++) {
                p = qn_js_scan(p, '<', '{', '{');
                if (*p == '<' || *p == '{' || (*p == 0 && p >= js->end))
                        break;
        }
        if (p > start) {
                n = qn_js_node(js, QN_JS_JSX_TEXT, qn_js_off(js, start));
                qn_js_at(js, n)->end = qn_js_off(js, p);
                qn_js_push(js, l, n);
        }
        js->p = p;
        if (*p != '<') {
                qn_js_next(js);
                return;
        }
        js->prev_end = js->t.end;
        js->t = (struct qn_js_token){ .type = T(LT),
                                      .start = qn_js_off(js, p),
                                      .end = qn_js_off(js, p) + 1 };
        js->p = p + 1;
}

/* </name>: leaves > as the current token. */
static void closing_tag(struct qn_js *js, uint32_t name)
{
        const struct qn_js_node *n;
        uint32_t start, end;

        qn_js_next(js); /* the slash */
        start = js->t.start;
        end = is_name(js) ? skip_name(js, true) : start;
        n = qn_js_at(js, name);
        if (end - start != n->end - n->start ||
            memcmp(js->src + start, js->src + n->start, end - start) != 0)
                qn_js_fail(js, "tag is closed by another's name");
        if (!cut_to(js, '>'))
                qn_js_fail(js, "expected '>'");
}

static uint32_t element(struct qn_js *js, uint32_t start);

/* Children up to and with the closing tag. */
static void children(struct qn_js *js, struct qn_js_list *l, uint32_t name)
{
        for (;;) {
                text(js, l);
                if (qn_js_is(js, T(LBRACE))) {
                        qn_js_push(js, l, container(js));
                } else if (!qn_js_is(js, T(LT))) {
                        qn_js_fail(js, "element is not closed");
                } else {
                        uint32_t start = js->t.start;

                        qn_js_next(js);
                        if (cut_to(js, '/'))
                                return closing_tag(js, name);
                        qn_js_push(js, l, element(js, start));
                }
                if (js->panic)
                        return;
        }
}

/* From the token after <, which stands at start; leaves the last > as the current token. */
static uint32_t element(struct qn_js *js, uint32_t start)
{
        uint32_t n = qn_js_node(js, QN_JS_JSX_ELEMENT, start), name;
        struct qn_js_list l = { 0, 0 };

        if (!qn_js_enter(js))
                return 0;
        name = is_name(js) ? element_name(js) : qn_js_empty(js);
        qn_js_push(js, &l, name);
        if (QN_UNLIKELY(js->types))
                qn_js_type_params(js);
        while (is_name(js) || qn_js_is(js, T(LBRACE)))
                qn_js_push(js, &l, attribute(js));
        if (cut_to(js, '/')) {
                qn_js_next(js);
                if (!cut_to(js, '>'))
                        qn_js_fail(js, "expected '>'");
        } else if (cut_to(js, '>')) {
                children(js, &l, name);
        } else {
                qn_js_fail(js, "expected '>'");
        }
        qn_js_leave(js);
        qn_js_child_of(js, n, l.first);
        qn_js_at(js, n)->end = js->t.end;
        return n;
}

uint32_t qn_js_jsx(struct qn_js *js)
{
        uint32_t start = js->t.start, n;

        qn_js_next(js);
        n = element(js, start);
        if (js->panic)
                return 0;
        js->ast.jsx = true;
        qn_js_next(js);
        return n;
}
