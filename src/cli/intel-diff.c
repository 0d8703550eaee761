#include <errno.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/intel-ask.h"
#include "intel/record.h"
#include "parse/packument.h"

/* What changed since: the imports, and the records that are new, changed, withdrawn or gone. */
struct differ {
        struct qn_intel_ask *q;
        uint64_t since; /* a generation */
        struct qn_jsonw json;
};

/* --- since when --- */

/* The latest import before a time; the index begins with generation 1. */
static int generation_at(struct qn_intel_ask *q, int64_t ms, uint64_t *ret)
{
        struct qn_intel_change *list;
        size_t n;
        int r = qn_intel_history(q->index, 0, &q->tables, &list, &n);

        *ret = 0;
        for (size_t i = 0; r == 0 && i < n; i++)
                if ((int64_t)list[i].at_s * 1000 < ms)
                        *ret = list[i].generation;
        return r;
}

/* "2026-11-29", "2026-11-29T10:00:00Z", a number of an import; without it the one before the last. */
static int read_since(struct qn_intel_ask *q, uint64_t *ret)
{
        const char *since = qn_args_get(q->args, "since");
        struct qn_intel_stats st;
        int64_t ms;
        int r = qn_intel_stats(q->index, &st);

        if (r < 0)
                return log_err(r, "%s", strerror(-r));
        *ret = st.generation ? st.generation - 1 : 0;
        if (!since || qn_str_u64(qn_str_c(since), ret) == 0)
                return 0;
        ms = qn_time_parse(qn_str_c(since));
        if (ms == QN_TIME_NONE)
                return log_err(-EINVAL,
                               "--since %s: neither a date such as 2026-11-29 nor the number of an "
                               "import",
                               since);
        return generation_at(q, ms, ret);
}

/* --- telling --- */

static void tell(struct differ *d, const char *what, struct qn_str id, struct qn_str name)
{
        struct qn_buf *out = &d->q->out;

        if (d->q->json) {
                qn_jsonw_object(&d->json, NULL);
                qn_jsonw_cstr(&d->json, "change", what);
                qn_jsonw_str(&d->json, "id", id);
                if (name.n)
                        qn_jsonw_str(&d->json, "name", name);
                qn_jsonw_end_object(&d->json);
                return;
        }
        qn_buf_printf(out, "%-10s ", what);
        qn_show(out, id, 200, 0);
        qn_buf_puts(out, name.n ? "  " : "");
        qn_show(out, name, 200, 0);
        qn_buf_byte(out, '\n');
}

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct differ *d = ctx;
        struct qn_osv *osv;
        int r;

        if (rec->generation <= d->since)
                return 0;
        qn_arena_reset(&d->q->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &d->q->a, &osv);
        if (r < 0)
                return r;
        tell(d,
             osv->withdrawn.n       ? "withdrawn"
             : rec->born > d->since ? "new"
                                    : "changed",
             osv->id, osv->n_affected ? osv->affected[0].name : (struct qn_str){ 0 });
        return qn_buf_error(&d->q->out);
}

static void tell_import(struct differ *d, const struct qn_intel_change *c)
{
        struct qn_buf *out = &d->q->out;
        char day[24];
        struct qn_str at = qn_intel_day(c->at_s, day, sizeof day);

        qn_buf_printf(out, "import %llu of %.*s, ", (unsigned long long)c->generation,
                      QN_STR_ARG(at));
        qn_show(out, c->source, 60, 0);
        qn_buf_printf(out, ": %llu new, %llu changed, %llu gone\n",
                      (unsigned long long)c->counts.added, (unsigned long long)c->counts.changed,
                      (unsigned long long)c->counts.removed);
}

int qn_intel_diff(struct qn_intel_ask *q)
{
        struct differ d = { .q = q, .json = QN_JSONW_INIT(&q->out, 0) };
        struct qn_intel_change *list;
        size_t n;
        int r = read_since(q, &d.since);

        if (r == 0)
                r = qn_intel_history(q->index, d.since, &q->tables, &list, &n);
        if (r < 0)
                return r;
        if (q->json) {
                qn_jsonw_object(&d.json, NULL);
                qn_jsonw_cstr(&d.json, "schema", "qanat.intel.diff/1");
                qn_jsonw_u64(&d.json, "since", d.since);
                qn_jsonw_array(&d.json, "changes");
        }
        for (size_t i = 0; !q->json && i < n; i++)
                tell_import(&d, &list[i]);
        r = qn_intel_all(q->index, on_record, &d);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < list[i].n_gone; k++)
                        tell(&d, "gone", list[i].gone[k], (struct qn_str){ 0 });
        if (q->json) {
                qn_jsonw_end_array(&d.json);
                qn_jsonw_end_object(&d.json);
                qn_buf_byte(&q->out, '\n');
        } else if (!n) {
                qn_buf_puts(&q->out, "nothing was taken in since\n");
        }
        return r < 0 ? log_err(r, "%s", strerror(-r)) : 0;
}
