#include "observe/provenance.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "observe/attestation.h"
#include "observe/publishing.h"
#include "observe/registry-signature.h"
#include "parse/json.h"
#include "parse/packument.h"

#define KEEP ((size_t)1 << 20) /* memory kept from one version to the next */

struct qn_provenance {
        struct qn_arena builtin;
        struct qn_trust_root root;
        struct qn_registry_keys keys;
        struct qn_arena arena; /* of the version at hand */
        struct qn_event_set set;
};

/* What is known of the version at hand. */
struct look {
        const struct qn_provenance_in *in;
        struct qn_arena *arena;
        struct qn_event_set *set;
        struct qn_trust_root root;
        struct qn_registry_keys keys;
        const struct qn_packument_version
                *version; /* NULL: there is no packument, or it is not in it */
        struct qn_published_before before;
        struct qn_source source; /* of this version, when it is proven */
        bool proven;
};

/* --- events --- */

static struct qn_event make(enum qn_event_kind kind, const char *what)
{
        struct qn_event e = qn_event_make(kind, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        return e;
}

static void tell(struct look *l, enum qn_event_kind kind, const char *what, const char *detail)
{
        struct qn_event e = make(kind, what);

        qn_event_attr(&e, QN_ATTR_DETAIL, qn_str_c(detail));
        (void)qn_event_add(l->set, &e);
}

static void tell_verified(struct look *l, const struct qn_verified *v)
{
        struct qn_event e = make(QN_EVENT_PROVENANCE, qn_attestation_result_name(v->result));

        qn_event_attr(&e, QN_ATTR_WHICH,
                      v->is_provenance ? QN_STR("provenance") : QN_STR("publish"));
        qn_event_attr(&e, QN_ATTR_URL, v->source.repository);
        qn_event_attr(&e, QN_ATTR_TARGET, v->source.workflow);
        qn_event_attr(&e, QN_ATTR_VALUE, v->source.ref);
        if (v->result == QN_ATTESTATION_VALID)
                qn_event_attr(&e, QN_ATTR_HOW, v->source.trigger);
        else
                qn_event_attr(&e, QN_ATTR_DETAIL, qn_str_c(v->why));
        (void)qn_event_add(l->set, &e);
}

/* --- documents --- */

/* The set's own memory may run out, the machine's may not: what does not fit was not looked at. */
static int not_looked_at(struct look *l, enum qn_event_kind kind, const char *what, int r,
                         const struct qn_err *err)
{
        if (r == -ENOMEM)
                return r;
        tell(l, kind, what, err && err->msg[0] ? err->msg : "it needs more than a limit allows");
        return 0;
}

static int read_trust(struct look *l, const struct qn_provenance *p)
{
        struct qn_err err = { 0 };
        int r;

        l->root = p->root;
        if (!qn_cur_left(&l->in->docs[QN_DOC_TRUST]))
                return 0;
        r = qn_trust_root_read(l->in->docs[QN_DOC_TRUST], l->arena, &l->root, &err);
        return r < 0 ? not_looked_at(l, QN_EVENT_PROVENANCE, "not-looked-at", r, &err) : 0;
}

/* The registry's keys beside the built-in ones. */
static int read_keys(struct look *l, const struct qn_provenance *p)
{
        struct qn_registry_keys given = { 0 };
        struct qn_err err = { 0 };
        int r;

        l->keys = p->keys;
        if (!qn_cur_left(&l->in->docs[QN_DOC_KEYS]))
                return 0;
        r = qn_registry_keys_read(l->in->docs[QN_DOC_KEYS], l->arena, &given, &err);
        if (r < 0)
                return not_looked_at(l, QN_EVENT_SIGNATURE, "not-looked-at", r, &err);
        l->keys.list = qn_arena_calloc(l->arena, given.n + p->keys.n, sizeof *l->keys.list);
        if (!l->keys.list)
                return not_looked_at(l, QN_EVENT_SIGNATURE, "not-looked-at", -ENOBUFS, NULL);
        l->keys.n = given.n + p->keys.n;
        memcpy(l->keys.list, given.list, given.n * sizeof *given.list);
        memcpy(l->keys.list + given.n, p->keys.list, p->keys.n * sizeof *p->keys.list);
        return 0;
}

static int read_packument(struct look *l)
{
        struct qn_packument *doc = NULL;
        struct qn_err err = { 0 };
        int r;

        if (!qn_cur_left(&l->in->docs[QN_DOC_PACKUMENT]))
                return 0;
        r = qn_packument_read(l->in->docs[QN_DOC_PACKUMENT], l->arena, &doc, &err);
        if (r < 0)
                return not_looked_at(l, QN_EVENT_SIGNATURE, "not-looked-at", r, &err);
        if (!qn_str_eq(doc->name, l->in->name)) {
                tell(l, QN_EVENT_SIGNATURE, "not-looked-at",
                     "the registry's document is about another package");
                return 0;
        }
        l->version = qn_packument_find(doc, l->in->version);
        if (l->version)
                qn_published_before(doc, l->version, &l->before);
        return 0;
}

/* --- attestations --- */

/* Hexadecimal SHA-512 of an integrity, p NULL when there is none. */
static struct qn_str sha512_of(struct qn_str integrity, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf hex = QN_BUF_INIT(2 * QN_DIGEST_BYTES_MAX);
        struct qn_str none = { NULL, 0 }, bytes;

        if (!qn_str_starts(integrity, "sha512-") ||
            qn_base64_decode(qn_str_skip(integrity, 7), a, &bytes) < 0)
                return none;
        qn_hex_encode(&hex, bytes.p, bytes.n);
        return qn_buf_error(&hex) < 0 ? none : qn_arena_dup(a, qn_buf_view(&hex));
}

typedef void verified_fn(struct look *l, const struct qn_verified *v);

static int verify_all(struct look *l, struct qn_cur doc, const struct qn_attested *of,
                      verified_fn *each, struct qn_err *err)
{
        const struct qn_trust trust = { &l->root, &l->keys };
        struct qn_attestations list;
        int r = qn_attestations_read(doc, l->arena, &list, err);

        for (size_t i = 0; r == 0 && i < list.n; i++) {
                struct qn_verified v;

                r = qn_attestation_verify(&list.list[i], of, &trust, l->arena, &v);
                if (r == 0)
                        each(l, &v);
        }
        return r;
}

static void take_own(struct look *l, const struct qn_verified *v)
{
        tell_verified(l, v);
        if (v->result == QN_ATTESTATION_VALID && v->is_provenance && !l->proven) {
                l->source = v->source;
                l->proven = true;
        }
}

static int observe_attestations(struct look *l)
{
        struct qn_attested of = { l->in->name, l->in->version,
                                  sha512_of(l->in->integrity, l->arena) };
        struct qn_err err = { 0 };
        int r;

        if (qn_cur_left(&l->in->docs[QN_DOC_ATTESTATIONS])) {
                r = verify_all(l, l->in->docs[QN_DOC_ATTESTATIONS], &of, take_own, &err);
                return r < 0 ? not_looked_at(l, QN_EVENT_PROVENANCE, "malformed", r, &err) : 0;
        }
        if (l->version && qn_published_has_provenance(l->version))
                tell(l, QN_EVENT_PROVENANCE, l->in->unreachable ? "unreachable" : "not-given",
                     l->in->unreachable ? "the attestations could not be fetched"
                                        : "the attestations were not given");
        return 0;
}

/* --- compared with before --- */

static void take_earlier(struct look *l, const struct qn_verified *v)
{
        if (v->result == QN_ATTESTATION_VALID && v->is_provenance)
                qn_source_compare(&l->source, &v->source,
                                  qn_published_attested(&l->before)->version, l->set);
}

/* An earlier attestation that does not hold is that version's matter: here it is only nothing to compare with. */
static int compare_sources(struct look *l)
{
        const struct qn_packument_version *v = qn_published_attested(&l->before);
        struct qn_attested of;
        int r;

        if (!l->proven || !v || !qn_cur_left(&l->in->docs[QN_DOC_EARLIER]))
                return 0;
        of = (struct qn_attested){ v->name, v->version, sha512_of(v->integrity, l->arena) };
        r = verify_all(l, l->in->docs[QN_DOC_EARLIER], &of, take_earlier, NULL);
        return r == -ENOMEM ? r : 0;
}

/* "repository" of package.json: an object with "url", or text. */
static struct qn_str repository_of(struct look *l)
{
        struct qn_node *root = NULL;
        const struct qn_node *n;

