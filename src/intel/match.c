#include "intel/match.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "intel/record.h"
#include "intel/trust.h"
#include "parse/packument.h"

struct finder {
        struct qn_intel *x;
        struct qn_intel_trust *trust;
        struct qn_str name, version;
        bool whole; /* asks about all versions */
        int64_t now_ms;
        struct qn_arena *a;
        struct qn_intel_source *sources;
        size_t n_sources;
        struct qn_intel_statement *found;
        size_t n, cap;
        bool names_versions; /* a statement about malware names certain versions */
        const struct qn_intel_statement *decided; /* the own entry that counts, or NULL */
};

const char *qn_intel_kind_name(enum qn_intel_kind k)
{
        static const char *const names[] = { "malware", "vulnerability", "block", "allow" };

        return names[k];
}

const char *qn_intel_sure_name(enum qn_intel_sure s)
{
        static const char *const names[] = { "withdrawn", "expired", "allowed", "doubtful",
                                             "confirmed" };

        return names[s];
}

const char *qn_intel_verdict(const struct qn_intel_answer *ans)
{
        const char *verdict = "clean";

        for (size_t i = 0; i < ans->n; i++) {
                const struct qn_intel_match *m = &ans->matches[i];

                if (m->kind != QN_INTEL_MALWARE && m->kind != QN_INTEL_BLOCK)
                        continue;
                if (m->sure == QN_INTEL_CONFIRMED)
                        return "malicious";
                if (m->sure == QN_INTEL_DOUBTFUL)
                        verdict = "suspicious";
        }
        return verdict;
}

static struct qn_str keep(struct qn_arena *a, struct qn_buf *b)
{
        struct qn_str s = qn_arena_dup(a, qn_buf_view(b));

        qn_buf_done(b);
        return s;
}

/* --- statements --- */

static void describe_range(struct qn_buf *b, const struct qn_osv_range *r)
{
        static const char *const words[] = {
                [QN_OSV_INTRODUCED] = "from",
                [QN_OSV_FIXED] = "before",
                [QN_OSV_LAST_AFFECTED] = "up to",
                [QN_OSV_LIMIT] = "below",
        };

        for (size_t i = 0; i < r->n && i < 6; i++)
                qn_buf_printf(b, "%s%s %.*s", i ? ", " : "", words[r->events[i].kind],
                              QN_STR_ARG(r->events[i].version));
}

static struct qn_str describe(struct finder *f, const struct qn_osv *osv, enum qn_affects how,
                              const struct qn_affects_why *why)
{
        struct qn_buf b = QN_BUF_INIT(2048);

        if (osv->policy != QN_OSV_NO_POLICY) {
                qn_buf_printf(&b, "the own list %s it: %.*s",
                              osv->policy == QN_OSV_ALLOW ? "allows" : "blocks",
                              QN_STR_ARG(osv->summary));
                return keep(f->a, &b);
        }
        qn_buf_printf(&b, "%.*s ", QN_STR_ARG(osv->id));
        if (how == QN_AFFECTS_VERSION)
                qn_buf_printf(&b, "lists the version %.*s", QN_STR_ARG(why->version));
        else if (how == QN_AFFECTS_ALL)
                qn_buf_puts(&b, "names every version (a range from 0 without an end)");
        else if (how == QN_AFFECTS_RANGE) {
                qn_buf_puts(&b, "names a range: ");
                describe_range(&b, why->range);
        } else
                qn_buf_puts(&b, "speaks of the package");
        return keep(f->a, &b);
}

static int add(struct finder *f, struct qn_osv *osv, uint32_t sources, enum qn_affects how,
               struct qn_str why)
{
        if (!why.p || QN_ARENA_ROOM(f->a, f->found, f->n, f->cap) < 0)
                return -ENOBUFS;
        f->found[f->n++] = (struct qn_intel_statement){
                .osv = osv, .sources = sources, .how = how, .why = why
        };
        return 0;
}

/* The question is about one version, or about all: statements that do not speak of that are none. */
static bool is_exact(const struct finder *f)
{
        return f->version.n || f->whole;
}

/* Names of npm are told apart by case. */
static bool is_about(const struct finder *f, const struct qn_osv_affected *block)
{
        return qn_str_eq(block->name, f->name);
}

