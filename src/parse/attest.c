#include "parse/attest.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "parse/json.h"

struct reader {
        struct qn_arena *arena;
        const char *broken; /* the first reason */
        bool unknown_form;
};

/* Remembers why; false, for the caller to return. */
static bool refuse(struct reader *rd, const char *why)
{
        if (!rd->broken)
                rd->broken = why;
        return false;
}

static const struct qn_node *get(const struct qn_node *n, const char *key)
{
        return qn_node_get(n, key);
}

/* Bytes in base64: false when the member is there and is none. */
static bool bytes(struct reader *rd, const struct qn_node *n, struct qn_str *ret)
{
        struct qn_str s = qn_node_text(n);

        if (!n || n->type == QN_NODE_NULL || (s.p && !s.n))
                return true;
        if (!s.p || qn_base64_decode(s, rd->arena, ret) < 0)
                return refuse(rd, "a member that should be base64 is not");
        return true;
}

/* 64-bit numbers are strings in this JSON; writers that use numbers are understood too. */
static bool number(struct reader *rd, const struct qn_node *n, uint64_t *ret)
{
        if (!n)
                return true;
        if (qn_node_is(n, QN_NODE_STRING) ? qn_str_u64(n->text, ret) < 0
                                          : (*ret = qn_node_u64(n, UINT64_MAX)) == UINT64_MAX)
                return refuse(rd, "a number of the log entry is none");
        return true;
}

/* --- what signed --- */

static bool read_certificate(struct reader *rd, const struct qn_node *n, struct qn_bundle *b)
{
        struct qn_str *to = &b->certs[b->n_certs];

        if (b->n_certs == QN_BUNDLE_CERTS_MAX)
                return refuse(rd, "there are too many certificates");
        if (!bytes(rd, get(n, "rawBytes"), to))
                return false;
        if (!to->n)
                return refuse(rd, "a certificate is empty");
        b->n_certs++;
        return true;
}

static bool read_signer(struct reader *rd, const struct qn_node *material, struct qn_bundle *b)
{
        const struct qn_node *chain = get(get(material, "x509CertificateChain"), "certificates"),
                             *one = get(material, "certificate");

        b->key_hint = qn_node_text(get(get(material, "publicKey"), "hint"));
        if (one)
                return read_certificate(rd, one, b);
        for (size_t i = 0; qn_node_is(chain, QN_NODE_ARRAY) && i < chain->n; i++)
                if (!read_certificate(rd, chain->items[i], b))
                        return false;
        if (!b->n_certs && !b->key_hint.p)
                return refuse(rd, "neither a certificate nor a key is named");
        return true;
}

/* --- the log --- */

static bool read_proof(struct reader *rd, const struct qn_node *n, struct qn_log_entry *e)
{
        const struct qn_node *hashes = get(n, "hashes");
        struct qn_log_proof *p = &e->proof;

        if (!qn_node_is(n, QN_NODE_OBJECT))
                return true;
        e->has_proof = true;
        p->checkpoint = qn_node_text(get(get(n, "checkpoint"), "envelope"));
        if (!number(rd, get(n, "logIndex"), &p->index) ||
            !number(rd, get(n, "treeSize"), &p->size) || !bytes(rd, get(n, "rootHash"), &p->root))
                return false;
        for (size_t i = 0; qn_node_is(hashes, QN_NODE_ARRAY) && i < hashes->n; i++) {
                if (p->n == QN_BUNDLE_PROOF_MAX)
                        return refuse(rd, "a proof of inclusion has too many hashes");
                if (!bytes(rd, hashes->items[i], &p->hashes[p->n++]))
                        return false;
        }
        return true;
}

