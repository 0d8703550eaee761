#include "parse/packument-rewrite.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "parse/packument-outline.h"
#include "parse/semver.h"

#define BLOCK ((size_t)64 << 10) /* bytes that go to the sink at once */

/* A version that may be served. */
struct allowed {
        struct qn_semver v;
        struct qn_str key;
};

struct allowed_list {
        struct allowed *v; /* in semver order */
        size_t n;
};

struct restricted {
        struct qn_str version, reason;
};

struct writer {
        const struct qn_packument_rewrite *want;
        struct qn_outline doc;
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_buf prefix; /* of a tarball's address, as JSON and without its last quote */
        struct qn_buf text;   /* what is being made */
        struct allowed_list all, release; /* made when a tag has to move */
        bool sorted;
        struct restricted *restricted;
        size_t n_restricted, restricted_cap;
        struct qn_map restrictions;
        struct qn_str message;
        qn_sink_fn *sink;
        void *ctx;
        char *block;
        size_t used;
        int error; /* of the sink */
};

static void writer_done(struct writer *w)
{
        qn_buf_done(&w->prefix);
        qn_buf_done(&w->text);
}

static int no_memory(struct writer *w)
{
        return qn_fail(w->err, -ENOBUFS, 0, "the packument needs too much memory");
}

/* --- output: an error of the sink stays, and is asked for at the end --- */

static void flush(struct writer *w)
{
        if (w->error == 0 && w->used)
                w->error = w->sink(w->ctx, w->block, w->used);
        w->used = 0;
}

static void put(struct writer *w, struct qn_str s)
{
        if (s.n > BLOCK - w->used)
                flush(w);
        if (s.n >= BLOCK) {
                if (w->error == 0)
                        w->error = w->sink(w->ctx, s.p, s.n);
                return;
        }
        if (s.n)
                memcpy(w->block + w->used, s.p, s.n);
        w->used += s.n;
}

#define PUT(w, lit) put((w), QN_STR(lit))

static void put_json(struct writer *w, struct qn_str s)
{
        struct qn_jsonw j = QN_JSONW_INIT(&w->text, 0);

        qn_buf_reset(&w->text);
        qn_jsonw_str(&j, NULL, s);
        if (w->error == 0)
                w->error = qn_buf_error(&w->text);
        put(w, qn_buf_view(&w->text));
}

/* A comma before everything but the first. */
static void put_comma(struct writer *w, bool *first)
{
        if (!*first)
                PUT(w, ",");
        *first = false;
}

/* key: plain ASCII, as names of fields and versions are. */
static void put_key(struct writer *w, struct qn_str key, bool *first)
{
        put_comma(w, first);
        PUT(w, "\"");
        put(w, key);
        PUT(w, "\":");
}

static void put_raw_key(struct writer *w, struct qn_str raw_key, bool *first)
{
        put_comma(w, first);
        put(w, raw_key);
        PUT(w, ":");
}

/* --- which versions --- */

static const struct qn_packument_blocked *find_blocked(const struct qn_packument_rewrite *want,
                                                       struct qn_str version)
{
        size_t from = 0, to = want->n_blocked;

        while (from < to) {
                size_t at = from + (to - from) / 2;
                int r = qn_str_cmp(want->blocked[at].version, version);

                if (r == 0)
                        return &want->blocked[at];
                if (r < 0)
                        from = at + 1;
                else
                        to = at;
        }
        return NULL;
}

static bool is_allowed(const struct writer *w, const struct qn_outline_version *v)
{
        return v && v->fits && !find_blocked(w->want, v->key);
}

static int cmp_allowed(const void *a, const void *b)
{
        const struct allowed *x = a, *y = b;
        int r = qn_semver_cmp_build(&x->v, &y->v);

        return r ? r : qn_str_cmp(x->key, y->key);
}

static int sort_allowed(struct writer *w)
{
        const struct qn_outline *o = &w->doc;

        w->sorted = true;
        w->all.v = qn_arena_calloc(w->arena, o->n, sizeof *w->all.v);
        w->release.v = qn_arena_calloc(w->arena, o->n, sizeof *w->release.v);
        if (!w->all.v || !w->release.v)
                return no_memory(w);
        for (size_t i = 0; i < o->n; i++) {
                struct allowed a = { .key = o->versions[i].key };

                if (!is_allowed(w, &o->versions[i]) || qn_semver_parse(a.key, 0, &a.v) < 0)
                        continue;
                w->all.v[w->all.n++] = a;
                if (!a.v.pre.n)
                        w->release.v[w->release.n++] = a;
        }
        qsort(w->all.v, w->all.n, sizeof *w->all.v, cmp_allowed);
        qsort(w->release.v, w->release.n, sizeof *w->release.v, cmp_allowed);
        return 0;
}

