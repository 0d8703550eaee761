/* When the versions of a package were published: first ones, long silence, bursts, lines that come back. */
#include "observe/meta-priv.h"
#include "parse/semver.h"

#define MINUTE     INT64_C(60000)
#define HOUR       (60 * MINUTE)
#define DAY        (24 * HOUR)
#define YOUNG      (7 * DAY)
#define SILENCE    (365 * DAY)
#define BURST      (10 * MINUTE)
#define BURST_MIN  5u
#define SOON       DAY
#define HIGH_MAJOR 9u /* nobody begins to count there */

static bool at(const struct qn_packument_version *v)
{
        return v->time != QN_TIME_NONE;
}

static bool is_near(const struct qn_meta *m, const struct qn_packument_version *v)
{
        int64_t apart = v->time - m->now->time;

        return at(v) && apart <= BURST && apart >= -BURST;
}

static uint64_t line_of(const struct qn_semver *v)
{
        return v->major ? v->major : UINT64_MAX - v->minor;
}

/* Versions published around this one, and how many lines of releases they belong to. */
static void tell_bursts(const struct qn_meta *m)
{
        uint64_t lines[8];
        size_t n = 0, n_lines = 0;

        for (size_t i = 0; i < m->doc->n; i++) {
                const struct qn_packument_version *v = &m->doc->versions[i];
                struct qn_semver sv;
                size_t k = 0;

                if (!is_near(m, v) || qn_semver_parse(v->version, QN_SEMVER_LOOSE, &sv) < 0)
                        continue;
                n++;
                while (k < n_lines && lines[k] != line_of(&sv))
                        k++;
                if (!sv.pre.n && k == n_lines && n_lines < QN_ARRAY_SIZE(lines))
                        lines[n_lines++] = line_of(&sv);
        }
        if (n >= BURST_MIN)
                qn_meta_tell(m->s, "burst", "", "%zu versions in minutes", n);
        if (n_lines > 1)
                qn_meta_tell(m->s, "several-lines", "", "%zu lines in minutes", n_lines);
}

static const char *step(const struct qn_packument_version *from,
                        const struct qn_packument_version *to)
{
        struct qn_semver a, b;

        if (qn_semver_parse(from->version, QN_SEMVER_LOOSE, &a) < 0 ||
            qn_semver_parse(to->version, QN_SEMVER_LOOSE, &b) < 0)
                return "";
        return a.major != b.major ? "major" : a.minor != b.minor ? "minor" : "patch";
}

/* The latest of all earlier versions, whatever their line. */
static const struct qn_packument_version *latest(const struct qn_meta *m)
{
        const struct qn_packument_version *best = NULL;

        for (size_t i = 0; i < m->doc->n; i++) {
                const struct qn_packument_version *v = &m->doc->versions[i];

                if (at(v) && v->time < m->now->time && (!best || v->time > best->time))
                        best = v;
        }
        return best;
}

static void tell_silence(const struct qn_meta *m)
{
        const struct qn_packument_version *last = latest(m), *own = m->before;

        if (!last)
                return;
        if (m->now->time - last->time >= SILENCE)
                qn_meta_tell(m->s, "dormant", step(last, m->now), "%lld days",
                             (long long)((m->now->time - last->time) / DAY));
        else if (own && at(own) && own != last && m->now->time - own->time >= SILENCE)
                qn_meta_tell(m->s, "line-revived", step(own, m->now), "%lld days",
                             (long long)((m->now->time - own->time) / DAY));
        else if (m->now->time - last->time <= SOON)
                qn_meta_tell(m->s, "soon-after", step(last, m->now), "%lld minutes after %.*s",
                             (long long)((m->now->time - last->time) / MINUTE),
                             QN_STR_ARG(last->version));
}

static void tell_first(const struct qn_meta *m)
{
        struct qn_semver v;

        if (qn_semver_parse(m->now->version, QN_SEMVER_LOOSE, &v) < 0)
                return;
        qn_meta_tell(m->s, "first-version", "", "%.*s", QN_STR_ARG(m->now->version));
        qn_meta_missing(m->s);
        if (v.major >= HIGH_MAJOR)
                qn_meta_tell(m->s, "high-first-version", "", "%.*s", QN_STR_ARG(m->now->version));
}

/* Versions that nobody gets who does not ask for them: canary, next. */
static void tell_tag(const struct qn_meta *m)
{
        const struct qn_pkgjson_pairs *tags = &m->doc->tags;
        const struct qn_pkgjson_pair *other = NULL;

        for (size_t i = 0; i < tags->n; i++) {
                if (!qn_str_eq(tags->v[i].value, m->now->version))
                        continue;
                if (qn_str_is(tags->v[i].name, "latest"))
                        return;
                other = other ? other : &tags->v[i];
        }
        if (other)
                qn_meta_tell(m->s, "tagged", "", "%.*s", QN_STR_ARG(other->name));
}

void qn_meta_times(const struct qn_meta *m)
{
        tell_tag(m);
        if (!m->before && !(at(m->now) && latest(m)))
                tell_first(m);
        if (!at(m->now) || qn_packument_is_proxied(m->doc))
                return;
        if (m->doc->created != QN_TIME_NONE && m->now->time - m->doc->created < YOUNG)
                qn_meta_tell(m->s, "young-package", "", "%lld hours",
                             (long long)((m->now->time - m->doc->created) / HOUR));
        tell_bursts(m);
        tell_silence(m);
}
