/* Which functions run when the file is loaded, and a first, coarse data flow: what a variable was ever given, it carries.
 * It holds within one file, knows no order and no functions' results but those of the table. */
#include "observe/js-priv.h"

#define ROUNDS    4
#define NODES_MAX 400u /* of one expression */
#define DEPTH_MAX 12u

/* --- functions --- */

static void add_call(struct qn_js_file *j, uint32_t *first, uint32_t *next, uint32_t edge)
{
        uint32_t from = j->calls[edge].from;

        next[edge] = first[from];
        first[from] = edge + 1;
}

/* The number of the function whose node it is. */
static uint32_t function_of(const struct qn_js_file *j, uint32_t node)
{
        uint32_t scope = qn_jsn(j, node)->val;

        return scope < j->ast->n_scopes ? j->func_of[scope] : 0;
}

void qn_jso_reach(struct qn_js_file *j)
{
        uint32_t *first = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *first);
        uint32_t *next = qn_arena_calloc(j->a, j->n_calls + 1, sizeof *next);
        uint32_t *child = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *child);
        uint32_t *sibling = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *sibling);
        uint32_t *stack = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *stack);
        size_t n = 0;

        if (!first || !next || !child || !sibling || !stack) {
                j->lost = true;
                return;
        }
        for (uint32_t i = 0; i < j->n_calls; i++)
                add_call(j, first, next, i);
        for (uint32_t i = 1; i < j->n_funcs; i++)
                if (j->funcs[i].inherits) {
                        sibling[i] = child[j->funcs[i].parent];
                        child[j->funcs[i].parent] = i;
                }
        stack[n++] = 0;
        while (n) {
                uint32_t f = stack[--n];

                for (uint32_t c = child[f]; c; c = sibling[c])
                        if (!j->funcs[c].loads) {
                                j->funcs[c].loads = true;
                                stack[n++] = c;
                        }
                for (uint32_t e = first[f]; e; e = next[e - 1]) {
                        uint32_t to = function_of(j, j->calls[e - 1].to);

                        if (to && !j->funcs[to].loads) {
                                j->funcs[to].loads = true;
                                stack[n++] = to;
                        }
                }
        }
}

/* --- labels of an expression --- */

struct sum {
        struct qn_js_file *j;
        unsigned left; /* nodes that may still be looked at */
};

static uint64_t labels_of(struct sum *s, uint32_t node, unsigned depth);

static uint64_t labels_of_children(struct sum *s, uint32_t node, unsigned depth)
{
        uint64_t labels = 0;

        for (uint32_t c = qn_jso_first(s->j, node); c; c = qn_jsn(s->j, c)->next)
                labels |= labels_of(s, c, depth + 1);
        return labels;
}

static uint64_t labels_of_env(const struct qn_js_file *j, const struct qn_js_val *v)
{
        int label = v->exact ? qn_classify_env(&j->s->o->classes, v->str) : -1;

        if (!v->exact)
                return QN_LABEL_BIT(ENV);
        return label < 0 ? 0 : UINT64_C(1) << label;
}

/* What reading a file gives: its content, and what the place stands for. */
static uint64_t labels_of_call(struct sum *s, uint32_t node, uint32_t index)
{
        const struct qn_js_api *api = &s->j->apis->list[index];
        uint64_t labels = api->labels;

        for (unsigned i = 0; i < api->n_roles; i++) {
                uint32_t arg = qn_jso_arg(s->j, node, i);
                struct qn_js_val v = qn_jso_eval(s->j, arg, 0);
                const struct qn_path_class *class;

                if (api->roles[i] == QN_ROLE_PATH && v.kind == QN_VAL_STRING) {
                        class = qn_classify_path(&s->j->s->o->classes, v.str);
                        labels |= class ? UINT64_C(1) << class->label : 0;
                }
                if (api->roles[i] == QN_ROLE_COMMAND && v.kind == QN_VAL_STRING) {
                        struct qn_command_host quiet = { 0 };
                        struct qn_command_sum sum;

                        if (qn_command_observe(s->j->s->o->commands, v.str, s->j->a, &quiet,
                                               &sum) == 0)
                                labels |= sum.labels;
                }
        }
        return labels;
}

static struct qn_js_val value_of(struct qn_js_file *j, uint32_t node)
{
        return qn_jso_is_plain(j, node) ? (struct qn_js_val){ 0 } : qn_jso_eval(j, node, 0);
}

