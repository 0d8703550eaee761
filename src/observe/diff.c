#include "observe/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hashset.h"
#include "base/limits.h"
#include "observe/js-units.h"
#include "observe/scan-priv.h"
#include "parse/js.h"
#include "parse/pkgjson.h"
#include "parse/semver.h"

#define KEEP         ((size_t)1 << 20) /* memory kept from one pair to the next */
#define FEATURES_MIN 3u /* a statement that names less is known by what stands around it */
#define HEX_RUN      6u /* so many hexadecimal digits are a number, whatever they spell */

#define PROGRAMS_MAX 4u  /* new ones that are told */
#define BY_ITSELF    (1u << QN_PHASE_INSTALL | 1u << QN_PHASE_EDITOR | 1u << QN_PHASE_IMPORT)

/* Hashes of different things in one set. */
#define SALT_STATEMENT UINT64_C(0x8d3f1b6a5c7e9041)
#define SALT_BODY      UINT64_C(0x2b7e151628aed2a6)

struct program {
        struct qn_js_units units;
        uint32_t *fresh; /* per unit: how many before it are new; one more for all */
};

struct total {
        uint64_t files, bytes;
};

/* Of the package; hashes. */
struct file {
        uint64_t path, content, size;
};

struct qn_diff {
        struct qn_arena a;
        struct file *now;
        size_t n_now, now_cap;
        struct qn_hashset now_contents,
                contents; /* of the files of the package, and of those before */
        struct qn_hashset
                changed; /* paths of this version's files that the other side does not have */
        struct qn_hashset paths;      /* of the version before */
        struct qn_hashset statements; /* of the version before */
        struct qn_hashset events;     /* of the version before */
        struct total added;           /* files under new paths */
        uint64_t bytes_now, bytes_before;
        struct qn_map program_index; /* path → program */
        struct program *programs;
        size_t n_programs, programs_cap;
        uint64_t kinds; /* of the events of the version before */
        struct qn_str version;
        struct qn_str *deps; /* names, of the version before */
        size_t n_deps;
        uint64_t code; /* bytes of statements that are new */
        enum qn_diff_step step;
        bool lost, events_known;
};

int qn_diff_new(struct qn_diff **ret)
{
        struct qn_diff *d = calloc(1, sizeof *d);

        if (!d)
                return -ENOMEM;
        d->a = QN_ARENA_INIT(QN_DIFF_ARENA_MAX);
        *ret = d;
        return 0;
}

struct qn_diff *qn_diff_free(struct qn_diff *d)
{
        if (d)
                qn_arena_done(&d->a);
        free(d);
        return NULL;
}

void qn_diff_begin(struct qn_diff *d)
{
        struct qn_arena a = d->a;

        qn_arena_reset(&a, KEEP);
        *d = (struct qn_diff){ .a = a };
}

static void add(struct qn_diff *d, struct qn_hashset *set, uint64_t hash)
{
        d->lost |= qn_hashset_add(set, &d->a, hash) < 0;
}

static uint64_t hash_of(struct qn_str s)
{
        return qn_hash64(s.p, s.n);
}

/* --- files --- */

void qn_diff_now(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content)
{
        struct file f = { .path = hash_of(path), .content = hash_of(content), .size = size };

        if (QN_ARENA_ROOM(&d->a, d->now, d->n_now, d->now_cap) < 0)
                d->lost = true;
        else
                d->now[d->n_now++] = f;
        add(d, &d->now_contents, f.content);
        d->bytes_now += size;
}

bool qn_diff_differs(const struct qn_diff *d, struct qn_str content)
{
        return d->lost || !qn_hashset_has(&d->now_contents, hash_of(content));
}

bool qn_diff_before(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content)
{
        uint64_t hash = hash_of(content);

        add(d, &d->contents, hash);
        add(d, &d->paths, hash_of(path));
        d->bytes_before += size;
        return d->lost || !qn_hashset_has(&d->now_contents, hash);
}

