/* Programs of a package that streams: their bytes do not stay where they are, so some are copied until the machine runs. */
#include <stdlib.h>

#include "base/limits.h"
#include "observe/vm-priv.h"

static void drop(struct qn_vm_copies *c, size_t from)
{
        while (c->n > from)
                free(c->list[--c->n].text);
}

void qn_vm_copies_done(struct qn_vm_copies *c)
{
        drop(c, 0);
        free(c->list);
        *c = (struct qn_vm_copies){ 0 };
}

static int cmp_copy(const void *pa, const void *pb)
{
        const struct qn_vm_copy *a = pa, *b = pb;
        int d = (a->n > b->n) - (a->n < b->n);

        if (!d)
                d = qn_str_cmp(a->path, b->path);
        return d ? d : (a->age > b->age) - (a->age < b->age);
}

void qn_vm_copies_cut(struct qn_vm_copies *c)
{
        size_t n = 0, bytes = 0;

        if (c->bytes <= QN_VM_SOURCE_MAX)
                return;
        qsort(c->list, c->n, sizeof *c->list, cmp_copy);
        while (n < c->n && bytes + c->list[n].n <= QN_VM_SOURCE_MAX)
                bytes += c->list[n++].n;
        c->end = c->list[n];
        c->bytes = bytes;
        c->cut = true;
        drop(c, n);
        c->end.text = NULL; /* dropped with the rest */
}

static bool make_room(struct qn_vm_copies *c)
{
        size_t cap = c->cap ? c->cap * 2 : 64;
        struct qn_vm_copy *more;

        if (c->n < c->cap)
                return true;
        more = realloc(c->list, cap * sizeof *more);
        if (!more)
                return false;
        c->list = more;
        c->cap = cap;
        return true;
}

bool qn_vm_copies_add(struct qn_vm_copies *c, uint32_t file, struct qn_str path,
                      struct qn_str source)
{
        struct qn_vm_copy copy = { file, c->seen++, path, NULL, source.n };

        if (source.n > QN_VM_FILE_MAX || !source.n || (c->cut && cmp_copy(&copy, &c->end) >= 0))
                return true;
        copy.text = make_room(c) ? malloc(source.n) : NULL;
        if (!copy.text)
                return false;
        memcpy(copy.text, source.p, source.n);
        c->list[c->n++] = copy;
        c->bytes += source.n;
        if (c->bytes > 2 * QN_VM_SOURCE_MAX) /* seldom: it sorts them */
                qn_vm_copies_cut(c);
        return true;
}
