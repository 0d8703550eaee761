/* alarm.h - what the organisation is told when something that was served turns out to be bad: a JSON document.  Pure: the same
 * event gives the same bytes; whoever calls sends them (role/webhook.h). */
#pragma once

#include "base/buf.h"
#include "gate/front-wire.h"
#include "rule/judge.h"

/* Once that it was fetched. */
struct qn_alarm_fetch {
        int64_t time_ms; /* since 1970 */
        struct qn_front_client client;
};

struct qn_alarm_event {
        uint64_t id; /* the receiver's key for what came twice */
        int64_t time_ms;
        struct qn_str gate; /* its address */
        struct qn_str name, version, integrity,
                url; /* of the artifact; url: where it came from; p NULL: not known */
        enum qn_verdict_kind before, verdict; /* when it was served, and now */
        struct qn_str rule, reason;
        const struct qn_alarm_fetch *fetches; /* the newest first */
        size_t n_fetches;
        uint64_t total; /* of all fetches, listed or not */
};

/* Appends the document: at most QN_ALARM_FETCHES_MAX fetches, texts cut at QN_ALARM_TEXT_MAX bytes.
 * 0, -ENOBUFS (the buffer's cap), -ENOMEM. */
QN_MUST int qn_alarm_write(const struct qn_alarm_event *e, struct qn_buf *out);