static uint64_t labels_of(struct sum *s, uint32_t node, unsigned depth)
{
        struct qn_js_file *j = s->j;
        struct qn_js_val v;
        uint64_t labels;

        if (!node || depth > DEPTH_MAX || !s->left)
                return 0;
        s->left--;
        switch (qn_jsn(j, node)->type) {
        case QN_JS_STRING:
        case QN_JS_NUMBER:
        case QN_JS_FUNCTION:
        case QN_JS_CLASS:
                return 0;
        case QN_JS_IDENT:
                labels =
                        qn_jsn(j, node)->first && j->labels ? j->labels[qn_jsn(j, node)->first] : 0;
                v = value_of(j, node);
                break;
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
                v = value_of(j, node);
                labels = v.kind == QN_VAL_ENV || v.kind == QN_VAL_API
                                 ? 0
                                 : labels_of(s, qn_jsn(j, node)->first, depth + 1);
                break;
        case QN_JS_CALL:
        case QN_JS_NEW:
                v = value_of(j, qn_jsn(j, node)->first);
                labels = v.kind == QN_VAL_API ? labels_of_call(s, node, v.api) : 0;
                v = (struct qn_js_val){ 0 };
                labels |= labels_of_children(s, node, depth);
                break;
        default:
                v = (struct qn_js_val){ 0 };
                labels = labels_of_children(s, node, depth);
        }
        labels |= v.labels;
        if (v.kind == QN_VAL_ENV)
                labels |= labels_of_env(j, &v);
        if (v.kind == QN_VAL_API && j->apis->list[v.api].is == QN_IS_ENV)
                labels |= QN_LABEL_BIT(ENV);
        return labels;
}

uint64_t qn_jso_labels(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        struct sum s = { j, NODES_MAX };

        return labels_of(&s, node, depth);
}

/* --- flow between variables --- */

static bool give(struct qn_js_file *j, uint32_t binding, uint64_t labels)
{
        if (!binding || binding >= j->ast->n_bindings || (labels & ~j->labels[binding]) == 0)
                return false;
        j->labels[binding] |= labels;
        return true;
}

/* Every variable that a pattern declares or an assignment's target begins with. */
static bool give_target(struct qn_js_file *j, uint32_t target, uint64_t labels, unsigned depth)
{
        const struct qn_js_node *n = qn_jsn(j, target);
        bool changed = false;

        if (!target || depth > 8)
                return false;
        switch (n->type) {
        case QN_JS_IDENT:
                return give(j, n->first, labels);
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
        case QN_JS_DEFAULT:
        case QN_JS_SPREAD:
                return give_target(j, n->first, labels, depth + 1);
        case QN_JS_PROPERTY:
                return give_target(j, qn_js_child(j->ast, target, 1), labels, depth + 1);
        case QN_JS_ARRAY:
        case QN_JS_OBJECT:
        case QN_JS_PARAMS:
                for (uint32_t c = n->first; c; c = qn_jsn(j, c)->next)
                        changed |= give_target(j, c, labels, depth + 1);
                return changed;
        default:
                return false;
        }
}

/* list.push(secret); fs.readFile(path, (err, data) => …); .then(data => …); send(secret) */
static bool flow_call(struct qn_js_file *j, uint32_t node)
{
        uint32_t callee = qn_jso_strip(j, qn_jsn(j, node)->first);
        struct qn_js_val f = value_of(j, callee);
        uint64_t all = qn_jso_labels(j, node, 0);
        bool changed = false;

        if (!all)
                return false;
        if (f.kind != QN_VAL_API && qn_jsn(j, callee)->type == QN_JS_MEMBER) {
                uint64_t args = 0;

                for (uint32_t a = qn_jso_arg(j, node, 0); a; a = qn_jsn(j, a)->next)
                        args |= qn_jso_labels(j, a, 0);
                changed |= args && give_target(j, qn_jsn(j, callee)->first, args, 0);
        }
        for (uint32_t a = qn_jso_arg(j, node, 0); a; a = qn_jsn(j, a)->next)
                if (qn_jsn(j, a)->type == QN_JS_FUNCTION)
                        changed |= give_target(j, qn_js_child(j->ast, a, 1), all, 0);
        if (f.kind == QN_VAL_NODE && qn_jsn(j, f.node)->type == QN_JS_FUNCTION) {
                uint32_t params = qn_js_child(j->ast, f.node, 1),
                         p = params ? qn_jsn(j, params)->first : 0;

                for (uint32_t a = qn_jso_arg(j, node, 0); a && p;
                     a = qn_jsn(j, a)->next, p = qn_jsn(j, p)->next)
                        changed |= give_target(j, p, qn_jso_labels(j, a, 0), 0);
        }
        return changed;
}

