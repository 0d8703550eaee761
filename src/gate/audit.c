/* audit.c - npm's questions for advisories, answered from what is known here: nobody outside learns what is installed. */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "gate/gate-priv.h"
#include "intel/affects.h"
#include "intel/tell.h"
#include "parse/audit.h"
#include "role/analyse.h"
#include "role/input.h"
#include "role/pool.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define LISTED_MAX 500u /* versions of one range that are listed one by one */

struct audit {
        struct qn_gate *g;
        struct qn_asked *a;
};

/* One advisory about one package, and which of the versions asked for it means. */
struct advisory {
        struct qn_str name, id, title, severity, url, range;
        struct qn_str *versions;
        size_t n, cap;
};

struct advisories {
        struct qn_arena *a;
        struct advisory *v;
        size_t n, cap;
        unsigned counts[5]; /* as severities[] */
};

static const char *const severities[] = { "info", "low", "moderate", "high", "critical" };

static unsigned rank_of(struct qn_str severity)
{
        for (unsigned i = 0; i < QN_ARRAY_SIZE(severities); i++)
                if (qn_str_is(severity, severities[i]))
                        return i;
        return 2;
}

/* --- ranges as npm writes them --- */

static void put_or(struct qn_buf *b)
{
        if (b->n)
                qn_buf_puts(b, " || ");
}

static void put_range(struct qn_buf *b, const struct qn_osv_range *r)
{
        static const char *const ends[] = {
                [QN_OSV_FIXED] = "<", [QN_OSV_LAST_AFFECTED] = "<=", [QN_OSV_LIMIT] = "<"
        };

        for (size_t i = 0; i < r->n; i++) {
                const struct qn_osv_event *e = &r->events[i];

                if (e->kind == QN_OSV_INTRODUCED) {
                        put_or(b);
                        qn_buf_printf(b, ">=%.*s", QN_STR_ARG(e->version));
                        if (qn_str_is(e->version, "0"))
                                qn_buf_puts(b, ".0.0-0");
                } else {
                        qn_buf_printf(b, " %s%.*s", ends[e->kind], QN_STR_ARG(e->version));
                }
        }
}

static void put_block(struct qn_buf *b, const struct qn_osv_affected *block)
{
        for (size_t i = 0; i < block->n_versions && i < LISTED_MAX; i++) {
                put_or(b);
                qn_buf_str(b, block->versions[i]);
        }
        for (size_t i = 0; i < block->n_ranges && !block->n_versions; i++)
                if (qn_osv_range_has_versions(&block->ranges[i]))
                        put_range(b, &block->ranges[i]);
}

static struct qn_str range_of(struct qn_arena *a, const struct qn_intel_match *m,
                              struct qn_str name, struct qn_str version)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);

        for (size_t i = 0; i < m->n; i++)
                for (size_t j = 0; j < m->statements[i].osv->n_affected; j++)
                        if (qn_str_eq(m->statements[i].osv->affected[j].name, name) &&
                            m->statements[i].how != QN_AFFECTS_NOT)
                                put_block(&b, &m->statements[i].osv->affected[j]);
        return qn_arena_dup(a, b.n && qn_buf_error(&b) == 0 ? qn_buf_view(&b) : version);
}

/* --- collecting --- */

static struct qn_str severity_of(const struct qn_intel_match *m)
{
        if (m->kind != QN_INTEL_VULNERABILITY)
                return QN_STR("critical");
        if (qn_str_is(m->severity, "medium"))
                return QN_STR("moderate");
        return qn_str_c(severities[rank_of(m->severity)]);
}

static struct qn_str url_of(struct qn_arena *a, struct qn_str id)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1024);

        if (qn_str_starts(id, "GHSA-"))
                qn_buf_puts(&b, "https://github.com/advisories/");
        else
                qn_buf_puts(&b, "https://osv.dev/vulnerability/");
        qn_buf_str(&b, id);
        return qn_arena_dup(a, qn_buf_view(&b));
}

static struct qn_str title_of(struct qn_arena *a, const struct qn_intel_match *m)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_str summary = m->summary;

        for (size_t i = 0; i < m->n && !summary.n; i++)
                summary = m->statements[i].osv->summary;
        if (m->kind == QN_INTEL_BLOCK)
                qn_buf_puts(&b, "Blocked by this organisation: ");
        else if (m->kind == QN_INTEL_MALWARE)
                qn_buf_puts(&b, "Malware: ");
        qn_buf_str(&b, summary.n ? summary : m->why);
        return qn_arena_dup(a, qn_buf_view(&b));
}

