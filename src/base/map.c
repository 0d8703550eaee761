#include "base/map.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"

static size_t find_slot(const struct qn_map *m, struct qn_str key, uint64_t hash)
{
        size_t mask = m->slot_cap - 1, i = hash & mask;

        while (m->slots[i]) {
                const struct qn_map_entry *e = &m->entries[m->slots[i] - 1];

                if (e->hash == hash && qn_str_eq(e->key, key))
                        break;
                i = (i + 1) & mask;
        }
        return i;
}

uint32_t qn_map_get(const struct qn_map *m, struct qn_str key)
{
        size_t i;

        if (!m->n)
                return QN_MAP_NONE;
        i = find_slot(m, key, qn_hash64(key.p, key.n));
        return m->slots[i] ? m->entries[m->slots[i] - 1].value : QN_MAP_NONE;
}

static int grow(struct qn_map *m, struct qn_arena *a)
{
        size_t cap = m->slot_cap ? m->slot_cap * 2 : 16;
        uint32_t *slots = qn_arena_calloc(a, cap, sizeof *slots);

        if (!slots)
                return -ENOBUFS;
        m->slots = slots;
        m->slot_cap = cap;
        for (size_t i = 0; i < m->n; i++)
                slots[find_slot(m, m->entries[i].key, m->entries[i].hash)] = (uint32_t)i + 1;
        return 0;
}

int qn_map_add(struct qn_map *m, struct qn_arena *a, struct qn_str key, uint32_t value,
               uint32_t *ret_old)
{
        uint64_t hash = qn_hash64(key.p, key.n);
        size_t i;
        int r;

        if (m->n * 2 >= m->slot_cap) {
                r = grow(m, a);
                if (r < 0)
                        return r;
        }
        i = find_slot(m, key, hash);
        if (m->slots[i]) {
                if (ret_old)
                        *ret_old = m->entries[m->slots[i] - 1].value;
                return 1;
        }
        r = QN_ARENA_ROOM(a, m->entries, m->n, m->entry_cap);
        if (r < 0)
                return r;
        m->entries[m->n++] = (struct qn_map_entry){ key, hash, value };
        m->slots[i] = (uint32_t)m->n;
        return 0;
}
