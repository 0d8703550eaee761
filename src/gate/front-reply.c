#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/front-priv.h"

/* --- life --- */

static void free_reply(void *reply)
{
        struct qn_reply *r = reply;

        if (r->fd >= 0 && !r->full)
                close(r->fd);
        free(r->body);
        free(r->bytes);
        free(r);
}

struct qn_reply *qn_reply_ref(struct qn_reply *r)
{
        atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
        return r;
}

/* The response with all of it may still be on its way to somebody: it closes the file, or frees the body and the rest, when it is
 * done. */
struct qn_reply *qn_reply_unref(struct qn_reply *r)
{
        bool full_frees;

        if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
                return NULL;
        full_frees = r->full && r->body;
        if (r->same)
                MHD_destroy_response(r->same);
        if (r->full)
                MHD_destroy_response(r->full);
        if (!full_frees)
                free_reply(r);
        return NULL;
}

static void drop_reference(void *reply)
{
        qn_reply_unref(reply);
}

/* For a file libmicrohttpd has a block of 4 KB, to read it when it cannot be sent otherwise. */
size_t qn_reply_weight(const struct qn_reply *r)
{
        return 2048 + (r->body ? (size_t)r->size : 4096);
}

/* --- headers --- */

static int add_header(struct MHD_Response *response, const char *name, struct qn_str value)
{
        char text[QN_FRONT_HEADER_MAX + 1];

        if (!value.n)
                return 0;
        if (value.n >= sizeof text)
                return -EBADMSG;
        memcpy(text, value.p, value.n);
        text[value.n] = '\0';
        return MHD_add_response_header(response, name, text) == MHD_YES ? 0 : -ENOMEM;
}

enum { ON_SAME = 1, ON_PART = 2 }; /* headers that go with 304, with 206 */

static int add_headers(struct MHD_Response *response, const struct qn_reply *r, unsigned only)
{
        static const char *const encodings[] = { "", "gzip", "zstd" };
        const struct qn_front_answer *a = &r->a;
        const struct {
                const char *name;
                struct qn_str value;
                unsigned on;
        } headers[] = {
                { "Content-Type", a->content_type, ON_PART },
                { "Content-Encoding", qn_str_c(encodings[a->encoding]), 0 },
                { "ETag", a->etag, ON_SAME | ON_PART },
                { "Last-Modified", a->last_modified, ON_PART },
                { "Cache-Control", a->cache_control, ON_SAME | ON_PART },
                { "Vary", r->vary ? QN_STR("Accept, Accept-Encoding") : QN_STR(""),
                  ON_SAME | ON_PART },
                { "Accept-Ranges",
                  a->status == 200 && !a->encoding && a->etag.n ? QN_STR("bytes") : QN_STR(""),
                  ON_PART },
                { "npm-notice", a->notice, ON_SAME | ON_PART },
                { "Warning", a->warning, ON_SAME | ON_PART },
                { "Retry-After", a->retry_after, 0 },
                { "WWW-Authenticate", a->authenticate, 0 },
                { "qanat-verdict", a->verdict, ON_SAME | ON_PART },
                { "X-Content-Type-Options", QN_STR("nosniff"), ON_PART },
                { r->header, qn_str_c(r->value ? r->value : ""), 0 },
        };
        int e = 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(headers) && e == 0; i++)
                if (!only || (headers[i].on & only))
                        e = add_header(response, headers[i].name, headers[i].value);
        return e;
}

/* Destroys the response when it cannot have its headers. */
static struct MHD_Response *with_headers(struct MHD_Response *response, const struct qn_reply *r,
                                         unsigned only)
{
        if (response && add_headers(response, r, only) < 0) {
                MHD_destroy_response(response);
                return NULL;
        }
        return response;
}

/* --- making one --- */