static struct advisory *find(struct advisories *all, struct qn_str name, struct qn_str id)
{
        /* Pairs are sorted: what is about one package stands together at the end. */
        for (size_t i = all->n; i-- > 0 && qn_str_eq(all->v[i].name, name);)
                if (qn_str_eq(all->v[i].id, id))
                        return &all->v[i];
        return NULL;
}

static int add(struct advisories *all, const struct qn_audit_pair *pair,
               const struct qn_intel_match *m)
{
        struct advisory *v = find(all, pair->name, m->id);

        if (!v) {
                if (QN_ARENA_ROOM(all->a, all->v, all->n, all->cap) < 0)
                        return -ENOBUFS;
                v = &all->v[all->n++];
                *v = (struct advisory){ .name = pair->name,
                                        .id = qn_arena_dup(all->a, m->id),
                                        .severity = severity_of(m),
                                        .title = title_of(all->a, m),
                                        .url = url_of(all->a, m->id),
                                        .range = range_of(all->a, m, pair->name, pair->version) };
                all->counts[rank_of(v->severity)]++;
        }
        if (QN_ARENA_ROOM(all->a, v->versions, v->n, v->cap) < 0)
                return -ENOBUFS;
        v->versions[v->n++] = pair->version;
        return 0;
}

static bool counts(const struct qn_intel_match *m)
{
        return m->kind != QN_INTEL_ALLOW &&
               (m->sure == QN_INTEL_CONFIRMED || m->sure == QN_INTEL_DOUBTFUL);
}

static int collect(struct qn_gate *g, const struct qn_audit *audit, struct advisories *all)
{
        int r = g->blind ? -EIO : 0;

        for (size_t i = 0; i < audit->n && r == 0 && g->tell; i++) {
                const struct qn_intel_question q = { .name = audit->v[i].name,
                                                     .version = audit->v[i].version,
                                                     .now_ms = qn_gate_now() };
                struct qn_intel_answer ans;

                r = qn_intel_match(qn_tell_index(g->tell), qn_tell_trust(g->tell), &q, all->a,
                                   &ans);
                for (size_t j = 0; r == 0 && j < ans.n; j++)
                        if (counts(&ans.matches[j]))
                                r = add(all, &audit->v[i], &ans.matches[j]);
        }
        return r;
}

/* --- writing --- */

/* npm wants a number; the id as people know it is in the address. */
static uint64_t number_of(const struct advisory *v)
{
        return qn_hash64(v->id.p, v->id.n) >> 33;
}

static void write_common(struct qn_jsonw *w, const struct advisory *v)
{
        qn_jsonw_u64(w, "id", number_of(v));
        qn_jsonw_str(w, "url", v->url);
        qn_jsonw_str(w, "title", v->title);
        qn_jsonw_str(w, "severity", v->severity);
        qn_jsonw_str(w, "vulnerable_versions", v->range);
        qn_jsonw_array(w, "cwe");
        if (qn_str_is(v->severity, "critical") && qn_str_starts(v->title, "Malware"))
                qn_jsonw_cstr(w, NULL, "CWE-506");
        qn_jsonw_end_array(w);
}

static void write_bulk(struct qn_jsonw *w, const struct advisories *all)
{
        qn_jsonw_object(w, NULL);
        for (size_t i = 0; i < all->n; i++) {
                bool first = i == 0 || !qn_str_eq(all->v[i].name, all->v[i - 1].name);
                bool last = i + 1 == all->n || !qn_str_eq(all->v[i].name, all->v[i + 1].name);

                if (first) {
                        qn_jsonw_key(w, all->v[i].name);
                        qn_jsonw_array(w, NULL);
                }
                qn_jsonw_object(w, NULL);
                write_common(w, &all->v[i]);
                qn_jsonw_object(w, "cvss");
                qn_jsonw_u64(w, "score", 0);
                qn_jsonw_null(w, "vectorString");
                qn_jsonw_end_object(w);
                qn_jsonw_end_object(w);
                if (last)
                        qn_jsonw_end_array(w);
        }
        qn_jsonw_end_object(w);
}

