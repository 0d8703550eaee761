#include "cli/intel-print.h"

#include "base/jsonw.h"
#include "base/show.h"
#include "parse/packument.h"

#define SHOWN 200u

static void put_time(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char buffer[QN_TIME_TEXT];
        struct qn_str s = qn_time_format(ms, buffer);

        if (s.n)
                qn_jsonw_str(w, key, s);
}

static void put_list(struct qn_jsonw *w, const char *key, const struct qn_str *list, size_t n)
{
        qn_jsonw_array(w, key);
        for (size_t i = 0; i < n; i++)
                qn_jsonw_str(w, NULL, list[i]);
        qn_jsonw_end_array(w);
}

static void put_match(struct qn_jsonw *w, const struct qn_intel_match *m)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "id", m->id);
        put_list(w, "origins", m->origins, m->n_origins);
        qn_jsonw_bool(w, "withdrawn", m->sure == QN_INTEL_WITHDRAWN);
        qn_jsonw_cstr(w, "kind", qn_intel_kind_name(m->kind));
        qn_jsonw_str(w, "why", m->why);
        qn_jsonw_cstr(w, "confidence", qn_intel_sure_name(m->sure));
        put_list(w, "aliases", m->aliases, m->n_aliases);
        qn_jsonw_str(w, "summary", m->summary);
        if (m->severity.n)
                qn_jsonw_str(w, "severity", m->severity);
        put_time(w, "published", m->published_ms);
        put_time(w, "modified", m->modified_ms);
        if (m->owner.n)
                qn_jsonw_str(w, "owner", m->owner);
        put_time(w, "expires", m->expires_ms);
        qn_jsonw_array(w, "statements");
        for (size_t i = 0; i < m->n; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "id", m->statements[i].osv->id);
                qn_jsonw_str(w, "why", m->statements[i].why);
                put_list(w, "origins", m->statements[i].sayers, m->statements[i].n_sayers);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

void qn_intel_print_json(struct qn_buf *out, struct qn_str name, struct qn_str version,
                         const struct qn_intel_answer *ans)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.intel.lookup/1");
        qn_jsonw_str(&w, "name", name);
        qn_jsonw_str(&w, "version", version);
        qn_jsonw_cstr(&w, "verdict", qn_intel_verdict(ans));
        qn_jsonw_array(&w, "matches");
        for (size_t i = 0; i < ans->n; i++)
                put_match(&w, &ans->matches[i]);
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

static void show_list(struct qn_buf *out, const char *title, const struct qn_str *list, size_t n)
{
        if (!n)
                return;
        qn_buf_printf(out, "    %-11s", title);
        for (size_t i = 0; i < n; i++) {
                qn_buf_puts(out, i ? ", " : "");
                qn_show(out, list[i], SHOWN, 0);
        }
        qn_buf_byte(out, '\n');
}

static void show_line(struct qn_buf *out, const char *title, struct qn_str s)
{
        if (!s.n)
                return;
        qn_buf_printf(out, "    %-11s", title);
        qn_show(out, s, SHOWN * 2, QN_SHOW_DEFANG);
        qn_buf_byte(out, '\n');
}

static void show_match(struct qn_buf *out, const struct qn_intel_match *m, bool explain)
{
        char buffer[QN_TIME_TEXT];

        qn_buf_printf(out, "  %s %s  ", qn_intel_sure_name(m->sure), qn_intel_kind_name(m->kind));
        qn_show(out, m->id, SHOWN, 0);
        qn_buf_puts(out, m->summary.n ? "  " : "");
        qn_show(out, m->summary, SHOWN, QN_SHOW_DEFANG);
        qn_buf_byte(out, '\n');
        show_line(out, "why", m->why);
        show_list(out, "said by", m->origins, m->n_origins);
        show_list(out, "also", m->aliases, m->n_aliases);
        show_line(out, "severity", m->severity);
        show_line(out, "published", qn_time_format(m->published_ms, buffer));
        show_line(out, "owner", m->owner);
        show_line(out, "expires", qn_time_format(m->expires_ms, buffer));
        for (size_t i = 0; explain && i < m->n; i++) {
                show_line(out, "statement", m->statements[i].why);
                show_list(out, "  by", m->statements[i].sayers, m->statements[i].n_sayers);
        }
}