static bool read_entry(struct reader *rd, const struct qn_node *n, struct qn_bundle *b)
{
        struct qn_log_entry *e = &b->entries[b->n_entries];

        if (b->n_entries == QN_BUNDLE_ENTRIES_MAX)
                return refuse(rd, "there are too many log entries");
        b->n_entries++;
        return number(rd, get(n, "logIndex"), &e->index) &&
               number(rd, get(n, "integratedTime"), &e->time) &&
               bytes(rd, get(get(n, "logId"), "keyId"), &e->log) &&
               bytes(rd, get(n, "canonicalizedBody"), &e->body) &&
               bytes(rd, get(get(n, "inclusionPromise"), "signedEntryTimestamp"), &e->promise) &&
               read_proof(rd, get(n, "inclusionProof"), e);
}

static bool read_entries(struct reader *rd, const struct qn_node *n, struct qn_bundle *b)
{
        for (size_t i = 0; qn_node_is(n, QN_NODE_ARRAY) && i < n->n; i++)
                if (!read_entry(rd, n->items[i], b))
                        return false;
        return true;
}

/* --- the envelope --- */

/* With several signatures it would not be said whose the bundle's certificate is. */
static bool read_envelope(struct reader *rd, const struct qn_node *n, struct qn_bundle *b)
{
        const struct qn_node *sigs = get(n, "signatures");

        b->payload_type = qn_node_text(get(n, "payloadType"));
        if (!qn_node_is(sigs, QN_NODE_ARRAY) || sigs->n != 1)
                return refuse(rd, "the envelope has not exactly one signature");
        if (!bytes(rd, get(n, "payload"), &b->payload) ||
            !bytes(rd, get(sigs->items[0], "sig"), &b->sig))
                return false;
        if (!b->payload.n || !b->sig.n || !b->payload_type.n)
                return refuse(rd, "the envelope is incomplete");
        return true;
}

static bool is_known_bundle(struct qn_str media_type)
{
        return qn_str_starts(media_type, "application/vnd.dev.sigstore.bundle") &&
               qn_str_find(media_type, QN_STR("0.")) >= 0;
}

static bool read_bundle(struct reader *rd, const struct qn_node *n, struct qn_bundle *b)
{
        const struct qn_node *material = get(n, "verificationMaterial");
        struct qn_str type = qn_node_text(get(n, "mediaType"));

        rd->unknown_form = type.n && !is_known_bundle(type);
        if (rd->unknown_form)
                return refuse(rd, "this is not a Sigstore bundle of a known version");
        return read_signer(rd, material, b) && read_entries(rd, get(material, "tlogEntries"), b) &&
               read_envelope(rd, get(n, "dsseEnvelope"), b);
}

static int too_many(struct qn_err *reterr)
{
        return qn_fail(reterr, -EFBIG, 0, "there are more than %u attestations",
                       QN_ATTESTATIONS_COUNT_MAX);
}

int qn_attestations_read(struct qn_cur in, struct qn_arena *a, struct qn_attestations *ret,
                         struct qn_err *reterr)
{
        struct qn_attestations out = { 0 };
        const struct qn_node *list;
        struct qn_node *root = NULL;
        int r;

        if (qn_cur_left(&in) > QN_ATTESTATIONS_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the document of attestations is too large");
        r = qn_json_parse(in, a, &root, reterr);
        if (r < 0)
                return r;
        list = get(root, "attestations");
        if (!qn_node_is(list, QN_NODE_ARRAY))
                return qn_fail(reterr, -EINVAL, 0, "this is not a document of attestations");
        if (list->n > QN_ATTESTATIONS_COUNT_MAX)
                return too_many(reterr);
        out.list = qn_arena_calloc(a, list->n, sizeof *out.list);
        if (!out.list)
                return qn_fail(reterr, -ENOBUFS, 0,
                               "the document of attestations needs too much memory");
        for (out.n = 0; out.n < list->n; out.n++) {
                struct reader rd = { .arena = a };
                struct qn_attestation *at = &out.list[out.n];

                at->predicate = qn_node_text(get(list->items[out.n], "predicateType"));
                if (!read_bundle(&rd, get(list->items[out.n], "bundle"), &at->bundle))
                        at->broken = rd.broken;
                at->unknown_form = rd.unknown_form;
        }
        *ret = out;
        return 0;
}
