/* js-scope.c - scopes, declarations, and which declaration each name means.
 * While parsing, a log notes in source order where scopes begin and end and which nodes are names in use; declarations hang
 * on their scopes.  At the end one pass over the log, with the present binding of every name at hand, resolves them all in
 * linear time.  An arrow function's scope begins before it is known to be one: its place in the log is kept free. */
#include "parse/js-impl.h"

/* --- while parsing --- */

static uint32_t new_scope(struct qn_js *js, unsigned kind, uint32_t node, uint32_t mark)
{
        uint32_t s = js->scopes.n;

        if (!QN_JS_ROOM(js, scopes) || !QN_JS_ROOM(js, lists))
                return 0;
        js->scopes.p[js->scopes.n++] = (struct qn_js_scope){ .node = node, .kind = (uint8_t)kind };
        js->lists.p[js->lists.n++] = (struct qn_js_decl_list){ 0, 0 };
        js->log.p[mark] = QN_JS_LOG_ENTER | s;
        js->nodes.p[node].val = s;
        return s;
}

void qn_js_scope_open(struct qn_js *js, struct qn_js_open *o, unsigned kind, uint32_t node)
{
        *o = (struct qn_js_open){ .up = js->open,
                                  .up_fn = js->open_fn,
                                  .mark = js->log.n,
                                  .node = node,
                                  .kind = (uint8_t)kind };
        qn_js_log(js, 0);
        js->open = o;
}

void qn_js_scope_open_fn(struct qn_js *js, struct qn_js_open *o, uint32_t node, uint32_t mark)
{
        *o = (struct qn_js_open){
                .up = js->open, .up_fn = js->open_fn, .mark = mark, .node = node
        };
        if (!js->fatal)
                o->scope = new_scope(js, QN_JS_SCOPE_FUNCTION, node, mark);
        js->open = js->open_fn = o;
}

void qn_js_scope_close(struct qn_js *js, struct qn_js_open *o)
{
        if (o->scope)
                qn_js_log(js, QN_JS_LOG_LEAVE);
        js->open = o->up;
        js->open_fn = o->up_fn;
}

uint32_t qn_js_scope_number(struct qn_js *js, struct qn_js_open *o)
{
        if (!o->scope && !js->fatal)
                o->scope = new_scope(js, o->kind, o->node, o->mark);
        return o->scope;
}

static void declare_in(struct qn_js *js, struct qn_js_open *o, uint32_t ident,
                       struct qn_js_declare d)
{
        uint32_t scope = qn_js_scope_number(js, o), i = js->decls.n;
        struct qn_js_decl_list *l = &js->lists.p[scope];

        if (!scope || !QN_JS_ROOM(js, decls))
                return;
        js->decls.p[js->decls.n++] = (struct qn_js_decl){
                .node = ident, .parent = d.parent, .kind = d.kind, .how = d.how
        };
        if (l->last)
                js->decls.p[l->last].next = i;
        else
                l->first = i;
        l->last = i;
}

void qn_js_declare(struct qn_js *js, uint32_t ident, struct qn_js_declare d)
{
        declare_in(js, d.kind == QN_JS_B_VAR ? js->open_fn : js->open, ident, d);
        if (d.kind == QN_JS_B_FUNCTION && js->open != js->open_fn && !js->strict &&
            d.how == QN_JS_DECL_PLAIN) {
                d.how = QN_JS_DECL_HOISTED;
                declare_in(js, js->open_fn, ident, d);
        }
}

/* --- afterwards --- */

struct walk {
        struct qn_js *js;
        uint32_t scope; /* the one being walked */
        uint32_t withs; /* bodies of `with` around it */
};

/* Whether the declaration gives its binding a value (a second `var x;` does not). */
static bool has_value(const struct qn_js *js, const struct qn_js_decl *d)
{
        const struct qn_js_node *parent = &js->nodes.p[d->parent];

        if (parent->type != QN_JS_DECLARATOR)
                return d->kind != QN_JS_B_PARAM;
        return d->how == QN_JS_DECL_LOOP ||
               js->nodes.p[js->nodes.p[parent->first].next].type != QN_JS_EMPTY;
}

/* A further declaration of a name in the same scope. */
static void merge(struct qn_js *js, struct qn_js_binding *b, bool own_name,
                  const struct qn_js_decl *d)
{
        if (d->how == QN_JS_DECL_HOISTED && b->kind != QN_JS_B_VAR && b->kind != QN_JS_B_FUNCTION)
                return;
        if (own_name) { /* of a function expression: hidden by what is declared inside */
                b->decl = d->node;
                b->parent = d->parent;
                b->kind = d->kind;
        } else if (has_value(js, d)) {
                b->writes++;
        }
}

