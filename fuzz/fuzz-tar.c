/* The walker over memory and over a stream: the same entries with the same content. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "parse/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t read_some(void *user, void *out, size_t n, struct qn_err *reterr QN_UNUSED)
{
        struct qn_cur *in = user;

        n = QN_MIN(QN_MIN(n, (size_t)700), qn_cur_left(in));
        return qn_cur_copy(in, n, out) < 0 ? -EIO : (ssize_t)n;
}

static uint64_t mix(uint64_t seen, const void *p, size_t n)
{
        uint64_t both[2] = { seen, qn_hash64(p, n) };

        return qn_hash64(both, sizeof both);
}

static void check(const struct qn_tar_entry *e)
{
        if (e->path.n > QN_TAR_NAME_MAX || e->full.n > QN_TAR_NAME_MAX || e->mode > 07777)
                abort();
        if (e->path.n && e->path.p[0] == '/' && !(e->odd & QN_TAR_ODD_OUTSIDE))
                abort();
        if (e->type == QN_TAR_FILE && e->path.n == 0 && !(e->odd & QN_TAR_ODD_OUTSIDE))
                abort();
}

/* How many entries, and a hash of them; ret_r: how it ended. */
static uint64_t walk(struct qn_tar *t, bool stream, unsigned *ret_n, int *ret_r)
{
        struct qn_tar_entry e;
        uint64_t seen = 0;
        int r;

        *ret_n = 0;
        while ((r = qn_tar_next(t, &e, NULL)) == 1) {
                char c[997];
                ssize_t n;

                check(&e);
                ++*ret_n;
                seen = mix(seen, e.path.p, e.path.n);
                seen = mix(seen, e.link.p, e.link.n);
                seen ^= e.size + ((uint64_t)e.odd << 40) + ((uint64_t)e.type << 60);
                if (!stream)
                        continue;
                while ((n = qn_tar_read(t, c, sizeof c, NULL)) > 0)
                        ;
                if (n < 0) {
                        r = (int)n;
                        break;
                }
        }
        *ret_r = r;
        qn_tar_free(t);
        return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_cur in = qn_cur_mem(data, size);
        unsigned n1, n2;
        uint64_t one, two;
        struct qn_tar *t;
        int r1, r2;

        if (qn_tar_open(in, &t) < 0)
                abort();
        one = walk(t, false, &n1, &r1);
        if (qn_tar_open_stream(read_some, &in, &t) < 0)
                abort();
        two = walk(t, true, &n2, &r2);
        if (r1 != r2 || (r1 == 0 && (n1 != n2 || one != two)))
                abort();
        return 0;
}