/* The highest that is not above v; p NULL: there is none. */
static struct qn_str highest_below(const struct allowed_list *l, const struct qn_semver *v)
{
        size_t from = 0, to = l->n;

        while (from < to) {
                size_t at = from + (to - from) / 2;

                if (qn_semver_cmp(&l->v[at].v, v) <= 0)
                        from = at + 1;
                else
                        to = at;
        }
        return from ? l->v[from - 1].key : (struct qn_str){ NULL, 0 };
}

/* Where a tag points to; p NULL: nowhere any more. */
static int resolve_tag(struct writer *w, struct qn_str target, struct qn_str *ret)
{
        const struct qn_outline_version *v = target.p ? qn_outline_version(&w->doc, target) : NULL;
        struct qn_semver old;
        int r;

        *ret = (struct qn_str){ NULL, 0 };
        if (is_allowed(w, v)) {
                *ret = v->key;
                return 0;
        }
        if (!target.p || qn_semver_parse(target, 0, &old) < 0)
                return 0;
        r = w->sorted ? 0 : sort_allowed(w);
        if (r == 0)
                *ret = highest_below(old.pre.n ? &w->all : &w->release, &old);
        return r;
}

/* --- dist --- */

static void put_address(struct writer *w, const struct qn_outline_version *v)
{
        put(w, qn_buf_view(&w->prefix));
        put(w, v->key);
        PUT(w, ".tgz\"");
}

/* Text before and behind a part of it. */
static struct qn_str before(struct qn_str whole, struct qn_str part)
{
        return qn_str_take(whole, (size_t)(part.p - whole.p));
}

static struct qn_str behind(struct qn_str whole, struct qn_str part)
{
        return qn_str_skip(whole, (size_t)(part.p - whole.p) + part.n);
}

/* Members of an object but for some, as they stand. */
static int put_others(struct writer *w, struct qn_str object, const char *const *without)
{
        struct qn_outline_walk walk;
        struct qn_json_event value;
        struct qn_str key, raw_key, text;
        bool first = false;
        int r = qn_outline_enter(&walk, object, w->arena, w->err);

        if (r < 0)
                return r;
        while ((r = qn_outline_next(&walk, &key, &raw_key, &value)) > 0) {
                size_t i = 0;

                if ((r = qn_outline_pass(&walk, &value, &text)) < 0)
                        return r;
                while (without[i] && !qn_str_is(key, without[i]))
                        i++;
                if (without[i])
                        continue;
                put_raw_key(w, raw_key, &first);
                put(w, text);
        }
        return r;
}

static int put_dist(struct writer *w, const struct qn_outline_version *v)
{
        static const char *const without[] = { "tarball", NULL };
        int r = 0;

        if (v->tarball.p && !v->odd) {
                put(w, before(v->dist, v->tarball));
                put_address(w, v);
                put(w, behind(v->dist, v->tarball));
                return 0;
        }
        PUT(w, "{\"tarball\":");
        put_address(w, v);
        if (v->dist.p)
                r = put_others(w, v->dist, without);
        PUT(w, "}");
        return r;
}

/* --- a version --- */

/* As it stands, but for the address. */
static int put_full_version(struct writer *w, const struct qn_outline_version *v)
{
        static const char *const without[] = { "name", "version", "dist", NULL };
        int r;

        if (!v->odd) {
                put(w, before(v->raw, v->tarball));
                put_address(w, v);
                put(w, behind(v->raw, v->tarball));
                return 0;
        }
        PUT(w, "{\"name\":");
        put_json(w, w->want->name);
        PUT(w, ",\"version\":\"");
        put(w, v->key);
        PUT(w, "\",\"dist\":");
        r = put_dist(w, v);
        if (r == 0)
                r = put_others(w, v->raw, without);
        PUT(w, "}");
        return r;
}