static void write_findings(struct qn_jsonw *w, const struct advisory *v)
{
        qn_jsonw_array(w, "findings");
        for (size_t i = 0; i < v->n; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "version", v->versions[i]);
                qn_jsonw_array(w, "paths");
                qn_jsonw_str(w, NULL, v->name);
                qn_jsonw_end_array(w);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void write_counts(struct qn_jsonw *w, const struct advisories *all, size_t packages)
{
        qn_jsonw_object(w, "metadata");
        qn_jsonw_object(w, "vulnerabilities");
        for (unsigned i = 0; i < QN_ARRAY_SIZE(severities); i++)
                qn_jsonw_u64(w, severities[i], all->counts[i]);
        qn_jsonw_end_object(w);
        qn_jsonw_u64(w, "dependencies", packages);
        qn_jsonw_u64(w, "devDependencies", 0);
        qn_jsonw_u64(w, "optionalDependencies", 0);
        qn_jsonw_u64(w, "totalDependencies", packages);
        qn_jsonw_end_object(w);
}

static void write_quick(struct qn_jsonw *w, const struct advisories *all, size_t packages)
{
        char key[32];

        qn_jsonw_object(w, NULL);
        qn_jsonw_array(w, "actions");
        qn_jsonw_end_array(w);
        qn_jsonw_object(w, "advisories");
        for (size_t i = 0; i < all->n; i++) {
                const struct advisory *v = &all->v[i];

                snprintf(key, sizeof key, "%llu", (unsigned long long)number_of(v));
                qn_jsonw_object(w, key);
                write_findings(w, v);
                write_common(w, v);
                qn_jsonw_str(w, "module_name", v->name);
                qn_jsonw_cstr(w, "patched_versions", "<0.0.0");
                qn_jsonw_str(w, "overview", v->title);
                qn_jsonw_cstr(w, "recommendation",
                              "Remove it, or take a version that is not listed.");
                qn_jsonw_str(w, "references", v->url);
                qn_jsonw_cstr(w, "access", "public");
                qn_jsonw_array(w, "cves");
                qn_jsonw_end_array(w);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_object(w);
        qn_jsonw_array(w, "muted");
        qn_jsonw_end_array(w);
        write_counts(w, all, packages);
        qn_jsonw_end_object(w);
}

static int answer(struct audit *q, const struct qn_audit *audit, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(ANSWER_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);
        struct advisories all = { .a = a };
        int r = collect(q->g, audit, &all);

        if (r < 0)
                return r;
        if (q->a->route.kind == QN_ROUTE_ADVISORIES)
                write_bulk(&w, &all);
        else
                write_quick(&w, &all, audit->n);
        r = qn_buf_error(&out);
        if (r == 0)
                qn_answer_json(q->g, q->a, qn_buf_view(&out));
        return r;
}

static void fail(struct audit *q, uint16_t status, const char *why)
{
        struct qn_failure f;

        qn_failure_set(&f, status, "the question for advisories cannot be answered: %s", why);
        qn_answer_failure(q->g, q->a, &f);
        free(q);
}

static void on_read(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct audit *q = res->user;
        struct qn_audit audit;
        int r;

        if (res->status != QN_POOL_OK) {
                fail(q, 400, res->why);
                return;
        }
        r = qn_analyse_read_audit(res->reply, &a, &audit);
        if (r == 0)
                r = answer(q, &audit, &a);
        if (r < 0)
                fail(q, 503, strerrordesc_np(-r));
        else
                free(q);
}

void qn_audit_ask(struct qn_gate *g, struct qn_asked *a)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(64);
        struct audit *q = calloc(1, sizeof *q);
        struct qn_pool_job job = {
                .kind = QN_JOB_AUDIT, .user = q, .done = on_read, .input_fd = -1
        };
        struct qn_failure f;
        int r = q ? 0 : -ENOMEM;

        qn_analyse_write_audit(&params, a->route.kind == QN_ROUTE_ADVISORIES ? QN_AUDIT_BULK
                                                                             : QN_AUDIT_TREE);
        job.params = qn_buf_view(&params);
        if (r == 0) {
                *q = (struct audit){ g, a };
                r = qn_input_sealed(a->q.body, &job.input_fd);
        }
        if (r == 0)
                r = qn_pool_submit(g->pool, &job);
        if (r == 0)
                return;
        qn_closep(&job.input_fd);
        free(q);
        qn_failure_set(&f, 503, "advisories cannot be looked up now: %s", strerrordesc_np(-r));
        qn_answer_failure(g, a, &f);
}
