#include "observe/sink.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"

#define KIND_MAX (QN_EVENTS_KIND_MAX - 2) /* room for the event that says there are more */
#define EMPTY    UINT32_MAX

void qn_sink_init(struct qn_sink *s, struct qn_arena *a)
{
        *s = (struct qn_sink){ .a = a };
}

void qn_sink_reset(struct qn_sink *s)
{
        struct qn_sink keep = { .a = s->a, .slots = s->slots, .slot_cap = s->slot_cap };

        if (s->slots)
                memset(s->slots, 0xff, s->slot_cap * sizeof *s->slots);
        *s = keep;
}

void qn_sink_done(struct qn_sink *s)
{
        free(s->slots);
        *s = (struct qn_sink){ 0 };
}

static int add_file(struct qn_sink *s, struct qn_str path)
{
        struct qn_str copy = qn_arena_dup(s->a, path);

        if (!copy.p || QN_ARENA_ROOM(s->a, s->files, s->n_files, s->files_cap) < 0 ||
            qn_map_add(&s->index, s->a, copy, (uint32_t)s->n_files, NULL) < 0)
                return -1;
        s->files[s->n_files] = copy;
        return (int)s->n_files++;
}

void qn_sink_file(struct qn_sink *s, struct qn_str path)
{
        uint32_t i;

        memset(s->per_kind, 0, sizeof s->per_kind);
        if (s->slots && s->file_first < s->n)
                memset(s->slots, 0xff, s->slot_cap * sizeof *s->slots);
        s->file_first = s->n;
        s->file = QN_FILE_NONE;
        if (!path.n)
                return;
        i = qn_map_get(&s->index, path);
        if (i == QN_MAP_NONE) {
                int n = add_file(s, path);

                if (n < 0) {
                        s->full = true;
                        return;
                }
                i = (uint32_t)n;
        }
        s->file = i;
}

static uint64_t identity(const struct qn_event *e)
{
        uint64_t h = ((uint64_t)e->kind << 8 | e->phase) * UINT64_C(0x9e3779b97f4a7c15);

        for (size_t i = 0; i < qn_event_n_identity(e); i++) {
                h ^= qn_hash64(e->values[i].p, e->values[i].n) + e->keys[i];
                h = (h << 23 | h >> 41) * UINT64_C(0x9e3779b97f4a7c15);
        }
        return h;
}

static bool same(const struct qn_event *a, const struct qn_event *b)
{
        size_t n = qn_event_n_identity(a);

        if (a->kind != b->kind || a->phase != b->phase || n != qn_event_n_identity(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (a->keys[i] != b->keys[i] || !qn_str_eq(a->values[i], b->values[i]))
                        return false;
        return true;
}

static int grow_slots(struct qn_sink *s)
{
        size_t cap = s->slot_cap ? s->slot_cap * 2 : 256;
        uint32_t *slots = malloc(cap * sizeof *slots);

        if (!slots)
                return -1;
        memset(slots, 0xff, cap * sizeof *slots);
        for (size_t i = s->file_first; i < s->n; i++) {
                size_t at = s->list[i].hash & (cap - 1);

                while (slots[at] != EMPTY)
                        at = (at + 1) & (cap - 1);
                slots[at] = (uint32_t)i;
        }
        free(s->slots);
        s->slots = slots;
        s->slot_cap = cap;
        return 0;
}

/* The slot of an equal event, or the empty one where it belongs. */
static uint32_t *find_slot(struct qn_sink *s, const struct qn_event *e, uint64_t hash)
{
        size_t at = hash & (s->slot_cap - 1);

        while (s->slots[at] != EMPTY) {
                const struct qn_pending *p = &s->list[s->slots[at]];

                if (p->hash == hash && same(&p->e, e))
                        break;
                at = (at + 1) & (s->slot_cap - 1);
        }
        return &s->slots[at];
}

static bool copy_strings(struct qn_sink *s, struct qn_event *e)
{
        for (size_t i = 0; i < e->n_attrs; i++) {
                e->values[i] = qn_arena_dup(s->a, e->values[i]);
                if (!e->values[i].p)
                        return false;
        }
        if (e->text.n) {
                e->text = qn_arena_dup(s->a, qn_str_take(e->text, QN_ATTR_MAX));
                return e->text.p != NULL;
        }
        return true;
}

/* Kept is the event that tells how its data came there, then the one at the earliest place. */
static bool is_earlier(const struct qn_event *e, const struct qn_event *old)
{
        bool flow = qn_event_get(e, QN_ATTR_FLOW).n, old_flow = qn_event_get(old, QN_ATTR_FLOW).n;

        return flow != old_flow ? flow : e->off < old->off;
}

static bool take_place(struct qn_sink *s, struct qn_event *old, const struct qn_event *e)
{
        struct qn_str flow = qn_event_get(e, QN_ATTR_FLOW);

        old->off = e->off;
        old->line = e->line;
        old->column = e->column;
        old->n_attrs = (uint8_t)qn_event_n_identity(old);
        if (flow.n) {
                flow = qn_arena_dup(s->a, flow);
                qn_event_attr(old, QN_ATTR_FLOW, flow);
        }
        old->text = qn_str_take(e->text, QN_ATTR_MAX);
        if (old->text.n)
                old->text = qn_arena_dup(s->a, old->text);
        return old->text.p || !e->text.n;
}

static void count_again(struct qn_sink *s, struct qn_event *old, const struct qn_event *e)
{
        if (__builtin_add_overflow(old->count, e->count, &old->count))
                old->count = UINT32_MAX;
        old->labels |= e->labels;
        old->fresh = QN_MAX(old->fresh, e->fresh);
        if (is_earlier(e, old) && !take_place(s, old, e))
                s->full = true;
}

uint32_t qn_sink_add(struct qn_sink *s, const struct qn_event *in)
{
        struct qn_event e = *in;
        uint32_t *slot;
        uint64_t hash;

        e.file = s->file;
        hash = identity(&e);
        if ((s->n - s->file_first) * 2 >= s->slot_cap && grow_slots(s) < 0) {
                s->full = true;
                return QN_SINK_NONE;
        }
        slot = find_slot(s, &e, hash);
        if (*slot == EMPTY && s->per_kind[e.kind] >= KIND_MAX) {
                e.n_attrs = 0;
                qn_event_attr(&e, QN_ATTR_DETAIL, QN_STR("more"));
                hash = identity(&e);
                slot = find_slot(s, &e, hash);
        }
        if (*slot != EMPTY) {
                count_again(s, &s->list[*slot].e, &e);
                return *slot;
        }
        if (QN_ARENA_ROOM(s->a, s->list, s->n, s->cap) < 0 || !copy_strings(s, &e)) {
                s->full = true;
                return QN_SINK_NONE;
        }
        s->per_kind[e.kind]++;
        *slot = (uint32_t)s->n;
        s->list[s->n++] = (struct qn_pending){ e, hash };
        return *slot;
}
