#include "parse/packument-outline.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/semver.h"

#define SCRATCH_KEEP ((size_t)16 << 10)
#define ESCAPE_MAX   6 /* bytes of the longest escape of one */

struct reader {
        struct qn_outline_walk walk; /* walk.arena: scratch, for keys that are looked at once */
        struct qn_outline *out;
        struct qn_str name;
};

static int no_memory(struct qn_err *reterr)
{
        return qn_fail(reterr, -ENOBUFS, 0, "the packument needs too much memory");
}

static int too_many(struct qn_err *reterr, const char *what, unsigned max)
{
        return qn_fail(reterr, -EFBIG, 0, "the packument holds more than %u %s", max, what);
}

/* --- walking --- */

int qn_outline_enter(struct qn_outline_walk *w, struct qn_str object, struct qn_arena *a,
                     struct qn_err *reterr)
{
        struct qn_json_event e;
        int r = qn_json_init(&w->json, qn_cur_str(object), reterr);

        w->arena = a;
        w->err = reterr;
        if (r < 0 || (r = qn_json_next(&w->json, &e, reterr)) < 0)
                return r;
        return e.kind == QN_JSON_OBJECT ? 0 : qn_fail(reterr, -EINVAL, e.off, "not an object");
}

int qn_outline_next(struct qn_outline_walk *w, struct qn_str *ret_key, struct qn_str *ret_raw_key,
                    struct qn_json_event *ret_value)
{
        struct qn_json_event e;
        int r = qn_json_next(&w->json, &e, w->err);

        if (r < 0 || e.kind != QN_JSON_KEY)
                return r;
        if (ret_raw_key)
                *ret_raw_key = (struct qn_str){ e.raw.p - 1, e.raw.n + 2 };
        *ret_key = e.raw;
        if (e.escaped && qn_json_unescape(&e, w->arena, ret_key) < 0)
                return no_memory(w->err);
        r = qn_json_next(&w->json, ret_value, w->err);
        return r < 0 ? r : 1;
}

int qn_outline_pass(struct qn_outline_walk *w, const struct qn_json_event *value,
                    struct qn_str *ret)
{
        const char *from = (const char *)w->json.start + value->off;
        int r = qn_json_skip_rest(&w->json, value, w->err);

        *ret = (struct qn_str){ from, (size_t)((const char *)w->json.in.p - from) };
        return r;
}

static int next(struct reader *d, struct qn_str *ret_key, struct qn_json_event *ret_value)
{
        if (d->walk.arena->chunks)
                qn_arena_reset(d->walk.arena, SCRATCH_KEEP);
        return qn_outline_next(&d->walk, ret_key, NULL, ret_value);
}

static int pass(struct reader *d, const struct qn_json_event *value)
{
        return qn_json_skip_rest(&d->walk.json, value, d->walk.err);
}

static struct qn_str text_since(const struct reader *d, size_t off)
{
        return (struct qn_str){ (const char *)d->walk.json.start + off,
                                (size_t)(d->walk.json.in.p - d->walk.json.start) - off };
}

/* A key that is going to stay. */
static int keep(struct reader *d, struct qn_str key, struct qn_str *ret)
{
        const uint8_t *p = (const uint8_t *)key.p;

        *ret = p >= d->walk.json.start && p <= d->walk.json.in.end
                       ? key
                       : qn_arena_dup(d->out->arena, key);
        return ret->p ? 0 : no_memory(d->walk.err);
}

/* --- texts --- */

static bool is_text(struct reader *d, const struct qn_json_event *v, struct qn_str want)
{
        struct qn_str s = v->raw;

        if (v->kind != QN_JSON_STRING || v->raw.n / ESCAPE_MAX > want.n)
                return false;
        if (v->escaped && qn_json_unescape(v, d->walk.arena, &s) < 0)
                return false;
        return qn_str_eq(s, want);
}

/* A string of at most so many bytes; p NULL for anything else. */
static int read_text(struct reader *d, const struct qn_json_event *v, size_t max,
                     struct qn_str *ret)
{
        *ret = (struct qn_str){ NULL, 0 };
        if (v->kind != QN_JSON_STRING || v->raw.n / ESCAPE_MAX > max)
                return pass(d, v);
        if (qn_json_unescape(v, d->out->arena, ret) < 0)
                return no_memory(d->walk.err);
        if (ret->n > max)
                *ret = (struct qn_str){ NULL, 0 };
        return 0;
}

static bool is_filled(const struct qn_json_event *v)
{
        return v->kind == QN_JSON_STRING && v->raw.n;
}

/* --- a version --- */

