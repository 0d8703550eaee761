#include <errno.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/intel-ask.h"
#include "intel/match.h"
#include "intel/record.h"
#include "parse/packument.h"
#include "parse/semver.h"

#define RANGE_EVENTS_MAX 64u
#define SCRIPT_MAX       ((size_t)1 << 20)
#define NPM_NOWHERE      "https://blocked.invalid/" /* RFC 6761: never a host; npm fails and shows it */

/* What a list says about one package: which versions, and which record says it best. */
struct row {
        struct qn_str versions, id; /* one version, ">=1.0.0 <2.0.0", or "*" */
};

struct exporter;

struct package {
        struct qn_str name;
        struct row *rows;
        size_t n, cap;
        bool whole; /* all of it is bad */
};

struct statements {
        struct exporter *e;
        struct qn_osv **v;
        size_t n, cap;
};

struct exporter {
        struct qn_intel_ask *q;
        struct qn_arena a, tmp; /* of one package; of one question */
        struct qn_jsonw json;
        size_t left_out; /* versions that the form cannot say */
        int (*put)(struct exporter *e, const struct package *p);
};

/* --- what is bad of a package --- */

/* version empty: what is said of all of them.  The answer lives until the next question. */
static int ask(struct exporter *e, struct qn_str name, struct qn_str version,
               struct qn_intel_answer *ret)
{
        qn_arena_reset(&e->tmp, 1 << 20);
        return qn_intel_match(e->q->index, e->q->trust,
                              &(struct qn_intel_question){ .name = name,
                                                           .version = version,
                                                           .whole = !version.n,
                                                           .now_ms = e->q->now_ms },
                              &e->tmp, ret);
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

/* The versions, when all that is known together says that they are bad. */
static int consider(struct exporter *e, struct package *p, struct qn_str version,
                    struct qn_str shown)
{
        struct qn_intel_answer ans;
        int r = ask(e, p->name, version, &ans);

