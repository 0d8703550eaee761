/* Assignments, text, arithmetic and properties that mean something by their shape. */
#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "observe/js-priv.h"
#include "observe/literal-shape.h"
#include "parse/js-tok.h"
#include "parse/wallet.h"

/* --- assignments --- */

static bool is_off(struct qn_js_file *j, uint32_t value)
{
        struct qn_js_val v = qn_jso_eval(j, value, 0);

        return (v.kind == QN_VAL_STRING && qn_str_is(v.str, "0")) ||
               (v.kind == QN_VAL_NUMBER && v.number == 0);
}

static bool is_function_like(struct qn_js_file *j, uint32_t value)
{
        struct qn_js_val v = qn_jso_eval(j, value, 0);
        unsigned type = qn_jsn(j, qn_jso_strip(j, value))->type;

        if (v.kind == QN_VAL_NODE)
                return qn_jsn(j, v.node)->type == QN_JS_FUNCTION ||
                       qn_jsn(j, v.node)->type == QN_JS_CLASS;
        return type == QN_JS_NEW || type == QN_JS_CALL; /* new Proxy(fetch, …), wrap(fetch) */
}

void qn_jso_assign(struct qn_js_file *j, uint32_t node)
{
        uint32_t target = qn_jsn(j, node)->first, value = target ? qn_jsn(j, target)->next : 0;
        const struct qn_js_api *api;
        struct qn_js_val v;
        struct qn_event e;

        if (!value ||
            (qn_jsn(j, target)->type != QN_JS_MEMBER && qn_jsn(j, target)->type != QN_JS_INDEX &&
             !(qn_jsn(j, target)->type == QN_JS_IDENT && !qn_jsn(j, target)->first)))
                return;
        v = qn_jso_eval(j, target, 0);
        if (v.kind == QN_VAL_ENV && qn_str_is(v.str, "NODE_TLS_REJECT_UNAUTHORIZED") &&
            is_off(j, value)) {
                e = qn_observe_make(QN_EVENT_NET_INSECURE);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("env"));
                qn_jso_emit(j, &e, node);
        }
        if (v.kind != QN_VAL_API)
                return;
        api = &j->apis->list[v.api];
        if (!api->has_assigned ||
            (api->assigned.kind == QN_EVENT_BROWSER_HOOK && !is_function_like(j, value)))
                return;
        e = qn_row_event_make(&api->assigned);
        if (qn_str_is(qn_event_get(&e, QN_ATTR_HOW), "redirect")) {
                struct qn_js_val to = qn_jso_eval(j, value, 0);

                if (!qn_jso_address(j, &e, &to))
                        return;
        }
        qn_jso_emit(j, &e, node);
}

/* --- properties --- */

void qn_jso_property_seen(struct qn_js_file *j, uint32_t node)
{
        uint32_t key = qn_jsn(j, node)->first, value = key ? qn_jsn(j, key)->next : 0;
        struct qn_event e;

        if (!value || qn_jsn(j, value)->type != QN_JS_FALSE ||
            qn_jsn(j, key)->type != QN_JS_IDENT ||
            !qn_str_is(qn_jso_atom_text(j, qn_jsn(j, key)->val), "rejectUnauthorized"))
                return;
        e = qn_observe_make(QN_EVENT_NET_INSECURE);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("rejectUnauthorized"));
        qn_jso_emit(j, &e, node);
}

/* --- arithmetic --- */

static bool is_char_code(const struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        struct qn_str name;

        if (n->type != QN_JS_CALL || !n->first || qn_jsn(j, n->first)->type != QN_JS_MEMBER)
                return false;
        name = qn_jso_atom_text(j, qn_jsn(j, n->first)->val);
        return qn_str_is(name, "charCodeAt") || qn_str_is(name, "codePointAt");
}

static bool is_modulo(const struct qn_js_file *j, uint32_t node)
{
        return node && qn_jsn(j, node)->type == QN_JS_BINARY &&
               qn_jsn(j, node)->op == QN_JS_TOK_MOD;
}

