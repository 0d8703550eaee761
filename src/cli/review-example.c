/* review-example.c - what was found for nothing becomes an example: the events of the version, which the rule must not match from
 * then on (qanat rules test --examples DIR).  Events do nothing; what looks like a secret in them is masked. */
#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/report-file.h"
#include "cli/review.h"
#include "event/event.h"
#include "rule/rule.h"

#define NAME_MAX_BYTES 150 /* of a package's name or a version, in a file's name */

static bool is_plain(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '+';
}

/* Names come from a registry: nothing of them may be a path.  Where something had to be left out a number tells them apart. */
static void put_plain(struct qn_buf *b, struct qn_str s)
{
        bool whole = s.n <= NAME_MAX_BYTES;

        for (size_t i = 0; i < QN_MIN(s.n, (size_t)NAME_MAX_BYTES); i++) {
                whole = whole && (is_plain(s.p[i]) || s.p[i] == '@' || s.p[i] == '/');
                if (s.p[i] != '@')
                        qn_buf_byte(b, is_plain(s.p[i]) ? s.p[i] : '_');
        }
        if (!whole)
                qn_buf_printf(b, "-%08x", (unsigned)qn_hash64(s.p, s.n));
}

static void put_path(struct qn_buf *b, struct qn_str rule, const struct qn_seen *v)
{
        qn_buf_str(b, rule);
        qn_buf_puts(b, "/good-");
        put_plain(b, v->name);
        qn_buf_byte(b, '-');
        put_plain(b, v->version);
        qn_buf_puts(b, ".events.ndjson");
}

/* Only what was observed: what is known is asked anew. */
static int read_masked(struct qn_db *db, const struct qn_seen *v, struct qn_arena *a,
                       struct qn_event_set *ret)
{
        struct qn_cur events;
        int r = qn_versions_events_of(db, v->id, a, &events);

        if (r == 0)
                r = qn_event_set_read(&events, a, ret, NULL);
        return r == 0 ? qn_event_set_mask(ret) : r;
}

/* As whoever reads the file will have them. */
static int judge_text(const struct qn_rules *rules, struct qn_str text, struct qn_arena *a,
                      struct qn_verdict *ret)
{
        struct qn_cur in = qn_cur_str(text);
        struct qn_event_set set;
        int r = qn_event_set_read_json(&in, a, &set, NULL);

        return r < 0 ? r : qn_judge(rules, &set, a, ret);
}

static bool found_by(const struct qn_verdict *v, struct qn_str rule)
{
        for (size_t i = 0; i < v->n; i++)
                if (qn_str_eq(v->findings[i].rule->id, rule))
                        return true;
        return false;
}

static int write_one(const char *dir, const struct qn_seen *v, struct qn_str rule,
                     struct qn_str text)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096);
        struct qn_err err = { 0 };
        int r;

        put_path(&path, rule, v);
        r = qn_buf_error(&path);
        if (r == 0)
                r = qn_report_file(dir, qn_buf_view(&path), text, &err);
        if (r < 0)
                return log_err(r, "%s/%s: %s", dir, path.p ? path.p : "",
                               err.msg[0] ? err.msg : strerrordesc_np(-r));
        log_note("%s/%s: %s", dir, path.p, r ? "is there already" : "written");
        return 0;
}

static int write_all(const struct qn_rules *rules, const char *dir,
                     const struct qn_review_subject *s, struct qn_str text,
                     const struct qn_verdict *now)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->c.n_findings; i++) {
                const struct qn_seen_finding *f = &s->c.findings[i];

                if (qn_str_is(f->verdict, "clean"))
                        continue;
                if (!qn_rules_find(rules, f->rule)) {
                        log_note("there is no rule \"%.*s\" any more: no example of it",
                                 QN_STR_ARG(f->rule));
                        continue;
                }
                if (!found_by(now, f->rule))
                        log_note("\"%.*s\" does not match the example: what it saw was masked, or "
                                 "known of elsewhere",
                                 QN_STR_ARG(f->rule));
                r = write_one(dir, &s->v, f->rule, text);
        }
        return r;
}

int qn_review_write_examples(const struct qn_rules *rules, struct qn_db *db, const char *dir,
                             const struct qn_review_subject *s)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(2 * QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_event_set set;
        struct qn_verdict now;
        int r = read_masked(db, &s->v, &arena, &set);

        if (r == -ENOENT)
                return log_err(r, "%.*s@%.*s: its events are not kept any more",
                               QN_STR_ARG(s->v.name), QN_STR_ARG(s->v.version));
        if (r == 0)
                r = qn_event_set_write_json(&set, &text);
        if (r == 0)
                r = judge_text(rules, qn_buf_view(&text), &arena, &now);
        if (r < 0)
                return log_err(r, "%.*s@%.*s: no example can be made of its events: %s",
                               QN_STR_ARG(s->v.name), QN_STR_ARG(s->v.version),
                               strerrordesc_np(-r));
        return write_all(rules, dir, s, qn_buf_view(&text), &now);
}
