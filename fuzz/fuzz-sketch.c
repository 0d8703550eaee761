/* Any bytes make a sketch as code and as text; the same bytes the same sketch; what is in one is all like itself. */
#include <stdlib.h>

#include "observe/sketch.h"
#include "parse/js.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sketch(struct qn_js *js, const char *path, struct qn_str text, struct qn_sketch *ret)
{
        struct qn_sketcher s;

        qn_sketcher_init(&s);
        if (qn_sketch_file(&s, js, qn_str_c(path), text) < 0)
                abort();
        qn_sketch_finish(&s, ret);
        if (qn_sketch_filled(ret) > s.shingles)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[] = { "a.js", "a.md" };
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        struct qn_str text = { (const char *)data, size };

        for (size_t i = 0; js && i < QN_ARRAY_SIZE(paths); i++) {
                struct qn_sketch a, b;

                sketch(js, paths[i], text, &a);
                sketch(js, paths[i], text, &b);
                if (memcmp(&a, &b, sizeof a) != 0 ||
                    qn_sketch_similarity(&a, &b) != (qn_sketch_filled(&a) ? 1 : 0))
                        abort();
        }
        return 0;
}
