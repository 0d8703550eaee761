/* A package of two programs that load each other, cut from the input at a line "//--": whatever they do, running them ends, and
 * twice gives the same events. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "event/event.h"
#include "observe/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct qn_scan *scan;

static void start(void)
{
        struct qn_observers *o = NULL;
        struct qn_err err = { 0 };

        if (qn_observers_load(FUZZ_DATA, &o, &err) < 0 || qn_scan_new(o, &scan) < 0)
                abort();
}

static void give(const char *path, struct qn_str text)
{
        struct qn_scan_file f = {
                .path = qn_str_c(path), .size = text.n, .stays = true, .data = qn_cur_str(text)
        };

        if (qn_scan_file(scan, &f) < 0)
                abort();
}

static void run(struct qn_str a, struct qn_str b, struct qn_buf *out)
{
        const struct qn_event_set *set = NULL;

        qn_scan_begin(scan);
        give("package.json",
             QN_STR("{\"name\":\"x\",\"main\":\"a.js\",\"scripts\":{\"install\":\"node b.js\"}}"));
        give("a.js", a);
        give("b.js", b);
        (void)qn_scan_pending(scan);
        qn_scan_deepen(scan);
        if (qn_scan_finish(scan, QN_STR("sha512-x"), &set) < 0 || qn_event_set_write(set, out) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf once = QN_BUF_INIT((size_t)64 << 20),
                                             again = QN_BUF_INIT((size_t)64 << 20);
        struct qn_str a = { (const char *)data, size }, b;
        ptrdiff_t cut = size ? qn_str_find(a, QN_STR("\n//--\n")) : -1;

        if (!scan)
                start();
        b = cut < 0 ? QN_STR("require('./a.js')") : qn_str_skip(a, (size_t)cut + 6);
        if (cut >= 0)
                a.n = (size_t)cut;
        run(a, b, &once);
        run(a, b, &again);
        if (!qn_str_eq(qn_buf_view(&once), qn_buf_view(&again)))
                abort();
        return 0;
}
