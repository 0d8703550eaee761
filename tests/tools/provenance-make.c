/* provenance-make - writes documents for black-box tests: what a registry says about one version, right and wrong in every way.
 *   usage: provenance-make DIR NAME VERSION SHA512 EARLIER-VERSION EARLIER-SHA512     (digests in hexadecimal)
 * DIR/trust.json, keys.json; DIR/<flaw>.json for each flaw of attest-make.h; moved-owner.json, moved-workflow.json,
 * moved-branch.json, moved-trigger.json; earlier.json; signature.txt (of NAME@VERSION and its integrity) and signature-wrong.txt. */
#include <stdio.h>
#include <stdlib.h>

#include "attest-make.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/io.h"

static const char *dir;

static void put(const char *name, const char *ending, const struct qn_buf *b)
{
        char path[4096];

        snprintf(path, sizeof path, "%s/%s%s", dir, name, ending);
        if (qn_buf_error(b) < 0 || qn_io_replace(path, qn_buf_view(b)) < 0) {
                fprintf(stderr, "provenance-make: cannot write %s\n", path);
                exit(1);
        }
}

static void put_attestations(const char *name, const struct make *m)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        make_attestations(m, &b);
        put(name, ".json", &b);
}

static void put_moved(const struct make *usual)
{
        struct make m = *usual;

        m.repository = "https://github.com/stranger/thing";
        put_attestations("moved-owner", &m);
        m = *usual;
        m.workflow = ".github/workflows/test.yml";
        put_attestations("moved-workflow", &m);
        m = *usual;
        m.ref = "refs/heads/patch-1";
        put_attestations("moved-branch", &m);
        m = *usual;
        m.trigger = "pull_request_target";
        put_attestations("moved-trigger", &m);
}

static void put_signature(const struct make *m, const char *name, const char *what)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 16);
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(1 << 16),
                                             sig = QN_BUF_INIT(1 << 16);
        struct qn_str digest;

        if (qn_hex_decode(qn_str_c(m->sha512), &a, &digest) < 0)
                exit(2);
        qn_buf_printf(&text, "%s@%s:sha512-", what, m->version);
        qn_base64_encode(&text, digest.p, digest.n);
        make_signature(text.p, false, &sig);
        put(name, ".txt", &sig);
}

static void put_trusted(void)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        make_trust(&b);
        put("trust", ".json", &b);
        qn_buf_reset(&b);
        make_keys(&b);
        put("keys", ".json", &b);
}

int main(int argc, char **argv)
{
        struct make m = { .repository = "https://github.com/owner/thing",
                          .workflow = ".github/workflows/release.yml",
                          .ref = "refs/heads/main",
                          .trigger = "push",
                          .runner = "github-hosted" };
        struct make earlier;

        if (argc != 7) {
                fprintf(stderr, "usage: provenance-make DIR NAME VERSION SHA512 EARLIER-VERSION "
                                "EARLIER-SHA512\n");
                return 2;
        }
        dir = argv[1];
        m.name = argv[2];
        m.version = argv[3];
        m.sha512 = argv[4];
        put_trusted();
        for (unsigned f = 0; f < MAKE_FLAW_MAX; f++) {
                m.flaw = f;
                put_attestations(make_flaw_name(f), &m);
        }
        m.flaw = MAKE_NONE;
        put_moved(&m);
        put_signature(&m, "signature", m.name);
        put_signature(&m, "signature-wrong", "another");
        earlier = m;
        earlier.version = argv[5];
        earlier.sha512 = argv[6];
        put_attestations("earlier", &earlier);
        return 0;
}
