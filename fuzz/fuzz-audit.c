/* First byte: the form; the rest: a question for advisories. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "role/analyse-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        struct qn_audit audit = { .n = 0 }, read = { .n = 0 };
        int r;

        if (size == 0)
                return 0;
        r = qn_audit_read(qn_cur_mem(data + 1, size - 1),
                          data[0] % 2 ? QN_AUDIT_BULK : QN_AUDIT_TREE, &a, &audit, NULL);
        if (r < 0)
                return 0;
        /* Whatever is read passes its own reader on the other side: sorted, none twice, fit to be asked for. */
        if (qn_analyse_write_pairs(&b, &audit) < 0 ||
            qn_analyse_read_audit(qn_cur_str(qn_buf_view(&b)), &a, &read) < 0 || read.n != audit.n)
                abort();
        return 0;
}