void qn_diff_files_done(struct qn_diff *d)
{
        for (size_t i = 0; i < d->n_now; i++) {
                const struct file *f = &d->now[i];

                if (!qn_hashset_has(&d->contents, f->content))
                        add(d, &d->changed, f->path);
                if (qn_hashset_has(&d->paths, f->path))
                        continue;
                d->added.files++;
                d->added.bytes += f->size;
        }
}

static bool is_changed(const struct qn_diff *d, struct qn_str path)
{
        return d->lost || qn_hashset_has(&d->changed, hash_of(path));
}

/* --- statements --- */

static bool is_fresh(const struct program *p, uint32_t unit)
{
        return p->fresh[unit] != p->fresh[unit + 1];
}

static void learn(struct qn_diff *d, const struct qn_js_units *u)
{
        for (uint32_t i = 0; i < u->n; i++) {
                add(d, &d->statements, u->v[i].hash ^ SALT_STATEMENT);
                add(d, &d->statements, u->v[i].body ^ SALT_BODY);
        }
}

/* A statement that names next to nothing is as new as what it stands in. */
static bool is_new(const struct qn_diff *d, const struct qn_js_units *u, uint32_t i)
{
        const struct qn_js_unit *v = &u->v[i];

        if (v->features >= FEATURES_MIN)
                return !qn_hashset_has(&d->statements, v->hash ^ SALT_STATEMENT);
        while (v->features < FEATURES_MIN && !v->function && v->outer)
                v = &u->v[v->outer];
        return v != u->v && !qn_hashset_has(&d->statements, v->body ^ SALT_BODY);
}

/* Bytes of a unit without those of the units in it are added to its own, and taken from the outer one's. */
static int64_t new_bytes(const struct program *p)
{
        int64_t sum = 0;

        for (uint32_t i = 0; i < p->units.n; i++) {
                const struct qn_js_unit *v = &p->units.v[i];
                int64_t span = (int64_t)(v->end - v->start);

                sum += is_fresh(p, i) ? span : 0;
                sum -= i && is_fresh(p, v->outer) ? span : 0;
        }
        return sum;
}

static int compare(struct qn_diff *d, struct qn_str path, const struct qn_js_units *u)
{
        struct program p = { .units = { .n = u->n } };
        struct qn_str key = qn_arena_dup(&d->a, path);

        p.units.v = qn_arena_grow(&d->a, u->v, u->n, u->n, sizeof *u->v);
        p.fresh = qn_arena_calloc(&d->a, (size_t)u->n + 1, sizeof *p.fresh);
        if (!p.units.v || !p.fresh || !key.p ||
            QN_ARENA_ROOM(&d->a, d->programs, d->n_programs, d->programs_cap) < 0 ||
            qn_map_add(&d->program_index, &d->a, key, (uint32_t)d->n_programs, NULL) < 0)
                return -ENOBUFS;
        for (uint32_t i = 0; i < u->n; i++)
                p.fresh[i + 1] = p.fresh[i] + is_new(d, u, i);
        d->code += (uint64_t)QN_MAX(new_bytes(&p), 0);
        d->programs[d->n_programs++] = p;
        return 0;
}

void qn_diff_program(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast,
                     struct qn_arena *tmp)
{
        struct qn_js_units u;

        if (d->step == QN_DIFF_EVENTS || (d->step == QN_DIFF_PACKAGE && !is_changed(d, path)))
                return;
        if (qn_js_units(ast, tmp, &u) < 0)
                d->lost = true;
        else if (d->step == QN_DIFF_LEARN)
                learn(d, &u);
        else if (u.n && compare(d, path, &u) < 0)
                d->lost = true;
}

bool qn_diff_has_code(const struct qn_diff *d, struct qn_str path)
{
        uint32_t i = qn_map_get(&d->program_index, path);

        if (d->step != QN_DIFF_PACKAGE) /* only what differs is looked at of the version before */
                return true;
        return i != QN_MAP_NONE && d->programs[i].fresh[d->programs[i].units.n];
}

enum qn_novelty qn_diff_code(const struct qn_diff *d, struct qn_str path, uint32_t off)
{
        const struct program *p;
        uint32_t i;

