/* Keys are never empty by themselves, lines stay in the file, expansion stays below its cap. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/npmrc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool env(void *ctx, struct qn_str name, struct qn_str *ret)
{
        *ret = *(struct qn_str *)ctx;
        return name.n % 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_str value = { (const char *)data, QN_MIN(size, (size_t)100) },
                      all = { (const char *)data, size };
        struct qn_npmrc rc = QN_NPMRC_INIT;
        size_t total = 0;
        int r = qn_npmrc_parse(&rc, qn_cur_mem(data, size), env, &value, &a, NULL);

        if (r < 0 && rc.n)
                abort();
        for (size_t i = 0; i < rc.n; i++) {
                total += rc.v[i].expanded ? rc.v[i].value.n + rc.v[i].key.n : 0;
                if (!rc.v[i].key.p || !rc.v[i].value.p || rc.v[i].line == 0 || rc.v[i].line > size)
                        abort();
        }
        if (total > QN_NPMRC_MAX * 2)
                abort();
        qn_npmrc_registry(&rc, value);
        qn_npmrc_for_url(&rc, qn_str_take(all, 3000), QN_STR("_authToken"));
        return 0;
}
