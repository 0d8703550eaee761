#include "parse/packument.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "parse/json.h"
#include "parse/packument-version.h"
#include "parse/semver.h"

/* What is kept of a version until it is known whether it is wanted. */
struct slot {
        struct qn_str key, raw;
        struct qn_str published;
        int64_t time;
        struct qn_str node, npm; /* engines; "-" fits nothing */
        bool deprecated;
};

struct doc {
        struct qn_packument_keep keep;
        struct qn_err *err;
        struct qn_json json;
        struct qn_packument *out; /* what stands beside the versions */
        struct slot *slots;
        size_t n, cap;
        struct qn_map index; /* key → slot */
        struct qn_json_event time;
        bool versions, id;
};

static int no_memory(struct doc *d)
{
        return qn_fail(d->err, -ENOBUFS, 0, "the packument needs too much memory");
}

/* Inside an object: 1 and the next member, whose value has begun; 0 at its end. */
static int next_member(struct doc *d, struct qn_str *ret_key, struct qn_json_event *ret_value)
{
        struct qn_json_event e;
        int r = qn_json_next(&d->json, &e, d->err);

        if (r < 0 || e.kind != QN_JSON_KEY)
                return r;
        if (qn_json_unescape(&e, d->keep.arena, ret_key) < 0)
                return no_memory(d);
        r = qn_json_next(&d->json, ret_value, d->err);
        return r < 0 ? r : 1;
}

static int pass(struct doc *d, const struct qn_json_event *value)
{
        return qn_json_skip_rest(&d->json, value, d->err);
}

static struct qn_str text_since(const struct doc *d, size_t off)
{
        return (struct qn_str){ (const char *)d->json.start + off,
                                (size_t)(d->json.in.p - d->json.start) - off };
}

static bool truthy(const struct qn_json_event *v)
{
        if (v->kind == QN_JSON_STRING)
                return v->raw.n > 0;
        return v->kind != QN_JSON_FALSE && v->kind != QN_JSON_NULL && !qn_str_is(v->raw, "0");
}

/* --- first pass: what there is --- */

/* A range that is no string fits nothing, unless JavaScript takes it for false. */
static int read_engine(struct doc *d, const struct qn_json_event *v, struct qn_str *ret)
{
        *ret = truthy(v) ? QN_STR("-") : QN_STR("");
        if (v->kind == QN_JSON_STRING && qn_json_unescape(v, d->keep.arena, ret) < 0)
                return no_memory(d);
        return pass(d, v);
}

static int read_engines(struct doc *d, struct slot *s)
{
        struct qn_json_event v;
        struct qn_str key;
        int r;

        while ((r = next_member(d, &key, &v)) > 0) {
                if (qn_str_is(key, "node"))
                        r = read_engine(d, &v, &s->node);
                else if (qn_str_is(key, "npm"))
                        r = read_engine(d, &v, &s->npm);
                else
                        r = pass(d, &v);
                if (r < 0)
                        return r;
        }
        return r;
}

static int read_slot(struct doc *d, const struct qn_json_event *value, struct slot *s)
{
        struct qn_json_event v;
        struct qn_str key;
        int r;

        if (value->kind != QN_JSON_OBJECT)
                return qn_fail(d->err, -EINVAL, value->off,
                               "not a packument: a version is not an object");
        while ((r = next_member(d, &key, &v)) > 0) {
                if (qn_str_is(key, "deprecated"))
                        s->deprecated = truthy(&v);
                if (qn_str_is(key, "engines") && v.kind == QN_JSON_OBJECT)
                        r = read_engines(d, s);
                else
                        r = pass(d, &v);
                if (r < 0)
                        return r;
        }
        s->raw = text_since(d, value->off);
        return r;
}

/* The last of repeated keys counts, in the first one's place. */
static int place_slot(struct doc *d, struct slot s)
{
        uint32_t at = (uint32_t)d->n;
        int r = qn_map_add(&d->index, d->keep.arena, s.key, at, &at);

        if (r < 0)
                return no_memory(d);
        if (r == 0) {
                if (d->n == QN_PACKUMENT_VERSIONS_MAX)
                        return qn_fail(d->err, -EFBIG, 0,
                                       "the packument holds more than %u versions",
                                       QN_PACKUMENT_VERSIONS_MAX);
                if (QN_ARENA_ROOM(d->keep.arena, d->slots, d->n, d->cap) < 0)
                        return no_memory(d);
                d->n++;
        }
        d->slots[at] = s;
        return 0;
}