static bool names_some(const struct qn_osv_range *r)
{
        return r->n && qn_osv_range_has_versions(r) && !qn_osv_range_is_all(r);
}

static int consider(void *ctx, const struct qn_intel_record *rec)
{
        enum qn_affects best = QN_AFFECTS_NOT;
        struct qn_affects_why why = { 0 };
        struct finder *f = ctx;
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, f->a, &osv);

        if (r < 0)
                return r;
        for (size_t i = 0; i < osv->n_affected; i++) {
                const struct qn_osv_affected *block = &osv->affected[i];
                struct qn_affects_why w = { 0 };
                enum qn_affects how;

                if (!is_about(f, block))
                        continue;
                if (!osv->withdrawn.n && osv->malware && !osv->policy) {
                        f->names_versions |= block->n_versions > 0;
                        for (size_t k = 0; k < block->n_ranges; k++)
                                f->names_versions |= names_some(&block->ranges[k]);
                }
                if (f->whole)
                        how = qn_osv_affects_all(block) ? QN_AFFECTS_ALL : QN_AFFECTS_NOT;
                else
                        how = f->version.n ? qn_osv_affects(block, f->version, &w) : QN_AFFECTS_NOT;
                if (how > best) {
                        best = how;
                        why = w;
                }
        }
        if (is_exact(f) && best == QN_AFFECTS_NOT)
                return 0;
        r = qn_intel_complete(f->x, rec, f->a, osv);
        return r == 0 ? add(f, osv, rec->sources, best, describe(f, osv, best, &why)) : r;
}

/* Somebody saw this very archive. */
static int consider_hash(void *ctx, const struct qn_intel_record *rec)
{
        struct finder *f = ctx;
        struct qn_osv *osv;
        struct qn_buf b = QN_BUF_INIT(1024);
        struct qn_str why;
        int r = qn_intel_unpack(rec->head, f->a, &osv);

        if (r < 0)
                return r;
        for (size_t i = 0; i < f->n; i++)
                if (qn_str_eq(f->found[i].osv->id, osv->id)) {
                        f->found[i].how = QN_AFFECTS_VERSION;
                        return 0;
                }
        qn_buf_printf(&b, "%.*s lists the integrity of this archive", QN_STR_ARG(osv->id));
        why = keep(f->a, &b);
        r = qn_intel_complete(f->x, rec, f->a, osv);
        return r == 0 ? add(f, osv, rec->sources, QN_AFFECTS_VERSION, why) : r;
}

/* --- what the organisation decided --- */

static bool has_expired(const struct finder *f, const struct qn_osv *osv)
{
        return osv->policy != QN_OSV_NO_POLICY && osv->expires_ms != QN_TIME_NONE &&
               osv->expires_ms <= f->now_ms;
}

/* Of several entries the more exact counts, then the one that blocks. */
static void decide(struct finder *f)
{
        for (size_t i = 0; i < f->n; i++) {
                const struct qn_intel_statement *s = &f->found[i];

                if (s->osv->policy == QN_OSV_NO_POLICY || has_expired(f, s->osv))
                        continue;
                if (!f->decided || s->how > f->decided->how ||
                    (s->how == f->decided->how && s->osv->policy == QN_OSV_BLOCK))
                        f->decided = s;
        }
}

static enum qn_osv_policy decision(const struct finder *f)
{
        return f->decided && is_exact(f) ? f->decided->osv->policy : QN_OSV_NO_POLICY;
}

/* --- lists of texts --- */

static int cmp_text(const void *a, const void *b)
{
        return qn_str_cmp(*(const struct qn_str *)a, *(const struct qn_str *)b);
}

static void sort_texts(struct qn_str *list, size_t *n)
{
        size_t to = 0;

        if (*n)
                qsort(list, *n, sizeof *list, cmp_text);
        for (size_t i = 0; i < *n; i++)
                if (to == 0 || !qn_str_eq(list[to - 1], list[i]))
                        list[to++] = list[i];
        *n = to;
}

/* --- matches --- */

