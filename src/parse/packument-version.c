#include "parse/packument-version.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "parse/json.h"

struct qn_str qn_packument_keep_text(const struct qn_packument_keep *k, const struct qn_node *n)
{
        struct qn_str s = qn_node_text(n);
        const uint8_t *p = (const uint8_t *)s.p;

        if (!p || (p >= k->doc.p && p <= k->doc.end))
                return s;
        return qn_arena_dup(k->arena, s);
}

int qn_packument_keep_pairs(const struct qn_packument_keep *k, const struct qn_node *n,
                            struct qn_pkgjson_pairs *ret)
{
        if (!qn_node_is(n, QN_NODE_OBJECT))
                return 0;
        ret->v = qn_arena_calloc(k->arena, n->n, sizeof *ret->v);
        if (!ret->v)
                return -ENOBUFS;
        for (size_t i = 0; i < n->n; i++) {
                struct qn_node key = { .type = QN_NODE_STRING, .text = n->keys[i] };

                if (n->items[i]->type == QN_NODE_STRING)
                        ret->v[ret->n++] = (struct qn_pkgjson_pair){
                                .name = qn_packument_keep_text(k, &key),
                                .value = qn_packument_keep_text(k, n->items[i]),
                                .off = n->items[i]->off,
                        };
        }
        return 0;
}

/* --- people --- */

/* {"name", "email"} or "name <email> (url)". */
static struct qn_packument_person read_person(const struct qn_packument_keep *k,
                                              const struct qn_node *n)
{
        struct qn_str s = qn_packument_keep_text(k, n);
        struct qn_packument_person p = { .name = s };
        ptrdiff_t open = qn_str_chr(s, '<'), close = qn_str_chr(s, '>');

        if (qn_node_is(n, QN_NODE_OBJECT)) {
                p.name = qn_packument_keep_text(k, qn_node_get(n, "name"));
                p.email = qn_packument_keep_text(k, qn_node_get(n, "email"));
        } else if (open >= 0 && close > open) {
                p.email = qn_str_take(qn_str_skip(s, (size_t)open + 1), (size_t)(close - open) - 1);
                p.name = qn_str_trim(qn_str_take(s, (size_t)open));
        }
        return p;
}

int qn_packument_keep_people(const struct qn_packument_keep *k, const struct qn_node *n,
                             struct qn_packument_person **ret, size_t *ret_n)
{
        struct qn_packument_person *list;

        if (!qn_node_is(n, QN_NODE_ARRAY))
                return 0;
        list = qn_arena_calloc(k->arena, n->n, sizeof *list);
        if (!list)
                return -ENOBUFS;
        for (size_t i = 0; i < n->n; i++)
                list[i] = read_person(k, n->items[i]);
        *ret = list;
        *ret_n = n->n;
        return 0;
}

/* --- dist --- */

