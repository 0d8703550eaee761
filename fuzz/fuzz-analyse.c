/* The whole way from an archive to a sealed set of events: twice the same bytes, whatever came before. */
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "observe/analyse.h"
#include "observe/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct qn_analyser *analyser(void)
{
        static struct qn_observers *o;
        static struct qn_analyser *an;
        struct qn_err err = { 0 };

        if (!an && (qn_observers_load(FUZZ_DATA, &o, &err) < 0 || qn_analyser_new(o, &an) < 0)) {
                fprintf(stderr, "%s: %s\n", FUZZ_DATA, err.msg);
                abort();
        }
        return an;
}

static void analyse(struct qn_cur archive, struct qn_buf *out)
{
        const struct qn_analyse_in in = { .archive = archive };
        const struct qn_event_set *set = NULL;

        if (qn_analyse(analyser(), &in, &set) < 0 || !set || !set->sealed)
                abort();
        if (qn_event_set_write(set, out) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf one = QN_BUF_INIT((size_t)64 << 20),
                                             two = QN_BUF_INIT((size_t)64 << 20);
        struct qn_cur in = qn_cur_mem(data, size);

        analyse(in, &one);
        analyse(in, &two);
        if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
                abort();
        return 0;
}