/* Who makes one statement: its origins, else the feeds that have it. */
static int name_sayers(struct finder *f, struct qn_intel_statement *s)
{
        size_t n = 0;

        s->sayers = qn_arena_calloc(f->a, s->osv->n_origins + f->n_sources + 1, sizeof *s->sayers);
        if (!s->sayers)
                return -ENOBUFS;
        for (size_t i = 0; i < s->osv->n_origins; i++)
                s->sayers[n++] = s->osv->origins[i].source;
        for (size_t i = 0; i < f->n_sources && !s->osv->n_origins; i++)
                if (s->sources >> i & 1 && f->sources[i].name.n)
                        s->sayers[n++] = f->sources[i].name;
        sort_texts(s->sayers, &n);
        s->n_sayers = n;
        return 0;
}

static bool is_assigned(struct qn_str id)
{
        return qn_str_starts(id, "MAL-") && !qn_str_starts(id, "MAL-0000-");
}

/* The statement that says it best: the more exact, then one with a number that was assigned, then by name. */
static bool is_better(const struct qn_intel_statement *a, const struct qn_intel_statement *b)
{
        bool mal_a = is_assigned(a->osv->id), mal_b = is_assigned(b->osv->id);

        if (a->how != b->how)
                return a->how > b->how;
        if (mal_a != mal_b)
                return mal_a;
        return qn_str_cmp(a->osv->id, b->osv->id) < 0;
}

static bool has_name(const struct qn_osv *osv, struct qn_str id)
{
        for (size_t i = 0; i < osv->n_aliases; i++)
                if (qn_str_eq(osv->aliases[i], id))
                        return true;
        return qn_str_eq(osv->id, id);
}

static bool are_one(const struct qn_osv *a, const struct qn_osv *b)
{
        bool one = has_name(b, a->id);

        for (size_t i = 0; i < a->n_aliases; i++)
                one |= has_name(b, a->aliases[i]);
        return one;
}

static bool has_origin(const struct qn_osv *osv, struct qn_str source)
{
        for (size_t i = 0; i < osv->n_origins; i++)
                if (qn_str_eq(osv->origins[i].source, source))
                        return true;
        return false;
}

/* Whether a statement without origins is the same as an earlier one under another name. */
static bool is_heard(const struct qn_intel_statement *list, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (are_one(list[k].osv, list[i].osv))
                        return true;
        return false;
}

/* Who says it, each once: the reports that records were made of, and records that name none.  That several feeds pass one
 * record on makes it no truer. */
static size_t count_voices(const struct qn_intel_match *m)
{
        size_t voices = 0;

        for (size_t i = 0; i < m->n; i++) {
                const struct qn_osv *osv = m->statements[i].osv;

                if (!osv->n_origins)
                        voices += !is_heard(m->statements, i);
                for (size_t k = 0; k < osv->n_origins; k++) {
                        bool first = true;

                        for (size_t j = 0; j < i && first; j++)
                                first = !has_origin(m->statements[j].osv, osv->origins[k].source);
                        for (size_t j = 0; j < k && first; j++)
                                first = !qn_str_eq(osv->origins[j].source, osv->origins[k].source);
                        voices += first;
                }
        }
        return voices;
}

/* Whether somebody looked at it, or more than one says it. */
static bool is_agreed(const struct finder *f, const struct qn_intel_match *m)
{
        for (size_t i = 0; i < m->n_origins; i++)
                if (!qn_intel_is_automatic(f->trust, m->origins[i]))
                        return true;
        return count_voices(m) > 1 || decision(f) == QN_OSV_BLOCK;
}

static void take_times(const struct qn_osv *osv, struct qn_intel_match *m)
{
        if (osv->published_ms != QN_TIME_NONE &&
            (m->published_ms == QN_TIME_NONE || osv->published_ms < m->published_ms))
                m->published_ms = osv->published_ms;
        if (osv->modified_ms != QN_TIME_NONE &&
            (m->modified_ms == QN_TIME_NONE || osv->modified_ms > m->modified_ms))
                m->modified_ms = osv->modified_ms;
}

static struct qn_str with_reason(struct finder *f, struct qn_str why, const char *reason)
{
        struct qn_buf b = QN_BUF_INIT(4096);

