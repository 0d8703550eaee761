#include <errno.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/intel-ask.h"
#include "intel/match.h"
#include "intel/record.h"

#define NOBODY \
        "0.0.0-0.qanat" /* a version that no list names: it is bad when all of a package is */
#define SCRIPT_MAX  ((size_t)1 << 20)
#define NPM_NOWHERE "https://blocked.invalid/" /* RFC 6761: never a host; npm fails and shows it */

/* What a list says about one package: which versions, and which record says it best. */
struct row {
        struct qn_str versions, id; /* one version, ">=1.0.0 <2.0.0", or "*" */
};

struct package {
        struct qn_str name;
        struct row *rows;
        size_t n, cap;
};

struct exporter {
        struct qn_intel_ask *q;
        struct qn_arena a;
        struct qn_jsonw json;
        size_t left_out; /* versions that the form cannot say */
        int (*put)(struct exporter *e, const struct package *p);
};

/* --- what is bad of a package --- */

static int ask(struct exporter *e, struct qn_str name, struct qn_str version,
               struct qn_intel_answer *ret)
{
        return qn_intel_match(e->q->index, e->q->trust,
                              &(struct qn_intel_question){
                                      .name = name, .version = version, .now_ms = e->q->now_ms },
                              &e->a, ret);
}

static int add(struct exporter *e, struct package *p, struct qn_str versions, struct qn_str id)
{
        for (size_t i = 0; i < p->n; i++)
                if (qn_str_eq(p->rows[i].versions, versions))
                        return 0;
        if (QN_ARENA_ROOM(&e->a, p->rows, p->n, p->cap) < 0)
                return -ENOBUFS;
        p->rows[p->n++] = (struct row){ versions, id };
        return 0;
}

/* The version, when all that is known together says that it is bad. */
static int consider(struct exporter *e, struct package *p, struct qn_str version,
                    struct qn_str shown)
{
        struct qn_intel_answer ans;
        int r = ask(e, p->name, version, &ans);

        if (r < 0 || strcmp(qn_intel_verdict(&ans), "malicious") != 0)
                return r;
        return add(e, p, shown, ans.matches[0].id);
}

static struct qn_str range_text(struct exporter *e, const struct qn_osv_range *r)
{
        static const char *const signs[] = {
                [QN_OSV_INTRODUCED] = ">=",
                [QN_OSV_FIXED] = "<",
                [QN_OSV_LAST_AFFECTED] = "<=",
                [QN_OSV_LIMIT] = "<",
        };
        struct qn_buf b = QN_BUF_INIT(1024);
        struct qn_str s;

        for (size_t i = 0; i < r->n; i++)
                qn_buf_printf(&b, "%s%s%.*s", i ? " " : "", signs[r->events[i].kind],
                              QN_STR_ARG(qn_str_is(r->events[i].version, "0")
                                                 ? QN_STR("0.0.0-0")
                                                 : r->events[i].version));
        s = qn_arena_dup(&e->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

/* A range that begins and ends once, as those of malware do; asked about where it begins. */
static int consider_range(struct exporter *e, struct package *p, const struct qn_osv_range *r)
{
        if (r->n != 2 || r->events[0].kind != QN_OSV_INTRODUCED || r->type > QN_OSV_ECOSYSTEM)
                return 0;
        return consider(e, p,
                        qn_str_is(r->events[0].version, "0") ? QN_STR("0.0.0-0")
                                                             : r->events[0].version,
                        range_text(e, r));
}

static int consider_block(struct exporter *e, struct package *p, const struct qn_osv_affected *f)
{
        int r = 0;

        if (!qn_str_eq(f->name, p->name))
                return 0;
        for (size_t i = 0; r == 0 && i < f->n_versions; i++)
                r = consider(e, p, f->versions[i], f->versions[i]);
        for (size_t i = 0; r == 0 && i < f->n_ranges; i++)
                if (!qn_osv_range_is_all(&f->ranges[i]))
                        r = consider_range(e, p, &f->ranges[i]);
        return r;
}

static int cmp_row(const void *a, const void *b)
{
        return qn_str_cmp(((const struct row *)a)->versions, ((const struct row *)b)->versions);
}

static int on_name(void *ctx, struct qn_str name)
{
        struct exporter *e = ctx;
        struct package p = { .name = name };
        struct qn_intel_answer all;
        int r;

        qn_arena_reset(&e->a, 1 << 20);
        r = consider(e, &p, QN_STR(NOBODY), QN_STR("*"));
        if (r == 0 && !p.n)
                r = ask(e, name, (struct qn_str){ 0 }, &all);
        else
                all.n = 0;
        for (size_t i = 0; r == 0 && i < all.n; i++)
                for (size_t k = 0; r == 0 && k < all.matches[i].n; k++) {
                        const struct qn_osv *osv = all.matches[i].statements[k].osv;

                        for (size_t j = 0; r == 0 && j < osv->n_affected; j++)
                                r = consider_block(e, &p, &osv->affected[j]);
                }
        if (p.n)
                qsort(p.rows, p.n, sizeof *p.rows, cmp_row);
        return r == 0 && p.n ? e->put(e, &p) : r;
}

/* --- CSV --- */

static void put_field(struct qn_buf *out, struct qn_str s)
{
        qn_buf_byte(out, '"');
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '"')
                        qn_buf_byte(out, '"');
                qn_buf_byte(out, s.p[i]);
        }
        qn_buf_byte(out, '"');
}