        if (d->step != QN_DIFF_PACKAGE || !is_changed(d, path))
                return QN_NOVELTY_NONE;
        i = qn_map_get(&d->program_index, path);
        if (i == QN_MAP_NONE)
                return QN_NOVELTY_NONE;
        p = &d->programs[i];
        return is_fresh(p, qn_js_unit_at(&p->units, off)) ? QN_NOVELTY_CODE : QN_NOVELTY_NONE;
}

/* --- events --- */

/* Counters, sentences and places differ from version to version without meaning anything. */
static bool tells(enum qn_attr a)
{
        return a != QN_ATTR_VALUE && a != QN_ATTR_COUNT && a != QN_ATTR_DETAIL && a != QN_ATTR_FLOW;
}

static bool is_hex(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static uint64_t add_byte(uint64_t h, char c)
{
        return (h ^ (unsigned char)c) * UINT64_C(0x100000001b3); /* FNV-1a */
}

/* Numbers, and the hashes in names of bundles, count as one sign each. */
static uint64_t add_text(uint64_t h, struct qn_str s)
{
        for (size_t i = 0; i < s.n;) {
                size_t run = 0, digits = 0;

                for (; i + run < s.n && is_hex(s.p[i + run]); run++)
                        digits += s.p[i + run] <= '9';
                if (run >= HEX_RUN && digits) {
                        h = add_byte(h, '#');
                        i += run;
                } else if (run && digits == run) {
                        h = add_byte(h, '#');
                        i += run;
                } else {
                        h = add_byte(h, s.p[i++]);
                }
        }
        return add_byte(h, '\0');
}

static uint64_t signature(const struct qn_event *e)
{
        uint64_t h = UINT64_C(0xcbf29ce484222325) ^ e->labels * UINT64_C(0x9e3779b97f4a7c15);

        h = add_byte(h, (char)e->kind);
        for (size_t i = 0; i < e->n_attrs; i++)
                if (tells(e->keys[i]))
                        h = add_text(add_byte(h, (char)e->keys[i]), e->values[i]);
        return h;
}

#define KIND(k) (UINT64_C(1) << (k))

void qn_diff_manifest(struct qn_diff *d, struct qn_cur text)
{
        struct qn_pkgjson *m = NULL;
        struct qn_str copy = qn_arena_dup(&d->a, qn_cur_rest(&text));

        if (!copy.p || qn_pkgjson_parse(qn_cur_str(copy), &d->a, &m, NULL) < 0) {
                d->lost |= !copy.p;
                return;
        }
        d->version = m->version.text;
        d->n_deps = 0;
        d->deps = qn_arena_calloc(&d->a, m->n_deps + 1, sizeof *d->deps);
        for (size_t i = 0; d->deps && i < m->n_deps; i++)
                d->deps[d->n_deps++] = m->deps[i].name;
        d->lost |= !d->deps;
}

void qn_diff_take(struct qn_diff *d, const struct qn_scan *s)
{
        for (size_t i = 0; i < s->sink.n; i++) {
                add(d, &d->events, signature(&s->sink.list[i].e));
                d->kinds |= KIND(s->sink.list[i].e.kind);
        }
}

void qn_diff_step(struct qn_diff *d, enum qn_diff_step step)
{
        d->step = step;
}

/* What every release does anew, and nobody asks whether the one before did it. */
#define EVERYDAY                                                                              \
        (KIND(QN_EVENT_MODULE_LOAD) | KIND(QN_EVENT_MODULE_LOAD_DYNAMIC) |                    \
         KIND(QN_EVENT_ENV_READ) | KIND(QN_EVENT_ENV_PROBE) | KIND(QN_EVENT_FILE_READ) |      \
         KIND(QN_EVENT_DIR_LIST) | KIND(QN_EVENT_URL_LITERAL) | KIND(QN_EVENT_DEP_SPEC) |     \
         KIND(QN_EVENT_META) | KIND(QN_EVENT_VERSION_DIFF) | KIND(QN_EVENT_SIGNATURE) |       \
         KIND(QN_EVENT_PROVENANCE) | KIND(QN_EVENT_ARCHIVE_ODD) | KIND(QN_EVENT_UNANALYSED) | \
         KIND(QN_EVENT_INTEL_MATCH))

static bool is_everyday(const struct qn_event *e)
{
        if (e->kind == QN_EVENT_TRIGGER)
                return e->phase != QN_WHEN_PHASE + QN_PHASE_INSTALL &&
                       e->phase != QN_WHEN_PHASE + QN_PHASE_EDITOR;
        return KIND(e->kind) & EVERYDAY;
}

static struct qn_str path_of(const struct qn_sink *sink, const struct qn_event *e)
{
        return e->file < sink->n_files ? sink->files[e->file] : (struct qn_str){ 0 };
}

/* Programs that were only written anew do what they did. */
static bool has_new_code(const struct qn_diff *d)
{
        for (size_t i = 0; i < d->n_programs; i++)
                if (d->programs[i].fresh[d->programs[i].units.n])
                        return true;
        return false;
}

bool qn_diff_wants_events(const struct qn_diff *d, const struct qn_scan *s)
{
        bool code = d->lost || has_new_code(d);

        for (size_t i = 0; i < s->sink.n; i++) {
                const struct qn_event *e = &s->sink.list[i].e;
                struct qn_str path = path_of(&s->sink, e);

                if (is_everyday(e) || (path.n && !is_changed(d, path)) ||
                    qn_hashset_has(&d->events, signature(e)))
                        continue;
                if (code || qn_map_get(&d->program_index, path) == QN_MAP_NONE)
                        return true;
        }
        return false;
}

static enum qn_novelty novelty(const struct qn_diff *d, struct qn_str path,
                               const struct qn_event *e)
{
        if (path.n && !is_changed(d, path))
                return QN_NOVELTY_NONE;
        if (!d->events_known || is_everyday(e))
                return e->fresh;
        return qn_hashset_has(&d->events, signature(e)) ? e->fresh : QN_NOVELTY_BEHAVIOUR;
}

static void mark(struct qn_diff *d, struct qn_sink *sink)
{
        uint64_t old = d->kinds;

        for (size_t i = 0; i < sink->n; i++) {
                struct qn_event *e = &sink->list[i].e;

                e->fresh = (uint8_t)novelty(d, path_of(sink, e), e);
                if (e->fresh < QN_NOVELTY_BEHAVIOUR)
                        old |= KIND(e->kind);
        }
        for (size_t i = 0; i < sink->n; i++) {
                struct qn_event *e = &sink->list[i].e;

                if (e->fresh == QN_NOVELTY_BEHAVIOUR && !(old & KIND(e->kind)))
                        e->fresh = QN_NOVELTY_KIND;
        }
}

/* --- the difference as a whole --- */

static struct qn_event fact(const char *what)
{
        struct qn_event e = qn_event_make(QN_EVENT_VERSION_DIFF, QN_LAYER_DIFF, 0);

        e.phase = QN_WHEN_PHASE + QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        return e;
}

static void report_number(struct qn_scan *s, const char *what, uint64_t value, uint64_t count)
{
        struct qn_event e = fact(what);
        char text[2][24];

        snprintf(text[0], sizeof text[0], "%llu", (unsigned long long)value);
        snprintf(text[1], sizeof text[1], "%llu", (unsigned long long)count);
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(text[0]));
        if (count)
                qn_event_attr(&e, QN_ATTR_COUNT, qn_str_c(text[1]));
        qn_sink_add(&s->sink, &e);
}

