#include "watch/notice.h"

#include <errno.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/mask.h"
#include "base/show.h"
#include "parse/packument.h"

#define NAME_SHOWN    120u
#define SUBJECT_SHOWN 160u
#define JSON_MAX      (QN_NOTIFY_MESSAGE_MAX / 2)

const char *const qn_notice_kinds[] = { "malicious",       "suspicious", "campaign",
                                        "verdict-changed", "report",     NULL };

static const char *kind_name(enum qn_notice_kind k)
{
        return k == QN_NOTICE_TEST ? "test" : qn_notice_kinds[k];
}

/* --- text that leaves the house --- */

/* "@everyone" in a chat, "@name" in an issue, and what mail readers make links of. */
static void without_at(struct qn_buf *out, struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '@')
                        qn_buf_puts(out, "[@]");
                else if (s.p[i] == '!' && i && s.p[i - 1] == '<') /* "<!channel>" */
                        qn_buf_puts(out, "[!]");
                else
                        qn_buf_byte(out, s.p[i]);
        }
}

void qn_notice_safe(struct qn_buf *out, struct qn_str s, size_t max)
{
        _cleanup_(qn_buf_done) struct qn_buf masked = QN_BUF_INIT(QN_SHOW_MAX * 4),
                                             shown = QN_BUF_INIT(QN_SHOW_MAX * 4);

        qn_mask_secrets(&masked, qn_str_take(s, QN_SHOW_MAX));
        qn_show(&shown, qn_buf_view(&masked), max, QN_SHOW_DEFANG);
        without_at(out, qn_buf_view(&shown));
}

/* Scopes that a chat takes for everybody. */
static bool calls_all(struct qn_str s)
{
        static const char *const all[] = { "@everyone", "@here", "@channel", "@all", "@team" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(all); i++)
                if (qn_str_ieq(qn_str_take(s, strlen(all[i])), qn_str_c(all[i])))
                        return true;
        return false;
}

static bool is_plain(struct qn_str s)
{
        size_t slashes = 0;

        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || strchr("-_.+~", c);

                slashes += c == '/';
                if (!c || (!word && c != '/' && !(c == '@' && i == 0)))
                        return false;
        }
        return s.n && s.n <= NAME_SHOWN && slashes == (s.p[0] == '@') && !calls_all(s);
}

void qn_notice_safe_name(struct qn_buf *out, struct qn_str s)
{
        if (is_plain(s))
                qn_buf_str(out, s);
        else
                qn_notice_safe(out, s, NAME_SHOWN);
}

/* --- one notice --- */

static void put(struct qn_jsonw *w, const char *key, struct qn_str s, bool name)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX * 4);

        if (!s.p)
                return;
        if (name)
                qn_notice_safe_name(&b, s);
        else
                qn_notice_safe(&b, s, QN_NOTIFY_TEXT_MAX);
        qn_jsonw_str(w, key, b.p ? qn_buf_view(&b) : QN_STR(""));
}

static void put_time(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char text[QN_TIME_TEXT];

        if (ms != QN_TIME_NONE)
                qn_jsonw_str(w, key, qn_time_format(ms, text));
}