static int put_csv(struct exporter *e, const struct package *p)
{
        struct qn_buf *out = &e->q->out;

        for (size_t i = 0; i < p->n; i++) {
                const struct qn_str cells[] = { p->name, p->rows[i].versions, p->rows[i].id };

                for (size_t k = 0; k < QN_ARRAY_SIZE(cells); k++) {
                        qn_buf_puts(out, k ? "," : "");
                        put_field(out, cells[k]);
                }
                qn_buf_byte(out, '\n');
        }
        return qn_buf_error(out);
}

static int export_csv(struct exporter *e)
{
        qn_buf_puts(&e->q->out, "package,version,id\n");
        e->put = put_csv;
        return qn_intel_names(e->q->index, on_name, e);
}

/* --- OSV documents --- */

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct exporter *e = ctx;
        struct qn_osv *osv;
        int r;

        qn_arena_reset(&e->q->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &e->q->a, &osv);
        if (r < 0 || !osv->malware || osv->withdrawn.n)
                return r;
        return qn_intel_print_record(e->q, rec, 0);
}

static int export_osv(struct exporter *e)
{
        return qn_intel_all(e->q->index, on_record, e);
}

/* --- policies of package managers --- */

/* npm cannot be told of single versions: an override replaces every range that could reach one. */
static int put_override(struct exporter *e, const struct package *p)
{
        struct qn_buf b = QN_BUF_INIT(2048);

        if (!qn_str_is(p->rows[0].versions, "*")) {
                e->left_out += p->n;
                return 0;
        }
        qn_buf_printf(&b, NPM_NOWHERE "%.*s", QN_STR_ARG(p->rows[0].id));
        qn_jsonw_key(&e->json, p->name);
        qn_jsonw_str(&e->json, NULL, qn_buf_view(&b));
        qn_buf_done(&b);
        return 0;
}

static int export_npm(struct exporter *e)
{
        int r;

        e->json = QN_JSONW_INIT(&e->q->out, 2);
        e->put = put_override;
        qn_jsonw_object(&e->json, NULL);
        qn_jsonw_object(&e->json, "overrides");
        r = qn_intel_names(e->q->index, on_name, e);
        qn_jsonw_end_object(&e->json);
        qn_jsonw_end_object(&e->json);
        qn_buf_byte(&e->q->out, '\n');
        if (r == 0 && e->left_out)
                log_note("%zu versions of packages that are not bad as a whole are left out: npm "
                         "can "
                         "only be told of whole packages (check lock files with qanat check "
                         "--intel-only)",
                         e->left_out);
        return r;
}

static int put_entry(struct exporter *e, const struct package *p)
{
        qn_jsonw_array(&e->json, NULL);
        qn_jsonw_str(&e->json, NULL, p->name);
        qn_jsonw_array(&e->json, NULL);
        for (size_t i = 0; i < p->n; i++) {
                qn_jsonw_array(&e->json, NULL);
                qn_jsonw_str(&e->json, NULL, p->rows[i].versions);
                qn_jsonw_str(&e->json, NULL, p->rows[i].id);
                qn_jsonw_end_array(&e->json);
        }
        qn_jsonw_end_array(&e->json);
        qn_jsonw_end_array(&e->json);
        return qn_buf_error(&e->q->out);
}

static int add_script(struct exporter *e, const char *name)
{
        struct qn_buf text = QN_BUF_INIT(SCRIPT_MAX);
        char path[4096];
        int r;

        snprintf(path, sizeof path, "%s/intel/%s", e->q->args->data, name);
        r = qn_io_read(path, &text);
        if (r < 0)
                log_err(r, "%s: %s", path, strerror(-r));
        else
                qn_buf_str(&e->q->out, qn_buf_view(&text));
        qn_buf_done(&text);
        return r;
}

static int export_script(struct exporter *e, const char *hook)
{
        int r;

        e->json = QN_JSONW_INIT(&e->q->out, 0);
        e->put = put_entry;
        qn_buf_puts(&e->q->out, "const BLOCKED = new Map(");
        qn_jsonw_array(&e->json, NULL);
        r = qn_intel_names(e->q->index, on_name, e);
        qn_jsonw_end_array(&e->json);
        qn_buf_puts(&e->q->out, ")\n\n");
        if (r == 0)
                r = add_script(e, "policy.cjs");
        qn_buf_byte(&e->q->out, '\n');
        return r == 0 ? add_script(e, hook) : r;
}

static int export_pnpm(struct exporter *e)
{
        return export_script(e, "policy-pnpm.cjs");
}

static int export_yarn(struct exporter *e)
{
        return export_script(e, "policy-yarn.cjs");
}

int qn_intel_export(struct qn_intel_ask *q)
{
        static const struct {
                const char *name;
                int (*run)(struct exporter *e);
        } forms[] = {
                { "text", export_csv }, { "csv", export_csv },   { "osv", export_osv },
                { "npm", export_npm },  { "pnpm", export_pnpm }, { "yarn", export_yarn },
        };
        struct exporter e = { .q = q, .a = QN_ARENA_INIT((size_t)256 << 20) };
        struct qn_str format = qn_str_c(qn_args_get(q->args, "format"));
        int r = -EINVAL;

        for (size_t i = 0; i < QN_ARRAY_SIZE(forms); i++)
                if (qn_str_is(format, forms[i].name))
                        r = forms[i].run(&e);
        qn_arena_done(&e.a);
        if (r == -EINVAL)
                return log_err(r, "export knows the formats csv, osv, npm, pnpm and yarn");
        return r < 0 ? log_err(r, "%s", strerror(-r)) : 0;
}