        qn_buf_printf(&b, "%.*s; %s", QN_STR_ARG(why), reason);
        return keep(f->a, &b);
}

static struct qn_str with_decision(struct finder *f, struct qn_str why)
{
        const struct qn_osv *own = f->decided->osv;
        struct qn_buf b = QN_BUF_INIT(4096);

        qn_buf_printf(&b, "%.*s; but the own list allows it: %.*s", QN_STR_ARG(why),
                      QN_STR_ARG(own->summary));
        if (own->owner.n)
                qn_buf_printf(&b, " (%.*s)", QN_STR_ARG(own->owner));
        return keep(f->a, &b);
}

static void weigh_malware(struct finder *f, const struct qn_intel_statement *best,
                          struct qn_intel_match *m)
{
        const char *doubt = NULL;

        if (decision(f) == QN_OSV_ALLOW) {
                m->sure = QN_INTEL_ALLOWED;
                m->why = with_decision(f, m->why);
                return;
        }
        if (best->how != QN_AFFECTS_ALL || decision(f) == QN_OSV_BLOCK)
                return;
        if (f->names_versions)
                doubt = "but statements about this package name certain versions, and not this one";
        else if (!is_agreed(f, m) && qn_intel_is_popular(f->trust, f->name))
                doubt = "but the package is popular and nobody else says that all of it is bad";
        if (doubt) {
                m->sure = QN_INTEL_DOUBTFUL;
                m->why = with_reason(f, m->why, doubt);
        }
}

static void weigh(struct finder *f, const struct qn_intel_statement *best, struct qn_intel_match *m)
{
        m->why = best->why;
        m->sure = QN_INTEL_CONFIRMED;
        if (best->osv->withdrawn.n) {
                m->sure = QN_INTEL_WITHDRAWN;
                m->why = with_reason(f, m->why, "it was withdrawn");
        } else if (has_expired(f, best->osv)) {
                m->sure = QN_INTEL_EXPIRED;
                m->why = with_reason(f, m->why, "it has expired");
        } else if (m->kind == QN_INTEL_MALWARE) {
                weigh_malware(f, best, m);
        } else if (m->kind == QN_INTEL_BLOCK && decision(f) == QN_OSV_ALLOW) {
                m->sure = QN_INTEL_ALLOWED;
                m->why = with_decision(f, m->why);
        }
}

static enum qn_intel_kind kind_of(const struct qn_osv *osv)
{
        if (osv->policy != QN_OSV_NO_POLICY)
                return osv->policy == QN_OSV_ALLOW ? QN_INTEL_ALLOW : QN_INTEL_BLOCK;
        return osv->malware ? QN_INTEL_MALWARE : QN_INTEL_VULNERABILITY;
}

/* One match of n statements. */
static int make(struct finder *f, struct qn_intel_statement *list, size_t n,
                struct qn_intel_match *ret)
{
        const struct qn_intel_statement *best = &list[0];
        struct qn_intel_match m = { .statements = list,
                                    .n = n,
                                    .published_ms = QN_TIME_NONE,
                                    .modified_ms = QN_TIME_NONE };
        size_t origins = 0, aliases = 0;

        for (size_t i = 0; i < n; i++) {
                int r = name_sayers(f, &list[i]);

                if (r < 0)
                        return r;
                origins += list[i].n_sayers;
                aliases += list[i].osv->n_aliases + 1;
        }
        m.origins = qn_arena_calloc(f->a, origins + 1, sizeof *m.origins);
        m.aliases = qn_arena_calloc(f->a, aliases + 1, sizeof *m.aliases);
        if (!m.origins || !m.aliases)
                return -ENOBUFS;
        for (size_t i = 0; i < n; i++)
                if (is_better(&list[i], best))
                        best = &list[i];
        m.id = best->osv->id;
        m.summary = best->osv->summary;
        m.severity = best->osv->severity;
        m.kind = kind_of(best->osv);
        m.owner = best->osv->owner;
        m.expires_ms = best->osv->expires_ms;
        for (size_t i = 0; i < n; i++) {
                const struct qn_osv *osv = list[i].osv;

                for (size_t k = 0; k < list[i].n_sayers; k++)
                        m.origins[m.n_origins++] = list[i].sayers[k];
                take_times(osv, &m);
                if (!qn_str_eq(osv->id, m.id))
                        m.aliases[m.n_aliases++] = osv->id;
                for (size_t k = 0; k < osv->n_aliases; k++)
                        if (!qn_str_eq(osv->aliases[k], m.id))
                                m.aliases[m.n_aliases++] = osv->aliases[k];
        }
        sort_texts(m.origins, &m.n_origins);
        sort_texts(m.aliases, &m.n_aliases);
        weigh(f, best, &m);
        *ret = m;
        return m.why.p ? 0 : -ENOBUFS;
}

