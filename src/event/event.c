/* event.c - building sets of events: equal ones are merged, floods are capped, the seal makes one order. */
#include "event/event.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"

/* kind, phase, layer, n_attrs, file; then key and length before each value. */
#define IDENTITY_MAX (8 + QN_EVENT_ATTRS * (3 + QN_ATTR_MAX))

void qn_event_set_init(struct qn_event_set *s, struct qn_arena *a)
{
        *s = (struct qn_event_set){ .arena = a };
}

/* Copies text as valid UTF-8 (bad bytes become U+FFFD), cut at max, never inside a sequence: what is stored can be written
 * as JSON and read back without a change. */
static size_t copy_text(char *to, struct qn_str s, size_t max)
{
        size_t n = 0;

        while (s.n) {
                size_t run = QN_MIN(qn_utf8_ascii_run(s), max - n), used;
                uint32_t cp;

                if (run)
                        memcpy(to + n, s.p, run);
                n += run;
                s = qn_str_skip(s, run);
                if (!s.n || n == max)
                        break;
                used = qn_utf8_next(s, &cp);
                if (used == 1 && max - n >= 3) {
                        memcpy(to + n, "\xef\xbf\xbd", 3);
                        n += 3;
                } else if (used > 1 && used <= max - n) {
                        memcpy(to + n, s.p, used);
                        n += used;
                } else {
                        break;
                }
                s = qn_str_skip(s, used);
        }
        return n;
}

static struct qn_str dup_text(struct qn_arena *a, struct qn_str s, size_t max)
{
        char *p;

        if (!s.n)
                return (struct qn_str){ NULL, 0 };
        p = qn_arena_alloc(a, QN_MIN(qn_utf8_valid(s) ? s.n : s.n * 3, max));
        if (!p)
                return (struct qn_str){ NULL, 0 };
        return (struct qn_str){ p, copy_text(p, s, max) };
}

uint32_t qn_event_set_file(struct qn_event_set *s, struct qn_str path)
{
        uint32_t i = qn_map_get(&s->file_index, path);
        struct qn_str copy;
        int r;

        if (i != QN_MAP_NONE)
                return i;
        if (s->n_files >= QN_FILE_NONE - 1 ||
            QN_ARENA_ROOM(s->arena, s->files, s->n_files, s->files_cap) < 0)
                return QN_FILE_NONE;
        copy = dup_text(s->arena, path, QN_TAR_NAME_MAX);
        if (path.n && !copy.p)
                return QN_FILE_NONE;
        r = qn_map_add(&s->file_index, s->arena, copy, (uint32_t)s->n_files, &i);
        if (r < 0)
                return QN_FILE_NONE;
        if (r == 1) /* two names that differ in broken bytes only */
                return i;
        s->files[s->n_files] = copy;
        return (uint32_t)s->n_files++;
}

struct qn_event qn_event_make(enum qn_event_kind kind, enum qn_layer layer, uint32_t file)
{
        return (struct qn_event){ .kind = (uint8_t)kind,
                                  .layer = (uint8_t)layer,
                                  .phase = QN_PHASE_CALL,
                                  .file = file,
                                  .count = 1 };
}

static struct qn_str cut_text(struct qn_str s, size_t max)
{
        if (s.n <= max)
                return s;
        while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
                max--;
        return qn_str_take(s, max);
}

size_t qn_event_attr_max(enum qn_attr key)
{
        return key == QN_ATTR_FLOW ? QN_FLOW_MAX : QN_ATTR_MAX;
}

void qn_event_attr(struct qn_event *e, enum qn_attr key, struct qn_str value)
{
        size_t i = 0;

        if (!value.n)
                return;
        value = cut_text(value, qn_event_attr_max(key));
        while (i < e->n_attrs && e->keys[i] < key)
                i++;
        if (i == e->n_attrs || e->keys[i] != key) {
                if (key != QN_ATTR_FLOW && qn_event_n_identity(e) == QN_EVENT_ATTRS - 1)
                        return;
                memmove(e->keys + i + 1, e->keys + i, e->n_attrs - i);
                memmove(e->values + i + 1, e->values + i, (e->n_attrs - i) * sizeof *e->values);
                e->n_attrs++;
        }
        e->keys[i] = (uint8_t)key;
        e->values[i] = value;
}

struct qn_str qn_event_get(const struct qn_event *e, enum qn_attr key)
{
        for (size_t i = 0; i < e->n_attrs; i++)
                if (e->keys[i] == key)
                        return e->values[i];
        return (struct qn_str){ NULL, 0 };
}

/* What makes two events equal, as bytes; the values in it are what the stored event points to. */
static size_t identity(const struct qn_event *e, char *to, uint16_t *lengths)
{
        size_t n = 8, n_attrs = qn_event_n_identity(e);

        memcpy(to, (char[]){ (char)e->kind, (char)e->phase, (char)e->layer, (char)n_attrs }, 4);
        memcpy(to + 4, &e->file, 4);
        for (size_t i = 0; i < n_attrs; i++) {
                lengths[i] = (uint16_t)copy_text(to + n + 3, e->values[i], QN_ATTR_MAX);
                to[n] = (char)e->keys[i];
                memcpy(to + n + 1, &lengths[i], 2);
                n += 3 + (size_t)lengths[i];
        }
        return n;
}

