#include "gate/alarm.h"

#include "base/jsonw.h"
#include "base/limits.h"
#include "parse/packument.h"

/* Not in the middle of a character. */
static struct qn_str shortened(struct qn_str s)
{
        size_t n = QN_MIN(s.n, (size_t)QN_ALARM_TEXT_MAX);

        for (unsigned i = 0; i < 3 && n < s.n && n && ((uint8_t)s.p[n] & 0xc0) == 0x80; i++)
                n--;
        return qn_str_take(s, n);
}

/* Nothing for what is not known. */
static void text(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, shortened(s));
}

static void moment(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char buffer[QN_TIME_TEXT];

        text(w, key, qn_time_format(ms, buffer));
}

static void fetched(struct qn_jsonw *w, const struct qn_alarm_fetch *f)
{
        qn_jsonw_object(w, NULL);
        moment(w, "time", f->time_ms);
        text(w, "address", f->client.address);
        text(w, "token", f->client.token);
        text(w, "userAgent", f->client.user_agent);
        text(w, "session", f->client.session);
        text(w, "command", f->client.command);
        text(w, "ci", f->client.ci);
        qn_jsonw_end_object(w);
}

static void artifact(struct qn_jsonw *w, const struct qn_alarm_event *e)
{
        qn_jsonw_object(w, "artifact");
        text(w, "name", e->name);
        text(w, "version", e->version);
        text(w, "integrity", e->integrity);
        text(w, "url", e->url);
        qn_jsonw_end_object(w);
}

static void fetches(struct qn_jsonw *w, const struct qn_alarm_event *e)
{
        size_t n = QN_MIN(e->n_fetches, (size_t)QN_ALARM_FETCHES_MAX);

        qn_jsonw_u64(w, "total", QN_MAX(e->total, (uint64_t)e->n_fetches));
        qn_jsonw_array(w, "fetches");
        for (size_t i = 0; i < n; i++)
                fetched(w, &e->fetches[i]);
        qn_jsonw_end_array(w);
}

int qn_alarm_write(const struct qn_alarm_event *e, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_u64(&w, "schema", 1);
        qn_jsonw_cstr(&w, "event", "served-bad");
        qn_jsonw_u64(&w, "id", e->id);
        moment(&w, "time", e->time_ms);
        text(&w, "gate", e->gate);
        artifact(&w, e);
        qn_jsonw_cstr(&w, "before", qn_verdict_name(e->before));
        qn_jsonw_cstr(&w, "verdict", qn_verdict_name(e->verdict));
        text(&w, "rule", e->rule);
        text(&w, "reason", e->reason);
        fetches(&w, e);
        qn_jsonw_end_object(&w);
        return qn_buf_error(out);
}
