/* tar-list - how the walker reads a tar archive, for the comparison with npm's reader (tests/cli/tar-npm.mjs).
 * Commands on standard input, one file name per line; on standard output, for each of them:
 *   file <odd bits> <size> <sha1> <path in hex>     for what npm would unpack as a file
 *   end <error or 0> <note bits>
 * Every archive is walked in memory and as a stream; when the two differ, the program aborts. */
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "parse/tar.h"

static void put(struct qn_buf *out, const struct qn_tar_entry *e, struct qn_cur data)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        if (qn_digest(QN_SHA1, data.p, qn_cur_left(&data), digest) < 0)
                abort();
        qn_buf_printf(out, "file %u %zu ", e->odd, qn_cur_left(&data));
        qn_hex_encode(out, digest, qn_digest_size(QN_SHA1));
        qn_buf_byte(out, ' ');
        qn_hex_encode(out, e->path.p, e->path.n);
        qn_buf_byte(out, '\n');
}

static struct qn_cur read_all(struct qn_tar *t, struct qn_buf *b, size_t size, int *r)
{
        qn_buf_reset(b);
        while (b->n < size) {
                ssize_t n;

                if (qn_buf_room(b, 4096) < 0)
                        abort();
                n = qn_tar_read(t, b->p + b->n, 4096, NULL);
                if (n <= 0) {
                        *r = (int)n;
                        break;
                }
                b->n += (size_t)n;
        }
        return qn_cur_mem(b->p, b->n);
}

static void walk(struct qn_tar *t, bool stream, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf content = QN_BUF_INIT((size_t)1 << 30);
        struct qn_tar_entry e;
        int r;

        while ((r = qn_tar_next(t, &e, NULL)) == 1) {
                if (e.type != QN_TAR_FILE)
                        continue;
                if (stream)
                        e.data = read_all(t, &content, (size_t)e.size, &r);
                if (r < 0)
                        break;
                put(out, &e, e.data);
        }
        qn_buf_printf(out, "end %d %u\n", r, qn_tar_notes(t));
        qn_tar_free(t);
}

static ssize_t read_some(void *user, void *to, size_t n, struct qn_err *reterr QN_UNUSED)
{
        struct qn_cur *in = user;

        n = QN_MIN(QN_MIN(n, (size_t)1000), qn_cur_left(in));
        return qn_cur_copy(in, n, to) < 0 ? -EIO : (ssize_t)n;
}

static void list(const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 30),
                                             one = QN_BUF_INIT((size_t)1 << 30),
                                             two = QN_BUF_INIT((size_t)1 << 30);
        struct qn_tar *t;
        struct qn_cur in;

        if (qn_io_read(path, &b) < 0)
                abort();
        in = qn_cur_mem(b.p, b.n);
        if (qn_tar_open(in, &t) < 0)
                abort();
        walk(t, false, &one);
        if (qn_tar_open_stream(read_some, &in, &t) < 0)
                abort();
        walk(t, true, &two);
        /* A stream notices a cut only after the entry was handed out. */
        if (!qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)) && !strstr(one.p, "end -61"))
                abort();
        fputs(one.p, stdout);
        fflush(stdout);
}

int main(void)
{
        char line[4096];

        while (fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = 0;
                list(line);
        }
        return 0;
}