static bool flow_round(struct qn_js_file *j)
{
        bool changed = false;

        for (uint32_t i = 1; i < j->ast->n_nodes; i++) {
                const struct qn_js_node *n = &j->ast->nodes[i];

                if (!n->first)
                        continue;
                if (n->type == QN_JS_DECLARATOR || n->type == QN_JS_ASSIGN) {
                        uint64_t labels = qn_jso_labels(j, qn_jsn(j, n->first)->next, 0);

                        changed |= labels && give_target(j, n->first, labels, 0);
                } else if (n->type == QN_JS_FOR_OF || n->type == QN_JS_FOR_IN) {
                        uint32_t left = n->first, right = qn_jsn(j, left)->next;
                        uint64_t labels = qn_jso_labels(j, right, 0);

                        if (labels && qn_jsn(j, left)->type == QN_JS_VAR && qn_jsn(j, left)->first)
                                left = qn_jsn(j, qn_jsn(j, left)->first)->first;
                        changed |= labels && give_target(j, left, labels, 0);
                } else if (n->type == QN_JS_CALL) {
                        changed |= flow_call(j, i);
                }
        }
        return changed;
}

/* What somebody would steal, and what somebody would run. */
#define LOOT                                                                  \
        (~(QN_LABEL_BIT(FILE) | QN_LABEL_BIT(NETWORK) | QN_LABEL_BIT(INPUT) | \
           QN_LABEL_BIT(DECODED)))
#define STAGE (QN_LABEL_BIT(NETWORK) | QN_LABEL_BIT(DECODED))

static bool is_sink(const struct qn_js_event *e)
{
        return e->data || e->target;
}

static bool runs(const struct qn_js_event *e)
{
        return e->e.kind == QN_EVENT_CODE_EVAL || e->e.kind == QN_EVENT_CODE_LOAD ||
               e->e.kind == QN_EVENT_PROC_EXEC;
}

/* Data flow is followed only where a source and a sink stand in one file. */
static bool wanted(const struct qn_js_file *j)
{
        for (size_t i = 0; i < j->n_events; i++) {
                const struct qn_js_event *e = &j->events[i];

                if (is_sink(e) && (j->sources & (runs(e) ? LOOT | STAGE : LOOT)))
                        return true;
        }
        return false;
}

static void label_events(struct qn_js_file *j)
{
        for (size_t i = 0; i < j->n_events; i++) {
                struct qn_js_event *e = &j->events[i];

                if (!is_sink(e))
                        continue;
                e->e.labels |= qn_jso_labels(j, e->data, 0) |
                               (e->target ? qn_jso_labels(j, e->target, 0) : 0);
                if (e->e.kind == QN_EVENT_NET_CONNECT && (e->e.labels & LOOT))
                        e->e.kind = QN_EVENT_NET_SEND;
                if ((e->e.kind == QN_EVENT_CODE_EVAL || e->e.kind == QN_EVENT_CODE_LOAD) &&
                    qn_str_is(qn_event_get(&e->e, QN_ATTR_VALUE), "computed")) {
                        if (e->e.labels & QN_LABEL_BIT(DECODED))
                                qn_event_attr(&e->e, QN_ATTR_VALUE, QN_STR("decoded"));
                        else if (e->e.labels & QN_LABEL_BIT(NETWORK))
                                qn_event_attr(&e->e, QN_ATTR_VALUE, QN_STR("network"));
                }
        }
}

void qn_jso_flow(struct qn_js_file *j)
{
        if (!wanted(j))
                return;
        j->labels = qn_arena_calloc(j->a, j->ast->n_bindings + 1, sizeof *j->labels);
        if (!j->labels) {
                j->lost = true;
                return;
        }
        j->budget += (size_t)j->ast->n_nodes * 4;
        for (int i = 0; i < ROUNDS && flow_round(j); i++)
                ;
        label_events(j);
}