/* What kind of release the version says it is. */
static const char *release_of(struct qn_str before, struct qn_str now)
{
        struct qn_semver a, b;

        if (qn_semver_parse(before, QN_SEMVER_LOOSE, &a) < 0 ||
            qn_semver_parse(now, QN_SEMVER_LOOSE, &b) < 0)
                return "other";
        if (qn_semver_cmp(&a, &b) >= 0)
                return "other";
        if (b.pre.n)
                return "prerelease";
        return a.major != b.major ? "major" : a.minor != b.minor ? "minor" : "patch";
}

static bool had_dependency(const struct qn_diff *d, struct qn_str name)
{
        for (size_t i = 0; i < d->n_deps; i++)
                if (qn_str_eq(d->deps[i], name))
                        return true;
        return false;
}

/* Whether code of the package loads the module, or a part of it. */
static bool is_loaded(const struct qn_sink *sink, struct qn_str name)
{
        for (size_t i = 0; i < sink->n; i++) {
                struct qn_str m = qn_event_get(&sink->list[i].e, QN_ATTR_MODULE);

                if (qn_str_eq(m, name) ||
                    (m.n > name.n && m.p[name.n] == '/' && qn_str_eq(qn_str_take(m, name.n), name)))
                        return true;
        }
        return false;
}