static int read_versions(struct doc *d, const struct qn_json_event *value)
{
        struct qn_json_event v;
        int r;

        d->n = 0;
        d->index = (struct qn_map){ 0 };
        d->versions = value->kind == QN_JSON_OBJECT;
        if (!d->versions)
                return pass(d, value);
        for (;;) {
                struct slot s = { .time = QN_TIME_NONE };

                r = next_member(d, &s.key, &v);
                if (r <= 0)
                        return r;
                if ((r = read_slot(d, &v, &s)) < 0 || (r = place_slot(d, s)) < 0)
                        return r;
        }
}

/* A member beside the versions that is small enough to be read as a tree. */
static int read_beside(struct doc *d, struct qn_str key, struct qn_str raw)
{
        _cleanup_(qn_arena_done) struct qn_arena scratch = QN_ARENA_INIT(d->keep.arena->max);
        struct qn_packument *out = d->out;
        struct qn_node *n = NULL;

        if (qn_json_parse(qn_cur_str(raw), &scratch, &n, NULL) < 0)
                return no_memory(d);
        if (qn_str_is(key, "dist-tags")) {
                out->tags = (struct qn_pkgjson_pairs){ 0 };
                return qn_packument_keep_pairs(&d->keep, n, &out->tags) < 0 ? no_memory(d) : 0;
        }
        if (qn_str_is(key, "maintainers"))
                return qn_packument_keep_people(&d->keep, n, &out->maintainers,
                                                &out->n_maintainers) < 0
                               ? no_memory(d)
                               : 0;
        if (qn_str_is(key, "name"))
                out->name = qn_packument_keep_text(&d->keep, n);
        else if (qn_str_is(key, "modified"))
                out->modified = qn_packument_keep_text(&d->keep, n);
        else
                out->readme = qn_packument_keep_text(&d->keep, n);
        return 0;
}

static bool is_beside(struct qn_str key)
{
        return qn_str_is(key, "dist-tags") || qn_str_is(key, "maintainers") ||
               qn_str_is(key, "name") || qn_str_is(key, "modified") || qn_str_is(key, "readme");
}

static int read_member(struct doc *d, struct qn_str key, const struct qn_json_event *v)
{
        int r;

        if (qn_str_is(key, "versions"))
                return read_versions(d, v);
        if (qn_str_is(key, "time"))
                d->time = *v;
        d->id |= qn_str_is(key, "_id");
        r = pass(d, v);
        if (r < 0 || !is_beside(key))
                return r;
        return read_beside(d, key, text_since(d, v->off));
}

/* --- times --- */

/* times: keep the pairs too. */
static int read_times(struct doc *d, bool times)
{
        struct qn_packument *out = d->out;
        struct qn_json_event v;
        size_t cap = 0;
        int r = qn_json_init(
                &d->json, (struct qn_cur){ d->keep.doc.p + d->time.off, d->keep.doc.end }, d->err);

        d->json.start = d->keep.doc.p;
        if (r < 0 || (r = qn_json_next(&d->json, &v, d->err)) < 0)
                return r;
        for (;;) {
                struct qn_pkgjson_pair pair = { .value = { NULL, 0 } };
                uint32_t at;

                if ((r = next_member(d, &pair.name, &v)) <= 0)
                        return r;
                pair.off = (uint32_t)v.off;
                out->unpublished |= qn_str_is(pair.name, "unpublished");
                if (v.kind != QN_JSON_STRING) {
                        if ((r = pass(d, &v)) < 0)
                                return r;
                        continue;
                }
                if (qn_json_unescape(&v, d->keep.arena, &pair.value) < 0 ||
                    (times && QN_ARENA_ROOM(d->keep.arena, out->times.v, out->times.n, cap) < 0))
                        return no_memory(d);
                if (times)
                        out->times.v[out->times.n++] = pair;
                if (qn_str_is(pair.name, "created"))
                        out->created = qn_time_parse(pair.value);
                if (qn_str_is(pair.name, "modified"))
                        out->modified = pair.value;
                at = qn_map_get(&d->index, pair.name);
                if (at != QN_MAP_NONE) {
                        d->slots[at].published = pair.value;
                        d->slots[at].time = qn_time_parse(pair.value);
                }
        }
}

