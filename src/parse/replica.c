#include "parse/replica.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/lock-kind.h"

struct reader {
        struct qn_json json;
        struct qn_arena *a;
        struct qn_replica ret;
        size_t cap;
        struct qn_err *err;
};

int64_t qn_replica_number(struct qn_str seq)
{
        int64_t n = 0;
        size_t i = 0;

        while (i < seq.n && seq.p[i] >= '0' && seq.p[i] <= '9' && n < INT64_MAX / 10 - 1)
                n = n * 10 + (seq.p[i++] - '0');
        return i ? n : -1;
}

bool qn_replica_is_seq(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < '!' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
                        return false;
        return s.n && s.n <= QN_REPLICA_SEQ_MAX;
}

static int add(struct reader *rd, const struct qn_replica_change *c)
{
        struct qn_replica *ret = &rd->ret;

        if (ret->n == QN_REPLICA_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "more than %u changes at once", QN_REPLICA_MAX);
        if (!c->seq.n || !qn_lock_name_ok(c->name)) {
                ret->skipped++;
                return 0;
        }
        if (QN_ARENA_ROOM(rd->a, ret->v, ret->n, rd->cap) < 0)
                return qn_fail(rd->err, -ENOBUFS, 0, "the feed's page needs too much memory");
        ret->v[ret->n++] = *c;
        return 0;
}

static int next(struct reader *rd, struct qn_json_event *ret)
{
        return qn_json_next(&rd->json, ret, rd->err);
}

/* The value of a sequence; null and everything else is none. */
static int take_seq(struct reader *rd, struct qn_str *ret)
{
        struct qn_json_event e;
        struct qn_str text;
        int r = next(rd, &e);

        if (r < 0)
                return r;
        if (e.kind != QN_JSON_NUMBER && e.kind != QN_JSON_STRING)
                return qn_json_skip_rest(&rd->json, &e, rd->err);
        text = e.raw;
        if (e.kind == QN_JSON_STRING) {
                r = qn_json_unescape(&e, rd->a, &text);
                if (r < 0)
                        return r;
        }
        if (qn_replica_is_seq(text))
                *ret = text;
        return 0;
}

static int take_text(struct reader *rd, struct qn_str *ret)
{
        struct qn_json_event e;
        int r = next(rd, &e);

        if (r < 0)
                return r;
        return e.kind == QN_JSON_STRING ? qn_json_unescape(&e, rd->a, ret)
                                        : qn_json_skip_rest(&rd->json, &e, rd->err);
}

static int take_flag(struct reader *rd, bool *ret)
{
        struct qn_json_event e;
        int r = next(rd, &e);

        if (r < 0)
                return r;
        *ret = e.kind == QN_JSON_TRUE;
        return qn_json_skip_rest(&rd->json, &e, rd->err);
}

static int take_member(struct reader *rd, struct qn_str key, struct qn_replica_change *c)
{
        if (qn_str_is(key, "seq"))
                return take_seq(rd, &c->seq);
        if (qn_str_is(key, "id"))
                return take_text(rd, &c->name);
        if (qn_str_is(key, "deleted"))
                return take_flag(rd, &c->deleted);
        return qn_json_skip(&rd->json, rd->err);
}

/* Behind the brace of a change. */
static int take_change(struct reader *rd)
{
        struct qn_replica_change c = { 0 };
        struct qn_json_event e;
        int r;

        while ((r = next(rd, &e)) == 0 && e.kind == QN_JSON_KEY) {
                r = take_member(rd, e.raw, &c);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : add(rd, &c);
}

static int take_results(struct reader *rd)
{
        struct qn_json_event e;
        int r = next(rd, &e);

        if (r < 0)
                return r;
        if (e.kind != QN_JSON_ARRAY)
                return qn_fail(rd->err, -EINVAL, e.off, "\"results\" is no list");
        while ((r = next(rd, &e)) == 0 && e.kind != QN_JSON_ARRAY_END) {
                if (e.kind == QN_JSON_OBJECT) {
                        r = take_change(rd);
                } else {
                        rd->ret.skipped++;
                        r = qn_json_skip_rest(&rd->json, &e, rd->err);
                }
                if (r < 0)
                        return r;
        }
        return r;
}

static int take_page(struct reader *rd)
{
        bool results = false;
        struct qn_json_event e;
        int r = next(rd, &e);

        if (r < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(rd->err, -EINVAL, e.off, "no page of a replication feed");
        while ((r = next(rd, &e)) == 0 && e.kind == QN_JSON_KEY) {
                if (qn_str_is(e.raw, "results")) {
                        results = true;
                        r = take_results(rd);
                } else if (qn_str_is(e.raw, "last_seq")) {
                        r = take_seq(rd, &rd->ret.last);
                } else {
                        r = qn_json_skip(&rd->json, rd->err);
                }
                if (r < 0)
                        return r;
        }
        if (r == 0)
                r = next(rd, &e); /* nothing may follow */
        if (r == 0 && (!results || !rd->ret.last.n))
                return qn_fail(rd->err, -EINVAL, 0, "no page of a replication feed: it lacks %s",
                               results ? "\"last_seq\"" : "\"results\"");
        return r;
}

int qn_replica_parse(struct qn_cur in, struct qn_arena *a, struct qn_replica *ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        int r = qn_json_init(&rd.json, in, reterr);

        if (r == 0)
                r = take_page(&rd);
        if (r == 0)
                *ret = rd.ret;
        return r;
}

/* --- line by line --- */

static int take_json_line(struct reader *rd, struct qn_str line)
{
        struct qn_json_event e;
        int r = qn_json_init(&rd->json, qn_cur_mem(line.p, line.n), rd->err);

        if (r == 0)
                r = next(rd, &e);
        if (r == 0 && e.kind == QN_JSON_OBJECT)
                r = take_change(rd);
        else if (r == 0)
                rd->ret.skipped++;
        return r;
}

static int take_name_line(struct reader *rd, struct qn_str line, size_t number)
{
        struct qn_replica_change c = { .name = line };
        char text[24];

        snprintf(text, sizeof text, "%zu", number);
        c.seq = qn_arena_dup(rd->a, qn_str_c(text));
        return c.seq.p ? add(rd, &c) : -ENOBUFS;
}

int qn_replica_parse_lines(struct qn_cur in, struct qn_arena *a, struct qn_replica *ret,
                           struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        struct qn_str rest = qn_cur_rest(&in);
        size_t number = 0;

        while (rest.p) {
                struct qn_str line = qn_str_trim(qn_str_cut(&rest, '\n'));
                int r = 0;

                number++;
                if (line.n && line.p[0] == '{')
                        r = take_json_line(&rd, line);
                else if (line.n && line.p[0] != '#')
                        r = take_name_line(&rd, line, number);
                if (r < 0)
                        return qn_fail(reterr, r, 0, "line %zu: %s", number,
                                       r == -EFBIG ? "more changes than are taken at once"
                                                   : "neither a change nor a name");
        }
        if (rd.ret.n)
                rd.ret.last = rd.ret.v[rd.ret.n - 1].seq;
        *ret = rd.ret;
        return 0;
}
