#include "parse/changes.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/packument.h"

bool qn_change_is_id(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr("-_.:", s.p[i]))
                        return false;
        return s.n && s.n <= QN_OSV_ID_MAX && s.p[0] != '.';
}

/* The list of all ecosystems puts each id below its own: "npm/MAL-2025-1". */
static bool take_line(struct qn_str line, struct qn_change *ret)
{
        struct qn_str time = qn_str_cut(&line, ',');

        line = qn_str_base(line);
        *ret = (struct qn_change){ .id = line, .time_ms = qn_time_parse(time) };
        return ret->time_ms != QN_TIME_NONE && qn_change_is_id(line);
}

static int cmp_id(const void *pa, const void *pb)
{
        const struct qn_change *a = pa, *b = pb;
        int c = qn_str_cmp(a->id, b->id);

        return c ? c : (a->time_ms < b->time_ms) - (a->time_ms > b->time_ms);
}

static int cmp_time(const void *pa, const void *pb)
{
        const struct qn_change *a = pa, *b = pb;

        return a->time_ms != b->time_ms ? (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms)
                                        : qn_str_cmp(a->id, b->id);
}

static void order(struct qn_changes *c)
{
        size_t to = 0;

        if (!c->n)
                return;
        qsort(c->v, c->n, sizeof *c->v, cmp_id);
        for (size_t i = 0; i < c->n; i++)
                if (!to || !qn_str_eq(c->v[to - 1].id, c->v[i].id))
                        c->v[to++] = c->v[i];
        c->n = to;
        qsort(c->v, c->n, sizeof *c->v, cmp_time);
}

int qn_changes_parse(struct qn_cur in, int64_t since_ms, struct qn_arena *a, struct qn_changes *ret,
                     struct qn_err *reterr)
{
        struct qn_changes c = { .newest_ms = QN_TIME_NONE };
        struct qn_str rest = qn_cur_rest(&in);
        size_t cap = 0;

        while (rest.p) {
                struct qn_str line = qn_str_trim(qn_str_cut(&rest, '\n'));
                struct qn_change one;

                if (!line.n)
                        continue;
                if (!take_line(line, &one)) {
                        c.skipped++;
                        continue;
                }
                c.listed++;
                if (c.newest_ms == QN_TIME_NONE || one.time_ms > c.newest_ms)
                        c.newest_ms = one.time_ms;
                if (since_ms != QN_TIME_NONE && one.time_ms < since_ms)
                        continue;
                if (c.n == QN_CHANGES_MAX)
                        return qn_fail(reterr, -EFBIG, 0, "more than %u records changed",
                                       QN_CHANGES_MAX);
                if (QN_ARENA_ROOM(a, c.v, c.n, cap) < 0)
                        return qn_fail(reterr, -ENOBUFS, 0,
                                       "the list of changes needs too much memory");
                c.v[c.n++] = one;
        }
        if (!c.listed)
                return qn_fail(reterr, -EINVAL, 0,
                               "no list of changed records: no line is \"time,id\"");
        order(&c);
        *ret = c;
        return 0;
}