/* Up to QN_FRONT_SMALL the body comes into memory: then head and body leave in one write. */
static int take_file(struct qn_reply *r)
{
        off_t end = lseek(r->fd, 0, SEEK_END);

        if (end < 0)
                return -errno;
        r->size = (uint64_t)end;
        if (r->size > QN_FRONT_SMALL)
                return 0;
        r->body = malloc(r->size + 1);
        if (!r->body)
                return -ENOMEM;
        for (size_t n = 0; n < r->size;) {
                ssize_t got = pread(r->fd, r->body + n, r->size - n, (off_t)n);

                if (got <= 0)
                        return got < 0 ? -errno : -EBADMSG;
                n += (size_t)got;
        }
        close(TAKE_FD(r->fd));
        return 0;
}

static int take_bytes(struct qn_reply *r, struct qn_cur input)
{
        r->size = qn_cur_left(&input);
        r->body = malloc(r->size + 1);
        if (!r->body)
                return -ENOMEM;
        if (r->size)
                memcpy(r->body, input.p, r->size);
        return 0;
}

static struct MHD_Response *all_of(struct qn_reply *r)
{
        return r->body ? MHD_create_response_from_buffer_with_free_callback_cls(
                                 (size_t)r->size, r->body, free_reply, r)
                       : MHD_create_response_from_fd_at_offset64(r->size, r->fd, 0);
}

static int make_ready(struct qn_reply *r)
{
        static char nothing[1];
        struct MHD_Response *full;

        if (r->a.status == 200 && r->a.etag.n) {
                r->same = with_headers(MHD_create_response_from_buffer_with_free_callback_cls(
                                               0, nothing, NULL, NULL),
                                       r, ON_SAME);
                if (!r->same)
                        return -ENOMEM;
        }
        if (!r->body && qn_front_conf()->cert_text)
                return 0;
        full = all_of(r);
        if (!full)
                return -ENOMEM;
        r->full = full;
        return add_headers(full, r, 0);
}

int qn_reply_new(struct qn_cur params, struct qn_cur input, int fd, bool vary,
                 struct qn_reply **ret)
{
        struct qn_reply *r = calloc(1, sizeof *r);
        size_t n = qn_cur_left(&params);
        int e = -ENOMEM;

        if (!r) {
                qn_closep(&fd);
                return e;
        }
        r->refs = 1;
        r->fd = fd;
        r->vary = vary;
        r->bytes = malloc(n + 1);
        if (r->bytes && n)
                memcpy(r->bytes, params.p, n);
        if (r->bytes)
                e = qn_front_read_answer(qn_cur_mem(r->bytes, n), &r->a);
        if (e == 0)
                e = fd >= 0 ? take_file(r) : take_bytes(r, input);
        if (e == 0 && r->a.keep && r->a.keep_ms)
                r->expires_ns = qn_io_nanos() + r->a.keep_ms * UINT64_C(1000000);
        if (e == 0)
                e = make_ready(r);
        if (e < 0) {
                qn_reply_unref(r);
                return e;
        }
        *ret = r;
        return 0;
}

struct qn_reply *qn_reply_json(uint16_t status, const char *text, const char *header,
                               const char *value)
{
        const struct qn_front_answer a = { .status = status,
                                           .content_type = QN_STR("application/json") };
        struct qn_buf params = QN_BUF_INIT(QN_FRONT_HEADER_MAX);
        struct qn_reply *r = NULL;

        qn_front_write_answer(&params, &a);
        if (qn_buf_error(&params) < 0 ||
            qn_reply_new(qn_cur_str(qn_buf_view(&params)), qn_cur_str(qn_str_c(text)), -1, false,
                         &r) < 0)
                r = NULL;
        qn_buf_done(&params);
        if (!r || !header)
                return r;
        r->header = header;
        r->value = value;
        return add_header(r->full, header, qn_str_c(value)) < 0 ? qn_reply_unref(r) : r;
}

struct qn_reply *qn_reply_error(uint16_t status, const char *message, const char *header,
                                const char *value)
{
        char text[512];

        snprintf(text, sizeof text, "{\"error\":\"%s\"}\n", message);
        return qn_reply_json(status, text, header, value);
}

