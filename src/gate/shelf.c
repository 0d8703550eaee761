/* shelf.c - what the gate keeps on disk: tarballs by integrity, registry's documents by name.  Written beside their place and
 * renamed, so that a file is whole or not there; the least used goes when there is too much. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "gate/gate-priv.h"

static const char *const places[] = {
        [QN_CACHED_TARBALL] = "tarballs",
        [QN_CACHED_PACKUMENT] = "packuments",
};

/* CACHE/gate/tarballs/ab/cdef… */
static int path_of(const struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key,
                   char path[4096], bool dir_only)
{
        _cleanup_(qn_buf_done) struct qn_buf hex = QN_BUF_INIT(256);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r = qn_digest(QN_SHA256, key.p, key.n, digest);

        if (r < 0)
                return r;
        qn_hex_encode(&hex, digest, qn_digest_size(QN_SHA256));
        if (snprintf(path, 4096, "%s/gate/%s/%.2s%s%s", g->config->cache_dir, places[kind], hex.p,
                     dir_only ? "" : "/", dir_only ? "" : hex.p + 2) >= 4096)
                return -ENAMETOOLONG;
        return 0;
}

int qn_shelf_open(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key, int *ret,
                  struct qn_arena *a, struct qn_ledger_cached *ret_row)
{
        char path[4096];
        struct stat st;
        int r = qn_ledger_cached(&g->db, kind, key, qn_gate_now(), a, ret_row), fd;

        if (r == 0)
                r = path_of(g, kind, key, path, false);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != ret_row->size) {
                qn_closep(&fd);
                qn_shelf_drop(g, kind, key);
                return -ENOENT;
        }
        *ret = fd;
        return 0;
}

/* What it counts for now. */
static uint64_t counted(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        struct qn_ledger_cached old;

        return qn_ledger_cached(&g->db, kind, key, 0, &a, &old) == 0 ? old.size : 0;
}

/* It counts as long as it has its row, and no longer. */
static int drop(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key)
{
        uint64_t size = counted(g, kind, key);
        char path[4096];
        int r;

        if (path_of(g, kind, key, path, false) == 0)
                unlink(path);
        r = qn_ledger_uncache(&g->db, kind, key);
        if (r == 0)
                g->cache_size -= QN_MIN(g->cache_size, size);
        return r;
}

void qn_shelf_drop(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key)
{
        (void)!drop(g, kind, key);
}

static int write_file(const char *path, int from, uint64_t size)
{
        char part[4096 + 8];
        int r, to;

        snprintf(part, sizeof part, "%s.part", path);
        to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (to < 0)
                return -errno;
        r = qn_io_copy(from, to, size);
        if (close(to) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(part, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(part);
        return r;
}

/* Makes room; what is open stays readable. */
static void make_room(struct qn_gate *g)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        struct qn_ledger_cached old;

        while (g->cache_size > g->service.cache_bytes && qn_ledger_oldest(&g->db, &a, &old) == 0 &&
               drop(g, old.kind, old.key) == 0)
                qn_arena_reset(&a, 1 << 16);
}

int qn_shelf_put(struct qn_gate *g, const struct qn_ledger_cached *row, int fd, int *ret)
{
        char path[4096], dir[4096];
        uint64_t before;
        int r = path_of(g, row->kind, row->key, path, false);

        if (r == 0)
                r = path_of(g, row->kind, row->key, dir, true);
        if (r == 0)
                r = qn_io_mkdirs(dir);
        if (r == 0)
                r = write_file(path, fd, row->size);
        if (r < 0)
                return r;
        before = counted(g, row->kind, row->key);
        r = qn_ledger_cache(&g->db, row);
        if (r < 0)
                return r;
        g->cache_size += row->size - QN_MIN(g->cache_size, before);
        *ret = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (*ret < 0)
                return -errno;
        make_room(g);
        return 0;
}
