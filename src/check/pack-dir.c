#include "check/pack-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/str.h"

#define BLOCK 512u

struct level {
        DIR *dir;
        struct dirent **names;
        int n, i;
        size_t path_len;
};

struct packer {
        int root, out;
        uint64_t bytes;
        unsigned entries;
        struct level stack[QN_PACK_DEPTH_MAX];
        unsigned depth;
        char path[QN_TAR_NAME_MAX]; /* of the entry at hand, relative to root */
        struct qn_pack_stats stats;
        struct qn_err *err;
};

/* --- writing tar (POSIX.1-2001 ustar, with a pax record for names over 100 bytes) --- */

static int put(struct packer *p, const void *data, size_t n)
{
        p->bytes += n;
        if (p->bytes > QN_PACK_MAX)
                return qn_fail(p->err, -EFBIG, 0,
                               "the directory holds more than %zu MiB: name a smaller one",
                               QN_PACK_MAX >> 20);
        return qn_io_write_fd(p->out, (struct qn_str){ data, n });
}

static int put_padding(struct packer *p, uint64_t size)
{
        static const char zero[BLOCK];

        return size % BLOCK ? put(p, zero, BLOCK - size % BLOCK) : 0;
}

static int put_header(struct packer *p, char type, const char *name, uint64_t size, unsigned mode)
{
        char h[BLOCK] = { 0 };
        unsigned sum = 0;

        memcpy(h, name, QN_MIN(strlen(name), (size_t)100));
        snprintf(h + 100, 8, "%07o", mode & 0777);
        memcpy(h + 108, "0000000", 8);
        memcpy(h + 116, "0000000", 8);
        snprintf(h + 124, 12, "%011llo", (unsigned long long)size);
        memcpy(h + 136, "00000000000", 12);
        memset(h + 148, ' ', 8);
        h[156] = type;
        memcpy(h + 257, "ustar\00000", 8);
        for (size_t i = 0; i < BLOCK; i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        return put(p, h, BLOCK);
}

/* A pax record counts its own length, digits included. */
static int put_pax_path(struct packer *p, const char *name)
{
        char record[QN_TAR_NAME_MAX + 64];
        size_t body = strlen(name) + sizeof " path=\n" - 1, total = body + 1;
        int n, r;

        for (int round = 0; round < 3; round++) {
                char digits[24];

                total = body + (size_t)snprintf(digits, sizeof digits, "%zu", total);
        }
        n = snprintf(record, sizeof record, "%zu path=%s\n", total, name);
        if (n < 0 || (size_t)n != total)
                return -ENAMETOOLONG;
        r = put_header(p, 'x', "pax", total, 0644);
        if (r == 0)
                r = put(p, record, total);
        return r == 0 ? put_padding(p, total) : r;
}

static int put_content(struct packer *p, int fd, uint64_t size)
{
        char chunk[65536];
        uint64_t left = size;

        while (left) {
                ssize_t n = read(fd, chunk, QN_MIN(left, (uint64_t)sizeof chunk));
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                /* The file shrank or failed while it was read: the archive must still have the promised length. */
                if (n <= 0) {
                        n = (ssize_t)QN_MIN(left, (uint64_t)sizeof chunk);
                        memset(chunk, 0, (size_t)n);
                }
                r = put(p, chunk, (size_t)n);
                if (r < 0)
                        return r;
                left -= (uint64_t)n;
        }
        return put_padding(p, size);
}

/* --- walking --- */

static void note_unreadable(struct packer *p)
{
        if (p->stats.unreadable++ == 0)
                snprintf(p->stats.first, sizeof p->stats.first, "%.250s", p->path);
}

static int open_beneath(struct packer *p, int flags)
{
        struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC | O_NONBLOCK),
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

        return (int)syscall(SYS_openat2, p->root, p->path, &how, sizeof how);
}

static int pack_file(struct packer *p)
{
        _cleanup_(qn_closep) int fd = open_beneath(p, O_RDONLY);
        char name[QN_TAR_NAME_MAX + 16];
        struct stat st;
        int r;

        /* A link that leads outside (EXDEV) or nowhere is not part of the package. */
        if (fd < 0 && (errno == EXDEV || errno == ENOENT || errno == ELOOP))
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0) {
                note_unreadable(p);
                return 0;
        }
        if (!S_ISREG(st.st_mode))
                return 0;
        if (++p->entries > QN_TAR_ENTRIES_MAX)
                return qn_fail(p->err, -EFBIG, 0,
                               "the directory holds more than %u files: name a smaller one",
                               QN_TAR_ENTRIES_MAX);
        snprintf(name, sizeof name, "package/%s", p->path);
        r = strlen(name) > 100 ? put_pax_path(p, name) : 0;
        if (r == 0)
                r = put_header(p, '0', name, (uint64_t)st.st_size, st.st_mode);
        if (r == 0)
                r = put_content(p, fd, (uint64_t)st.st_size);
        p->stats.files++;
        return r;
}