static void set_flow(struct qn_event *e, struct qn_str flow)
{
        e->n_attrs = (uint8_t)qn_event_n_identity(e);
        if (flow.n)
                qn_event_attr(e, QN_ATTR_FLOW, flow);
}

static void take_place(struct qn_event *to, const struct qn_event *from)
{
        to->off = from->off;
        to->line = from->line;
        to->column = from->column;
        to->text = from->text;
        set_flow(to, qn_event_get(from, QN_ATTR_FLOW));
}

/* The event that tells how its data came there is preferred, then the one at the earliest place. */
static bool earlier(const struct qn_event *a, const struct qn_event *b)
{
        struct qn_str fa = qn_event_get(a, QN_ATTR_FLOW), fb = qn_event_get(b, QN_ATTR_FLOW);
        int c;

        if (!fa.n != !fb.n)
                return fa.n > 0;
        if (a->off != b->off)
                return a->off < b->off;
        c = qn_str_cmp(a->text, b->text);
        return (c ? c : qn_str_cmp(fa, fb)) < 0;
}

static void count_again(struct qn_event *to, const struct qn_event *from)
{
        if (__builtin_add_overflow(to->count, from->count, &to->count))
                to->count = UINT32_MAX;
        to->labels |= from->labels;
        to->fresh = QN_MAX(to->fresh, from->fresh);
}

/* The counter of a kind in a file; NULL at the arena's cap. */
static uint16_t *kind_counter(struct qn_event_set *s, const struct qn_event *e)
{
        size_t row = e->file == QN_FILE_NONE ? 0 : (size_t)e->file + 1;

        if (row >= s->counts_cap) {
                size_t cap = QN_MAX(row + 1, s->counts_cap * 2);
                uint16_t **counts =
                        qn_arena_grow(s->arena, s->counts, s->counts_cap, cap, sizeof *counts);

                if (!counts)
                        return NULL;
                memset(counts + s->counts_cap, 0, (cap - s->counts_cap) * sizeof *counts);
                s->counts = counts;
                s->counts_cap = cap;
        }
        if (!s->counts[row])
                s->counts[row] = qn_arena_calloc(s->arena, QN_EVENT_MAX, sizeof **s->counts);
        return s->counts[row] ? s->counts[row] + e->kind : NULL;
}

/* What an event shows to people, copied. */
static void copy_pictures(struct qn_event_set *s, const struct qn_event *e, struct qn_event *to)
{
        to->text = dup_text(s->arena, e->text, QN_ATTR_MAX);
        set_flow(to, dup_text(s->arena, qn_event_get(e, QN_ATTR_FLOW), QN_FLOW_MAX));
}

static int add_again(struct qn_event_set *s, struct qn_event *old, const struct qn_event *e)
{
        struct qn_event now = *e;

        count_again(old, e);
        if (e->off > old->off && !qn_event_get(e, QN_ATTR_FLOW).n)
                return 0;
        copy_pictures(s, e, &now);
        if (earlier(&now, old))
                take_place(old, &now);
        return 0;
}

static int add_new(struct qn_event_set *s, const struct qn_event *e, struct qn_str id,
                   const uint16_t *lengths)
{
        uint16_t *counter = s->n < QN_EVENTS_MAX ? kind_counter(s, e) : NULL;
        struct qn_event *to;
        size_t at = 8;

        if (!counter || *counter >= QN_EVENTS_KIND_MAX ||
            QN_ARENA_ROOM(s->arena, s->events, s->n, s->cap) < 0)
                return -ENOBUFS;
        id = qn_arena_dup(s->arena, id);
        if (!id.p || qn_map_add(&s->seen, s->arena, id, (uint32_t)s->n, NULL) < 0)
                return -ENOBUFS;
        to = &s->events[s->n++];
        *to = *e;
        for (size_t i = 0; i < qn_event_n_identity(e); i++) {
                to->values[i] = (struct qn_str){ id.p + at + 3, lengths[i] };
                at += 3 + (size_t)lengths[i];
        }
        copy_pictures(s, e, to);
        *counter += 1;
        return 0;
}

int qn_event_add(struct qn_event_set *s, const struct qn_event *e)
{
        char key[IDENTITY_MAX];
        uint16_t lengths[QN_EVENT_ATTRS];
        struct qn_str id = { key, identity(e, key, lengths) };
        uint32_t old = s->sealed ? QN_MAP_NONE : qn_map_get(&s->seen, id);
        int r;

        if (old != QN_MAP_NONE)
                return add_again(s, &s->events[old], e);
        r = s->sealed ? -ENOBUFS : add_new(s, e, id, lengths);
        if (r < 0)
                s->overflow = true;
        return r;
}

