/* What is kept of a version is read from whatever bytes a damaged store has; there is one way to write it. */
#include <stdlib.h>

#include "campaign/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf again = QN_BUF_INIT(QN_TRACE_MAX);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_trace t;

        if (qn_trace_read(in, &t) < 0)
                return 0;
        if (t.n > QN_CLUSTER_FEATURES_MAX || qn_trace_write(&t, &again) < 0 ||
            !qn_str_eq(qn_buf_view(&again), qn_cur_rest(&in)))
                abort();
        return 0;
}
