#include "campaign/tell.h"

#include <errno.h>

#include "event/event.h"

int qn_campaign_tell(struct qn_db *db, int64_t version, struct qn_event_set *set)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);
        struct qn_campaign c;
        char count[24];
        int r = qn_campaigns_of(db, version, &a, &c);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        snprintf(count, sizeof count, "%lld", (long long)c.size);
        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("campaign"));
        qn_event_attr(&e, QN_ATTR_NAME, c.id);
        qn_event_attr(&e, QN_ATTR_HOW, c.verdict);
        qn_event_attr(&e, QN_ATTR_WHICH, c.rule);
        qn_event_attr(&e, QN_ATTR_COUNT, qn_str_c(count));
        qn_event_attr(&e, QN_ATTR_VALUE, c.title);
        r = qn_event_add(set, &e);
        return r < 0 ? r : 1;
}