/* Whether one of some keys is there with a text that is not empty; the last of each counts. */
static int read_filled(struct reader *d, const char *const *keys, size_t n, bool *ret)
{
        struct qn_json_event v;
        struct qn_str key;
        unsigned found = 0;
        int r;

        while ((r = next(d, &key, &v)) > 0) {
                for (size_t i = 0; i < n; i++)
                        if (qn_str_is(key, keys[i]))
                                found = (found & ~(1u << i)) | (unsigned)is_filled(&v) << i;
                if ((r = pass(d, &v)) < 0)
                        return r;
        }
        *ret = found != 0;
        return r;
}

/* {"url", "provenance": {"predicateType"}} */
static int read_attestations(struct reader *d, bool *ret)
{
        static const char *const type[] = { "predicateType" };
        bool url = false, provenance = false;
        struct qn_json_event v;
        struct qn_str key;
        int r;

        while ((r = next(d, &key, &v)) > 0) {
                if (qn_str_is(key, "url"))
                        url = is_filled(&v);
                if (qn_str_is(key, "provenance") && v.kind == QN_JSON_OBJECT)
                        r = read_filled(d, type, 1, &provenance);
                else
                        r = pass(d, &v);
                if (r < 0)
                        return r;
        }
        *ret = url || provenance;
        return r;
}

static int read_tarball(struct reader *d, const struct qn_json_event *v,
                        struct qn_outline_version *s)
{
        int r = read_text(d, v, QN_URL_MAX, &s->address);

        s->odd |= s->tarball.p != NULL;
        s->tarball = text_since(d, v->off);
        return r;
}

static int read_dist_member(struct reader *d, struct qn_str key, const struct qn_json_event *v,
                            struct qn_outline_version *s)
{
        if (qn_str_is(key, "tarball"))
                return read_tarball(d, v, s);
        if (qn_str_is(key, "integrity"))
                return read_text(d, v, QN_URL_MAX, &s->integrity);
        if (qn_str_is(key, "shasum"))
                return read_text(d, v, QN_URL_MAX, &s->shasum);
        if (!qn_str_is(key, "attestations"))
                return pass(d, v);
        s->attested = false;
        return v->kind == QN_JSON_OBJECT ? read_attestations(d, &s->attested) : pass(d, v);
}

static int read_dist(struct reader *d, const struct qn_json_event *value,
                     struct qn_outline_version *s)
{
        static const struct qn_str none = { NULL, 0 };
        struct qn_json_event v;
        struct qn_str key;
        int r = 0;

        s->dist = s->tarball = s->address = s->integrity = s->shasum = none;
        s->attested = false;
        if (value->kind != QN_JSON_OBJECT)
                return pass(d, value);
        while ((r = next(d, &key, &v)) > 0)
                if ((r = read_dist_member(d, key, &v, s)) < 0)
                        return r;
        s->dist = text_since(d, value->off);
        return r;
}

static int read_scripts(struct reader *d, const struct qn_json_event *v, bool *ret)
{
        static const char *const hooks[] = { "preinstall", "install", "postinstall" };

        *ret = false;
        return v->kind == QN_JSON_OBJECT ? read_filled(d, hooks, QN_ARRAY_SIZE(hooks), ret)
                                         : pass(d, v);
}

/* What of a version is looked at, and how often it was there. */
enum { NAME, VERSION, DIST, SCRIPTS, GYPFILE, HOOKS, FIELDS };
static const struct qn_str fields[FIELDS] = {
        [NAME] = { "name", 4 },       [VERSION] = { "version", 7 },
        [DIST] = { "dist", 4 },       [SCRIPTS] = { "scripts", 7 },
        [GYPFILE] = { "gypfile", 7 }, [HOOKS] = { "hasInstallScript", 16 },
};

static unsigned find_field(struct qn_str key)
{
        unsigned i = 0;

        while (i < FIELDS && !qn_str_eq(key, fields[i]))
                i++;
        return i;
}

struct version_state {
        unsigned times[FIELDS + 1];
        bool is[FIELDS]; /* of the last one: as wanted, or true */
};

static int read_version_member(struct reader *d, unsigned field, const struct qn_json_event *v,
                               struct version_state *state, struct qn_outline_version *s)
{
        switch (field) {
        case NAME:
                state->is[NAME] = is_text(d, v, d->name);
                return pass(d, v);
        case VERSION:
                state->is[VERSION] = is_text(d, v, s->key);
                return pass(d, v);
        case DIST:
                return read_dist(d, v, s);
        case SCRIPTS:
                return read_scripts(d, v, &state->is[SCRIPTS]);
        case GYPFILE:
        case HOOKS:
                state->is[field] = v->kind == QN_JSON_TRUE;
                return pass(d, v);
        default:
                return pass(d, v);
        }
}