/* What the short form has of a version, in this order; name, version, dist and hasInstallScript are made here. */
#define FIELDS(X)                 \
        X("deprecated")           \
        X("dependencies")         \
        X("optionalDependencies") \
        X("devDependencies")      \
        X("bundleDependencies")   \
        X("peerDependencies")     \
        X("peerDependenciesMeta") \
        X("acceptDependencies")   \
        X("bin")                  \
        X("directories")          \
        X("engines")              \
        X("cpu")                  \
        X("os")                   \
        X("libc")                 \
        X("funding")              \
        X("_hasShrinkwrap")
#define FIELD(name) { name, sizeof(name) - 1 },
static const struct qn_str fields[] = { FIELDS(FIELD) };
#define BUNDLE 4 /* index of bundleDependencies, which has two spellings */

static unsigned find_field(struct qn_str key)
{
        unsigned i = 0;

        while (i < QN_ARRAY_SIZE(fields) && !qn_str_eq(fields[i], key))
                i++;
        return i;
}

static int read_fields(struct writer *w, const struct qn_outline_version *v, struct qn_str *ret)
{
        struct qn_str key, text, bundled = { NULL, 0 };
        struct qn_outline_walk walk;
        struct qn_json_event value;
        int r = qn_outline_enter(&walk, v->raw, w->arena, w->err);

        if (r < 0)
                return r;
        while ((r = qn_outline_next(&walk, &key, NULL, &value)) > 0) {
                unsigned field = find_field(key);

                if ((r = qn_outline_pass(&walk, &value, &text)) < 0)
                        return r;
                if (field < QN_ARRAY_SIZE(fields))
                        ret[field] = text;
                else if (qn_str_is(key, "bundledDependencies"))
                        bundled = text;
        }
        if (!ret[BUNDLE].p)
                ret[BUNDLE] = bundled;
        return r;
}

static int put_short_version(struct writer *w, const struct qn_outline_version *v)
{
        struct qn_str values[QN_ARRAY_SIZE(fields)] = { { NULL, 0 } };
        bool first = false;
        int r = read_fields(w, v, values);

        if (r < 0)
                return r;
        PUT(w, "{\"name\":");
        put_json(w, w->want->name);
        PUT(w, ",\"version\":\"");
        put(w, v->key);
        PUT(w, "\"");
        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++)
                if (values[i].p) {
                        put_key(w, fields[i], &first);
                        put(w, values[i]);
                }
        if (v->hooks)
                PUT(w, ",\"hasInstallScript\":true");
        PUT(w, ",\"dist\":");
        r = put_dist(w, v);
        PUT(w, "}");
        return r;
}

static int put_version(struct writer *w, const struct qn_outline_version *v)
{
        return w->want->abbreviated ? put_short_version(w, v) : put_full_version(w, v);
}

static int put_versions(struct writer *w)
{
        const struct qn_outline *o = &w->doc;
        bool first = true;
        int r = 0;

        PUT(w, "{");
        for (size_t i = 0; i < o->n && r == 0 && w->error == 0; i++) {
                const struct qn_outline_version *v = &o->versions[i];

                if (!is_allowed(w, v))
                        continue;
                put_key(w, v->key, &first);
                r = put_version(w, v);
        }
        PUT(w, "}");
        return r;
}

/* --- tags, times --- */

static int put_tags(struct writer *w)
{
        const struct qn_outline *o = &w->doc;
        bool first = true;
        int r = 0;

        PUT(w, "{");
        for (size_t i = 0; i < o->n_tags; i++) {
                struct qn_str version;

                r = resolve_tag(w, o->tags[i].target, &version);
                if (r < 0)
                        return r;
                if (!version.p)
                        continue;
                put_raw_key(w, o->tags[i].raw_tag, &first);
                PUT(w, "\"");
                put(w, version);
                PUT(w, "\"");
        }
        PUT(w, "}");
        return r;
}

/* Of repeated keys the one that counts; of versions, those that are there. */
static bool keeps_time(const struct writer *w, struct qn_str key, struct qn_str text)
{
        const struct qn_outline *o = &w->doc;
        const struct qn_outline_version *v = qn_outline_version(o, key);

        if (qn_str_is(key, "created"))
                return text.p == o->created.p;
        if (qn_str_is(key, "modified"))
                return text.p == o->modified.p;
        if (qn_str_is(key, "unpublished"))
                return text.p == o->unpublished.p;
        return v && text.p == v->time.p && is_allowed(w, v);
}