/* key[i % n], key.charCodeAt(i % n) */
static bool is_repeating_key(const struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);

        if (n->type == QN_JS_INDEX)
                return is_modulo(j, qn_jsn(j, n->first)->next);
        return is_char_code(j, node) && is_modulo(j, qn_jso_arg(j, node, 0));
}

static void decodes(struct qn_js_file *j, uint32_t node, const char *encoding)
{
        struct qn_event e = qn_observe_make(QN_EVENT_CODE_DECODE);

        qn_event_attr(&e, QN_ATTR_ENCODING, qn_str_c(encoding));
        qn_jso_emit(j, &e, node);
}

/* text.charCodeAt(i) ^ 0x5a, data[i] ^ key[i % n] */
static void look_for_xor(struct qn_js_file *j, uint32_t node)
{
        uint32_t a = qn_jsn(j, node)->first, b = qn_jsn(j, a)->next;
        bool constant = qn_jsn(j, b)->type == QN_JS_NUMBER || qn_jsn(j, a)->type == QN_JS_NUMBER;

        if (is_repeating_key(j, a) || is_repeating_key(j, b) ||
            ((is_char_code(j, a) || is_char_code(j, b)) && constant))
                decodes(j, node, "xor");
}

/* c.codePointAt(0) - 0xfe00: text in variation selectors or tags */
static void look_for_invisible(struct qn_js_file *j, uint32_t node)
{
        static const double bases[] = { 0xfe00, 0xe0100, 0xe0000, 0xe00f0, 0xe0100 - 16, 0x200b };
        uint32_t b = qn_jsn(j, qn_jsn(j, node)->first)->next;
        double v;

        if (qn_jsn(j, b)->type != QN_JS_NUMBER)
                return;
        v = qn_js_number(j->ast, b);
        for (size_t i = 0; i < QN_ARRAY_SIZE(bases); i++)
                if (v == bases[i])
                        decodes(j, node, "invisible");
}

static bool is_now(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        struct qn_str name;

        if (n->type == QN_JS_NEW && n->first && qn_jsn(j, n->first)->type == QN_JS_IDENT)
                return qn_str_is(qn_jso_atom_text(j, qn_jsn(j, n->first)->val), "Date") &&
                       !qn_jsn(j, n->first)->next;
        if (n->type != QN_JS_CALL || !n->first || qn_jsn(j, n->first)->type != QN_JS_MEMBER)
                return false;
        name = qn_jso_atom_text(j, qn_jsn(j, n->first)->val);
        return qn_str_is(name, "now") ||
               (qn_str_is(name, "getTime") && is_now(j, qn_jsn(j, n->first)->first));
}

/* Date.now() > 1790000000000, new Date() > new Date('2026-01-01') */
static void look_for_date(struct qn_js_file *j, uint32_t node)
{
        uint32_t a = qn_jsn(j, node)->first, b = qn_jsn(j, a)->next, other;
        struct qn_event e;
        struct qn_js_val v;

        if (!is_now(j, a) && !is_now(j, b))
                return;
        other = is_now(j, a) ? b : a;
        if (qn_jsn(j, other)->type == QN_JS_NEW) {
                v = qn_jso_eval(j, qn_jso_arg(j, other, 0), 0);
                if (v.kind != QN_VAL_STRING || !v.exact || v.str.n < 8 || v.str.p[0] != '2')
                        return;
        } else {
                v = qn_jso_eval(j, other, 0);
                if (v.kind != QN_VAL_NUMBER || v.number < 1.6e12 || v.number > 2.2e12)
                        return;
        }
        e = qn_observe_make(QN_EVENT_TIME_WAIT);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("date"));
        if (v.kind == QN_VAL_STRING)
                qn_event_attr(&e, QN_ATTR_VALUE, v.str);
        qn_jso_emit(j, &e, node);
}

void qn_jso_binary(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);

        if (!n->first || !qn_jsn(j, n->first)->next)
                return;
        switch (n->op) {
        case QN_JS_TOK_XOR:
                look_for_xor(j, node);
                break;
        case QN_JS_TOK_SUB:
                look_for_invisible(j, node);
                break;
        case QN_JS_TOK_LT:
        case QN_JS_TOK_GT:
        case QN_JS_TOK_LE:
        case QN_JS_TOK_GE:
                look_for_date(j, node);
                break;
        default:
                break;
        }
}