/* Malware is one group; a vulnerability is one with what shares a name with it; the rest stands alone. */
enum rank { RANK_OWN, RANK_MALWARE, RANK_VULNERABILITY, RANK_WITHDRAWN };

static enum rank rank(const struct qn_intel_statement *s)
{
        if (s->osv->policy != QN_OSV_NO_POLICY)
                return RANK_OWN;
        return s->osv->withdrawn.n ? RANK_WITHDRAWN
               : s->osv->malware   ? RANK_MALWARE
                                   : RANK_VULNERABILITY;
}

static int cmp_statement(const void *pa, const void *pb)
{
        const struct qn_intel_statement *a = pa, *b = pb;
        enum rank ra = rank(a), rb = rank(b);

        return ra != rb ? (int)ra - (int)rb : qn_str_cmp(a->osv->id, b->osv->id);
}

/* Brings those that belong to the first together; how many they are. */
static size_t gather(struct qn_intel_statement *list, size_t n)
{
        size_t k = 1;

        if (rank(&list[0]) == RANK_WITHDRAWN || rank(&list[0]) == RANK_OWN)
                return 1;
        for (size_t i = 1; i < n && rank(&list[i]) == rank(&list[0]); i++) {
                bool mine = list[0].osv->malware;

                for (size_t j = 0; j < k && !mine; j++)
                        mine = are_one(list[j].osv, list[i].osv);
                if (mine) {
                        struct qn_intel_statement s = list[i];

                        memmove(&list[k + 1], &list[k], (i - k) * sizeof s);
                        list[k++] = s;
                }
        }
        return k;
}

static int make_all(struct finder *f, struct qn_intel_answer *ret)
{
        struct qn_intel_answer ans = { .matches = qn_arena_calloc(f->a, f->n + 1,
                                                                  sizeof *ans.matches) };
        int r = ans.matches ? 0 : -ENOBUFS;

        if (r == 0 && f->n)
                qsort(f->found, f->n, sizeof *f->found, cmp_statement);
        decide(f);
        for (size_t i = 0, k; r == 0 && i < f->n; i += k) {
                k = gather(f->found + i, f->n - i);
                r = make(f, f->found + i, k, &ans.matches[ans.n++]);
        }
        if (r == 0)
                *ret = ans;
        return r;
}

/* Subresource Integrity: several hashes with spaces between them, options behind a '?'. */
static int find_archive(struct finder *f, struct qn_str integrity)
{
        int r = 0;

        while (r == 0 && integrity.n) {
                struct qn_str one = qn_str_cut(&integrity, ' '), hash = qn_str_cut(&one, '?');

                if (qn_str_starts(hash, "sha512-"))
                        r = qn_intel_by_indicator(f->x, QN_IOC_SHA512, hash, consider_hash, f);
        }
        return r;
}

int qn_intel_match(struct qn_intel *x, struct qn_intel_trust *trust,
                   const struct qn_intel_question *q, struct qn_arena *a,
                   struct qn_intel_answer *ret)
{
        struct finder f = { .x = x,
                            .trust = trust,
                            .name = q->name,
                            .version = q->whole ? (struct qn_str){ 0 } : q->version,
                            .whole = q->whole,
                            .now_ms = q->now_ms,
                            .a = a };
        int r = qn_intel_by_name(x, q->name, consider, &f);

        if (r == 0)
                r = find_archive(&f, q->integrity);
        if (r == 0 && f.n) /* only then somebody asks who they are */
                r = qn_intel_sources(x, a, &f.sources, &f.n_sources);
        return r < 0 ? r : make_all(&f, ret);
}
