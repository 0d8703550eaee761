/* Facts that are about the package as such: its name beside the popular ones, and what the registry's document tells.
 * No clock is read: "young" and "long ago" are distances between the dates in the document. */
#include "observe/meta-priv.h"

#include <errno.h>
#include <stdarg.h>

#include "base/limits.h"
#include "observe/lookalike.h"
#include "observe/popular.h"
#include "parse/pkgjson.h"

struct qn_event qn_meta_event(const char *what)
{
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_WHEN_PHASE + QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        return e;
}

void qn_meta_add(struct qn_scan *s, struct qn_event *e)
{
        qn_sink_file(&s->sink, (struct qn_str){ 0 });
        qn_sink_add(&s->sink, e);
}

void qn_meta_tell(struct qn_scan *s, const char *what, const char *how, const char *fmt, ...)
{
        struct qn_event e = qn_meta_event(what);
        char text[QN_ATTR_MAX];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(text));
        qn_meta_add(s, &e);
}

static void tell_lookalikes(struct qn_scan *s, struct qn_str name)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = qn_lookalike_find(s->o->popular, name, false, like);

        for (size_t i = 0; i < n; i++) {
                struct qn_event e = qn_meta_event("lookalike");

                qn_event_attr(&e, QN_ATTR_NAME, qn_popular_name(s->o->popular, like[i].rank));
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(like[i].how));
                qn_meta_add(s, &e);
        }
}

static void not_understood(struct qn_scan *s, const char *why)
{
        if (qn_scan_unanalysed(s, "packument", (struct qn_str){ 0 }, why) < 0)
                s->graph.full = true;
}

/* The version that `now` follows on: the latest earlier one of its line, or of any. */
static void find_version(struct qn_meta *m, struct qn_str version)
{
        m->now = qn_packument_find(m->doc, version);
        if (!m->now)
                return;
        qn_published_before(m->doc, m->now, &m->earlier);
        m->before = m->earlier.n ? m->earlier.list[0] : NULL;
}

static void observe_document(struct qn_meta *m)
{
        const struct qn_pkgjson *own = m->s->manifest;
        struct qn_packument *doc;
        struct qn_err err = { 0 };

        if (qn_packument_read(m->s->packument, m->a, &doc, &err) < 0) {
                not_understood(m->s, err.msg);
                return;
        }
        m->doc = doc;
        if (!qn_str_eq(doc->name, own->name.text))
                qn_meta_tell(m->s, "manifest-differs", "name", "%.*s", QN_STR_ARG(doc->name));
        find_version(m, m->s->wanted.n ? m->s->wanted : own->version.text);
        if (!m->now) {
                qn_meta_tell(m->s, "version-unlisted", "", "%.*s", QN_STR_ARG(own->version.text));
                return;
        }
        qn_meta_times(m);
        qn_meta_people(m);
        qn_meta_accounts(m);
        qn_meta_artifact(m);
}

void qn_meta_observe(struct qn_scan *s)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_DOCUMENT_ARENA_MAX);
        struct qn_meta m = { .s = s, .a = &a };

        if (!s->manifest)
                return;
        tell_lookalikes(s, s->manifest->name.text);
        qn_meta_shape(s);
        if (qn_cur_left(&s->packument))
                observe_document(&m);
}