/* --- text --- */

static void look_for_address(struct qn_js_file *j, uint32_t node, struct qn_str s)
{
        switch (qn_wallet_address(s)) {
        case QN_WALLET_ETHEREUM:
                if (!j->eth++)
                        j->eth_at = node;
                break;
        case QN_WALLET_BITCOIN:
                if (!j->btc++)
                        j->btc_at = node;
                break;
        case QN_WALLET_NONE:
                break;
        }
}

static void look_for_url(struct qn_js_file *j, uint32_t node, struct qn_str s)
{
        struct qn_event e;

        if (qn_url_of_interest(&j->s->o->classes, s, &e))
                qn_jso_emit(j, &e, node);
        if (qn_known_text(&j->s->known, s, &e))
                qn_jso_emit(j, &e, node);
}

void qn_jso_string_literal(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        size_t quote = n->type == QN_JS_STRING;
        struct qn_str s;

        if (n->end - n->start < 10 || n->end - n->start > 4096)
                return;
        s = (n->flags & QN_JS_F_ESCAPED) ? qn_js_string(j->ast, node, j->a)
                                         : (struct qn_str){ j->ast->source.p + n->start + quote,
                                                            n->end - n->start - 2 * quote };
        if (s.n < 8)
                return;
        switch (s.p[0]) {
        case 'h':
        case 'w':
        case 'H':
                if (s.p[1] == 't' || s.p[1] == 's' || s.p[1] == 'T')
                        look_for_url(j, node, s);
                break;
        case '0':
        case '1':
        case '3':
        case 'T':
        case 'b':
                if (s.n >= 26 && s.n <= 62)
                        look_for_address(j, node, s);
                break;
        default:
                break;
        }
}

static void count_event(struct qn_js_file *j, const char *what, size_t count, uint32_t at)
{
        struct qn_event e = qn_observe_make(QN_EVENT_CRYPTO_ADDRESS);
        char number[24];

        if (!count)
                return;
        snprintf(number, sizeof number, "%zu", count);
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_COUNT, qn_arena_dup(j->a, qn_str_c(number)));
        qn_jso_emit(j, &e, at);
}

/* ['.aws/credentials', '.ssh/id_rsa'].map(read): a file that names secret places and reads what it puts together. */
static void look_for_listed(struct qn_js_file *j)
{
        const struct qn_path_class *class;
        bool reads = false;

        for (size_t i = 0; i < j->n_events && !reads; i++) {
                const struct qn_event *e = &j->events[i].e;
                struct qn_str path = qn_event_get(e, QN_ATTR_PATH);

                reads = (e->kind == QN_EVENT_FILE_READ || e->kind == QN_EVENT_DIR_LIST) &&
                        (!path.n || qn_str_chr(path, '*') >= 0);
        }
        for (uint32_t n = 1; reads && n < j->ast->n_nodes; n++) {
                struct qn_event e = qn_observe_make(QN_EVENT_SECRET_READ);
                struct qn_str s;

                if (qn_jsn(j, n)->type != QN_JS_STRING ||
                    qn_jsn(j, n)->end - qn_jsn(j, n)->start > 80)
                        continue;
                s = qn_js_string(j->ast, n, j->a);
                if (qn_str_starts(s, "/") && !qn_str_starts(s, "/etc") &&
                    !qn_str_starts(s, "/proc"))
                        s = qn_str_skip(s, 1);
                class = qn_classify_path(&j->s->o->classes, s);
                if (!class || class->memory)
                        continue;
                if (class->wallet)
                        e.kind = QN_EVENT_WALLET_READ;
                e.labels = UINT64_C(1) << class->label;
                qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name(class->label)));
                qn_event_attr(&e, QN_ATTR_PATH, s);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("listed"));
                qn_jso_emit(j, &e, n);
        }
}

void qn_jso_summary(struct qn_js_file *j)
{
        if (j->s->secret_literal)
                look_for_listed(j);

        count_event(j, "ethereum", j->eth, j->eth_at);
        count_event(j, "bitcoin", j->btc, j->btc_at);
}
