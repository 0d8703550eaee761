#include "base/prom.h"

#include "base/buf.h"

void qn_prom_head(const struct qn_prom *p, const char *name, const char *type, const char *help)
{
        qn_buf_printf(p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", p->prefix, name, help, p->prefix,
                      name, type);
}

void qn_prom_one(const struct qn_prom *p, const char *name, const char *type, const char *help,
                 uint64_t value)
{
        qn_prom_head(p, name, type, help);
        qn_buf_printf(p->out, "%s%s %llu\n", p->prefix, name, (unsigned long long)value);
}

void qn_prom_label(const struct qn_prom *p, const char *name, const char *label, const char *text,
                   uint64_t value)
{
        qn_buf_printf(p->out, "%s%s{%s=\"%s\"} %llu\n", p->prefix, name, label, text,
                      (unsigned long long)value);
}

/* "name_bucket{label="text",le="0.5"} ": the begin of a line. */
static void begin(const struct qn_prom *p, const struct qn_prom_histogram *h, const char *part,
                  const char *le)
{
        qn_buf_printf(p->out, "%s%s_%s", p->prefix, h->name, part);
        if (h->label)
                qn_buf_printf(p->out, "{%s=\"%s\"%s", h->label, h->text, le ? "," : "");
        if (le)
                qn_buf_printf(p->out, "%sle=\"%s\"", h->label ? "" : "{", le);
        if (h->label || le)
                qn_buf_str(p->out, QN_STR("}"));
        qn_buf_byte(p->out, ' ');
}

void qn_prom_histogram(const struct qn_prom *p, const struct qn_prom_histogram *h)
{
        uint64_t sum = 0;
        char le[32];

        if (!h->label)
                qn_prom_head(p, h->name, "histogram", h->help);
        for (size_t i = 0; i < h->n; i++) {
                sum += h->buckets[i];
                snprintf(le, sizeof le, "%g", h->unit * (double)((uint64_t)1 << i));
                if (i + 1 < h->n) {
                        begin(p, h, "bucket", le);
                        qn_buf_printf(p->out, "%llu\n", (unsigned long long)sum);
                }
        }
        begin(p, h, "bucket", "+Inf");
        qn_buf_printf(p->out, "%llu\n", (unsigned long long)sum);
        begin(p, h, "sum", NULL);
        qn_buf_printf(p->out, "%.6f\n", h->sum);
        begin(p, h, "count", NULL);
        qn_buf_printf(p->out, "%llu\n", (unsigned long long)sum);
}
