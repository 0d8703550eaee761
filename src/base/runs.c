/* Both texts are compared from the front; where they part, b is searched for a place that a has, too, and the comparison goes
 * on from there.  Places are where the bytes themselves say so, one in some dozens: those of a stand in a table. */
#include "base/runs.h"

#include <errno.h>

#include "base/arena.h"

#define KEY      16u /* bytes that decide */
#define EVERY    5u  /* one in 1 << EVERY offsets is a place */
#define RUN_MIN  32u
#define TRIES    16u  /* places with the same key that are looked at */
#define JUMP     256u /* for so many bytes left out, a run must be a byte longer */
#define WORK_MIN ((uint64_t)64 << 10)
#define NO_PLACE UINT32_MAX
#define TEXT_MAX ((size_t)1 << 30)

struct search {
        struct qn_str a, b;
        size_t at_a, at_b;
        uint32_t *places, n_places; /* of a: offsets */
        uint32_t *heads, *next;     /* places by their key, in ascending order */
        size_t mask;
        uint64_t work; /* bytes that may still be compared in vain */
        struct qn_arena *arena;
        struct qn_runs *ret;
};

static uint64_t word(const char *p)
{
        uint64_t w;

        memcpy(&w, p, sizeof w);
        return w;
}

static uint64_t key_of(const char *p)
{
        uint64_t h = (word(p) ^ word(p + 8) * UINT64_C(0xc2b2ae3d27d4eb4f)) *
                     UINT64_C(0x9e3779b97f4a7c15);

        return h ^ h >> 29;
}

static bool is_place(uint64_t key)
{
        return !(key >> (64 - EVERY));
}

/* How many bytes are the same, up to max. */
static size_t same_ahead(const char *a, const char *b, size_t max)
{
        size_t i = 0;

        while (i + 8 <= max && word(a + i) == word(b + i))
                i += 8;
        while (i < max && a[i] == b[i])
                i++;
        return i;
}

static size_t same_behind(const char *a, const char *b, size_t max)
{
        size_t i = 0;

        while (i < max && a[-1 - (ptrdiff_t)i] == b[-1 - (ptrdiff_t)i])
                i++;
        return i;
}

static int add_run(struct search *s, size_t a, size_t b, size_t n)
{
        struct qn_runs *r = s->ret;

        if (QN_ARENA_ROOM(s->arena, r->v, r->n, r->cap) < 0)
                return -ENOBUFS;
        r->v[r->n++] = (struct qn_run){ a, b, n };
        s->at_a = a + n;
        s->at_b = b + n;
        return 0;
}

static int find_places(struct search *s)
{
        size_t cap = 0, n = 0;

        for (size_t i = s->at_a; i + KEY <= s->a.n; i++) {
                if (!is_place(key_of(s->a.p + i)))
                        continue;
                if (QN_ARENA_ROOM(s->arena, s->places, n, cap) < 0)
                        return -ENOBUFS;
                s->places[n++] = (uint32_t)i;
        }
        s->n_places = (uint32_t)n;
        return 0;
}

static int index_places(struct search *s)
{
        size_t cap = 64;

        if (find_places(s) < 0)
                return -ENOBUFS;
        while (cap < (size_t)s->n_places * 2)
                cap *= 2;
        s->heads = qn_arena_alloc(s->arena, cap * sizeof *s->heads);
        s->next = qn_arena_alloc(s->arena, ((size_t)s->n_places + 1) * sizeof *s->next);
        if (!s->heads || !s->next)
                return -ENOBUFS;
        memset(s->heads, 0xff, cap * sizeof *s->heads);
        s->mask = cap - 1;
        for (uint32_t i = s->n_places; i-- > 0;) {
                uint32_t *head = &s->heads[key_of(s->a.p + s->places[i]) & s->mask];

                s->next[i] = *head;
                *head = i;
        }
        return 0;
}

/* Whether what begins in a at `from` stands in b at `at`, enough of it to leave out what stands before. */
static bool fits(struct search *s, size_t from, size_t at)
{
        size_t want = RUN_MIN + (from - s->at_a) / JUMP, same = 0;

        if (want <= s->a.n - from && want <= s->b.n - at)
                same = same_ahead(s->a.p + from, s->b.p + at, want);
        s->work -= QN_MIN(s->work, (uint64_t)same + 8);
        return same == want;
}

/* The next place of a that stands in b at `at`. */
static uint32_t place_at(struct search *s, uint64_t key, size_t at)
{
        uint32_t *head = &s->heads[key & s->mask], i;

        while (*head != NO_PLACE && s->places[*head] < s->at_a) /* never again */
                *head = s->next[*head];
        i = *head;
        for (unsigned n = 0; n < TRIES && i != NO_PLACE; n++, i = s->next[i])
                if (fits(s, s->places[i], at))
                        return s->places[i];
        return NO_PLACE;
}

/* Finds where the texts meet again: 1, 0 nowhere. */
static int meet(struct search *s)
{
        for (size_t at = s->at_b; at + KEY <= s->b.n && s->work; at++) {
                uint64_t key = key_of(s->b.p + at);
                size_t a = is_place(key) ? place_at(s, key, at) : NO_PLACE, back;

                if (a == NO_PLACE)
                        continue;
                back = same_behind(s->a.p + a, s->b.p + at, QN_MIN(a - s->at_a, at - s->at_b));
                s->at_a = a - back;
                s->at_b = at - back;
                return 1;
        }
        return 0;
}

int qn_runs(struct qn_str a, struct qn_str b, struct qn_arena *arena, struct qn_runs *ret)
{
        struct search s = {
                .a = a, .b = b, .arena = arena, .ret = ret, .work = WORK_MIN + 8 * (a.n + b.n)
        };
        int r = 1;

        *ret = (struct qn_runs){ 0 };
        if (!a.n || !b.n || a.n > TEXT_MAX || b.n > TEXT_MAX)
                return 0;
        while (r == 1) {
                size_t n =
                        same_ahead(a.p + s.at_a, b.p + s.at_b, QN_MIN(a.n - s.at_a, b.n - s.at_b));

                r = n ? add_run(&s, s.at_a, s.at_b, n) : 0;
                if (r == 0 && !s.heads && QN_MIN(a.n - s.at_a, b.n - s.at_b) >= RUN_MIN)
                        r = index_places(&s);
                if (r == 0)
                        r = s.heads ? meet(&s) : 0;
        }
        return r;
}