static bool add_binding(struct walk *w, const struct qn_js_decl *d)
{
        struct qn_js *js = w->js;
        uint32_t atom = js->nodes.p[d->node].val, cur = js->current.p[atom], b = js->bindings.n;

        if (cur && js->bindings.p[cur].scope == w->scope) {
                const struct qn_js_node *parent = &js->nodes.p[js->bindings.p[cur].parent];
                bool own_name = parent->type == QN_JS_FUNCTION && parent->val == w->scope;

                merge(js, &js->bindings.p[cur], own_name, d);
                if (d->how == QN_JS_DECL_LOOP)
                        js->bindings.p[cur].writes++;
                if (d->how != QN_JS_DECL_HOISTED)
                        js->nodes.p[d->node].first = cur;
                return true;
        }
        if (!QN_JS_ROOM(js, bindings) || !QN_JS_ROOM(js, undo))
                return false;
        js->bindings.p[js->bindings.n++] = (struct qn_js_binding){
                .atom = atom,
                .scope = w->scope,
                .decl = d->node,
                .parent = d->parent,
                .kind = d->kind,
                .writes = d->how == QN_JS_DECL_LOOP,
        };
        js->undo.p[js->undo.n++] = cur; /* what leave() puts back */
        js->current.p[atom] = b;
        if (d->how != QN_JS_DECL_HOISTED)
                js->nodes.p[d->node].first = b;
        return true;
}

static bool is_with(const struct qn_js *js, uint32_t scope)
{
        return js->nodes.p[js->scopes.p[scope].node].type == QN_JS_WITH;
}

/* A direct eval or a `with` makes the names of all scopes around it uncertain; stops where that is known already. */
static void mark_eval(struct qn_js *js, uint32_t scope)
{
        for (; scope && !js->scopes.p[scope].has_eval; scope = js->scopes.p[scope].parent)
                js->scopes.p[scope].has_eval = true;
}

static void mark_with(struct qn_js *js, uint32_t scope)
{
        for (; scope && !js->scopes.p[scope].has_with; scope = js->scopes.p[scope].parent)
                js->scopes.p[scope].has_with = true;
}

static bool enter(struct walk *w, uint32_t scope)
{
        struct qn_js *js = w->js;
        struct qn_js_decl_list *l = &js->lists.p[scope];
        uint32_t begin = js->bindings.n;

        js->scopes.p[scope].parent = w->scope;
        w->scope = scope;
        if (is_with(js, scope)) {
                w->withs++;
                mark_with(js, scope);
        } else if (w->withs) {
                js->scopes.p[scope].has_with = true;
        }
        for (uint32_t d = l->first; d; d = js->decls.p[d].next)
                if (!add_binding(w, &js->decls.p[d]))
                        return false;
        l->first = begin; /* from now on the range of its bindings */
        l->last = js->bindings.n;
        return true;
}

static void leave(struct walk *w)
{
        struct qn_js *js = w->js;
        const struct qn_js_decl_list *l = &js->lists.p[w->scope];

        for (uint32_t b = l->last; b > l->first; b--)
                js->current.p[js->bindings.p[b - 1].atom] = js->undo.p[--js->undo.n];
        w->withs -= is_with(js, w->scope);
        w->scope = js->scopes.p[w->scope].parent;
}

static inline void refer(struct qn_js *js, uint32_t node)
{
        struct qn_js_node *n = &js->nodes.p[node];
        struct qn_js_binding *b;

        if (n->type == QN_JS_IDENT) {
                if (n->first) /* a declaration after all: a parameter of an arrow function */
                        return;
                n->first = js->current.p[n->val];
        }
        b = &js->bindings.p[js->current.p[n->val]];
        b->reads += n->type != QN_JS_IDENT || n->op != QN_JS_REF_WRITE;
        b->writes += n->type == QN_JS_IDENT && n->op != QN_JS_REF_READ;
}

static bool make_table(struct qn_js *js)
{
        while (js->current.lim < js->atoms.n) {
                js->current.n = js->current.lim;
                if (!qn_js_grow(js, &js->current, sizeof *js->current.p))
                        return false;
        }
        memset(js->current.p, 0, js->atoms.n * sizeof *js->current.p);
        return true;
}

void qn_js_resolve(struct qn_js *js)
{
        struct walk w = { .js = js };

        if (!make_table(js))
                return;
        for (uint32_t i = 0; i < js->log.n; i++) {
                uint32_t what = js->log.p[i];

                if (QN_LIKELY(what < QN_JS_LOG_ENTER)) {
                        if (what)
                                refer(js, what);
                } else if (what == QN_JS_LOG_LEAVE) {
                        leave(&w);
                } else if (what == QN_JS_LOG_EVAL) {
                        mark_eval(js, w.scope);
                } else if (!enter(&w, what & ~QN_JS_LOG_ENTER)) {
                        return;
                }
        }
        js->bindings.p[0] = (struct qn_js_binding){}; /* counted the globals */
}
