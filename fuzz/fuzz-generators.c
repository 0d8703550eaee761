/* Any lines are learnt, each of them many times over: what is found is text, has the name's scope, and stays the same. */
#include <stdlib.h>

#include "campaign/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct qn_generators *g, struct qn_str name)
{
        struct qn_generator a, b;
        char shape[QN_TEMPLATE_TEXT];

        if (!qn_generators_find(g, name, &a))
                return;
        if (!qn_name_shape(name, shape) || !qn_generators_find(g, name, &b) || a.key != b.key ||
            strlen(a.text) >= sizeof a.text || strlen(shape) >= sizeof shape)
                abort();
        if (qn_str_chr(name, '/') >= 0 &&
            memcmp(a.text, name.p, (size_t)qn_str_chr(name, '/')) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();

        for (unsigned round = 0; g && round < 8; round++) {
                struct qn_str rest = { (const char *)data, size };

                while (rest.n) {
                        struct qn_str name = qn_str_cut(&rest, '\n');

                        if (qn_generators_add(g, name) < 0)
                                abort();
                        ask(g, name);
                }
        }
        return 0;
}