static const char *const blocks[] = {
        [QN_DEP_PROD] = "prod",
        [QN_DEP_DEV] = NULL, /* nobody who installs the package gets these */
        [QN_DEP_PEER] = NULL,
        [QN_DEP_OPTIONAL] = "optional",
};

static void report_dependencies(struct qn_diff *d, struct qn_scan *s)
{
        for (size_t i = 0; i < s->manifest->n_deps; i++) {
                const struct qn_pkgjson_dep *dep = &s->manifest->deps[i];
                struct qn_event e = fact("dependency");

                if (!blocks[dep->block] || had_dependency(d, dep->name))
                        continue;
                qn_event_attr(&e, QN_ATTR_NAME, dep->name);
                qn_event_attr(&e, QN_ATTR_SPEC, dep->spec);
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(blocks[dep->block]));
                if (!is_loaded(&s->sink, dep->name))
                        qn_event_attr(&e, QN_ATTR_FLAGS, QN_STR("not-loaded"));
                qn_sink_add(&s->sink, &e);
        }
}

/* The content of a file of the package, by the hash of its path. */
static const struct file *find_now(const struct qn_diff *d, uint64_t path)
{
        for (size_t i = 0; i < d->n_now; i++)
                if (d->now[i].path == path)
                        return &d->now[i];
        return NULL;
}

static void report_program(struct qn_scan *s, struct qn_str path, uint64_t content)
{
        struct qn_event e = fact("program");
        char value[17];

        snprintf(value, sizeof value, "%016llx", (unsigned long long)content);
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
        qn_sink_add(&s->sink, &e);
}

/* Files that were not there, whatever they were called, and that run by themselves. */
static void report_programs(struct qn_diff *d, struct qn_scan *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->graph.n_files && n < PROGRAMS_MAX; i++) {
                const struct qn_graph_file *f = &s->graph.files[i];
                const struct file *now;

                if (!(f->phases & BY_ITSELF) || !(f->flags & (QN_GF_JS | QN_GF_OTHER)) ||
                    qn_hashset_has(&d->paths, hash_of(f->path)))
                        continue;
                now = find_now(d, hash_of(f->path));
                if (!now || qn_hashset_has(&d->contents, now->content))
                        continue;
                report_program(s, f->path, now->content);
                n++;
        }
}

static void report(struct qn_diff *d, struct qn_scan *s)
{
        uint64_t was = d->bytes_before, now = d->bytes_now;
        struct qn_event e = fact("release");

        qn_sink_file(&s->sink, (struct qn_str){ 0 });
        if (s->manifest && d->version.n) {
                qn_event_attr(&e, QN_ATTR_WHICH,
                              qn_str_c(release_of(d->version, s->manifest->version.text)));
                qn_event_attr(&e, QN_ATTR_DETAIL, d->version);
                qn_sink_add(&s->sink, &e);
                report_dependencies(d, s);
        }
        if (now > was)
                report_number(s, "growth", now - was, 0);
        if (d->added.files)
                report_number(s, "files", d->added.bytes, d->added.files);
        report_programs(d, s);
        if (d->code)
                report_number(s, "code", d->code, 0);
        if (d->lost && qn_scan_unanalysed(s, "memory", (struct qn_str){ 0 },
                                          "two versions differ in more than is compared") < 0)
                s->graph.full = true;
}

void qn_diff_finish(struct qn_diff *d, struct qn_scan *s)
{
        if (d->step == QN_DIFF_EVENTS) {
                qn_diff_take(d, s);
                d->events_known = true;
                return;
        }
        mark(d, &s->sink);
        report(d, s);
}
