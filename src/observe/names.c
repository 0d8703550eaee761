#include "observe/names.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"

#define DIGEST_BYTES 32 /* sha256 */

struct qn_name {
        struct qn_str path;
        uint32_t next; /* name alike + 1, 0 the last */
        uint64_t size;
        const uint8_t *data;   /* content in memory, or NULL */
        const uint8_t *digest; /* copy, or NULL */
};

void qn_names_init(struct qn_names *names)
{
        *names = (struct qn_names){ .arena = QN_ARENA_INIT(QN_NAMES_MAX) };
}

void qn_names_reset(struct qn_names *names)
{
        struct qn_arena a = names->arena;

        qn_arena_reset(&a, (size_t)1 << 20);
        *names = (struct qn_names){ .arena = a };
}

void qn_names_done(struct qn_names *names)
{
        qn_arena_done(&names->arena);
        *names = (struct qn_names){ 0 };
}

static bool has_upper(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] >= 'A' && s.p[i] <= 'Z')
                        return true;
        return false;
}

/* path in lower case: path itself when it is. */
static struct qn_str fold(struct qn_names *names, struct qn_str path)
{
        char *p;

        if (!has_upper(path))
                return path;
        p = qn_arena_alloc(&names->arena, path.n);
        for (size_t i = 0; p && i < path.n; i++)
                p[i] = path.p[i] >= 'A' && path.p[i] <= 'Z' ? (char)(path.p[i] | 0x20) : path.p[i];
        return (struct qn_str){ p, path.n };
}

static bool same_content(const struct qn_name *n, const struct qn_name_content *c)
{
        if (n->size != c->size)
                return false;
        if (n->data && c->data.p)
                return memcmp(n->data, c->data.p, (size_t)c->size) == 0;
        return n->digest && c->digest && memcmp(n->digest, c->digest, DIGEST_BYTES) == 0;
}

static int store(struct qn_names *names, struct qn_str path, const struct qn_name_content *c)
{
        uint8_t *digest = NULL;
        int r = QN_ARENA_ROOM(&names->arena, names->list, names->n, names->cap);

        if (r < 0)
                return r;
        if (c->digest) {
                digest = qn_arena_alloc(&names->arena, DIGEST_BYTES);
                if (!digest)
                        return -ENOBUFS;
                memcpy(digest, c->digest, DIGEST_BYTES);
        }
        names->list[names->n++] = (struct qn_name){
                .path = path, .size = c->size, .data = c->data.p, .digest = digest
        };
        return 0;
}

/* Compares with the names alike, the first of which is `at`: a clash, and ret_last for linking. */
static int compare(struct qn_names *names, uint32_t at, struct qn_str path,
                   const struct qn_name_content *c, struct qn_name **ret_last)
{
        enum qn_name_clash found = QN_NAME_NEW;

        for (unsigned i = 0; i < QN_NAMES_ALIKE_MAX; i++) {
                struct qn_name *n = &names->list[at];
                bool same = same_content(n, c);

                if (qn_str_eq(n->path, path))
                        return same ? QN_NAME_AGAIN : QN_NAME_CONFLICT;
                if (!same)
                        found = QN_NAME_CASE;
                *ret_last = n;
                if (n->next == 0)
                        return found;
                at = n->next - 1;
        }
        return -ENOBUFS;
}

int qn_names_add(struct qn_names *names, struct qn_str path, const struct qn_name_content *c)
{
        struct qn_str own = qn_arena_dup(&names->arena, path), key;
        struct qn_name *last = NULL;
        uint32_t first;
        int r, clash = QN_NAME_NEW;

        if (!own.p)
                return -ENOBUFS;
        key = fold(names, own);
        if (!key.p)
                return -ENOBUFS;
        r = qn_map_add(&names->folded, &names->arena, key, (uint32_t)names->n, &first);
        if (r < 0)
                return r;
        if (r == 1) {
                clash = compare(names, first, own, c, &last);
                if (clash < 0 || clash == QN_NAME_AGAIN || clash == QN_NAME_CONFLICT)
                        return clash;
        }
        if (last)
                last->next = (uint32_t)names->n + 1;
        r = store(names, own, c);
        return r < 0 ? r : clash;
}
