/* A configuration as bytes, as a role receives it: what could be decoded encodes to the same bytes, and can be asked. */
#include "base/buf.h"
#include "net/npmconf.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct qn_npmconf *c)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_npm_auth auth = { 0 };
        struct qn_str out = { 0 };
        struct qn_url u;
        int r;

        if (qn_url_parse(QN_STR("https://h.invalid:81/a/b"), &a, &u, NULL) < 0)
                abort();
        qn_npmconf_proxy(c, &u);
        r = qn_npmconf_auth(c, QN_STR("@s/n"), &u, &a, &auth);
        if (r > 0)
                abort();
        r = qn_npmconf_tarball_url(c, QN_STR("@s/n"), QN_STR("1.0.0"),
                                   QN_STR("https://h.invalid/x"), &a, &out, NULL);
        if ((r == 0) != (out.p != NULL))
                abort();
        out = (struct qn_str){ 0 };
        r = qn_npmconf_tarball_url(c, QN_STR("@s/n"), QN_STR("1.0.0"), (struct qn_str){ 0 }, &a,
                                   &out, NULL);
        if ((r == 0) != (out.p != NULL))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)32 << 20);
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *c = NULL;
        int r = qn_npmconf_decode(qn_cur_mem(data, size), &c, NULL);

        if ((r == 0) != (c != NULL))
                abort();
        if (r < 0)
                return 0;
        if (qn_npmconf_encode(c, &b) < 0 || b.n != size || memcmp(b.p, data, size) != 0)
                abort();
        ask(c);
        return 0;
}