/* --- the seal --- */

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int cmp_attrs(const struct qn_event *a, const struct qn_event *b)
{
        size_t na = qn_event_n_identity(a), nb = qn_event_n_identity(b);

        for (size_t i = 0; i < na && i < nb; i++) {
                int c = CMP(a->keys[i], b->keys[i]);

                if (c == 0)
                        c = qn_str_cmp(a->values[i], b->values[i]);
                if (c != 0)
                        return c;
        }
        return CMP(na, nb);
}

/* Equal events side by side. */
static int cmp_identity(const void *pa, const void *pb)
{
        const struct qn_event *a = pa, *b = pb;
        int c = CMP(a->file, b->file);

        if (c == 0)
                c = CMP(a->kind, b->kind);
        if (c == 0)
                c = CMP(a->phase, b->phase);
        if (c == 0)
                c = CMP(a->layer, b->layer);
        return c ? c : cmp_attrs(a, b);
}

/* The order that readers see: by place. */
static int cmp_canonical(const void *pa, const void *pb)
{
        const struct qn_event *a = pa, *b = pb;
        int c = CMP(a->file, b->file);

        if (c == 0)
                c = CMP(a->off, b->off);
        return c ? c : cmp_identity(a, b);
}

static void merge_equal(struct qn_event_set *s)
{
        size_t n = 0;

        qsort(s->events, s->n, sizeof *s->events, cmp_identity);
        for (size_t i = 0; i < s->n; i++) {
                struct qn_event *last = n ? &s->events[n - 1] : NULL;

                if (!last || cmp_identity(last, &s->events[i]) != 0) {
                        s->events[n++] = s->events[i];
                        continue;
                }
                count_again(last, &s->events[i]);
                if (earlier(&s->events[i], last))
                        take_place(last, &s->events[i]);
        }
        s->n = n;
}

struct numbered {
        struct qn_str path;
        uint32_t old;
};

static int cmp_path(const void *a, const void *b)
{
        return qn_str_cmp(((const struct numbered *)a)->path, ((const struct numbered *)b)->path);
}

/* Files that no event names go; the others are numbered in order of their paths. */
static int renumber_files(struct qn_event_set *s)
{
        struct numbered *list = qn_arena_calloc(s->arena, s->n_files, sizeof *list);
        uint32_t *to = qn_arena_alloc(s->arena, s->n_files * sizeof *to);
        size_t n = 0;

        if (!list || !to)
                return -ENOBUFS;
        memset(to, 0xff, s->n_files * sizeof *to);
        for (size_t i = 0; i < s->n; i++)
                if (s->events[i].file < s->n_files)
                        to[s->events[i].file] = 0;
                else
                        s->events[i].file = QN_FILE_NONE;
        for (size_t i = 0; i < s->n_files; i++)
                if (to[i] == 0)
                        list[n++] = (struct numbered){ s->files[i], (uint32_t)i };
        if (n)
                qsort(list, n, sizeof *list, cmp_path);
        for (size_t i = 0; i < n; i++) {
                to[list[i].old] = (uint32_t)i;
                s->files[i] = list[i].path;
        }
        s->n_files = n;
        for (size_t i = 0; i < s->n; i++)
                if (s->events[i].file != QN_FILE_NONE)
                        s->events[i].file = to[s->events[i].file];
        return 0;
}

/* A set that could not hold everything says so itself: the judge then cannot call the package clean. */
static int note_overflow(struct qn_event_set *s)
{
        struct qn_event e = qn_event_make(QN_EVENT_UNANALYSED, QN_LAYER_STATIC, QN_FILE_NONE);

        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("events"));
        qn_event_attr(&e, QN_ATTR_DETAIL,
                      QN_STR("there is more in this package than one set of events may hold"));
        if (QN_ARENA_ROOM(s->arena, s->events, s->n, s->cap) < 0) {
                if (!s->n)
                        return -ENOBUFS;
                s->n--; /* the statement matters more than the last event */
        }
        s->events[s->n++] = e;
        return 0;
}

int qn_event_set_seal(struct qn_event_set *s)
{
        int r;

        if (s->sealed)
                return 0;
        if (s->overflow) {
                r = note_overflow(s);
                if (r < 0)
                        return r;
        }
        if (s->n_files) {
                r = renumber_files(s);
                if (r < 0)
                        return r;
        }
        if (s->n > 1) {
                merge_equal(s);
                qsort(s->events, s->n, sizeof *s->events, cmp_canonical);
        }
        for (size_t i = 0; i < s->n; i++)
                s->events[i].count = QN_MAX(s->events[i].count, 1u);
        s->sealed = true;
        return 0;
}

bool qn_event_set_says(const struct qn_event_set *s, enum qn_event_kind kind, const char *what)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->events[i].kind == kind &&
                    qn_str_is(qn_event_get(&s->events[i], QN_ATTR_WHAT), what))
                        return true;
        return false;
}