static int read_outline(struct doc *d, bool times)
{
        struct qn_json_event e;
        struct qn_str key;
        int r = qn_json_init(&d->json, d->keep.doc, d->err);

        if (r < 0 || (r = qn_json_next(&d->json, &e, d->err)) < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(d->err, -EINVAL, e.off,
                               "not a packument: it does not hold an object");
        while ((r = next_member(d, &key, &e)) > 0)
                if ((r = read_member(d, key, &e)) < 0)
                        return r;
        if (r < 0 || (r = qn_json_next(&d->json, &e, d->err)) < 0)
                return r;
        if (d->time.kind == QN_JSON_OBJECT && (r = read_times(d, times)) < 0)
                return r;
        d->out->modified_time = d->out->modified.p ? qn_time_parse(d->out->modified) : QN_TIME_NONE;
        d->out->abbreviated = d->time.kind == QN_JSON_EOF && !d->id;
        if (!d->versions && !d->out->unpublished)
                return qn_fail(d->err, -EINVAL, 0, "not a packument: it has no versions");
        return 0;
}

static int open_doc(struct doc *d, struct qn_cur in, struct qn_arena *a, bool times,
                    struct qn_err *reterr)
{
        *d = (struct doc){ .keep = { in, a }, .err = reterr };
        d->out = QN_ARENA_NEW(a, struct qn_packument);
        if (!d->out)
                return no_memory(d);
        d->out->created = d->out->modified_time = QN_TIME_NONE;
        return read_outline(d, times);
}

static int read_one(struct doc *d, const struct slot *s, struct qn_packument_version *ret)
{
        if (qn_packument_read_version(&d->keep, s->raw, d->out->name, s->key, ret) < 0)
                return no_memory(d);
        ret->published = s->published;
        ret->time = s->time;
        return 0;
}

/* --- listing --- */

int qn_packument_read(struct qn_cur in, struct qn_arena *a, struct qn_packument **ret,
                      struct qn_err *reterr)
{
        struct qn_packument *out;
        struct doc d;
        int r = open_doc(&d, in, a, true, reterr);

        if (r < 0)
                return r;
        out = d.out;
        out->versions = qn_arena_calloc(a, d.n, sizeof *out->versions);
        if (!out->versions)
                return no_memory(&d);
        for (; out->n < d.n; out->n++)
                if ((r = read_one(&d, &d.slots[out->n], &out->versions[out->n])) < 0)
                        return r;
        *ret = out;
        return 0;
}

const struct qn_packument_version *qn_packument_find(const struct qn_packument *p,
                                                     struct qn_str version)
{
        for (size_t i = 0; i < p->n; i++)
                if (qn_str_eq(p->versions[i].version, version))
                        return &p->versions[i];
        return NULL;
}

/* --- choosing --- */

struct picker {
        struct doc *doc;
        const struct qn_packument_want *want;
        struct qn_arena scratch; /* ranges */
};

static void picker_done(struct picker *p)
{
        qn_arena_done(&p->scratch);
}

static const struct slot *find_slot(const struct picker *p, struct qn_str key)
{
        uint32_t at = qn_map_get(&p->doc->index, key);

        return at == QN_MAP_NONE ? NULL : &p->doc->slots[at];
}

/* Without a date for a version npm lets it pass; with one that cannot be read it does not. */
static bool in_time(const struct picker *p, const struct slot *s)
{
        if (p->want->before == QN_TIME_NONE || !s || s->published.n == 0)
                return true;
        return s->time != QN_TIME_NONE && s->time <= p->want->before;
}

static bool engine_fits(struct picker *p, struct qn_str have, struct qn_str range)
{
        struct qn_range *r;

        if (have.n == 0 || range.n == 0)
                return true;
        qn_arena_reset(&p->scratch, (size_t)1 << 20);
        return qn_range_parse(range, QN_SEMVER_PRERELEASE, &p->scratch, &r) == 0 &&
               qn_range_test_str(r, have);
}

static bool engines_fit(struct picker *p, const struct slot *s)
{
        return engine_fits(p, p->want->node, s->node) && engine_fits(p, p->want->npm, s->npm);
}

static struct qn_str tag_version(const struct picker *p, struct qn_str tag)
{
        const struct qn_pkgjson_pairs *tags = &p->doc->out->tags;

        for (size_t i = 0; i < tags->n; i++)
                if (qn_str_eq(tags->v[i].name, tag))
                        return tags->v[i].value;
        return (struct qn_str){ NULL, 0 };
}

struct candidate {
        const struct slot *slot;
        struct qn_semver version;
        bool fits;
};

static int cmp_bool(bool a, bool b)
{
        return (a > b) - (a < b);
}

/* > 0: a is the better choice. */
static int cmp_candidates(const struct candidate *a, const struct candidate *b)
{
        bool fresh_a = !a->slot->deprecated, fresh_b = !b->slot->deprecated;
        int r = cmp_bool(fresh_a && a->fits, fresh_b && b->fits);

        if (r == 0)
                r = cmp_bool(a->fits, b->fits);
        if (r == 0)
                r = cmp_bool(fresh_a, fresh_b);
        return r ? r : qn_semver_cmp(&a->version, &b->version);
}

static const struct slot *pick_best(struct picker *p, const struct qn_range *range)
{
        struct candidate best = { .slot = NULL }, c;

        for (size_t i = 0; i < p->doc->n; i++) {
                c.slot = &p->doc->slots[i];
                if (!in_time(p, c.slot) ||
                    qn_semver_parse(c.slot->key, QN_SEMVER_LOOSE, &c.version) < 0 ||
                    !qn_range_test(range, &c.version))
                        continue;
                c.fits = engines_fit(p, c.slot);
                if (!best.slot || cmp_candidates(&c, &best) > 0)
                        best = c;
        }
        return best.slot;
}

static int pick_range(struct picker *p, struct qn_str text, struct qn_arena *a,
                      const struct slot **ret)
{
        struct qn_str wanted_tag = p->want->tag.n ? p->want->tag : QN_STR("latest"),
                      tagged = tag_version(p, wanted_tag);
        const struct slot *s = tagged.p ? find_slot(p, tagged) : NULL;
        struct qn_range *range;
        int r = qn_range_parse(text, QN_SEMVER_LOOSE, a, &range);

        if (r < 0)
                return r;
        if (!s || (!qn_str_is(text, "*") && !qn_range_test_str(range, tagged)) || !in_time(p, s) ||
            s->deprecated || !engines_fit(p, s))
                s = pick_best(p, range);
        *ret = s;
        return 0;
}

static int pick_tag(struct picker *p, struct qn_str tag, struct qn_arena *a,
                    const struct slot **ret)
{
        struct qn_str version = tag_version(p, tag), range;
        const struct slot *s = version.p ? find_slot(p, version) : NULL;
        char *text;

        if (!s || in_time(p, s)) {
                *ret = s;
                return 0;
        }
        /* The tag is younger than that: the highest version below it. */
        text = qn_arena_alloc(a, version.n + 2);
        if (!text)
                return -ENOBUFS;
        memcpy(text, "<=", 2);
        memcpy(text + 2, version.p, version.n);
        range = (struct qn_str){ text, version.n + 2 };
        return pick_range(p, range, a, ret);
}

/* "=v1.2.3+b" → the key of "1.2.3"; as npm, leading = and v go first. */
static bool is_version(struct qn_str spec, struct qn_semver *ret)
{
        while (spec.n && (spec.p[0] == '=' || spec.p[0] == 'v'))
                spec = qn_str_skip(spec, 1);
        return qn_semver_parse(spec, QN_SEMVER_LOOSE, ret) == 0;
}

static int pick_version(struct picker *p, const struct qn_semver *v, const struct slot **ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SEMVER_MAX * 2);
        const struct slot *s;
        int r = qn_semver_format(v, &b);

        if (r < 0)
                return r;
        s = find_slot(p, qn_buf_view(&b));
        *ret = s && in_time(p, s) ? s : NULL;
        return 0;
}

