#include "observe/shorten.h"

#include <errno.h>

#include "base/arena.h"
#include "base/runs.h"
#include "observe/js-units.h"

#define BODY_MIN 24u /* bytes of a body that is worth leaving out */
#define PART     8u  /* less than this part of the text is not worth it */

struct cut {
        size_t from, to; /* in the text before */
};

struct work {
        const struct qn_js_units *units;
        struct qn_runs runs; /* a: before, b: now */
        struct cut *cuts;
        size_t n, cap, bytes;
        struct qn_arena *tmp;
        bool *known;
};

/* Where bytes of the new text lie in the one before; *run is the one to begin with, and is moved on. */
static bool find(const struct work *w, size_t *run, size_t from, size_t to, struct cut *ret)
{
        const struct qn_run *r;

        while (*run < w->runs.n && w->runs.v[*run].b + w->runs.v[*run].n <= from)
                ++*run;
        if (*run == w->runs.n)
                return false;
        r = &w->runs.v[*run];
        if (from < r->b || to > r->b + r->n)
                return false;
        *ret = (struct cut){ r->a + (from - r->b), r->a + (to - r->b) };
        return true;
}

/* Marks a function and the units in it, which follow it; returns the one behind them. */
static uint32_t mark(struct work *w, uint32_t function)
{
        const struct qn_js_unit *v = w->units->v;
        uint32_t i = function;

        while (i < w->units->n && v[i].start < v[function].end)
                w->known[i++] = true;
        return i;
}

/* Outer functions first: what lies in one whose body is left out is not looked at. */
static int choose(struct work *w)
{
        const struct qn_js_unit *v = w->units->v;
        size_t run = 0;

        for (uint32_t i = 0; i < w->units->n;) {
                struct cut cut;

                if (!v[i].block || v[i].end - v[i].block < BODY_MIN ||
                    !find(w, &run, v[i].start, v[i].end, &cut)) {
                        i++;
                        continue;
                }
                if (QN_ARENA_ROOM(w->tmp, w->cuts, w->n, w->cap) < 0)
                        return -ENOBUFS;
                cut.from += v[i].block - v[i].start;
                w->cuts[w->n++] = cut;
                w->bytes += cut.to - cut.from - 2;
                i = mark(w, i);
        }
        return 0;
}

static int write_out(const struct work *w, struct qn_str before, struct qn_arena *a,
                     struct qn_shortened *ret)
{
        char *out = qn_arena_alloc(a, before.n - w->bytes + 1);
        uint32_t *blocks = qn_arena_calloc(a, w->n + 1, sizeof *blocks);
        size_t n = 0, from = 0;

        if (!out || !blocks)
                return -ENOBUFS;
        for (size_t i = 0; i < w->n; i++) {
                size_t keep = w->cuts[i].from - from;

                memcpy(out + n, before.p + from, keep);
                n += keep;
                blocks[i] = (uint32_t)n;
                out[n++] = '{';
                out[n++] = '}';
                from = w->cuts[i].to;
        }
        memcpy(out + n, before.p + from, before.n - from);
        *ret = (struct qn_shortened){ { out, n + before.n - from }, blocks, (uint32_t)w->n };
        return 0;
}

int qn_shorten(struct qn_str before, struct qn_str now, const struct qn_js_units *units,
               bool *known, struct qn_arena *a, struct qn_arena *tmp, struct qn_shortened *ret)
{
        struct work w = { .units = units, .tmp = tmp, .known = known };
        int r = qn_runs(before, now, tmp, &w.runs);

        if (r == 0)
                r = choose(&w);
        if (r == 0 && w.bytes && w.bytes >= before.n / PART) {
                r = write_out(&w, before, a, ret);
                if (r == 0)
                        return 1;
        }
        memset(known, 0, units->n * sizeof *known);
        return r;
}

bool qn_shortened_holds(const struct qn_shortened *s, const struct qn_js_units *units)
{
        uint32_t found = 0;

        /* Functions come in the order of their beginnings, not of their bodies: one in a parameter's default ends before the body
         * of the one around it begins. */
        for (uint32_t i = 0; i < units->n; i++) {
                uint32_t low = 0, high = s->n, at = units->v[i].block;

                if (!at || units->v[i].end != at + 2)
                        continue;
                while (low < high) {
                        uint32_t mid = low + (high - low) / 2;

                        if (s->blocks[mid] < at)
                                low = mid + 1;
                        else
                                high = mid;
                }
                found += low < s->n && s->blocks[low] == at;
        }
        return found == s->n;
}
