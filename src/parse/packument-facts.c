#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/packument-outline.h"
#include "parse/packument-rewrite.h"
#include "parse/packument.h"
#include "parse/semver.h"
#include "parse/sri.h"

#define TIME_TEXT_MAX 64

static const struct qn_str none = { NULL, 0 };

static bool is_printable(struct qn_str s, char first)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < first || s.p[i] > '~')
                        return false;
        return s.n <= QN_URL_MAX;
}

static struct qn_str usable_address(struct qn_str s)
{
        bool web = qn_str_starts(s, "https://") || qn_str_starts(s, "http://");

        return web && is_printable(s, '!') ? s : none;
}

/* The SRI, or one of the hexadecimal form of old documents. */
static int usable_integrity(const struct qn_outline_version *v, struct qn_arena *a,
                            struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(128);
        struct qn_sri sri;

        *ret = none;
        if (v->integrity.n) {
                if (is_printable(v->integrity, ' ') && qn_sri_parse(v->integrity, &sri) == 0)
                        *ret = v->integrity;
                return 0;
        }
        if (v->shasum.n != 40 || qn_sri_from_hex(QN_SHA1, v->shasum, &b) < 0)
                return 0;
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

/* text: of a string with its quotes. */
static int64_t time_of(struct qn_str text)
{
        if (text.n < 2 || text.n > TIME_TEXT_MAX)
                return QN_TIME_NONE;
        return qn_time_parse((struct qn_str){ text.p + 1, text.n - 2 });
}

static int fact_of(const struct qn_outline_version *v, struct qn_arena *a,
                   struct qn_packument_fact *ret)
{
        *ret = (struct qn_packument_fact){ .version = v->key,
                                           .tarball = usable_address(v->address),
                                           .time = time_of(v->time),
                                           .has_hooks = v->hooks,
                                           .attested = v->attested,
                                           .mismatch = !v->fits };
        return usable_integrity(v, a, &ret->integrity);
}

int qn_packument_fact_cmp(const struct qn_packument_fact *a, const struct qn_packument_fact *b)
{
        struct qn_semver va, vb;
        int r = 0;

        if (qn_semver_parse(a->version, 0, &va) == 0 && qn_semver_parse(b->version, 0, &vb) == 0)
                r = qn_semver_cmp_build(&va, &vb);
        return r ? r : qn_str_cmp(a->version, b->version);
}

static int cmp_facts(const void *a, const void *b)
{
        return qn_packument_fact_cmp(a, b);
}

static int copy_tags(const struct qn_outline *o, struct qn_packument_facts *f)
{
        f->tags = qn_arena_calloc(o->arena, o->n_tags, sizeof *f->tags);
        f->targets = qn_arena_calloc(o->arena, o->n_tags, sizeof *f->targets);
        if (!f->tags || !f->targets)
                return -ENOBUFS;
        for (size_t i = 0; i < o->n_tags; i++)
                if (qn_semver_is_plain(o->tags[i].target)) {
                        f->tags[f->n_tags] = o->tags[i].tag;
                        f->targets[f->n_tags++] = o->tags[i].target;
                }
        return 0;
}

int qn_packument_facts(struct qn_cur in, struct qn_str name, struct qn_arena *a,
                       struct qn_packument_facts *ret, struct qn_err *reterr)
{
        struct qn_packument_facts f = { .name = name };
        struct qn_outline o;
        int r = qn_outline_read(in, name, a, &o, reterr);

        if (r < 0)
                return r;
        f.versions = qn_arena_calloc(a, o.n, sizeof *f.versions);
        r = f.versions ? copy_tags(&o, &f) : -ENOBUFS;
        for (; r == 0 && f.n < o.n; f.n++)
                r = fact_of(&o.versions[f.n], a, &f.versions[f.n]);
        if (r < 0)
                return qn_fail(reterr, r, 0, "the packument needs too much memory");
        qsort(f.versions, f.n, sizeof *f.versions, cmp_facts);
        *ret = f;
        return 0;
}