static int put_times(struct writer *w, struct qn_str object)
{
        struct qn_outline_walk walk;
        struct qn_json_event value;
        struct qn_str key, raw_key, text;
        bool first = true;
        int r = object.p[0] == '{' ? qn_outline_enter(&walk, object, w->arena, w->err) : -ENOENT;

        PUT(w, "{");
        while (r >= 0 && (r = qn_outline_next(&walk, &key, &raw_key, &value)) > 0) {
                r = qn_outline_pass(&walk, &value, &text);
                if (r < 0 || !keeps_time(w, key, text))
                        continue;
                put_raw_key(w, raw_key, &first);
                put(w, text);
        }
        PUT(w, "}");
        return r == -ENOENT ? 0 : r;
}

/* --- policyRestrictions --- */

static size_t utf8_size(uint32_t cp)
{
        return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

/* For terminals: lines of text, nothing that drives them, at most max bytes. */
static int plain_text(struct writer *w, struct qn_str s, size_t max, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(max);

        while (s.n) {
                uint32_t cp;

                s = qn_str_skip(s, qn_utf8_next(s, &cp));
                if (cp != '\n' && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || qn_uc_hidden(cp)))
                        cp = '?';
                if (b.n + utf8_size(cp) > max)
                        break;
                qn_buf_utf8(&b, cp);
        }
        if (qn_buf_error(&b) < 0)
                return no_memory(w);
        *ret = b.n ? qn_arena_dup(w->arena, qn_buf_view(&b)) : QN_STR("");
        return ret->p ? 0 : no_memory(w);
}

static int add_restricted(struct writer *w, struct qn_str version, struct qn_str reason)
{
        int r = qn_map_add(&w->restrictions, w->arena, version, 0, NULL);

        if (r == 1)
                return 0;
        if (r < 0 || QN_ARENA_ROOM(w->arena, w->restricted, w->n_restricted, w->restricted_cap) < 0)
                return no_memory(w);
        if (w->n_restricted == QN_PACKUMENT_VERSIONS_MAX)
                return qn_fail(w->err, -EFBIG, 0,
                               "the packument holds more than %u restricted versions",
                               QN_PACKUMENT_VERSIONS_MAX);
        r = plain_text(w, reason, QN_POLICY_REASON_MAX, &reason);
        w->restricted[w->n_restricted++] = (struct restricted){ version, reason };
        return r;
}

static int add_own(struct writer *w)
{
        int r = 0;

        for (size_t i = 0; i < w->doc.n && r == 0; i++) {
                const struct qn_packument_blocked *b =
                        find_blocked(w->want, w->doc.versions[i].key);

                if (b)
                        r = add_restricted(w, w->doc.versions[i].key, b->reason);
        }
        return r;
}

/* The string, p NULL for other values. */
static int string_of(struct writer *w, const struct qn_json_event *v, struct qn_str *ret)
{
        *ret = (struct qn_str){ NULL, 0 };
        if (v->kind == QN_JSON_STRING && qn_json_unescape(v, w->arena, ret) < 0)
                return no_memory(w);
        return 0;
}

/* Members of an object, each with the value that counts. */
typedef int member_fn(struct writer *w, struct qn_str key, struct qn_str text);

static int each_member(struct writer *w, struct qn_str object, member_fn *fn)
{
        struct qn_outline_walk walk;
        struct qn_json_event value;
        struct qn_str key, text;
        int r = object.n && object.p[0] == '{' ? qn_outline_enter(&walk, object, w->arena, w->err)
                                               : -ENOENT;

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while ((r = qn_outline_next(&walk, &key, NULL, &value)) > 0) {
                r = qn_outline_pass(&walk, &value, &text);
                if (r == 0)
                        r = fn(w, key, text);
                if (r < 0)
                        return r;
        }
        return r;
}

static int take_string(struct writer *w, struct qn_str text, struct qn_str *ret)
{
        struct qn_json_event e;
        struct qn_json json;
        int r = qn_json_init(&json, qn_cur_str(text), w->err);

        if (r == 0)
                r = qn_json_next(&json, &e, w->err);
        return r < 0 ? r : string_of(w, &e, ret);
}

static int take_reason(struct writer *w, struct qn_str key, struct qn_str text)
{
        return qn_str_is(key, "reason") ? take_string(w, text, &w->message) : 0;
}