/* --- what goes out --- */

/* TLS has to read what it sends: in larger pieces than libmicrohttpd would. */
struct piece {
        struct qn_reply *reply;
        uint64_t first;
};

static ssize_t read_piece(void *piece, uint64_t at, char *to, size_t max)
{
        const struct piece *p = piece;
        ssize_t n = pread(p->reply->fd, to, max, (off_t)(p->first + at));

        return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_piece(void *piece)
{
        qn_reply_unref(((struct piece *)piece)->reply);
        free(piece);
}

static struct MHD_Response *part_that_is_read(struct qn_reply *r, uint64_t first, uint64_t n)
{
        struct piece *p = malloc(sizeof *p);
        struct MHD_Response *response;

        if (!p)
                return NULL;
        *p = (struct piece){ r, first };
        response = MHD_create_response_from_callback(n, QN_FRONT_SMALL, read_piece, p, free_piece);
        if (response)
                qn_reply_ref(r);
        else
                free(p);
        return response;
}

/* Plain HTTP: sendfile(). */
static struct MHD_Response *part_of_file(const struct qn_reply *r, uint64_t first, uint64_t n)
{
        int fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
        struct MHD_Response *response;

        if (fd < 0)
                return NULL;
        response = MHD_create_response_from_fd_at_offset64(n, fd, first);
        if (!response)
                close(fd);
        return response;
}

static struct MHD_Response *part_of(struct qn_reply *r, uint64_t first, uint64_t n)
{
        struct MHD_Response *response;

        if (!r->body)
                return qn_front_conf()->cert_text ? part_that_is_read(r, first, n)
                                                  : part_of_file(r, first, n);
        response = MHD_create_response_from_buffer_with_free_callback_cls(
                (size_t)n, r->body + first, drop_reference, r);
        if (response)
                qn_reply_ref(r);
        return response;
}

static int add_content_range(struct MHD_Response *response, const struct qn_reply *r,
                             const struct qn_plan *plan)
{
        char text[80];

        if (plan->status == 416)
                snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)r->size);
        else
                snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)plan->first,
                         (unsigned long long)(plan->first + plan->n - 1),
                         (unsigned long long)r->size);
        return add_header(response, "Content-Range", qn_str_c(text));
}

/* RFC 9110, 13.2.2: first whether the client has it, then whether it wants a part. */
struct qn_plan qn_reply_plan(const struct qn_reply *r, const struct qn_conditions *c)
{
        struct qn_plan all = { r->a.status, 0, r->size };
        uint64_t first, last;
        int e;

        if (r->a.status != 200 || !(c->get || c->head))
                return all;
        if (r->same && c->none_match.p && qn_head_matches(c->none_match, r->a.etag))
                return (struct qn_plan){ 304, 0, 0 };
        if (!c->get || !c->range.p || r->a.encoding || !r->a.etag.n ||
            (c->if_range.p && !qn_head_same(c->if_range, r->a.etag)))
                return all;
        e = qn_head_range(c->range, r->size, &first, &last);
        if (e < 0)
                return (struct qn_plan){ 416, 0, 0 };
        return e ? (struct qn_plan){ 206, first, last - first + 1 } : all;
}

struct MHD_Response *qn_reply_render(struct qn_reply *r, const struct qn_plan *plan, bool last,
                                     bool *ret_own)
{
        bool part = plan->status == 206 || plan->status == 416;
        struct MHD_Response *response;

        *ret_own = false;
        if (plan->status == 304)
                return r->same;
        if (!part && r->full && !last)
                return r->full;
        *ret_own = true;
        response = with_headers(part_of(r, plan->first, plan->n), r, part ? ON_PART : 0);
        if (response && ((part && add_content_range(response, r, plan) < 0) ||
                         (last && add_header(response, "Connection", QN_STR("close")) < 0))) {
                MHD_destroy_response(response);
                return NULL;
        }
        return response;
}
