#include "intel/revision.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "intel/index.h"

#define TABLE_MAX ((size_t)64 << 20)

static int is_table(const struct dirent *e)
{
        struct qn_str name = qn_str_c(e->d_name);

        return qn_str_ends(name, ".yaml") || qn_str_ends(name, ".txt") ||
               qn_str_ends(name, ".json");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_file(const char *dir, const char *name, uint64_t *hash)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(TABLE_MAX);
        char path[4096];
        int r = snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path
                        ? qn_io_read(path, &b)
                        : -ENAMETOOLONG;

        if (r == 0)
                *hash = *hash * 31 + qn_hash64(b.p, b.n);
        return r;
}

static int add_dir(const char *dir, uint64_t *hash, struct qn_err *reterr)
{
        struct dirent **list = NULL;
        int n = scandir(dir, &list, is_table, by_bytes), r = n < 0 ? -errno : 0;

        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = add_file(dir, list[i]->d_name, hash);
                free(list[i]);
        }
        free(list);
        return r < 0 ? qn_fail(reterr, r, 0, "%.100s: %s", dir, strerrordesc_np(-r)) : 0;
}

/* Two builds may say that they are the same version: the program is what its file holds. */
static int hash_program(uint64_t *ret, struct qn_err *reterr)
{
        _cleanup_(qn_closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        struct stat st;
        void *p;

        if (fd < 0 || fstat(fd, &st) < 0)
                return qn_fail(reterr, -errno, 0, "/proc/self/exe: %s", strerror(errno));
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return qn_fail(reterr, -errno, 0, "/proc/self/exe: %s", strerror(errno));
        *ret = qn_hash64(p, (size_t)st.st_size);
        munmap(p, (size_t)st.st_size);
        return 0;
}

int qn_revision_tables(const char *data_dir, uint64_t *ret, struct qn_err *reterr)
{
        uint64_t hash = 0;
        char trust[4096];
        int r = hash_program(&hash, reterr);

        if (r == 0)
                r = add_dir(data_dir, &hash, reterr);
        snprintf(trust, sizeof trust, "%s/trust", data_dir);
        if (r == 0)
                r = add_dir(trust, &hash, reterr);
        if (r == 0)
                *ret = hash;
        return r;
}

uint64_t qn_revision_trust(const char *data_dir)
{
        uint64_t hash = 0;
        char dir[4096];

        snprintf(dir, sizeof dir, "%s/intel", data_dir);
        return add_file(dir, "trust.yaml", &hash) < 0 ? 0 : hash;
}

int qn_revision_index(struct qn_intel *x, struct qn_revision *r)
{
        struct qn_intel_stats st;
        struct qn_cur table;
        int e = qn_intel_stats(x, &st);

        if (e == 0)
                e = qn_intel_known(x, &table);
        if (e < 0)
                return e;
        r->indicators = qn_hash64(table.p, qn_cur_left(&table));
        r->state = st.state;
        return 0;
}

struct qn_str qn_revision_text(const struct qn_revision *r, bool relies,
                               char text[QN_REVISION_TEXT])
{
        const uint64_t by[] = { r->tables, r->rules, r->indicators, r->trust };
        const uint64_t known[] = { r->state, r->trust };
        unsigned long long hash = qn_hash64(by, sizeof by);

        if (relies)
                snprintf(text, QN_REVISION_TEXT, "%016llx-%llx", hash,
                         (unsigned long long)qn_hash64(known, sizeof known));
        else
                snprintf(text, QN_REVISION_TEXT, "%016llx", hash);
        return qn_str_c(text);
}