static int read_version(struct reader *d, const struct qn_json_event *value,
                        struct qn_outline_version *s)
{
        struct version_state state = { 0 };
        struct qn_json_event v;
        struct qn_str key;
        int r;

        if (value->kind != QN_JSON_OBJECT)
                return pass(d, value);
        while ((r = next(d, &key, &v)) > 0) {
                unsigned field = find_field(key);

                state.times[field]++;
                if ((r = read_version_member(d, field, &v, &state, s)) < 0)
                        return r;
        }
        s->raw = text_since(d, value->off);
        s->fits = state.is[NAME] && state.is[VERSION];
        s->hooks = state.is[SCRIPTS] || state.is[GYPFILE] || state.is[HOOKS];
        s->odd |= state.times[NAME] != 1 || state.times[VERSION] != 1 || state.times[DIST] != 1 ||
                  !s->tarball.p;
        return r;
}

/* Where a version goes: the last of repeated keys counts, in the first one's place. */
static int place_version(struct reader *d, const struct qn_outline_version *s)
{
        struct qn_outline *o = d->out;
        uint32_t at = (uint32_t)o->n;
        int r = qn_map_add(&o->index, o->arena, s->key, at, &at);

        if (r < 0)
                return no_memory(d->walk.err);
        if (r == 0) {
                if (o->n == QN_PACKUMENT_VERSIONS_MAX)
                        return too_many(d->walk.err, "versions", QN_PACKUMENT_VERSIONS_MAX);
                if (QN_ARENA_ROOM(o->arena, o->versions, o->n, o->cap) < 0)
                        return no_memory(d->walk.err);
                o->n++;
        }
        o->versions[at] = *s;
        return 0;
}

static int read_versions(struct reader *d, const struct qn_json_event *value)
{
        struct qn_outline *o = d->out;
        struct qn_json_event v;
        struct qn_str key;
        int r;

        o->n = 0;
        o->index = (struct qn_map){ 0 };
        o->has_versions = value->kind == QN_JSON_OBJECT;
        if (!o->has_versions)
                return pass(d, value);
        while ((r = next(d, &key, &v)) > 0) {
                struct qn_outline_version s = { .fits = false };

                if (!qn_semver_is_plain(key))
                        r = pass(d, &v);
                else if ((r = keep(d, key, &s.key)) == 0 && (r = read_version(d, &v, &s)) == 0)
                        r = place_version(d, &s);
                if (r < 0)
                        return r;
        }
        return r;
}

/* --- members --- */

static int place_member(struct reader *d, struct qn_map *seen, const struct qn_outline_member *m)
{
        struct qn_outline *o = d->out;
        uint32_t at = (uint32_t)o->n_members;
        int r = qn_map_add(seen, o->arena, m->key, at, &at);

        if (r < 0)
                return no_memory(d->walk.err);
        if (r == 0) {
                if (o->n_members == QN_PACKUMENT_MEMBERS_MAX)
                        return too_many(d->walk.err, "members", QN_PACKUMENT_MEMBERS_MAX);
                if (QN_ARENA_ROOM(o->arena, o->members, o->n_members, o->member_cap) < 0)
                        return no_memory(d->walk.err);
                o->n_members++;
        }
        o->members[at] = *m;
        return 0;
}

static int read_members(struct reader *d)
{
        struct qn_map seen = { 0 };
        struct qn_json_event v;
        struct qn_str key;
        int r;

        for (;;) {
                struct qn_outline_member m;

                r = qn_outline_next(&d->walk, &key, &m.raw_key, &v);
                if (r <= 0)
                        return r;
                if ((r = keep(d, key, &m.key)) < 0)
                        return r;
                r = qn_str_is(m.key, "versions") ? read_versions(d, &v) : pass(d, &v);
                m.value = text_since(d, v.off);
                if (r < 0 || (r = place_member(d, &seen, &m)) < 0)
                        return r;
        }
}

/* --- tags and times, read again when the versions are known --- */

static int enter(struct reader *d, const struct qn_outline_member *m)
{
        return qn_outline_enter(&d->walk, m->value, d->walk.arena, d->walk.err);
}

static bool is_object(const struct qn_outline_member *m)
{
        return m && m->value.n && m->value.p[0] == '{';
}

