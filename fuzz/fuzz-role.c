/* Messages between processes: packets of a job and of replies, the replies of the analyse and fetch roles, and
 * what they are asked.
 * The first byte chooses; for replies the rest is packets, each with its length (u16) before it. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "observe/imprint.h"
#include "role/analyse-wire.h"
#include "role/fetch-wire.h"
#include "role/msg.h"

#define REPLY_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

static void fuzz_job(struct qn_cur in)
{
        struct qn_msg_job job = { 0 };
        int r = qn_msg_parse_job(in, &job);

        check(r == 0 || r == -EBADMSG);
        check((r == 0) == (job.seq != 0));
        check(job.beside.has < 1u << QN_BESIDE_PLACES);
        check(qn_cur_left(&job.params) <= QN_ROLE_PARAMS_MAX &&
              qn_cur_left(&job.input) <= QN_ROLE_INLINE_MAX);
}

static void fuzz_reply(struct qn_cur in)
{
        struct qn_msg_reply reply = { 0 };
        struct qn_cur packet;
        uint16_t n;
        int r = 0;

        qn_msg_reply_begin(&reply, 1, REPLY_MAX);
        while (r == 0 && qn_cur_le16(&in, &n) == 0 && qn_cur_take(&in, n, &packet) == 0)
                r = qn_msg_reply_add(&reply, packet);
        check(r <= 1);
        check(r != 1 || qn_cur_left(&reply.bytes) == reply.total);
        check(reply.joined.n <= REPLY_MAX);
        qn_msg_reply_done(&reply);
}

static void fuzz_pick(struct qn_cur in)
{
        struct qn_analyse_picked pick = { 0 };
        int r = qn_analyse_read_pick(in, &pick, NULL);

        check((r == 0) == (pick.it.version.n > 0));
        check(r < 0 || qn_str_starts(pick.it.tarball, "http"));
        check(!pick.before.version.n || qn_str_starts(pick.before.tarball, "http"));
}

static void fuzz_lock(struct qn_cur in)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_lock lock = { 0 };
        struct qn_buf again = QN_BUF_INIT(1 << 20);

        if (qn_analyse_read_lock(in, &a, &lock, NULL) == 0) {
                check(qn_analyse_write_lock(&again, &lock) == 0);
                check(qn_str_eq(qn_buf_view(&again), qn_cur_rest(&in))); /* one way to write it */
        } else {
                check(lock.packages == NULL);
        }
        qn_buf_done(&again);
        qn_arena_done(&a);
}

static bool is_line(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return true;
}

static void fuzz_cached(struct qn_cur in)
{
        struct qn_analyse_cached c = { 0 };

        if (qn_analyse_read_cached(in, &c) == 0)
                check(is_line(c.integrity) && is_line(c.etag) && is_line(c.accept));
}

static void fuzz_npmrc(struct qn_cur in)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_npmrc rc = QN_NPMRC_INIT;
        int r = qn_analyse_read_npmrc(in, &a, &rc);

        check(r == 0 || rc.n == 0);
        for (size_t i = 0; i < rc.n; i++)
                check(rc.v[i].expanded || qn_str_find(rc.v[i].value, QN_STR("${")) < 0);
        qn_arena_done(&a);
}

static void fuzz_fetched(struct qn_cur in)
{
        struct qn_http_result res = { .fd = 5 };
        struct qn_str message;

        if (qn_fetch_read_result(in, &res, &message) < 0) {
                check(res.fd == 5);
                return;
        }
        check(res.fd == -1 && res.code < QN_HTTP_CODE_MAX && res.status <= 999);
        check(is_line(message) && is_line(res.url) && is_line(res.etag) && is_line(res.date));
        check(is_line(res.authenticate) && is_line(res.notice) && is_line(res.retry_after) &&
              is_line(res.location));
}

static void fuzz_whole(struct qn_cur in)
{
        struct qn_msg_whole m = { .seq = 99 };
        int r = qn_msg_parse_whole(in, &m);

        check(r == 0 || (r == -EBADMSG && m.seq == 99));
        check(r < 0 || qn_cur_left(&m.bytes) < qn_cur_left(&in));
}

/* What roles are asked, by a parent that they need not trust either. */
static void fuzz_asked(struct qn_cur in)
{
        struct qn_http_request q = { 0 };
        struct qn_http_opts o = { 0 };
        struct qn_str name, spec, key;
        bool full;

        if (qn_analyse_read_want(in, &name, &spec) == 0)
                check(name.n + spec.n <= qn_cur_left(&in));
        if (qn_analyse_read_key(in, &key, &full) == 0)
                check(key.n <= qn_cur_left(&in));
        if (qn_fetch_read_request(in, &q) == 0)
                check(q.url.n + q.etag.n <= qn_cur_left(&in) && is_line(q.content_type) &&
                      is_line(q.otp) && is_line(q.signature_name) && is_line(q.signature));
        check(qn_fetch_read_opts(in, &o) <= 0);
}

static void fuzz_facts(struct qn_cur in)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_packument_facts f = { .n = 0 };

        if (qn_analyse_read_facts(in, &a, &f) < 0)
                return;
        for (size_t i = 1; i < f.n; i++)
                check(qn_packument_fact_cmp(&f.versions[i - 1], &f.versions[i]) < 0);
        for (size_t i = 0; i < f.n; i++)
                check(!f.versions[i].tarball.p || qn_str_starts(f.versions[i].tarball, "http"));
}

static void fuzz_audit(struct qn_cur in)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_audit audit = { .n = 0 };

        if (qn_analyse_read_audit(in, &a, &audit) < 0)
                return;
        for (size_t i = 0; i < audit.n; i++)
                check(audit.v[i].name.n && audit.v[i].version.n);
}

static void fuzz_rewrite(struct qn_cur in)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_packument_rewrite w;

        check(qn_analyse_read_rewrite(in, &a, &w) < 0 || w.name.n);
}

static void fuzz_imprint(struct qn_cur in)
{
        _cleanup_(qn_buf_done) struct qn_buf again = QN_BUF_INIT(1 << 16);
        struct qn_imprint m = { .n_files = 0 };

        if (qn_analyse_read_imprint(in, &m) < 0) {
                check(m.n_files == 0 && m.n_deps == 0);
                return;
        }
        check(qn_analyse_write_imprint(&again, &m) == 0);
        check(qn_str_eq(qn_buf_view(&again), qn_cur_rest(&in))); /* one way to write it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const targets[])(
                struct qn_cur) = { fuzz_job,   fuzz_reply,   fuzz_pick,   fuzz_lock,  fuzz_cached,
                                   fuzz_npmrc, fuzz_fetched, fuzz_whole,  fuzz_asked, fuzz_facts,
                                   fuzz_audit, fuzz_rewrite, fuzz_imprint };
        struct qn_cur in = qn_cur_mem(data, size);
        uint8_t choice;

        if (qn_cur_u8(&in, &choice) == 0)
                targets[choice % QN_ARRAY_SIZE(targets)](in);
        return 0;
}
