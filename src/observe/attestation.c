#include "observe/attestation.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "observe/cert-chain.h"
#include "observe/log-proof.h"
#include "observe/public-key.h"
#include "parse/cert-id.h"
#include "parse/log-body.h"
#include "parse/statement.h"

static const struct {
        const char *name, *doc;
} results[] = {
#define RESULT(id, name, doc) [QN_ATTESTATION_##id] = { name, doc },
#include "observe/attestation-result.def"
#undef RESULT
};

const char *qn_attestation_result_name(enum qn_attestation_result r)
{
        return results[r].name;
}

struct verifier {
        const struct qn_bundle *bundle;
        const struct qn_attested *of;
        const struct qn_trust *trust;
        struct qn_arena *arena;
        struct qn_verified *out;
        uint64_t time; /* when the log took the entry; 0: not proven */
        struct qn_str key;
        struct qn_statement statement;
};

/* Each step answers VALID to let the next one look; only a lack of memory is an error. */
typedef int step_fn(struct verifier *v, enum qn_attestation_result *ret);

/* --- the log --- */

/* Whether the entry is about this envelope: its payload, and its signature where the entry keeps it. */
static enum qn_attestation_result check_entry(const struct qn_log_entry *e, struct verifier *v)
{
        _cleanup_(qn_buf_done) struct qn_buf hex = QN_BUF_INIT(2 * QN_DIGEST_BYTES_MAX);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_log_body body;

        if (qn_log_body_read(qn_cur_str(e->body), v->arena, &body, NULL) < 0 ||
            qn_digest(QN_SHA256, v->bundle->payload.p, v->bundle->payload.n, digest) < 0)
                return QN_ATTESTATION_UNSUPPORTED;
        qn_hex_encode(&hex, digest, qn_digest_size(QN_SHA256));
        if (!qn_str_ieq(body.payload_sha256, qn_buf_view(&hex)) ||
            (body.sig.p && !qn_str_eq(body.sig, v->bundle->sig)))
                return QN_ATTESTATION_WRONG_ENTRY;
        return QN_ATTESTATION_VALID;
}

static enum qn_attestation_result log_result(enum qn_log_result r)
{
        static const uint8_t to[] = {
                [QN_LOG_TIMED] = QN_ATTESTATION_VALID,
                [QN_LOG_INCLUDED] = QN_ATTESTATION_VALID,
                [QN_LOG_UNKNOWN] = QN_ATTESTATION_UNKNOWN_LOG,
                [QN_LOG_WRONG_KEY] = QN_ATTESTATION_WRONG_LOG,
                [QN_LOG_WRONG_PROOF] = QN_ATTESTATION_WRONG_PROOF,
                [QN_LOG_NOTHING] = QN_ATTESTATION_NO_LOG,
        };

        return to[r];
}

/* Every entry must be right, and one must say when. */
static int check_log(struct verifier *v, enum qn_attestation_result *ret)
{
        *ret = v->bundle->n_entries ? QN_ATTESTATION_VALID : QN_ATTESTATION_NO_LOG;
        for (size_t i = 0; *ret == QN_ATTESTATION_VALID && i < v->bundle->n_entries; i++) {
                const struct qn_log_entry *e = &v->bundle->entries[i];
                enum qn_log_result log;
                int r;

                *ret = check_entry(e, v);
                if (*ret != QN_ATTESTATION_VALID)
                        return 0;
                r = qn_log_check(e, v->trust->root, v->arena, &log);
                if (r < 0)
                        return r;
                *ret = log_result(log);
                if (log == QN_LOG_TIMED && !v->time)
                        v->time = e->time;
        }
        return 0;
}

/* --- who signed --- */