/* A version, else a range, else a tag: 0 with the choice or NULL. */
static int pick_slot(struct picker *p, struct qn_arena *a, const struct slot **ret)
{
        struct qn_str spec = qn_str_trim(p->want->spec);
        struct qn_semver v;
        int r;

        if (spec.n == 0)
                return pick_range(p, QN_STR("*"), a, ret);
        if (is_version(spec, &v))
                return pick_version(p, &v, ret);
        r = pick_range(p, spec, a, ret);
        return r == -EINVAL || r == -EFBIG ? pick_tag(p, spec, a, ret) : r;
}

int qn_packument_pick(struct qn_cur in, const struct qn_packument_want *want, struct qn_arena *a,
                      struct qn_packument_version **ret, struct qn_err *reterr)
{
        struct doc d;
        _cleanup_(picker_done) struct picker p = { &d, want, QN_ARENA_INIT(a->max) };
        const struct slot *chosen = NULL;
        struct qn_packument_version *v;
        int r = open_doc(&d, in, a, false, reterr);

        if (r < 0)
                return r;
        if (d.n == 0)
                return qn_fail(reterr, -ENOENT, 0, "%.*s has no versions", QN_STR_ARG(d.out->name));
        r = pick_slot(&p, a, &chosen);
        if (r == -ENOBUFS || r == -ENOMEM)
                return no_memory(&d);
        if (r < 0 || !chosen)
                return qn_fail(reterr, -ENOENT, 0, "no version of %.*s matches \"%.*s\"%s",
                               QN_STR_ARG(d.out->name), QN_STR_ARG(want->spec),
                               want->before == QN_TIME_NONE ? "" : " and is old enough");
        v = QN_ARENA_NEW(a, struct qn_packument_version);
        if (!v)
                return no_memory(&d);
        r = read_one(&d, chosen, v);
        if (r < 0)
                return r;
        *ret = v;
        return 0;
}

bool qn_packument_is_proxied(const struct qn_packument *p)
{
        if (p->created != QN_TIME_NONE || p->n_maintainers)
                return false;
        for (size_t i = 0; i < p->n; i++)
                if (p->versions[i].publisher.name.n || p->versions[i].n_maintainers)
                        return false;
        return true;
}
