/* First line: a version, the rest: a range.  What a range prints must be a range again (it need not mean quite the same:
 * npm treats ">=0.0.0" as "*" only where it is written just so, and we follow). */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_version(struct qn_str s, unsigned flags)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
        struct qn_semver v, w;

        if (qn_semver_parse(s, flags, &v) < 0)
                return;
        if (qn_semver_cmp(&v, &v) != 0 || qn_semver_cmp_build(&v, &v) != 0 ||
            qn_semver_format(&v, &b) < 0)
                abort();
        /* Printing may add the hyphen that a loose version left out. */
        if (b.n <= 256 &&
            (qn_semver_parse(qn_buf_view(&b), flags, &w) < 0 || qn_semver_cmp(&v, &w) != 0))
                abort();
}

static void check_range(struct qn_str version, struct qn_str s, unsigned flags)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_range *r = NULL, *again = NULL;
        int rc = qn_range_parse(s, flags, &a, &r);

        if ((rc == 0) != (r != NULL))
                abort();
        if (!r || qn_range_format(r, &b) < 0 || b.n > 60000)
                return;
        if (qn_range_parse(qn_buf_view(&b), flags, &a, &again) < 0)
                abort();
        qn_range_test_str(again, version);
        qn_range_test_str(r, version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_str range = { (const char *)data, size }, version = qn_str_cut(&range, '\n');

        for (unsigned flags = 0; flags < 4; flags++) {
                check_version(version, flags);
                check_range(version, range, flags);
        }
        return 0;
}
