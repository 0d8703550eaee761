#include "cli/intel-ask.h"

#include <errno.h>
#include <time.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/intel-print.h"
#include "intel/match.h"
#include "intel/record.h"
#include "parse/semver.h"

int qn_intel_look_up(struct qn_intel_ask *q, const char *arg)
{
        struct qn_str s = qn_str_c(arg), version = { 0 };
        struct qn_intel_answer ans;
        struct qn_semver v;
        ptrdiff_t at = qn_str_rchr(s, '@');
        int r;

        if (at > 0) {
                version = qn_str_skip(s, (size_t)at + 1);
                s = qn_str_take(s, (size_t)at);
        }
        if (!s.n || (at > 0 && !version.n))
                return log_err(-EINVAL, "\"%s\" is no NAME or NAME@VERSION", arg);
        if (version.n && qn_semver_parse(version, QN_SEMVER_LOOSE, &v) < 0)
                return log_err(-EINVAL,
                               "%s: \"%.*s\" is no version; a question is about one, such as 1.2.3",
                               arg, QN_STR_ARG(version));
        r = qn_intel_match(
                q->index, q->trust,
                &(struct qn_intel_question){ .name = s, .version = version, .now_ms = q->now_ms },
                &q->a, &ans);
        if (r < 0)
                return log_err(r, "%s: %s", arg, strerror(-r));
        if (q->json)
                qn_intel_print_json(&q->out, s, version, &ans);
        else
                qn_intel_print_text(&q->out, s, version, &ans, qn_args_on(q->args, "explain"));
        q->found |= strcmp(qn_intel_verdict(&ans), "clean") != 0;
        qn_arena_reset(&q->a, 1 << 20);
        return 0;
}

int qn_intel_print_record(struct qn_intel_ask *q, const struct qn_intel_record *rec,
                          unsigned indent)
{
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &q->a, &osv);

        if (r == 0)
                r = qn_intel_complete(q->index, rec, &q->a, osv);
        if (r == 0)
                qn_intel_print_osv(&q->out, osv, indent);
        return r;
}

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct qn_intel_ask *q = ctx;

        q->found = true;
        return qn_intel_print_record(q, rec, 2);
}

int qn_intel_show(struct qn_intel_ask *q, const char *arg)
{
        bool before = q->found;
        int r;

        q->found = false;
        r = qn_intel_by_id(q->index, qn_str_c(arg), on_record, q);
        if (r == 0 && !q->found)
                r = -ENOENT;
        q->found |= before;
        return r < 0 ? log_err(r, "%s: %s", arg,
                               r == -ENOENT ? "no record has this id or alias" : strerror(-r))
                     : 0;
}

static int on_indicator(void *ctx, const struct qn_intel_record *rec)
{
        struct qn_intel_ask *q = ctx;
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &q->a, &osv);

        if (r == 0)
                r = qn_intel_complete(q->index, rec, &q->a, osv);
        if (r < 0)
                return r;
        if (q->json) {
                qn_intel_print_osv(&q->out, osv, 0);
        } else {
                qn_buf_puts(&q->out, "  ");
                qn_show(&q->out, osv->id, 200, 0);
                qn_buf_puts(&q->out, "  ");
                qn_show(&q->out, osv->summary, 200, QN_SHOW_DEFANG);
                qn_buf_byte(&q->out, '\n');
        }
        q->found = true;
        return 0;
}

/* What the text may be: what its shape says, and what has no shape. */
static size_t guess(struct qn_intel_ask *q, struct qn_str text, struct qn_indicator ret[3])
{
        static const enum qn_indicator_kind shapeless[] = { QN_IOC_WALLET, QN_IOC_FILE };
        size_t n = qn_indicator_guess(text, &q->a, &ret[0]) == 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(shapeless); i++) {
                ret[n].kind = shapeless[i];
                if (n && ret[0].kind == shapeless[i])
                        continue;
                n += qn_indicator_read(shapeless[i], text, &q->a, &ret[n].value) == 0;
        }
        return n;
}

int qn_intel_find(struct qn_intel_ask *q, const char *arg)
{
        struct qn_indicator i[3] = { 0 };
        size_t n = guess(q, qn_str_c(arg), i);
        bool before = q->found;
        int r = 0;

        if (!n)
                return log_err(-EINVAL,
                               "\"%s\" is no hash, address, host, wallet or name of a file", arg);
        q->found = false;
        if (!q->json) {
                qn_show(&q->out, i[0].value, 200, QN_SHOW_DEFANG);
                qn_buf_printf(&q->out, "  %s\n", qn_indicator_name(i[0].kind));
        }
        for (size_t k = 0; r == 0 && k < n && !q->found; k++)
                r = qn_intel_by_indicator(q->index, i[k].kind, i[k].value, on_indicator, q);
        if (r == 0 && !q->found && !q->json)
                qn_buf_puts(&q->out, "  nobody lists it\n");
        q->found |= before;
        return r < 0 ? log_err(r, "%s: %s", arg, strerror(-r)) : 0;
}

/* --- sources --- */

struct qn_str qn_intel_day(uint64_t s, char *buffer, size_t size)
{
        time_t t = (time_t)s;
        struct tm tm;

        if (!gmtime_r(&t, &tm))
                return QN_STR("");
        return (struct qn_str){ buffer, strftime(buffer, size, "%Y-%m-%d %H:%M", &tm) };
}

int qn_intel_list_sources(struct qn_intel_ask *q)
{
        struct qn_table t = QN_TABLE_INIT(4);
        struct qn_jsonw w = QN_JSONW_INIT(&q->out, 0);
        struct qn_intel_source *list;
        struct qn_intel_stats st;
        size_t n;
        int r = qn_intel_sources(q->index, &q->a, &list, &n);

        if (r == 0)
                r = qn_intel_stats(q->index, &st);
        if (r < 0)
                return log_err(r, "%s", strerror(-r));
        t.right = 2;
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.intel.sources/1");
        qn_jsonw_u64(&w, "records", st.records);
        qn_jsonw_u64(&w, "bytes", st.bytes);
        qn_jsonw_array(&w, "sources");
        for (size_t i = 0; i < n; i++) {
                char number[24], day[24];

                if (!list[i].name.n)
                        continue;
                snprintf(number, sizeof number, "%llu", (unsigned long long)list[i].records);
                qn_table_cell(&t, list[i].name);
                qn_table_cell(&t, qn_str_c(number));
                qn_table_cell(&t, qn_intel_day(list[i].updated_s, day, sizeof day));
                qn_table_cell(&t, list[i].from);
                qn_jsonw_object(&w, NULL);
                qn_jsonw_str(&w, "name", list[i].name);
                qn_jsonw_u64(&w, "records", list[i].records);
                qn_jsonw_str(&w, "updated", qn_intel_day(list[i].updated_s, day, sizeof day));
                qn_jsonw_str(&w, "from", list[i].from);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&q->out, '\n');
        if (!q->json) {
                qn_buf_reset(&q->out);
                r = qn_table_print(&t, &q->out, 0);
                qn_buf_printf(&q->out, "%llu records, %llu indicators, %.1f MB\n",
                              (unsigned long long)st.records, (unsigned long long)st.indicators,
                              (double)st.bytes / 1e6);
        }
        qn_table_done(&t);
        return r;
}