static int place_tag(struct reader *d, struct qn_map *seen, const struct qn_outline_tag *t)
{
        struct qn_outline *o = d->out;
        uint32_t at = (uint32_t)o->n_tags;
        int r = qn_map_add(seen, o->arena, t->tag, at, &at);

        if (r < 0)
                return no_memory(d->walk.err);
        if (r == 0) {
                if (o->n_tags == QN_PACKUMENT_TAGS_MAX)
                        return too_many(d->walk.err, "tags", QN_PACKUMENT_TAGS_MAX);
                if (QN_ARENA_ROOM(o->arena, o->tags, o->n_tags, o->tag_cap) < 0)
                        return no_memory(d->walk.err);
                o->n_tags++;
        }
        o->tags[at] = *t;
        return 0;
}

static int read_tags(struct reader *d, const struct qn_outline_member *m)
{
        struct qn_map seen = { 0 };
        struct qn_json_event v;
        struct qn_str key;
        int r = is_object(m) ? enter(d, m) : -ENOENT;

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (;;) {
                struct qn_outline_tag t;

                r = qn_outline_next(&d->walk, &key, &t.raw_tag, &v);
                if (r <= 0)
                        return r;
                if ((r = keep(d, key, &t.tag)) < 0 ||
                    (r = read_text(d, &v, QN_SEMVER_MAX, &t.target)) < 0 ||
                    (r = place_tag(d, &seen, &t)) < 0)
                        return r;
        }
}

static int read_times(struct reader *d, const struct qn_outline_member *m)
{
        static const struct qn_str none = { NULL, 0 };
        struct qn_outline *o = d->out;
        struct qn_json_event v;
        struct qn_str key;
        int r = is_object(m) ? enter(d, m) : -ENOENT;

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while ((r = next(d, &key, &v)) > 0) {
                uint32_t at = qn_map_get(&o->index, key);
                struct qn_str text;

                if ((r = pass(d, &v)) < 0)
                        return r;
                text = text_since(d, v.off);
                if (qn_str_is(key, "unpublished"))
                        o->unpublished = text;
                if (v.kind != QN_JSON_STRING)
                        text = none;
                if (qn_str_is(key, "created"))
                        o->created = text;
                else if (qn_str_is(key, "modified"))
                        o->modified = text;
                else if (at != QN_MAP_NONE)
                        o->versions[at].time = text;
        }
        return r;
}

/* --- the whole --- */

const struct qn_outline_version *qn_outline_version(const struct qn_outline *o, struct qn_str key)
{
        uint32_t at = qn_map_get(&o->index, key);

        return at == QN_MAP_NONE ? NULL : &o->versions[at];
}

const struct qn_outline_member *qn_outline_member(const struct qn_outline *o, const char *key)
{
        for (size_t i = 0; i < o->n_members; i++)
                if (qn_str_is(o->members[i].key, key))
                        return &o->members[i];
        return NULL;
}

static int check_name(struct reader *d)
{
        const struct qn_outline_member *m = qn_outline_member(d->out, "name");
        struct qn_json json;
        struct qn_json_event e;

        if (!m || qn_json_init(&json, qn_cur_str(m->value), NULL) < 0 ||
            qn_json_next(&json, &e, NULL) < 0 || !is_text(d, &e, d->name))
                return qn_fail(d->walk.err, -EINVAL, 0,
                               "the registry answered with the document of another package");
        return 0;
}

static int read_all(struct reader *d, struct qn_cur in)
{
        struct qn_json_event e;
        int r = qn_json_init(&d->walk.json, in, d->walk.err);

        if (r < 0 || (r = qn_json_next(&d->walk.json, &e, d->walk.err)) < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(d->walk.err, -EINVAL, e.off,
                               "not a packument: it does not hold an object");
        if ((r = read_members(d)) < 0 || (r = qn_json_next(&d->walk.json, &e, d->walk.err)) < 0)
                return r;
        if ((r = check_name(d)) < 0 ||
            (r = read_tags(d, qn_outline_member(d->out, "dist-tags"))) < 0 ||
            (r = read_times(d, qn_outline_member(d->out, "time"))) < 0)
                return r;
        if (!d->out->has_versions && !d->out->unpublished.p)
                return qn_fail(d->walk.err, -EINVAL, 0, "not a packument: it has no versions");
        return 0;
}

int qn_outline_read(struct qn_cur in, struct qn_str name, struct qn_arena *a,
                    struct qn_outline *ret, struct qn_err *reterr)
{
        _cleanup_(qn_arena_done) struct qn_arena scratch = QN_ARENA_INIT(a->max);
        struct reader d = { .walk = { .err = reterr, .arena = &scratch },
                            .out = ret,
                            .name = name };

        *ret = (struct qn_outline){ .arena = a };
        return read_all(&d, in);
}