        if (qn_json_parse(qn_cur_str(l->version->raw), l->arena, &root, NULL) < 0)
                return (struct qn_str){ NULL, 0 };
        n = qn_node_get(root, "repository");
        return qn_node_is(n, QN_NODE_OBJECT) ? qn_node_text(qn_node_get(n, "url"))
                                             : qn_node_text(n);
}

static int observe(struct look *l)
{
        int r = 0;

        if (l->version)
                r = qn_registry_signature_observe(l->version, l->in->integrity, &l->keys, l->arena,
                                                  l->set);
        if (r == 0)
                r = observe_attestations(l);
        if (r == 0)
                r = compare_sources(l);
        if (r < 0 || !l->version)
                return r;
        qn_publishing_compare(l->version, &l->before, l->set);
        if (l->proven)
                qn_source_compare_manifest(&l->source, repository_of(l), l->set);
        return 0;
}

int qn_provenance_observe(struct qn_provenance *p, const struct qn_provenance_in *in,
                          const struct qn_event_set **ret)
{
        struct look l = { .in = in, .arena = &p->arena, .set = &p->set };
        int r;

        qn_arena_reset(&p->arena, KEEP);
        qn_event_set_init(&p->set, &p->arena);
        p->set.name = in->name;
        p->set.version = in->version;
        p->set.integrity = in->integrity;
        r = read_trust(&l, p);
        if (r == 0)
                r = read_keys(&l, p);
        if (r == 0)
                r = read_packument(&l);
        if (r == 0)
                r = observe(&l);
        if (r == 0)
                r = qn_event_set_seal(&p->set);
        if (r == 0)
                *ret = &p->set;
        return r == -ENOBUFS ? -ENOMEM : r;
}

/* --- the built-in roots and keys --- */

static int read_file(struct qn_provenance *p, const char *dir, const char *name, struct qn_cur *ret,
                     struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_TRUST_MAX);
        char path[4096];
        struct qn_str copy;
        int r;

