/* A document of attestations, read and verified without any root or key: nothing in it may be valid. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "observe/attestation.h"
#include "parse/log-body.h"
#include "parse/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

/* The parts that lie inside one another in base64, where mutation seldom gets. */
static void fuzz_parts(struct qn_cur in, struct qn_arena *a)
{
        struct qn_statement s = { 0 };
        struct qn_log_body b = { 0 };
        struct qn_checkpoint cp = { 0 };
        int r = qn_statement_read(in, a, &s, NULL);

        check((r == 0) == (s.n > 0));
        r = qn_log_body_read(in, a, &b, NULL);
        check((r == 0) == (b.payload_sha256.n > 0));
        r = qn_checkpoint_read(qn_cur_rest(&in), a, &cp);
        check(r <= 0 && (r < 0) == (cp.text.p == NULL));
}

static void fuzz_verify(const struct qn_attestations *list, struct qn_arena *a)
{
        static const struct qn_trust_root root;
        static const struct qn_registry_keys keys;
        const struct qn_trust trust = { &root, &keys };
        const struct qn_attested of = { QN_STR("thing"), QN_STR("1.0.1"), { NULL, 0 } };

        for (size_t i = 0; i < list->n; i++) {
                struct qn_verified v = { 0 };
                int r = qn_attestation_verify(&list->list[i], &of, &trust, a, &v);

                check(r == 0 || r == -ENOBUFS);
                check(r < 0 ||
                      (v.result != QN_ATTESTATION_VALID && v.result < QN_ATTESTATION_RESULTS));
                check(!list->list[i].broken || r < 0 || v.result == QN_ATTESTATION_MALFORMED ||
                      v.result == QN_ATTESTATION_UNSUPPORTED);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_attestations list = { 0 };

        fuzz_parts(qn_cur_mem(data, size), &a);
        if (qn_attestations_read(qn_cur_mem(data, size), &a, &list, NULL) == 0)
                fuzz_verify(&list, &a);
        else
                check(list.list == NULL);
        return 0;
}