        if (r < 0 || strcmp(qn_intel_verdict(&ans), "malicious") != 0)
                return r;
        return add(e, p, shown, qn_arena_dup(&e->a, ans.matches[0].id));
}

static struct qn_str shown_version(struct qn_str v)
{
        return qn_str_is(v, "0") ? QN_STR("0.0.0-0") : v;
}

/* ">=1.0.0 <2.0.0" of a beginning and what ends it, if anything does. */
static struct qn_str range_text(struct exporter *e, const struct qn_osv_event *begin,
                                const struct qn_osv_event *end)
{
        struct qn_buf b = QN_BUF_INIT(1024);
        struct qn_str s;

        qn_buf_printf(&b, ">=%.*s", QN_STR_ARG(shown_version(begin->version)));
        if (end)
                qn_buf_printf(&b, " %s%.*s", end->kind == QN_OSV_LAST_AFFECTED ? "<=" : "<",
                              QN_STR_ARG(end->version));
        s = qn_arena_dup(&e->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static int compare(const struct qn_osv_event *a, const struct qn_osv_event *b)
{
        struct qn_semver x = { 0 }, y = { 0 };

        (void)!qn_semver_parse(a->version, QN_SEMVER_LOOSE, &x);
        (void)!qn_semver_parse(b->version, QN_SEMVER_LOOSE, &y);
        return qn_semver_cmp(&x, &y);
}

/* What ends a range that began there: the lowest end at or above it. */
static const struct qn_osv_event *end_of(const struct qn_osv_range *r,
                                         const struct qn_osv_event *begin)
{
        const struct qn_osv_event *end = NULL;

        for (size_t i = 0; i < r->n; i++) {
                const struct qn_osv_event *x = &r->events[i];

                if (x->kind != QN_OSV_INTRODUCED && compare(x, begin) >= 0 &&
                    (!end || compare(x, end) < 0))
                        end = x;
        }
        return end;
}

/* Each part of a range; asked about where it begins. */
static int consider_range(struct exporter *e, struct package *p, const struct qn_osv_range *r)
{
        int e_r = 0;

        if (!qn_osv_range_has_versions(r) || r->n > RANGE_EVENTS_MAX) {
                e->left_out += qn_osv_range_has_versions(r);
                return 0;
        }
        for (size_t i = 0; e_r == 0 && i < r->n; i++) {
                const struct qn_osv_event *begin = &r->events[i];

                if (begin->kind == QN_OSV_INTRODUCED)
                        e_r = consider(e, p, shown_version(begin->version),
                                       range_text(e, begin, end_of(r, begin)));
        }
        return e_r;
}

/* What the own list permits of it: "!" and a version.  Ranges that it permits make all of the rest too much to say. */
static int add_permits(struct exporter *e, struct package *p, const struct qn_osv *osv)
{
        const struct qn_osv_affected *f = osv->affected;
        int r = 0;

        for (size_t i = 0; r == 0 && i < f->n_versions; i++) {
                struct qn_buf b = QN_BUF_INIT(512);

                qn_buf_printf(&b, "!%.*s", QN_STR_ARG(f->versions[i]));
                r = add(e, p, qn_arena_dup(&e->a, qn_buf_view(&b)), qn_arena_dup(&e->a, osv->id));
                qn_buf_done(&b);
        }
        return r;
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

static int consider_statement(struct exporter *e, struct package *p, const struct qn_osv *osv)
{
        int r = 0;

        if (osv->policy == QN_OSV_ALLOW)
                return p->n ? add_permits(e, p, osv) : 0;
        for (size_t i = 0; r == 0 && i < osv->n_affected && !p->whole; i++)
                r = consider_block(e, p, &osv->affected[i]);
        return r;
}

static int on_statement(void *ctx, const struct qn_intel_record *rec)
{
        struct statements *all = ctx;

        if (QN_ARENA_ROOM(&all->e->a, all->v, all->n, all->cap) < 0)
                return -ENOBUFS;
        return qn_intel_unpack(rec->head, &all->e->a, &all->v[all->n++]);
}

/* Whether an entry of the own list counts now, and is about versions that can be named. */
static bool is_permit(const struct exporter *e, const struct qn_osv *osv)
{
        return osv->policy == QN_OSV_ALLOW &&
               (osv->expires_ms == QN_TIME_NONE || osv->expires_ms > e->q->now_ms);
}

static int on_name(void *ctx, struct qn_str name)
{
        struct exporter *e = ctx;
        struct statements all = { .e = e };
        struct package p = { .name = name };
        int r;

        qn_arena_reset(&e->a, 1 << 20);
        r = consider(e, &p, (struct qn_str){ 0 }, QN_STR("*"));
        p.whole = p.n > 0;
        if (r == 0)
                r = qn_intel_by_name(e->q->index, name, on_statement, &all);
        for (size_t i = 0; r == 0 && i < all.n; i++)
                if (!all.v[i]->withdrawn.n && all.v[i]->policy != QN_OSV_ALLOW)
                        r = consider_statement(e, &p, all.v[i]);
        for (size_t i = 0; r == 0 && i < all.n; i++)
                if (is_permit(e, all.v[i]))
                        r = consider_statement(e, &p, all.v[i]);
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

        if (p->n > 1 || !qn_str_is(p->rows[0].versions, "*")) {
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
        struct exporter e = { .q = q,
                              .a = QN_ARENA_INIT((size_t)256 << 20),
                              .tmp = QN_ARENA_INIT((size_t)256 << 20) };
        struct qn_str format = qn_str_c(qn_args_get(q->args, "format"));
        int r = -EINVAL;

        for (size_t i = 0; i < QN_ARRAY_SIZE(forms); i++)
                if (qn_str_is(format, forms[i].name))
                        r = forms[i].run(&e);
        qn_arena_done(&e.a);
        qn_arena_done(&e.tmp);
        if (r == -EINVAL)
                return log_err(r, "export knows the formats csv, osv, npm, pnpm and yarn");
        return r < 0 ? log_err(r, "%s", strerror(-r)) : 0;
}
