/* js-mem.c - memory of the JavaScript front end: arrays that are kept from file to file, under one cap.
 * The cap counts what this file made the arrays grow to, not what earlier files left: results must not depend on them. */
#include <stdlib.h>

#include "parse/js-impl.h"

#define FIRST_BYTES ((size_t)16 << 10)

struct any_vec {
        void *p;
        uint32_t n, lim, cap;
};

/* Every array with the size of its elements. */
#define VECS(X)  \
        X(nodes) \
        X(log)   \
        X(decls) X(scopes) X(lists) X(comments) X(bindings) X(current) X(undo) X(lines) X(atoms)

static size_t used(const struct qn_js *js)
{
        size_t sum = (size_t)js->atoms.lim * 2 *
                     sizeof *js->slots; /* their hash table, at its usual load */

#define X(v) sum += js->v.lim * sizeof *js->v.p;
        VECS(X)
#undef X
        return sum;
}

void qn_js_fatal(struct qn_js *js, int code, const char *msg)
{
        if (js->fatal)
                return;
        js->fatal = code;
        qn_fail(&js->ast.first_error, code, js->t.start, "%s", msg);
        js->panic = true;
        js->t.type = QN_JS_TOK_END;
        js->p = js->end;
}

bool qn_js_grow(struct qn_js *js, void *vec, size_t size)
{
        struct any_vec *v = vec;
        size_t have = used(js), left = have < QN_JS_ARENA_MAX ? QN_JS_ARENA_MAX - have : 0;
        size_t want = v->lim ? v->lim * size : FIRST_BYTES;
        void *p;

        want = QN_MIN(want, left) / size;
        if (want == 0 || js->fatal) {
                qn_js_fatal(js, -EFBIG, "syntax tree too large");
                return false;
        }
        if (v->lim + want > v->cap) {
                p = realloc(v->p, (v->lim + want) * size);
                if (!p) {
                        qn_js_fatal(js, -ENOMEM, "out of memory");
                        return false;
                }
                v->p = p;
                v->cap = v->lim + (uint32_t)want;
        }
        v->lim += (uint32_t)want;
        return true;
}

/* Forgets the last file's contents. */
void qn_js_mem_reset(struct qn_js *js)
{
#define X(v) js->v.n = js->v.lim = 0;
        VECS(X)
#undef X
        js->lines_to = 0;
}

static size_t held(const struct qn_js *js)
{
        size_t sum = js->copy_cap + js->text.total + (js->slot_mask + 1) * sizeof *js->slots;

#define X(v) sum += js->v.cap * sizeof *js->v.p;
        VECS(X)
#undef X
        return sum;
}

static void drop(void *vec)
{
        struct any_vec *v = vec;

        free(v->p);
        *v = (struct any_vec){};
}

void qn_js_trim(struct qn_js *js, size_t keep)
{
        if (held(js) <= keep)
                return;
#define X(v) drop(&js->v);
        VECS(X)
#undef X
        free(js->copy);
        js->copy = NULL;
        js->copy_cap = 0;
        qn_arena_done(&js->text);
        js->text = QN_ARENA_INIT(QN_JS_FILE_MAX * 2);
        js->ast = (struct qn_js_ast){};
}

int qn_js_copy_source(struct qn_js *js, struct qn_str source)
{
        size_t need = source.n + QN_JS_PAD;

        if (need > js->copy_cap) {
                free(js->copy);
                js->copy_cap = 0;
                js->copy = malloc(need + need / 4);
                if (!js->copy)
                        return -ENOMEM;
                js->copy_cap = need + need / 4;
        }
        if (source.n)
                memcpy(js->copy, source.p, source.n);
        memset(js->copy + source.n, 0, QN_JS_PAD);
        js->src = js->p = js->copy;
        js->end = js->copy + source.n;
        return 0;
}

struct qn_js *qn_js_new(void)
{
        _cleanup_(qn_js_freep) struct qn_js *js = calloc(1, sizeof *js);

        if (!js)
                return NULL;
        js->text = QN_ARENA_INIT(QN_JS_FILE_MAX * 2);
        if (qn_js_atoms_init(js) < 0)
                return NULL;
        return TAKE_PTR(js);
}

struct qn_js *qn_js_free(struct qn_js *js)
{
        if (!js)
                return NULL;
        qn_js_trim(js, 0);
        free(js->slots);
        free(js->fixed_slots);
        free(js);
        return NULL;
}

void qn_js_freep(struct qn_js **js)
{
        *js = qn_js_free(*js);
}