static int check_certificate(struct verifier *v, enum qn_attestation_result *ret)
{
        static const uint8_t to[] = {
                [QN_CHAIN_GOOD] = QN_ATTESTATION_VALID,
                [QN_CHAIN_MALFORMED] = QN_ATTESTATION_MALFORMED,
                [QN_CHAIN_UNTRUSTED] = QN_ATTESTATION_UNTRUSTED,
                [QN_CHAIN_EXPIRED] = QN_ATTESTATION_EXPIRED,
                [QN_CHAIN_UNLISTED] = QN_ATTESTATION_UNLISTED,
        };
        enum qn_chain_result chain;
        int r;

        if (!v->time) { /* a certificate lives for minutes: without the time it proves nothing */
                *ret = QN_ATTESTATION_NO_LOG;
                return 0;
        }
        r = qn_chain_check(v->bundle->certs, v->bundle->n_certs, v->time, v->trust->root, v->arena,
                           &chain, &v->key);
        *ret = to[chain];
        return r;
}

static void find_key(struct verifier *v, enum qn_attestation_result *ret)
{
        const struct qn_registry_keys *keys = v->trust->keys;
        int64_t ms = v->time && v->time < INT64_MAX / 1000 ? (int64_t)v->time * 1000 : INT64_MIN;

        *ret = QN_ATTESTATION_UNKNOWN_KEY;
        for (size_t i = 0; *ret != QN_ATTESTATION_VALID && i < keys->n; i++) {
                if (!qn_str_eq(keys->list[i].id, v->bundle->key_hint))
                        continue;
                *ret = qn_trust_covers(&keys->list[i].valid, ms) ? QN_ATTESTATION_VALID
                                                                 : QN_ATTESTATION_EXPIRED;
                v->key = keys->list[i].key;
        }
}

/* A registry's key stands for the registry: where a package was built it cannot know. */
static int check_signer(struct verifier *v, enum qn_attestation_result *ret)
{
        if (v->bundle->n_certs)
                return check_certificate(v, ret);
        if (v->out->is_provenance)
                *ret = QN_ATTESTATION_UNTRUSTED;
        else
                find_key(v, ret);
        return 0;
}

/* --- what was signed --- */

/* DSSE's pre-authentication encoding. */
static int check_envelope(struct verifier *v, enum qn_attestation_result *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_ATTESTATIONS_MAX * 2);
        const struct qn_bundle *bundle = v->bundle;
        int r;

        qn_buf_printf(&b, "DSSEv1 %zu ", bundle->payload_type.n);
        qn_buf_str(&b, bundle->payload_type);
        qn_buf_printf(&b, " %zu ", bundle->payload.n);
        qn_buf_str(&b, bundle->payload);
        if (qn_buf_error(&b) < 0)
                return qn_buf_error(&b);
        r = qn_public_key_verify(v->key, qn_buf_view(&b), bundle->sig);
        *ret = r == 0             ? QN_ATTESTATION_VALID
               : r == -EOPNOTSUPP ? QN_ATTESTATION_UNSUPPORTED
                                  : QN_ATTESTATION_WRONG_SIGNATURE;
        return r == -ENOMEM ? r : 0;
}

/* --- what it says --- */

static int check_statement(struct verifier *v, enum qn_attestation_result *ret)
{
        const struct qn_statement *s = &v->statement;

        *ret = QN_ATTESTATION_OTHER_PACKAGE;
        for (size_t i = 0; *ret != QN_ATTESTATION_VALID && i < s->n; i++) {
                if (!qn_purl_is(s->subjects[i].name, v->of->name, v->of->version))
                        continue;
                *ret = !v->of->sha512.p || qn_str_ieq(s->subjects[i].sha512, v->of->sha512)
                               ? QN_ATTESTATION_VALID
                               : QN_ATTESTATION_WRONG_SUBJECT;
        }
        return 0;
}

/* Whoever runs the workflow writes the statement, but not the certificate. */
static int check_source(struct verifier *v, enum qn_attestation_result *ret)
{
        struct qn_str said = v->statement.repository, proven = v->out->source.repository;

        if (qn_str_ends(said, ".git"))
                said.n -= 4;
        *ret = said.n && proven.n && !qn_str_ieq(said, proven) ? QN_ATTESTATION_OTHER_SOURCE
                                                               : QN_ATTESTATION_VALID;
        return 0;
}

