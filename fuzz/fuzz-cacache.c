/* Index lines of npm's cache.  Each line of the input is tried as it stands and, so that the checksum does not keep the fuzzer
 * out, with the right checksum in front; then all of it as a bucket. */
#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "net/cacache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct qn_str line)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)8 << 20);
        struct qn_cacache_entry e = { .size = 12345 };
        int r = qn_cacache_line(line, &a, &e);

        if (r > 1 || (r >= 0) != (e.key.p != NULL) || (r == 1 && e.integrity.p) ||
            (r < 0 && e.size != 12345))
                abort();
        if (r >= 0)
                qn_cacache_fresh(e.time_ms, qn_cacache_lifetime_s(&e), 1700000000000);
}

static void check_summed(struct qn_str text)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        if (qn_digest(QN_SHA1, text.p, text.n, digest) < 0)
                return;
        qn_hex_encode(&b, digest, 20);
        qn_buf_byte(&b, '\t');
        qn_buf_str(&b, text);
        if (qn_buf_error(&b) == 0)
                check_line(qn_buf_view(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)8 << 20);
        struct qn_str all = { (const char *)data, size }, rest = all;
        struct qn_cacache_entry e = { 0 };
        int r;

        while (rest.n) {
                struct qn_str line = qn_str_cut(&rest, '\n'), text = line;

                check_line(line);
                check_summed(line);
                qn_str_cut(&text, '\t');
                check_summed(text);
        }
        r = qn_cacache_pick(all, QN_STR("k"), NULL, NULL, &a, &e);
        if ((r == 0) != qn_str_is(e.key, "k"))
                abort();
        return 0;
}
