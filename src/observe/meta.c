/* Facts that are about the package as such: its name beside the popular ones. */
#include "observe/lookalike.h"
#include "observe/popular.h"
#include "observe/scan-priv.h"
#include "parse/pkgjson.h"

static void tell_lookalikes(struct qn_scan *s, struct qn_str name)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = qn_lookalike_find(s->o->popular, name, false, like);

        for (size_t i = 0; i < n; i++) {
                struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);

                e.phase = QN_WHEN_PHASE + QN_PHASE_NEVER;
                qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("lookalike"));
                qn_event_attr(&e, QN_ATTR_NAME, qn_popular_name(s->o->popular, like[i].rank));
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(like[i].how));
                qn_sink_file(&s->sink, (struct qn_str){ 0 });
                qn_sink_add(&s->sink, &e);
        }
}

void qn_meta_observe(struct qn_scan *s)
{
        if (s->manifest)
                tell_lookalikes(s, s->manifest->name.text);
}