static void put_findings(struct qn_jsonw *w, const struct qn_notice *n)
{
        qn_jsonw_array(w, "findings");
        for (size_t i = 0; i < QN_MIN(n->n_findings, (size_t)QN_NOTIFY_FINDINGS_MAX); i++) {
                qn_jsonw_object(w, NULL);
                put(w, "rule", n->findings[i].rule, true);
                put(w, "severity", n->findings[i].severity, true);
                put(w, "title", n->findings[i].title, false);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_places(struct qn_jsonw *w, const struct qn_notice *n)
{
        qn_jsonw_u64(w, "places_total", n->n_places + n->n_more);
        qn_jsonw_array(w, "places");
        for (size_t i = 0; i < QN_MIN(n->n_places, (size_t)QN_NOTIFY_PLACES_MAX); i++) {
                const struct qn_notice_place *p = &n->places[i];

                qn_jsonw_object(w, NULL);
                put(w, "kind", p->kind, true);
                put(w, "name", p->name, true);
                put(w, "owner", p->owner, true);
                put(w, "environment", p->environment, false);
                put(w, "path", p->path, false);
                put(w, "version", p->version, true);
                put_time(w, "since", p->since);
                put_time(w, "last", p->last);
                qn_jsonw_bool(w, "gone", p->gone);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

int qn_notice_write(const struct qn_notice *n, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "kind", kind_name(n->kind));
        put(&w, "name", n->name, true);
        put(&w, "version", n->version, true);
        if (n->integrity.p)
                qn_jsonw_str(&w, "integrity", qn_str_take(n->integrity, 512));
        put(&w, "before", n->before, true);
        put(&w, "verdict", n->verdict, true);
        qn_jsonw_u64(&w, "score", n->score);
        put(&w, "reason", n->reason, false);
        put(&w, "campaign", n->campaign, true);
        put_time(&w, "time", n->time);
        put_findings(&w, n);
        put_places(&w, n);
        qn_jsonw_end_object(&w);
        return qn_buf_error(out);
}

int qn_notice_subject(const struct qn_notice *n, struct qn_buf *out)
{
        qn_buf_printf(out, "%s: ", kind_name(n->kind));
        if (n->kind == QN_NOTICE_CAMPAIGN) {
                qn_notice_safe_name(out, n->campaign);
        } else {
                qn_notice_safe_name(out, n->name);
                if (n->version.n)
                        qn_buf_byte(out, '@');
                qn_notice_safe_name(out, n->version);
        }
        if (n->kind == QN_NOTICE_CHANGED) {
                qn_buf_puts(out, " is ");
                qn_notice_safe_name(out, n->verdict);
        }
        return qn_buf_error(out);
}

int qn_notice_topic(const struct qn_notice *n, struct qn_buf *out)
{
        struct qn_str scope = n->name;

        scope = qn_str_starts(scope, "@") ? qn_str_cut(&scope, '/') : (struct qn_str){ 0 };
        if (scope.n && !n->campaign.n && !calls_all(scope)) {
                qn_buf_puts(out, "scope @");
                qn_notice_safe_name(out, qn_str_skip(scope, 1));
                return qn_buf_error(out);
        }
        qn_buf_puts(out, n->campaign.n ? "campaign " : scope.n ? "scope " : "package ");
        qn_notice_safe_name(out, n->campaign.n ? n->campaign : scope.n ? scope : n->name);
        return qn_buf_error(out);
}

static bool same_place(const struct qn_notice_place *x, const struct qn_notice_place *y)
{
        return qn_str_eq(x->kind, y->kind) && qn_str_eq(x->name, y->name);
}

static void key(struct qn_buf *out, struct qn_str s)
{
        qn_buf_printf(out, "%zu:", s.n);
        qn_buf_str(out, s);
}

/* Of any number of places. */
static int place_key(const struct qn_notice *n, struct qn_buf *out)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_digest_run run;
        int r;

        qn_digest_begin(&run, QN_SHA256);
        for (size_t i = 0; i < n->n_places; i++) {
                if (i && same_place(&n->places[i - 1], &n->places[i]))
                        continue; /* another file of the same asset */
                qn_digest_add_text(&run, n->places[i].kind);
                qn_digest_add_text(&run, n->places[i].name);
        }
        r = qn_digest_end(&run, digest);
        return r < 0 ? r : qn_hex_encode(out, digest, qn_digest_size(QN_SHA256));
}

int qn_notice_fact(const struct qn_notice *n, struct qn_str owner, struct qn_buf *out)
{
        const struct qn_str texts[] = { n->name, n->version, n->integrity, n->before };

        key(out, qn_str_c(kind_name(n->kind)));
        key(out, n->verdict);
        if (n->kind == QN_NOTICE_CAMPAIGN)
                key(out, n->campaign);
        for (size_t i = 0; n->kind != QN_NOTICE_CAMPAIGN && i < QN_ARRAY_SIZE(texts); i++)
                if (i < 3 || n->kind == QN_NOTICE_CHANGED)
                        key(out, texts[i]);
        if (n->kind == QN_NOTICE_CHANGED)
                qn_buf_printf(out, "%lld", (long long)n->time);
        key(out, owner);
        return owner.p && n->n_places ? place_key(n, out) : qn_buf_error(out);
}

/* --- a message --- */

int qn_notice_title(const struct qn_notice_message *m, struct qn_buf *out)
{
        struct qn_buf b = QN_BUF_INIT(4096);

        if (qn_str_is(m->topic, "digest"))
                qn_buf_printf(&b, "%llu further notices", (unsigned long long)m->count);
        else
                qn_buf_str(&b, m->subject);
        if (m->count > 1 && !qn_str_is(m->topic, "digest"))
                qn_buf_printf(&b, " and %llu more (%.*s)", (unsigned long long)m->count - 1,
                              QN_STR_ARG(m->topic));
        qn_buf_puts(out, "[qanat] ");
        qn_show(out, qn_buf_view(&b), SUBJECT_SHOWN, 0);
        qn_buf_done(&b);
        return qn_buf_error(out);
}

int qn_notice_json(const struct qn_notice_message *m, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf title = QN_BUF_INIT(4096);
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);
        size_t listed = 0;
        int r = qn_notice_title(m, &title);

        if (r < 0)
                return r;
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.notice/1");
        qn_jsonw_str(&w, "id", m->uid);
        put_time(&w, "time", m->created);
        qn_jsonw_str(&w, "recipient", m->recipient);
        qn_jsonw_str(&w, "topic", m->topic);
        qn_jsonw_str(&w, "title", qn_buf_view(&title));
        qn_jsonw_u64(&w, "count", m->count);
        qn_jsonw_end_object(&w);
        r = qn_buf_error(out);
        if (r < 0)
                return r;
        out->n--; /* the parts are JSON already */
        qn_buf_puts(out, ",\"notices\":[");
        for (size_t i = 0; i < m->n && out->n + m->bodies[i].n < JSON_MAX; i++) {
                if (listed++)
                        qn_buf_byte(out, ',');
                qn_buf_str(out, m->bodies[i]);
        }
        qn_buf_puts(out, "]}");
        return qn_buf_error(out);
}
