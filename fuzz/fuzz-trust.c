/* Roots and keys: what is read has all its bytes, and a date that is none is never "for ever". */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_registry_keys keys = { 0 };
        struct qn_trust_root root = { 0 };

        if (qn_trust_root_read(qn_cur_mem(data, size), &a, &root, NULL) < 0)
                check(!root.n_authorities && !root.n_logs && !root.n_cert_logs);
        for (size_t i = 0; i < root.n_logs; i++)
                check(root.logs[i].id.n && root.logs[i].key.n);
        for (size_t i = 0; i < root.n_authorities; i++)
                check(root.authorities[i].n && root.authorities[i].n <= QN_BUNDLE_CERTS_MAX);
        if (qn_registry_keys_read(qn_cur_mem(data, size), &a, &keys, NULL) < 0)
                check(!keys.n);
        for (size_t i = 0; i < keys.n; i++)
                check(keys.list[i].id.n && keys.list[i].key.n);
        return 0;
}
