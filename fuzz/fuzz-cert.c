/* Certificates.  Before a length (two bytes, big-endian) and after it: a signer's certificate, and one that is trusted and is a
 * certificate log's key as well. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "observe/cert-chain.h"
#include "observe/public-key.h"
#include "parse/cert-id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

static void fuzz_chain(struct qn_str leaf, struct qn_str root)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_trust_authority ca = { .certs = { root },
                                         .n = 1,
                                         .valid = { INT64_MIN, INT64_MAX } };
        struct qn_trust_log log = { .id = qn_str_take(root, 32),
                                    .key = root,
                                    .valid = { INT64_MIN, INT64_MAX } };
        const struct qn_trust_root trust = { &ca, &log, &log, 1, 1, 1 };
        enum qn_chain_result result = QN_CHAIN_GOOD;
        struct qn_str key = { NULL, 0 };
        int r = qn_chain_check(&leaf, 1, 1750000000, &trust, &a, &result, &key);

        check(r == 0);
        check((result == QN_CHAIN_GOOD) == (key.n > 0));
        check(qn_public_key_verify(root, QN_STR("x"), leaf) < 0 || root.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_cur in = qn_cur_mem(data, size), leaf;
        struct qn_cert_id id = { 0 };
        uint16_t n;

        if (qn_cur_be16(&in, &n) < 0 || qn_cur_take(&in, n, &leaf) < 0)
                return 0;
        if (qn_cert_id_read(leaf, &id) < 0)
                check(!id.name.p && !id.repository.p);
        fuzz_chain(qn_cur_rest(&leaf), qn_cur_rest(&in));
        return 0;
}
