/* Whatever is packed can be read back, record for record. */
#include <stdlib.h>

#include "base/buf.h"
#include "intel/feed.h"
#include "intel/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)32 << 20);
        static struct qn_feed *f;
        struct qn_feed_result res;
        struct qn_intel_packed p;
        struct qn_cur record;
        uint64_t n = 0;
        const struct qn_feed_input in = { .bytes = qn_cur_mem(data, size),
                                          .source = QN_STR("fuzz"),
                                          .path = QN_STR("x.json"),
                                          .part = size % 3,
                                          .parts = size % 4 };

        if (!f && qn_feed_new(&f) < 0)
                abort();
        (void)!qn_feed_read(qn_cur_mem(data, size), &res);
        if (qn_feed_pack(f, &in, &b, NULL) < 0)
                return 0;
        if (qn_feed_read(qn_cur_str(qn_buf_view(&b)), &res) < 0)
                abort();
        while (qn_feed_next(&res.records, &record) == 1) {
                if (qn_intel_split(record, &p) < 0)
                        abort();
                n++;
        }
        if (n != res.counts.records)
                abort();
        return 0;
}