/* What an upstream restricts stays restricted; nothing of it is taken over but the version and the reason. */
static int add_theirs(struct writer *w, struct qn_str key, struct qn_str text)
{
        struct qn_str message = w->message, reason;
        int r;

        if (!qn_semver_is_plain(key))
                return 0;
        w->message = (struct qn_str){ NULL, 0 };
        r = each_member(w, text, take_reason);
        reason = w->message;
        w->message = message;
        return r < 0 ? r : add_restricted(w, key, reason);
}

static int read_policy(struct writer *w)
{
        const struct qn_outline_member *m = qn_outline_member(&w->doc, "policyRestrictions");
        struct qn_outline_walk walk;
        struct qn_json_event value;
        struct qn_str key, text, message = QN_STR("null"), versions = { NULL, 0 };
        int r = add_own(w);

        w->message = w->want->message;
        if (r == 0 && m && m->value.p[0] == '{') {
                r = qn_outline_enter(&walk, m->value, w->arena, w->err);
                while (r >= 0 && (r = qn_outline_next(&walk, &key, NULL, &value)) > 0) {
                        r = qn_outline_pass(&walk, &value, &text);
                        if (qn_str_is(key, "message"))
                                message = text;
                        if (qn_str_is(key, "versions"))
                                versions = text;
                }
                if (r == 0 && !w->message.n)
                        r = take_string(w, message, &w->message);
                if (r == 0)
                        r = each_member(w, versions, add_theirs);
        }
        return r < 0 ? r : plain_text(w, w->message, QN_POLICY_MESSAGE_MAX, &w->message);
}

/* Manifests without an address: npm says why, and has nothing that it could fetch. */
static void put_policy(struct writer *w)
{
        bool first = true;

        PUT(w, "{\"message\":");
        put_json(w, w->message);
        PUT(w, ",\"versions\":{");
        for (size_t i = 0; i < w->n_restricted; i++) {
                const struct restricted *b = &w->restricted[i];

                put_key(w, b->version, &first);
                PUT(w, "{\"name\":");
                put_json(w, w->want->name);
                PUT(w, ",\"version\":\"");
                put(w, b->version);
                PUT(w, "\"");
                if (b->reason.n) {
                        PUT(w, ",\"reason\":");
                        put_json(w, b->reason);
                }
                PUT(w, "}");
        }
        PUT(w, "}}");
}

/* --- the document --- */

static int put_short(struct writer *w)
{
        const struct qn_outline_member *m = qn_outline_member(&w->doc, "modified");
        struct qn_str modified = m && m->value.p[0] == '"' ? m->value : w->doc.modified;
        int r;

        PUT(w, "{\"name\":");
        put_json(w, w->want->name);
        PUT(w, ",\"dist-tags\":");
        r = put_tags(w);
        PUT(w, ",\"versions\":");
        if (r == 0)
                r = put_versions(w);
        if (modified.p) {
                PUT(w, ",\"modified\":");
                put(w, modified);
        }
        if (w->n_restricted) {
                PUT(w, ",\"policyRestrictions\":");
                put_policy(w);
        }
        PUT(w, "}");
        return r;
}

/* Members that are not the input's own: made here, or (stagedVersions: manifests that a client may ask for) left out. */
enum special { AS_IT_STANDS, VERSIONS, TAGS, TIMES, POLICY, LEFT_OUT };

static enum special special_of(struct qn_str key)
{
        static const char *const names[] = {
                [VERSIONS] = "versions",         [TAGS] = "dist-tags",          [TIMES] = "time",
                [POLICY] = "policyRestrictions", [LEFT_OUT] = "stagedVersions",
        };

        for (unsigned i = VERSIONS; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(key, names[i]))
                        return i;
        return AS_IT_STANDS;
}

static int put_member(struct writer *w, const struct qn_outline_member *m, bool *first)
{
        enum special special = special_of(m->key);

        if (special == POLICY || special == LEFT_OUT)
                return 0;
        if (special == AS_IT_STANDS)
                put_raw_key(w, m->raw_key, first);
        else
                put_key(w, m->key, first);
        if (special == VERSIONS)
                return put_versions(w);
        if (special == TAGS)
                return put_tags(w);
        if (special == TIMES)
                return put_times(w, m->value);
        put(w, m->value);
        return 0;
}

