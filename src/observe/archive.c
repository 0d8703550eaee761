#include "observe/archive.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/binfmt.h"
#include "parse/gz.h"

int qn_archive_open(struct qn_archive *a, struct qn_gz *gz, struct qn_cur bytes)
{
        int r;

        a->gz = gz;
        a->bytes = a->whole = bytes;
        a->streaming = qn_gz_is(bytes);
        if (!a->streaming || qn_gz_size_hint(bytes) > QN_UNPACKED_FAST_MAX)
                return 0;
        r = qn_gz_inflate(gz, bytes, QN_UNPACKED_FAST_MAX, &a->whole, NULL);
        if (r == 0)
                a->streaming = false;
        /* Otherwise it is larger than it says, or broken: then the stream gives what stands before the damage. */
        return r == -ENOMEM ? r : 0;
}

static void end_walk(struct qn_archive *a)
{
        a->tar = qn_tar_free(a->tar);
        a->stream = qn_gz_stream_free(a->stream);
}

static ssize_t read_stream(void *user, void *out, size_t n, struct qn_err *reterr)
{
        return qn_gz_stream_read(user, out, n, reterr);
}

int qn_archive_rewind(struct qn_archive *a)
{
        int r;

        end_walk(a);
        if (!a->streaming)
                return qn_tar_open(a->whole, &a->tar);
        r = qn_gz_stream_new(a->bytes, QN_UNPACKED_MAX, &a->stream);
        return r < 0 ? r : qn_tar_open_stream(read_stream, a->stream, &a->tar);
}

int qn_archive_next(struct qn_archive *a, struct qn_tar_entry *ret, struct qn_err *reterr)
{
        return qn_tar_next(a->tar, ret, reterr);
}

static int make_room(struct qn_archive *a, size_t want)
{
        if (want <= a->room)
                return 0;
        free(a->file);
        a->room = 0;
        a->file = malloc(want);
        if (!a->file)
                return -ENOMEM;
        a->room = want;
        return 0;
}

/* Exactly n further bytes of the current entry. */
static int read_exactly(struct qn_archive *a, uint8_t *to, size_t n, struct qn_err *reterr)
{
        while (n > 0) {
                ssize_t got = qn_tar_read(a->tar, to, n, reterr);

                if (got <= 0)
                        return got < 0 ? (int)got : -ENODATA;
                to += got;
                n -= (size_t)got;
        }
        return 0;
}

static size_t head_size(struct qn_cur peek, uint64_t size)
{
        return qn_format_is_text(qn_sniff(peek, size)) ? QN_FILE_MAX : QN_FILE_PEEK;
}

static int pass_over(struct qn_archive *a, uint8_t *scratch, uint64_t n, struct qn_err *reterr)
{
        while (n > 0) {
                size_t some = QN_MIN(n, (uint64_t)QN_FILE_PEEK);
                int r = read_exactly(a, scratch, some, reterr);

                if (r < 0)
                        return r;
                n -= some;
        }
        return 0;
}

/* A large file: its head, then its last bytes. */
static int read_ends(struct qn_archive *a, uint64_t size, struct qn_content *ret,
                     struct qn_err *reterr)
{
        size_t head, tail;
        uint8_t *end;
        int r = make_room(a, QN_FILE_MAX + QN_FILE_PEEK);

        if (r == 0)
                r = read_exactly(a, a->file, QN_FILE_PEEK, reterr);
        if (r < 0)
                return r;
        head = head_size(qn_cur_mem(a->file, QN_FILE_PEEK), size);
        tail = (size_t)QN_MIN(size - head, (uint64_t)QN_FILE_PEEK);
        end = a->file + head;
        r = read_exactly(a, a->file + QN_FILE_PEEK, head - QN_FILE_PEEK, reterr);
        if (r == 0)
                r = pass_over(a, end, size - head - tail, reterr);
        if (r == 0)
                r = read_exactly(a, end, tail, reterr);
        if (r < 0)
                return r;
        ret->data = qn_cur_mem(a->file, head);
        ret->tail = qn_cur_mem(end, tail);
        return 0;
}

/* Slices of an archive in memory. */
static void cut_ends(struct qn_cur all, struct qn_content *ret)
{
        size_t n = qn_cur_left(&all), head = head_size(qn_cur_mem(all.p, QN_FILE_PEEK), n);

        ret->data = qn_cur_mem(all.p, head);
        ret->tail = qn_cur_mem(all.end - QN_MIN(QN_FILE_PEEK, n - head),
                               QN_MIN(QN_FILE_PEEK, n - head));
}

int qn_archive_content(struct qn_archive *a, const struct qn_tar_entry *e, struct qn_content *ret,
                       struct qn_err *reterr)
{
        int r;

        *ret = (struct qn_content){ .whole = e->size <= QN_FILE_MAX };
        if (!a->streaming) {
                ret->data = e->data;
                if (!ret->whole)
                        cut_ends(e->data, ret);
                return 0;
        }
        if (!ret->whole)
                return read_ends(a, e->size, ret, reterr);
        r = make_room(a, (size_t)e->size);
        if (r == 0)
                r = read_exactly(a, a->file, (size_t)e->size, reterr);
        if (r == 0)
                ret->data = qn_cur_mem(a->file, (size_t)e->size);
        return r;
}

void qn_archive_close(struct qn_archive *a)
{
        end_walk(a);
        if (a->gz)
                qn_gz_trim(a->gz, QN_UNPACKED_KEEP);
        if (a->room > QN_UNPACKED_KEEP) {
                free(TAKE_PTR(a->file));
                a->room = 0;
        }
}

void qn_archive_done(struct qn_archive *a)
{
        end_walk(a);
        free(a->file);
        *a = (struct qn_archive){ 0 };
}