void qn_intel_print_text(struct qn_buf *out, struct qn_str name, struct qn_str version,
                         const struct qn_intel_answer *ans, bool explain)
{
        qn_show(out, name, SHOWN, 0);
        if (version.n) {
                qn_buf_byte(out, '@');
                qn_show(out, version, SHOWN, 0);
        }
        if (!ans->n)
                qn_buf_puts(out, "  nothing is known against it");
        else if (version.n)
                qn_buf_printf(out, "  %s", qn_intel_verdict(ans));
        qn_buf_byte(out, '\n');
        for (size_t i = 0; i < ans->n; i++)
                show_match(out, &ans->matches[i], explain);
}

/* --- OSV --- */

static const char *const event_names[] = {
        [QN_OSV_INTRODUCED] = "introduced",
        [QN_OSV_FIXED] = "fixed",
        [QN_OSV_LAST_AFFECTED] = "last_affected",
        [QN_OSV_LIMIT] = "limit",
};

static const char *const range_names[] = {
        [QN_OSV_SEMVER] = "SEMVER",
        [QN_OSV_ECOSYSTEM] = "ECOSYSTEM",
        [QN_OSV_GIT] = "GIT",
        [QN_OSV_OTHER] = "OTHER",
};

static void put_ranges(struct qn_jsonw *w, const struct qn_osv_affected *f)
{
        qn_jsonw_array(w, "ranges");
        for (size_t i = 0; i < f->n_ranges; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "type", range_names[f->ranges[i].type]);
                qn_jsonw_array(w, "events");
                for (size_t k = 0; k < f->ranges[i].n; k++) {
                        const struct qn_osv_event *e = &f->ranges[i].events[k];

                        qn_jsonw_object(w, NULL);
                        qn_jsonw_str(w, event_names[e->kind], e->version);
                        qn_jsonw_end_object(w);
                }
                qn_jsonw_end_array(w);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_affected(struct qn_jsonw *w, const struct qn_osv *osv)
{
        qn_jsonw_array(w, "affected");
        for (size_t i = 0; i < osv->n_affected; i++) {
                const struct qn_osv_affected *f = &osv->affected[i];

                qn_jsonw_object(w, NULL);
                qn_jsonw_object(w, "package");
                qn_jsonw_str(w, "ecosystem", f->ecosystem);
                qn_jsonw_str(w, "name", f->name);
                qn_jsonw_end_object(w);
                if (f->n_ranges)
                        put_ranges(w, f);
                if (f->n_versions)
                        put_list(w, "versions", f->versions, f->n_versions);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_origins(struct qn_jsonw *w, const struct qn_osv *osv)
{
        qn_jsonw_array(w, "malicious-packages-origins");
        for (size_t i = 0; i < osv->n_origins; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "source", osv->origins[i].source);
                if (osv->origins[i].id.n)
                        qn_jsonw_str(w, "id", osv->origins[i].id);
                if (osv->origins[i].import_time.n)
                        qn_jsonw_str(w, "import_time", osv->origins[i].import_time);
                if (osv->origins[i].modified_time.n)
                        qn_jsonw_str(w, "modified_time", osv->origins[i].modified_time);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_indicators(struct qn_jsonw *w, const struct qn_osv *osv)
{
        qn_jsonw_array(w, "indicators");
        for (size_t i = 0; i < osv->n_indicators; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "type", qn_indicator_name(osv->indicators[i].kind));
                qn_jsonw_str(w, "value", osv->indicators[i].value);
                if (osv->indicators[i].note.n)
                        qn_jsonw_str(w, "note", osv->indicators[i].note);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_references(struct qn_jsonw *w, const struct qn_osv *osv)
{
        qn_jsonw_array(w, "references");
        for (size_t i = 0; i < osv->n_references; i++) {
                qn_jsonw_object(w, NULL);
                if (osv->references[i].type.n)
                        qn_jsonw_str(w, "type", osv->references[i].type);
                qn_jsonw_str(w, "url", osv->references[i].url);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

void qn_intel_print_osv(struct qn_buf *out, const struct qn_osv *osv, unsigned indent)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, indent);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_str(&w, "id", osv->id);
        put_time(&w, "modified", osv->modified_ms);
        put_time(&w, "published", osv->published_ms);
        if (osv->withdrawn.n)
                put_time(&w, "withdrawn",
                         osv->withdrawn_ms != QN_TIME_NONE ? osv->withdrawn_ms : osv->modified_ms);
        if (osv->n_aliases)
                put_list(&w, "aliases", osv->aliases, osv->n_aliases);
        if (osv->summary.n)
                qn_jsonw_str(&w, "summary", osv->summary);
        if (osv->details.n)
                qn_jsonw_str(&w, "details", osv->details);
        put_affected(&w, osv);
        if (osv->n_references)
                put_references(&w, osv);
        if (osv->n_origins || osv->n_indicators || osv->severity.n) {
                qn_jsonw_object(&w, "database_specific");
                if (osv->severity.n)
                        qn_jsonw_str(&w, "severity", osv->severity);
                if (osv->n_origins)
                        put_origins(&w, osv);
                if (osv->n_indicators)
                        put_indicators(&w, osv);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

/* --- imports --- */

static void show_imported(struct qn_buf *out, const char *path, const struct qn_intel_imported *i,
                          bool unchanged)
{
        const struct qn_feed_counts *f = &i->feed;

        qn_show(out, qn_str_c(path), 200, 0);
        if (unchanged) {
                qn_buf_puts(out, "  has nothing new\n");
                return;
        }
        qn_buf_printf(out, "  as %s: %llu records (%llu malware, %llu withdrawn)", i->buffer,
                      (unsigned long long)f->records, (unsigned long long)f->malware,
                      (unsigned long long)f->withdrawn);
        if (f->rows)
                qn_buf_printf(out, " of %llu rows", (unsigned long long)f->rows);
        qn_buf_printf(out, "; %llu new, %llu changed, %llu as before, %llu gone\n",
                      (unsigned long long)i->index.added, (unsigned long long)i->index.changed,
                      (unsigned long long)i->index.same, (unsigned long long)i->index.removed);
        if (f->foreign)
                qn_buf_printf(out, "  %llu about other ecosystems\n",
                              (unsigned long long)f->foreign);
        if (f->others)
                qn_buf_printf(out, "  %llu other files\n", (unsigned long long)f->others);
        if (f->broken)
                qn_buf_printf(out, "  %llu could not be read, the first: %s\n",
                              (unsigned long long)f->broken, i->problem);
}

static void put_imported(struct qn_buf *out, const char *path, const struct qn_intel_imported *i,
                         bool unchanged)
{
        const struct {
                const char *key;
                uint64_t n;
        } counts[] = {
                { "records", i->feed.records },     { "malware", i->feed.malware },
                { "withdrawn", i->feed.withdrawn }, { "rows", i->feed.rows },
                { "foreign", i->feed.foreign },     { "others", i->feed.others },
                { "broken", i->feed.broken },       { "added", i->index.added },
                { "changed", i->index.changed },    { "same", i->index.same },
                { "removed", i->index.removed },
        };
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.intel.import/1");
        qn_jsonw_cstr(&w, "path", path);
        qn_jsonw_cstr(&w, "source", i->buffer);
        qn_jsonw_bool(&w, "unchanged", unchanged);
        for (size_t k = 0; k < QN_ARRAY_SIZE(counts); k++)
                qn_jsonw_u64(&w, counts[k].key, counts[k].n);
        if (i->problem[0])
                qn_jsonw_cstr(&w, "problem", i->problem);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

void qn_intel_print_imported(struct qn_buf *out, const char *path,
                             const struct qn_intel_imported *i, bool unchanged, bool json)
{
        (json ? put_imported : show_imported)(out, path, i, unchanged);
}