static int put_full(struct writer *w)
{
        bool first = true;
        int r = 0;

        PUT(w, "{");
        for (size_t i = 0; i < w->doc.n_members && r == 0; i++)
                r = put_member(w, &w->doc.members[i], &first);
        if (w->n_restricted) {
                put_key(w, QN_STR("policyRestrictions"), &first);
                put_policy(w);
        }
        PUT(w, "}");
        return r;
}

static int put_document(struct writer *w)
{
        int r = read_policy(w);

        if (r < 0)
                return r;
        return w->want->abbreviated ? put_short(w) : put_full(w);
}

/* --- one version --- */

static int refuse(struct writer *w, const struct qn_packument_blocked *b)
{
        return qn_fail(w->err, -EACCES, 0, "%.*s", QN_STR_ARG(b->reason));
}

static int put_only(struct writer *w)
{
        const struct qn_outline *o = &w->doc;
        const struct qn_packument_blocked *b = NULL;
        struct qn_str key = w->want->only;
        size_t i = 0;
        int r;

        while (i < o->n_tags && !qn_str_eq(o->tags[i].tag, key))
                i++;
        if (!qn_outline_version(o, key) && i < o->n_tags) {
                b = o->tags[i].target.p ? find_blocked(w->want, o->tags[i].target) : NULL;
                r = resolve_tag(w, o->tags[i].target, &key);
                if (r < 0)
                        return r;
        } else if (qn_outline_version(o, key)) {
                b = find_blocked(w->want, key);
        }
        if (key.p && is_allowed(w, qn_outline_version(o, key)))
                return put_version(w, qn_outline_version(o, key));
        if (b)
                return refuse(w, b);
        return qn_fail(w->err, -ENOENT, 0, "%.*s has no such version or tag",
                       QN_STR_ARG(w->want->name));
}

/* --- the interface --- */

/* "base/@scope/name/-/name-" */
static int make_prefix(struct writer *w)
{
        const struct qn_packument_rewrite *want = w->want;
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX * 2);
        struct qn_jsonw j = QN_JSONW_INIT(&w->prefix, 0);

        qn_buf_str(&url, want->base);
        qn_buf_byte(&url, '/');
        qn_buf_str(&url, want->name);
        qn_buf_puts(&url, "/-/");
        qn_buf_str(&url, qn_str_base(want->name));
        qn_buf_byte(&url, '-');
        qn_jsonw_str(&j, NULL, qn_buf_view(&url));
        if (qn_buf_error(&url) < 0 || qn_buf_error(&w->prefix) < 0)
                return qn_fail(w->err, -ENOBUFS, 0, "the address of the tarballs is too long");
        w->prefix.n--; /* the quote */
        return 0;
}

static int check_want(const struct qn_packument_rewrite *want, struct qn_err *reterr)
{
        for (size_t i = 1; i < want->n_blocked; i++)
                if (qn_str_cmp(want->blocked[i - 1].version, want->blocked[i].version) >= 0)
                        return qn_fail(reterr, -EINVAL, i, "blocked versions are not sorted");
        return 0;
}

static int rewrite(struct writer *w, struct qn_cur in)
{
        int r = qn_outline_read(in, w->want->name, w->arena, &w->doc, w->err);

        if (r == 0)
                r = make_prefix(w);
        if (r < 0)
                return r;
        if (w->want->tags_only)
                r = put_tags(w);
        else if (w->want->only.n)
                r = put_only(w);
        else
                r = put_document(w);
        if (r == 0)
                flush(w);
        if (r == 0 && w->error < 0)
                r = qn_fail(w->err, w->error, 0, "cannot write: %s", strerror(-w->error));
        return r;
}

int qn_packument_rewrite(struct qn_cur in, const struct qn_packument_rewrite *want,
                         struct qn_arena *a, qn_sink_fn *sink, void *ctx, struct qn_err *reterr)
{
        _cleanup_(writer_done) struct writer w = {
                .want = want,
                .arena = a,
                .err = reterr,
                .prefix = QN_BUF_INIT(QN_URL_MAX * 8),
                .text = QN_BUF_INIT((QN_POLICY_MESSAGE_MAX + QN_NAME_MAX) * 8),
                .sink = sink,
                .ctx = ctx,
                .block = qn_arena_alloc(a, BLOCK),
        };
        int r = check_want(want, reterr);

        if (r < 0)
                return r;
        return w.block ? rewrite(&w, in) : no_memory(&w);
}
