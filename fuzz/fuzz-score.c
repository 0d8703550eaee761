/* Any bytes as the two files of a learned score, parted by a line "%%".  What was read adds up, and never to less when an event
 * is added; what was refused is refused with a reason. */
#include <stdlib.h>

#include "base/arena.h"
#include "event/event.h"
#include "memfile.h"
#include "rule/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
        if (!ok)
                abort();
}

static struct qn_learned learned(const struct qn_score *s, struct qn_arena *a, unsigned kinds)
{
        struct qn_event_set set;
        struct qn_learned l;
        int sum;

        qn_event_set_init(&set, a);
        for (unsigned k = 0; k < kinds; k++) {
                struct qn_event e = qn_event_make((enum qn_event_kind)(k % QN_EVENT_MAX),
                                                  QN_LAYER_STATIC, QN_FILE_NONE);

                e.phase = (uint8_t)(k % QN_PHASE_MAX);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("fetch"));
                (void)qn_event_add(&set, &e);
        }
        check(qn_event_set_seal(&set) == 0);
        check(qn_score_learned(s, &set, a, &l) == 0);
        sum = l.bias;
        for (size_t i = 0; i < l.n_all; i++) {
                check(l.parts[i].value > 0 && (i < l.n) == (l.parts[i].points > 0));
                sum += l.parts[i].points;
        }
        check(sum == l.logit && l.score <= 100);
        return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_score_freep) struct qn_score *s = NULL;
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        const uint8_t *cut = size ? memmem(data, size, "\n%%\n", 4) : NULL;
        size_t first = cut ? (size_t)(cut - data) + 1 : size;
        size_t second = cut ? first + 3 : size;
        struct memfile features = memfile_open(data, first),
                       model = memfile_open(data + second, size - second);
        struct qn_err err = { 0 };
        int r = qn_score_load(features.path, model.path, &s, &err);

        memfile_close(&features);
        memfile_close(&model);
        check((r == 0) == (s != NULL) && (r == 0 || err.msg[0]));
        if (r == 0)
                check(learned(s, &a, 20).logit <= learned(s, &a, QN_EVENT_MAX).logit);
        return 0;
}