static bool has(int dir, const char *name)
{
        return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether the node_modules in directory parent was filled by a package manager, rather than packed with a package. */
static bool is_installed(int parent)
{
        static const char *const marks[] = {
                "node_modules/.package-lock.json",
                "node_modules/.yarn-integrity",
                "node_modules/.modules.yaml",
                "node_modules/.yarn-state.yml",
                "package-lock.json",
                "npm-shrinkwrap.json",
                "yarn.lock",
                "pnpm-lock.yaml",
                "bun.lock",
                "bun.lockb",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(marks); i++)
                if (has(parent, marks[i]))
                        return true;
        return false;
}

static int skip_names(const struct dirent *d)
{
        return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int enter(struct packer *p, int fd, size_t path_len)
{
        struct level *l = &p->stack[p->depth];
        _cleanup_(qn_closep) int own = fd;

        if (p->depth + 1 >= QN_PACK_DEPTH_MAX)
                return qn_fail(p->err, -ELOOP, 0, "directories are nested more than %u deep",
                               QN_PACK_DEPTH_MAX);
        *l = (struct level){ .path_len = path_len };
        l->n = scandirat(own, ".", &l->names, skip_names, by_bytes);
        if (l->n < 0) {
                l->n = 0;
                note_unreadable(p);
                return 0;
        }
        l->dir = fdopendir(own);
        if (!l->dir)
                return -errno;
        TAKE_FD(own);
        p->depth++;
        return 0;
}

static void leave(struct packer *p)
{
        struct level *l = &p->stack[--p->depth];

        for (int i = 0; i < l->n; i++)
                free(l->names[i]);
        free(l->names);
        closedir(l->dir);
}

static int visit(struct packer *p, struct level *l, const char *name)
{
        struct stat st;
        int parent = dirfd(l->dir), n, fd;

        n = snprintf(p->path + l->path_len, sizeof p->path - l->path_len, "%s%s",
                     l->path_len ? "/" : "", name);
        if (n < 0 || (size_t)n >= sizeof p->path - l->path_len)
                return qn_fail(p->err, -ENAMETOOLONG, 0, "a path is longer than %u bytes",
                               QN_TAR_NAME_MAX);
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                note_unreadable(p);
                return 0;
        }
        if (!S_ISDIR(st.st_mode))
                return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? pack_file(p) : 0;
        if (strcmp(name, ".git") == 0)
                return 0;
        if (strcmp(name, "node_modules") == 0 && is_installed(parent)) {
                p->stats.installed = true;
                return 0;
        }
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
                note_unreadable(p);
                return 0;
        }
        return enter(p, fd, l->path_len + (size_t)n);
}

static int walk(struct packer *p)
{
        int r = 0;

        while (r == 0 && p->depth) {
                struct level *l = &p->stack[p->depth - 1];

                if (l->i == l->n)
                        leave(p);
                else
                        r = visit(p, l, l->names[l->i++]->d_name);
        }
        while (p->depth)
                leave(p);
        return r;
}

static int finish(struct packer *p)
{
        static const char end[2 * BLOCK];
        int r = put(p, end, sizeof end);

        if (r < 0)
                return r;
        if (fcntl(p->out, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
            0)
                return -errno;
        return lseek(p->out, 0, SEEK_SET) < 0 ? -errno : 0;
}

int qn_pack_dir(const char *path, int *ret_fd, struct qn_pack_stats *ret, struct qn_err *reterr)
{
        _cleanup_(qn_freep) struct packer *p = calloc(1, sizeof *p);
        _cleanup_(qn_closep) int root = -1, out = -1;
        int r, again;

        if (!p)
                return -ENOMEM;
        root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return qn_fail(reterr, -errno, 0, "cannot open the directory: %s", strerror(errno));
        out = memfd_create("qanat-directory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        again = fcntl(root, F_DUPFD_CLOEXEC, 0);
        if (out < 0 || again < 0)
                return -errno;
        p->root = root;
        p->out = out;
        p->err = reterr;
        r = enter(p, again, 0);
        if (r == 0)
                r = walk(p);
        if (r == 0)
                r = finish(p);
        if (r < 0)
                return r;
        *ret = p->stats;
        *ret_fd = TAKE_FD(out);
        return 0;
}

int qn_pack_open(const char *path, int *ret_fd, struct qn_err *reterr)
{
        struct qn_pack_stats stats = { 0 };
        struct stat st;
        int fd, r;

        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
                r = qn_pack_dir(path, &fd, &stats, reterr);
        } else {
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                r = fd < 0 ? -errno : 0;
        }
        if (r == 0)
                *ret_fd = fd;
        return r;
}

int qn_pack_read(const char *path, struct qn_buf *ret)
{
        _cleanup_(qn_closep) int fd = -1;
        struct qn_err err = { 0 };
        int r = qn_pack_open(path, &fd, &err);

        return r < 0 ? r : qn_io_read_fd(fd, ret);
}