        if (snprintf(path, sizeof path, "%s/trust/%s", dir, name) >= (int)sizeof path)
                return qn_fail(reterr, -ENAMETOOLONG, 0, "%.60s…: the path is too long", dir);
        r = qn_io_read(path, &b);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%.100s: %s", path, strerror(-r));
        copy = qn_arena_dup(&p->builtin, qn_buf_view(&b));
        if (!copy.p)
                return -ENOMEM;
        *ret = qn_cur_str(copy);
        return 0;
}

static int load(struct qn_provenance *p, const char *data_dir, struct qn_err *reterr)
{
        struct qn_cur root, keys;
        int r = read_file(p, data_dir, "sigstore.json", &root, reterr);

        if (r == 0)
                r = read_file(p, data_dir, "registry-keys.json", &keys, reterr);
        if (r == 0)
                r = qn_trust_root_read(root, &p->builtin, &p->root, reterr);
        return r < 0 ? r : qn_registry_keys_read(keys, &p->builtin, &p->keys, reterr);
}

int qn_provenance_new(const char *data_dir, struct qn_provenance **ret, struct qn_err *reterr)
{
        _cleanup_(qn_provenance_freep) struct qn_provenance *p = calloc(1, sizeof *p);
        int r;

        if (!p)
                return -ENOMEM;
        p->builtin = QN_ARENA_INIT(QN_ATTESTATION_ARENA_MAX);
        p->arena = QN_ARENA_INIT(QN_DOCUMENT_ARENA_MAX);
        /* what libcrypto reads at its first use must be read before the role is confined; its configuration never */
        OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
        r = load(p, data_dir, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

struct qn_provenance *qn_provenance_free(struct qn_provenance *p)
{
        if (!p)
                return NULL;
        qn_arena_done(&p->builtin);
        qn_arena_done(&p->arena);
        free(p);
        return NULL;
}

void qn_provenance_freep(struct qn_provenance **p)
{
        *p = qn_provenance_free(*p);
}
