/* A package of one file, whose name is the first line of the input: the scan never fails, and its set can be written and
 * read back. */
#include <stdlib.h>

#include "base/arena.h"
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

static void give(const struct qn_scan_file *f)
{
        if (qn_scan_file(scan, f) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char pkg[] = "{\"scripts\":{\"install\":\"node index.js\"}}";
        struct qn_str rest = { (const char *)data, size }, name = qn_str_cut(&rest, '\n');
        struct qn_scan_file manifest = { .path = QN_STR("package.json"),
                                         .size = sizeof pkg - 1,
                                         .data = QN_CUR_LIT(pkg) };
        struct qn_scan_file f = { .path = name, .size = rest.n, .data = qn_cur_str(rest) };
        const struct qn_event_set *set = NULL;

        if (!scan)
                start();
        if (!name.n || name.n > 200 || !rest.p)
                return 0;
        qn_scan_begin(scan);
        if (!qn_str_is(name, "package.json"))
                give(&manifest);
        give(&f);
        while (qn_scan_pending(scan))
                if (qn_scan_wants(scan, name))
                        give(&f);
        if (qn_scan_finish(scan, QN_STR("sha512-x"), &set) < 0 || !set->sealed)
                abort();
        for (size_t i = 0; i < set->n; i++)
                if (set->events[i].phase >= QN_PHASE_MAX ||
                    (set->events[i].file != QN_FILE_NONE && set->events[i].file >= set->n_files))
                        abort();
        return 0;
}
