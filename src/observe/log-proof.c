#include "observe/log-proof.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "observe/public-key.h"
#include "parse/log-body.h"

#define HASH 32u /* bytes of SHA-256 */

static const struct qn_trust_log *find_log(const struct qn_trust_root *trust,
                                           const struct qn_log_entry *e)
{
        int64_t ms = e->time > INT64_MAX / 1000 ? INT64_MAX : (int64_t)e->time * 1000;

        for (size_t i = 0; i < trust->n_logs; i++)
                if (e->log.n && qn_str_eq(trust->logs[i].id, e->log) &&
                    qn_trust_covers(&trust->logs[i].valid, ms))
                        return &trust->logs[i];
        return NULL;
}

/* --- the promise --- */

/* The log signs the entry as canonical JSON (RFC 8785). */
static int check_promise(const struct qn_log_entry *e, const struct qn_trust_log *log)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_ATTESTATIONS_MAX * 2);

        qn_buf_puts(&b, "{\"body\":\"");
        qn_base64_encode(&b, e->body.p, e->body.n);
        qn_buf_printf(&b, "\",\"integratedTime\":%llu,\"logID\":\"", (unsigned long long)e->time);
        qn_hex_encode(&b, e->log.p, e->log.n);
        qn_buf_printf(&b, "\",\"logIndex\":%llu}", (unsigned long long)e->index);
        if (qn_buf_error(&b) < 0)
                return qn_buf_error(&b);
        return qn_public_key_verify(log->key, qn_buf_view(&b), e->promise);
}

/* --- the proof --- */

static bool hash_node(struct qn_str left, struct qn_str right, uint8_t *ret)
{
        uint8_t in[1 + 2 * HASH] = { 1 }, out[QN_DIGEST_BYTES_MAX];

        memcpy(in + 1, left.p, HASH);
        memcpy(in + 1 + HASH, right.p, HASH);
        if (qn_digest(QN_SHA256, in, sizeof in, out) < 0)
                return false;
        memcpy(ret, out, HASH);
        return true;
}

static bool hash_leaf(struct qn_str leaf, uint8_t *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_ATTESTATIONS_MAX + 1);
        uint8_t out[QN_DIGEST_BYTES_MAX];

        qn_buf_byte(&b, 0);
        qn_buf_str(&b, leaf);
        if (qn_buf_error(&b) < 0 || qn_digest(QN_SHA256, b.p, b.n, out) < 0)
                return false;
        memcpy(ret, out, HASH);
        return true;
}

bool qn_log_included(struct qn_str leaf, const struct qn_log_proof *p)
{
        uint64_t node = p->index, last = p->size - 1;
        uint8_t hash[HASH];
        struct qn_str so_far = { (const char *)hash, HASH };

        if (p->index >= p->size || p->root.n != HASH || !hash_leaf(leaf, hash))
                return false;
        for (size_t i = 0; i < p->n; i++) {
                if (last == 0 || p->hashes[i].n != HASH)
                        return false;
                if (!(node & 1) && node != last) {
                        if (!hash_node(so_far, p->hashes[i], hash))
                                return false;
                } else {
                        if (!hash_node(p->hashes[i], so_far, hash))
                                return false;
                        while (node && !(node & 1)) {
                                node >>= 1;
                                last >>= 1;
                        }
                }
                node >>= 1;
                last >>= 1;
        }
        return last == 0 && memcmp(hash, p->root.p, HASH) == 0;
}

/* Whether the log signed the root that the proof leads to: 0, -EBADMSG not signed, -EPROTO another root. */
static int check_checkpoint(const struct qn_log_proof *p, const struct qn_trust_log *log,
                            struct qn_arena *a)
{
        struct qn_checkpoint cp;
        int r = qn_checkpoint_read(p->checkpoint, a, &cp);

        if (r < 0)
                return r == -EINVAL ? -EBADMSG : r;
        r = -EBADMSG;
        for (size_t i = 0; r == -EBADMSG && i < cp.n; i++)
                r = qn_public_key_verify(log->key, cp.text, cp.sigs[i]);
        if (r < 0)
                return r;
        return cp.size == p->size && qn_str_eq(cp.root, p->root) ? 0 : -EPROTO;
}

static int check_proof(const struct qn_log_entry *e, const struct qn_trust_log *log,
                       struct qn_arena *a)
{
        if (!qn_log_included(e->body, &e->proof))
                return -EPROTO;
        return e->proof.checkpoint.n ? check_checkpoint(&e->proof, log, a) : 0;
}

/* What is there must hold: a wrong proof is not made good by a promise, nor the other way round. */
int qn_log_check(const struct qn_log_entry *e, const struct qn_trust_root *trust,
                 struct qn_arena *a, enum qn_log_result *ret)
{
        const struct qn_trust_log *log = find_log(trust, e);
        int promise, proof;

        *ret = QN_LOG_UNKNOWN;
        if (!log)
                return 0;
        promise = e->promise.n ? check_promise(e, log) : 0;
        proof = e->has_proof ? check_proof(e, log, a) : 0;
        if (promise == -ENOMEM || proof == -ENOMEM || promise == -ENOBUFS || proof == -ENOBUFS)
                return promise == -ENOMEM || proof == -ENOMEM ? -ENOMEM : -ENOBUFS;
        if (proof == -EPROTO)
                *ret = QN_LOG_WRONG_PROOF;
        else if (promise < 0 || proof < 0)
                *ret = QN_LOG_WRONG_KEY;
        else if (e->promise.n)
                *ret = QN_LOG_TIMED;
        else
                *ret = e->has_proof && e->proof.checkpoint.n ? QN_LOG_INCLUDED : QN_LOG_NOTHING;
        return 0;
}