/* "sha1-…" from 40 hex digits, as npm makes it; p NULL for anything else. */
static int sri_of_shasum(struct qn_str shasum, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(100);
        struct qn_str bytes;

        if (shasum.n != 40 || qn_hex_decode(shasum, a, &bytes) < 0)
                return 0;
        qn_buf_puts(&b, "sha1-");
        qn_base64_encode(&b, bytes.p, bytes.n);
        if (qn_buf_error(&b) < 0)
                return -ENOBUFS;
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

static int read_signatures(const struct qn_packument_keep *k, const struct qn_node *n,
                           struct qn_packument_version *v)
{
        if (!qn_node_is(n, QN_NODE_ARRAY))
                return 0;
        v->signatures = qn_arena_calloc(k->arena, n->n, sizeof *v->signatures);
        if (!v->signatures)
                return -ENOBUFS;
        for (size_t i = 0; i < n->n; i++)
                v->signatures[i] = (struct qn_packument_signature){
                        qn_packument_keep_text(k, qn_node_get(n->items[i], "keyid")),
                        qn_packument_keep_text(k, qn_node_get(n->items[i], "sig")),
                };
        v->n_signatures = n->n;
        return 0;
}

static int read_dist(const struct qn_packument_keep *k, const struct qn_node *dist,
                     struct qn_packument_version *v)
{
        const struct qn_node *attestations = qn_node_get(dist, "attestations");

        v->tarball = qn_packument_keep_text(k, qn_node_get(dist, "tarball"));
        v->integrity = qn_packument_keep_text(k, qn_node_get(dist, "integrity"));
        v->shasum = qn_packument_keep_text(k, qn_node_get(dist, "shasum"));
        v->unpacked_size = qn_node_u64(qn_node_get(dist, "unpackedSize"), UINT64_MAX);
        v->file_count = qn_node_u64(qn_node_get(dist, "fileCount"), UINT64_MAX);
        v->attestations_url = qn_packument_keep_text(k, qn_node_get(attestations, "url"));
        v->provenance_type = qn_packument_keep_text(
                k, qn_node_get(qn_node_get(attestations, "provenance"), "predicateType"));
        if (v->integrity.n == 0) {
                v->integrity = (struct qn_str){ NULL, 0 };
                if (sri_of_shasum(v->shasum, k->arena, &v->integrity) < 0)
                        return -ENOBUFS;
        }
        return read_signatures(k, qn_node_get(dist, "signatures"), v);
}

/* --- the rest --- */

static uint32_t count_of(const struct qn_node *n)
{
        return n && (n->type == QN_NODE_OBJECT || n->type == QN_NODE_ARRAY) ? (uint32_t)n->n : 0;
}

static uint32_t count_bundled(const struct qn_node *root)
{
        const struct qn_node *n = qn_node_get(root, "bundleDependencies");

        if (!n)
                n = qn_node_get(root, "bundledDependencies");
        return qn_node_bool(n, false) ? UINT32_MAX : count_of(n);
}

static bool has_install_script(const struct qn_node *root)
{
        static const char *const hooks[] = { "preinstall", "install", "postinstall" };
        const struct qn_node *scripts = qn_node_get(root, "scripts");

        for (size_t i = 0; i < QN_ARRAY_SIZE(hooks); i++)
                if (qn_node_text(qn_node_get(scripts, hooks[i])).n)
                        return true;
        return qn_node_bool(qn_node_get(root, "hasInstallScript"), false);
}

/* Text, or "true" for a version that is deprecated without saying why. */
static struct qn_str read_deprecated(const struct qn_packument_keep *k, const struct qn_node *n)
{
        struct qn_str text = qn_packument_keep_text(k, n);

        if (text.p)
                return text.n ? text : (struct qn_str){ NULL, 0 };
        return n && n->type != QN_NODE_NULL && qn_node_bool(n, true) ? QN_STR("true") : text;
}

static int read_fields(const struct qn_packument_keep *k, const struct qn_node *root,
                       struct qn_packument_version *v)
{
        const struct qn_node *user = qn_node_get(root, "_npmUser");

        v->deprecated = read_deprecated(k, qn_node_get(root, "deprecated"));
        v->has_install_script = has_install_script(root);
        v->has_shrinkwrap = qn_node_bool(qn_node_get(root, "_hasShrinkwrap"), false);
        v->gypfile = qn_node_bool(qn_node_get(root, "gypfile"), false);
        v->n_dependencies = count_of(qn_node_get(root, "dependencies"));
        v->n_optional = count_of(qn_node_get(root, "optionalDependencies"));
        v->n_peer = count_of(qn_node_get(root, "peerDependencies"));
        v->n_bundled = count_bundled(root);
        v->publisher = read_person(k, user);
        v->trusted_publisher =
                qn_packument_keep_text(k, qn_node_get(qn_node_get(user, "trustedPublisher"), "id"));
        v->git_head = qn_packument_keep_text(k, qn_node_get(root, "gitHead"));
        v->node_version = qn_packument_keep_text(k, qn_node_get(root, "_nodeVersion"));
        v->npm_version = qn_packument_keep_text(k, qn_node_get(root, "_npmVersion"));
        if (qn_packument_keep_pairs(k, qn_node_get(root, "scripts"), &v->scripts) < 0)
                return -ENOBUFS;
        return qn_packument_keep_people(k, qn_node_get(root, "maintainers"), &v->maintainers,
                                        &v->n_maintainers);
}

int qn_packument_read_version(const struct qn_packument_keep *k, struct qn_str raw,
                              struct qn_str name, struct qn_str key,
                              struct qn_packument_version *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena scratch = QN_ARENA_INIT(k->arena->max);
        struct qn_packument_version v = {
                .name = name, .version = key, .raw = raw, .time = QN_TIME_NONE
        };
        struct qn_node *root = NULL;
        struct qn_str own_name, own_version;

        if (qn_json_parse(qn_cur_str(raw), &scratch, &root, NULL) < 0)
                return -ENOBUFS;
        own_name = qn_node_text(qn_node_get(root, "name"));
        own_version = qn_node_text(qn_node_get(root, "version"));
        v.mismatch = !qn_str_eq(own_name, name) || !qn_str_eq(own_version, key);
        if (read_fields(k, root, &v) < 0 || read_dist(k, qn_node_get(root, "dist"), &v) < 0)
                return -ENOBUFS;
        *ret = v;
        return 0;
}
