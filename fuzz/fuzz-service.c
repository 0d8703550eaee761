/* The gate's service file: what is taken is complete, what is wrong is told. */
#include <stdlib.h>

#include "base/arena.h"
#include "gate/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct qn_service *s)
{
        size_t defaults = 0;

        if (!s->n_listen || !s->url.n || qn_str_ends(s->url, "/") || !s->cert.p != !s->key.p ||
            (s->closed && !s->n_tokens))
                abort();
        for (size_t i = 0; i < s->n_upstreams; i++) {
                const struct qn_service_upstream *u = &s->upstreams[i];

                if (!u->name.n || !qn_str_starts(u->url, "http") || !qn_str_ends(u->url, "/") ||
                    u->token.p)
                        abort();
                defaults += !u->n_scopes;
        }
        if (defaults > 1)
                abort();
        for (size_t i = 0; i < s->n_tokens; i++)
                if (!s->tokens[i].name.n)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_service s;
        struct qn_err err = { 0 };
        int r = qn_service_parse((struct qn_str){ (const char *)data, size }, "d/g", false, &a, &s,
                                 &err);

        if (r < 0 && !err.msg[0])
                abort();
        if (r == 0)
                check(&s);
        return 0;
}