/* --- where it comes from --- */

static struct qn_str without_ref(struct qn_str uri)
{
        ptrdiff_t at = qn_str_rchr(uri, '@');

        return at < 0 ? uri : qn_str_take(uri, (size_t)at);
}

/* What follows "repository/", or nothing. */
static struct qn_str path_in(struct qn_str uri, struct qn_str repository)
{
        if (!repository.n || uri.n <= repository.n || uri.p[repository.n] != '/' ||
            !qn_str_eq(qn_str_take(uri, repository.n), repository))
                return (struct qn_str){ NULL, 0 };
        return qn_str_skip(uri, repository.n + 1);
}

/* Certificates before 2023 give the repository as owner/name, and its host with the workflow. */
static struct qn_str repository_of(const struct qn_cert_id *id)
{
        ptrdiff_t at;

        if (id->repository.p || !id->old_repository.n)
                return id->repository;
        at = qn_str_find(id->name, id->old_repository);
        return at < 0 ? id->old_repository
                      : qn_str_take(id->name, (size_t)at + id->old_repository.n);
}

static struct qn_str prefer(struct qn_str a, struct qn_str b)
{
        return a.n ? a : b;
}

/* The certificate's word counts before the statement's. */
static void read_source(struct verifier *v)
{
        const struct qn_statement *s = &v->statement;
        struct qn_source *to = &v->out->source;
        struct qn_cert_id id = { 0 };
        struct qn_str builder;

        if (v->bundle->n_certs && qn_cert_id_read(qn_cur_str(v->bundle->certs[0]), &id) < 0)
                id = (struct qn_cert_id){ 0 };
        to->repository = prefer(repository_of(&id), s->repository);
        to->workflow = prefer(path_in(without_ref(prefer(id.workflow, id.name)), to->repository),
                              s->workflow);
        to->ref = prefer(id.ref, s->ref);
        to->commit = prefer(id.commit, s->commit);
        to->trigger = id.trigger;
        to->runner = id.runner;
        to->issuer = id.issuer;
        builder = without_ref(id.builder);
        if (!path_in(builder, to->repository).n)
                to->builder = builder;
}

static void set_predicate(struct qn_verified *out, struct qn_str predicate)
{
        out->predicate = predicate;
        out->is_provenance = qn_str_find(predicate, QN_STR("slsa.dev/provenance/")) >= 0;
}

static int read_statement(struct verifier *v, enum qn_attestation_result *ret)
{
        int r = qn_statement_read(qn_cur_str(v->bundle->payload), v->arena, &v->statement, NULL);

        *ret = r < 0 ? QN_ATTESTATION_MALFORMED : QN_ATTESTATION_VALID;
        if (r < 0)
                return r == -ENOBUFS ? r : 0;
        if (v->statement.predicate.p)
                set_predicate(v->out, v->statement.predicate);
        read_source(v);
        return 0;
}

int qn_attestation_verify(const struct qn_attestation *at, const struct qn_attested *of,
                          const struct qn_trust *trust, struct qn_arena *a, struct qn_verified *ret)
{
        static step_fn *const steps[] = { read_statement, check_log,       check_signer,
                                          check_envelope, check_statement, check_source };
        struct qn_verified out = { .result = QN_ATTESTATION_VALID };
        struct verifier v = {
                .bundle = &at->bundle, .of = of, .trust = trust, .arena = a, .out = &out
        };
        int r = 0;

        set_predicate(&out, at->predicate);
        if (at->broken)
                out.result =
                        at->unknown_form ? QN_ATTESTATION_UNSUPPORTED : QN_ATTESTATION_MALFORMED;
        for (size_t i = 0; r == 0 && out.result == QN_ATTESTATION_VALID && i < QN_ARRAY_SIZE(steps);
             i++)
                r = steps[i](&v, &out.result);
        if (r < 0)
                return r;
        out.why = at->broken ? at->broken : results[out.result].doc;
        *ret = out;
        return 0;
}
