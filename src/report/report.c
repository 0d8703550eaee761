#include "report/report.h"

#include <errno.h>

#include "event/event.h"
#include "report/render.h"
#include "rule/rule.h"

int qn_report_new(const struct qn_report_opts *o, struct qn_report **ret)
{
        struct qn_report *r = calloc(1, sizeof *r);

        if (!r)
                return -ENOMEM;
        r->o = *o;
        if (!r->o.width)
                r->o.width = 100;
        *ret = r;
        return 0;
}

struct qn_report *qn_report_free(struct qn_report *r)
{
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n; i++)
                free(r->entries[i].text);
        free(r->entries);
        free(r->rules);
        free(r);
        return NULL;
}

void qn_report_freep(struct qn_report **r)
{
        *r = qn_report_free(*r);
}

static int room(void **array, size_t n, size_t *cap, size_t size)
{
        size_t want = *cap ? *cap * 2 : 64;
        void *p;

        if (n < *cap)
                return 0;
        p = reallocarray(*array, want, size);
        if (!p)
                return -ENOMEM;
        *array = p;
        *cap = want;
        return 0;
}

static int note_rule(struct qn_report *r, const struct qn_rule *rule)
{
        void *rules = r->rules;
        int e;

        for (size_t i = 0; i < r->n_rules; i++)
                if (r->rules[i] == rule)
                        return 0;
        e = room(&rules, r->n_rules, &r->rules_cap, sizeof *r->rules);
        r->rules = rules;
        if (e < 0)
                return e;
        r->rules[r->n_rules++] = rule;
        return 0;
}

static void render(const struct qn_report *r, const struct qn_result *res, struct qn_buf *out)
{
        switch (r->o.format) {
        case QN_REPORT_TEXT:
                qn_text_result(&r->o, res, out);
                break;
        case QN_REPORT_JSON:
                qn_json_result(&r->o, res, out);
                break;
        case QN_REPORT_SARIF:
                qn_sarif_result(res, out);
                break;
        }
}

static struct qn_str take(const char **p, size_t n)
{
        struct qn_str s = { *p, n };

        *p += n;
        return s;
}

static int make_entry(const struct qn_report *r, const struct qn_result *res, struct qn_entry *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_REPORT_ENTRY_MAX);
        const char *p;
        int e;

        qn_buf_str(&b, res->name);
        qn_buf_str(&b, res->version);
        qn_buf_str(&b, res->target);
        qn_buf_str(&b, res->integrity);
        render(r, res, &b);
        e = qn_buf_error(&b);
        if (e < 0)
                return e;
        *ret = (struct qn_entry){ .kind = res->verdict->kind, .text = b.p };
        p = b.p;
        ret->name = take(&p, res->name.n);
        ret->version = take(&p, res->version.n);
        ret->target = take(&p, res->target.n);
        ret->integrity = take(&p, res->integrity.n);
        ret->body = take(&p, b.n - (size_t)(p - b.p));
        b.p = NULL;
        return 0;
}

int qn_report_add(struct qn_report *r, const struct qn_result *res)
{
        void *entries = r->entries;
        int e = room(&entries, r->n, &r->cap, sizeof *r->entries);

        r->entries = entries;
        for (size_t i = 0; e == 0 && i < res->verdict->n; i++)
                e = note_rule(r, res->verdict->findings[i].rule);
        if (e == 0)
                e = make_entry(r, res, &r->entries[r->n]);
        if (e < 0)
                return e;
        r->n++;
        r->counts[res->verdict->kind]++;
        return 0;
}

static int by_identity(const void *a, const void *b)
{
        const struct qn_entry *x = a, *y = b;
        int c = qn_str_cmp(x->name, y->name);

        if (c == 0)
                c = qn_str_cmp(x->version, y->version);
        if (c == 0)
                c = qn_str_cmp(x->target, y->target);
        if (c == 0)
                c = qn_str_cmp(x->integrity, y->integrity);
        return c ? c : (int)x->kind - (int)y->kind;
}

static int by_id(const void *a, const void *b)
{
        return qn_str_cmp((*(const struct qn_rule *const *)a)->id,
                          (*(const struct qn_rule *const *)b)->id);
}

int qn_report_end(struct qn_report *r, uint64_t elapsed_ns, struct qn_buf *out)
{
        if (r->n)
                qsort(r->entries, r->n, sizeof *r->entries, by_identity);
        if (r->n_rules)
                qsort(r->rules, r->n_rules, sizeof *r->rules, by_id);
        switch (r->o.format) {
        case QN_REPORT_TEXT:
                qn_text_document(r, elapsed_ns, out);
                break;
        case QN_REPORT_JSON:
                qn_json_document(r, out);
                break;
        case QN_REPORT_SARIF:
                qn_sarif_document(r, out);
                break;
        }
        return qn_buf_error(out);
}

size_t qn_report_count(const struct qn_report *r, enum qn_verdict_kind k)
{
        return r->counts[k];
}

int qn_exit_status(enum qn_verdict_kind fail_on, const size_t counts[QN_MALICIOUS + 1])
{
        for (int k = QN_MALICIOUS; k >= (int)fail_on; k--)
                if (counts[k])
                        return 1;
        return counts[QN_UNKNOWN] ? 3 : 0;
}

int qn_report_status(const struct qn_report *r)
{
        return qn_exit_status(r->o.fail_on, r->counts);
}

int qn_report_format_from_name(struct qn_str s, enum qn_report_format *ret)
{
        static const char *const names[] = {
                [QN_REPORT_TEXT] = "text",
                [QN_REPORT_JSON] = "json",
                [QN_REPORT_SARIF] = "sarif",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(s, names[i])) {
                        *ret = (enum qn_report_format)i;
                        return 0;
                }
        return -EINVAL;
}
