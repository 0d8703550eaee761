#include "observe/imprint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "observe/popular.h"
#include "observe/scan-priv.h"
#include "parse/js.h"
#include "parse/pkgjson.h"

#define SMALL    64u                          /* bytes of a file that any package may have */
#define KEEP_JS  ((size_t)8 << 20)            /* memory kept from one file to the next */
#define TOLD_MAX QN_IMPRINT_FILES_MAX / 4 * 3 /* places for files in which something was observed */

struct seen {
        uint64_t content, path;
        bool told; /* something was observed in it */
};

struct qn_imprinter {
        const struct qn_observers *o;
        struct qn_js *js;
        struct qn_sketcher sketcher;
        struct seen *files;
        size_t n;
};

int qn_imprinter_new(const struct qn_observers *o, struct qn_imprinter **ret)
{
        struct qn_imprinter *m = calloc(1, sizeof *m);

        if (!m)
                return -ENOMEM;
        m->o = o;
        m->js = qn_js_new();
        m->files = calloc(QN_IMPRINT_SEEN_MAX, sizeof *m->files);
        if (!m->js || !m->files) {
                qn_imprinter_free(m);
                return -ENOMEM;
        }
        *ret = m;
        return 0;
}

struct qn_imprinter *qn_imprinter_free(struct qn_imprinter *m)
{
        if (!m)
                return NULL;
        qn_js_free(m->js);
        free(m->files);
        free(m);
        return NULL;
}

uint64_t qn_imprint_path(struct qn_str path)
{
        path = qn_str_skip(path, qn_str_starts(path, "./") ? 2 : 0);
        return qn_hash64(path.p, path.n);
}

void qn_imprinter_begin(struct qn_imprinter *m)
{
        qn_sketcher_init(&m->sketcher);
        m->n = 0;
}

int qn_imprinter_file(struct qn_imprinter *m, struct qn_str path, struct qn_str content)
{
        int r = qn_sketch_file(&m->sketcher, m->js, path, content);

        qn_js_trim(m->js, KEEP_JS);
        if (r < 0 || m->n == QN_IMPRINT_SEEN_MAX || content.n < SMALL || qn_sketch_is_common(path))
                return r;
        m->files[m->n++] = (struct seen){ .content = qn_hash64(content.p, content.n),
                                          .path = qn_imprint_path(path) };
        return 0;
}

/* --- the choice --- */

static int cmp_hash(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* By path, for the search; by content, for the choice. */
static int cmp_path(const void *a, const void *b)
{
        const struct seen *x = a, *y = b;

        return cmp_hash(&x->path, &y->path);
}

static int cmp_choice(const void *a, const void *b)
{
        const struct seen *x = a, *y = b;
        int c = cmp_hash(&x->content, &y->content);

        return c ? c : cmp_path(a, b);
}

static void mark_told(struct qn_imprinter *m, struct qn_str path)
{
        const struct seen want = { .path = qn_imprint_path(path) };
        struct seen *f = bsearch(&want, m->files, m->n, sizeof *f, cmp_path);

        if (f)
                f->told = true;
}

/* A file that a hook runs is told of, too, though nothing was seen in it. */
static void mark_all_told(struct qn_imprinter *m, const struct qn_event_set *set)
{
        qsort(m->files, m->n, sizeof *m->files, cmp_path);
        for (size_t i = 0; i < set->n_files; i++)
                mark_told(m, set->files[i]);
        for (size_t i = 0; i < set->n; i++)
                if (set->events[i].kind == QN_EVENT_INSTALL_HOOK)
                        mark_told(m, qn_event_get(&set->events[i], QN_ATTR_TARGET));
}

static void choose(const struct qn_imprinter *m, bool told, size_t max, struct qn_imprint *ret)
{
        for (size_t i = 0; i < m->n && ret->n_files < max; i++)
                if (m->files[i].told == told)
                        ret->files[ret->n_files++] =
                                (struct qn_imprint_file){ m->files[i].content, m->files[i].path };
}

static bool matters(const struct qn_imprinter *m, const struct qn_pkgjson_dep *d)
{
        return (d->block == QN_DEP_PROD || d->block == QN_DEP_OPTIONAL) &&
               qn_popular_rank(m->o->popular, d->name) == SIZE_MAX;
}

/* The least ones, in order and each once. */
static void choose_deps(const struct qn_imprinter *m, const struct qn_pkgjson *p,
                        struct qn_imprint *ret)
{
        uint64_t *list = ret->deps;
        size_t n = 0;

        for (size_t i = 0; i < p->n_deps; i++) {
                uint64_t h = qn_hash64(p->deps[i].name.p, p->deps[i].name.n);
                size_t at = 0;

                if (!matters(m, &p->deps[i]))
                        continue;
                while (at < n && list[at] < h)
                        at++;
                if (at == QN_IMPRINT_DEPS_MAX || (at < n && list[at] == h))
                        continue;
                n = QN_MIN(n + 1, (size_t)QN_IMPRINT_DEPS_MAX);
                memmove(list + at + 1, list + at, (n - 1 - at) * sizeof *list);
                list[at] = h;
        }
        ret->n_deps = n;
}

void qn_imprinter_finish(struct qn_imprinter *m, const struct qn_event_set *set,
                         const struct qn_pkgjson *manifest, struct qn_imprint *ret)
{
        *ret = (struct qn_imprint){ .n_files = 0 };
        qn_sketch_finish(&m->sketcher, &ret->sketch);
        mark_all_told(m, set);
        qsort(m->files, m->n, sizeof *m->files, cmp_choice);
        choose(m, true, TOLD_MAX, ret);
        choose(m, false, QN_IMPRINT_FILES_MAX, ret);
        if (manifest)
                choose_deps(m, manifest, ret);
}
