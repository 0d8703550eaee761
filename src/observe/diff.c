#include "observe/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hashset.h"
#include "base/limits.h"
#include "observe/js-units.h"
#include "observe/observers.h"
#include "observe/scan-priv.h"
#include "observe/shorten.h"
#include "parse/js.h"
#include "parse/pkgjson.h"
#include "parse/semver.h"

#define KEEP         ((size_t)1 << 20) /* memory kept from one pair to the next */
#define KEEP_TMP     ((size_t)4 << 20) /* and from one program to the next */
#define FEATURES_MIN 3u /* a statement that names less is known by what stands around it */
#define HEX_RUN      6u /* so many hexadecimal digits are a number, whatever they spell */

#define PROGRAMS_MAX 4u /* new ones that are told */
#define BY_ITSELF    (1u << QN_PHASE_INSTALL | 1u << QN_PHASE_EDITOR | 1u << QN_PHASE_IMPORT)

/* Hashes of different things in one set. */
#define SALT_STATEMENT UINT64_C(0x8d3f1b6a5c7e9041)
#define SALT_BODY      UINT64_C(0x2b7e151628aed2a6)

struct program {
        struct qn_str path;
        struct qn_js_units units;
        bool *known; /* per unit: it stands in a body that the version before has, too */
        struct qn_shortened before; /* what is read of the version before; empty: all */
        uint32_t *fresh;            /* per unit: how many before it are new; one more for all */
        bool suspect;               /* it may hold new code */
        bool holds;                 /* what was left out is code in the version before, too */
};

/* An event that is as new as the unit it lies in. */
struct place {
        uint32_t event, program, unit;
};

struct total {
        uint64_t files, bytes;
};

/* A file whose path and content are new; hashes. */
struct file {
        uint64_t path, content;
};

/* A program of the version before. */
struct text {
        struct qn_str path, text;
        uint64_t hash;
};

struct qn_diff {
        struct qn_arena a, tmp;
        struct qn_hashset now_contents,
                contents; /* of the files of the package, and of those before */
        struct qn_hashset
                changed; /* paths of this version's files that the other side does not have */
        struct qn_hashset paths;  /* of the version before */
        struct qn_map text_index; /* path → text */
        struct text *texts;
        size_t n_texts, texts_cap;
        struct qn_hashset asked;      /* what the version before might have, */
        struct qn_hashset statements; /* and what of it it has */
        struct qn_hashset events;     /* of the version before */
        struct file *fresh_files;
        size_t n_fresh_files, fresh_files_cap;
        struct total added; /* files under new paths */
        uint64_t bytes_now, bytes_before;
        struct qn_map program_index; /* path → program */
        struct program *programs;
        size_t n_programs, programs_cap;
        struct place *places; /* of events, until it is known which code is new */
        size_t n_places, places_cap;
        uint64_t kinds; /* of the events of the version before */
        struct qn_str version;
        struct qn_str *deps; /* names, of the version before */
        size_t n_deps;
        uint64_t code; /* bytes of statements that are new */
        enum qn_diff_step step;
        bool lost, events_known;
        bool learnt; /* it is known which code is new */
};

int qn_diff_new(struct qn_diff **ret)
{
        struct qn_diff *d = calloc(1, sizeof *d);

        if (!d)
                return -ENOMEM;
        d->a = QN_ARENA_INIT(QN_DIFF_ARENA_MAX);
        d->tmp = QN_ARENA_INIT(QN_DIFF_ARENA_MAX);
        *ret = d;
        return 0;
}

struct qn_diff *qn_diff_free(struct qn_diff *d)
{
        if (d) {
                qn_arena_done(&d->a);
                qn_arena_done(&d->tmp);
        }
        free(d);
        return NULL;
}

void qn_diff_begin(struct qn_diff *d)
{
        struct qn_arena a = d->a, tmp = d->tmp;

        qn_arena_reset(&a, KEEP);
        *d = (struct qn_diff){ .a = a, .tmp = tmp };
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

void qn_diff_before(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content)
{
        add(d, &d->contents, hash_of(content));
        add(d, &d->paths, hash_of(path));
        d->bytes_before += size;
}

void qn_diff_program_before(struct qn_diff *d, struct qn_str path, struct qn_str text)
{
        struct text t = { .path = qn_arena_dup(&d->a, path), .text = text, .hash = hash_of(text) };

        if (!t.path.p || QN_ARENA_ROOM(&d->a, d->texts, d->n_texts, d->texts_cap) < 0 ||
            qn_map_add(&d->text_index, &d->a, t.path, (uint32_t)d->n_texts, NULL) < 0)
                d->lost = true;
        else
                d->texts[d->n_texts++] = t;
}

static void add_fresh_file(struct qn_diff *d, uint64_t path, uint64_t content)
{
        if (QN_ARENA_ROOM(&d->a, d->fresh_files, d->n_fresh_files, d->fresh_files_cap) < 0)
                d->lost = true;
        else
                d->fresh_files[d->n_fresh_files++] = (struct file){ path, content };
}

void qn_diff_now(struct qn_diff *d, struct qn_str path, uint64_t size, struct qn_str content)
{
        uint64_t hash = hash_of(content), name = hash_of(path);

        add(d, &d->now_contents, hash);
        if (!qn_hashset_has(&d->contents, hash))
                add(d, &d->changed, name);
        if (!qn_hashset_has(&d->paths, name)) {
                if (!qn_hashset_has(&d->contents, hash))
                        add_fresh_file(d, name, hash);
                d->added.files++;
                d->added.bytes += size;
        }
        d->bytes_now += size;
}

bool qn_diff_differs(const struct qn_diff *d, struct qn_str content)
{
        return d->lost || !qn_hashset_has(&d->now_contents, hash_of(content));
}

bool qn_diff_next_program(const struct qn_diff *d, size_t *at, struct qn_str *ret_path,
                          struct qn_str *ret_text)
{
        for (; *at < d->n_texts; ++*at) {
                const struct text *t = &d->texts[*at];

                if (!d->lost && qn_hashset_has(&d->now_contents, t->hash))
                        continue;
                *ret_path = t->path;
                *ret_text = t->text;
                ++*at;
                return true;
        }
        return false;
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

/* What a unit is known by.  One that names next to nothing is as new as what it stands in; 0: it is never new. */
static uint64_t mark_of(const struct qn_js_units *u, uint32_t i)
{
        const struct qn_js_unit *v = &u->v[i];

        if (v->features >= FEATURES_MIN)
                return v->hash ^ SALT_STATEMENT;
        while (v->features < FEATURES_MIN && !v->function && v->outer)
                v = &u->v[v->outer];
        return v == u->v ? 0 : v->body ^ SALT_BODY;
}

static void learn_mark(struct qn_diff *d, uint64_t mark)
{
        if (qn_hashset_has(&d->asked, mark))
                add(d, &d->statements, mark);
}

static void learn(struct qn_diff *d, const struct qn_js_unit *v)
{
        learn_mark(d, v->hash ^ SALT_STATEMENT);
        learn_mark(d, v->body ^ SALT_BODY);
}

static bool is_new(const struct qn_diff *d, const struct program *p, uint32_t i)
{
        uint64_t mark = p->known[i] ? 0 : mark_of(&p->units, i);

        return mark && !qn_hashset_has(&d->statements, mark);
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

static void compare(struct qn_diff *d, struct program *p)
{
        for (uint32_t i = 0; i < p->units.n; i++)
                p->fresh[i + 1] = p->fresh[i] + is_new(d, p, i);
        d->code += (uint64_t)QN_MAX(new_bytes(p), 0);
}

static void ask(struct qn_diff *d, struct program *p)
{
        for (uint32_t i = 0; i < p->units.n; i++) {
                uint64_t mark = p->known[i] ? 0 : mark_of(&p->units, i);

                if (mark)
                        add(d, &d->asked, mark);
                p->suspect |= mark != 0;
        }
}

/* Without room, the version before is read whole. */
static void shorten(struct qn_diff *d, struct program *p, struct qn_str now)
{
        uint32_t i = qn_map_get(&d->text_index, p->path);

        if (i != QN_MAP_NONE && !d->learnt &&
            qn_shorten(d->texts[i].text, now, &p->units, p->known, &d->a, &d->tmp, &p->before) <= 0)
                p->before = (struct qn_shortened){ 0 };
}

/* A program of the package that is not in the version before as it is. */
static int take(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast)
{
        struct program p = { .path = qn_arena_dup(&d->a, path) };
        struct qn_js_units u;

        if (!p.path.p || qn_js_units(ast, &d->tmp, &u) < 0)
                return -ENOBUFS;
        if (!u.n)
                return 0;
        p.units = (struct qn_js_units){ qn_arena_grow(&d->a, u.v, u.n, u.n, sizeof *u.v), u.n };
        p.fresh = qn_arena_calloc(&d->a, (size_t)u.n + 1, sizeof *p.fresh);
        p.known = qn_arena_calloc(&d->a, u.n, sizeof *p.known);
        if (!p.units.v || !p.fresh || !p.known ||
            QN_ARENA_ROOM(&d->a, d->programs, d->n_programs, d->programs_cap) < 0 ||
            qn_map_add(&d->program_index, &d->a, p.path, (uint32_t)d->n_programs, NULL) < 0)
                return -ENOBUFS;
        qn_arena_reset(&d->tmp, KEEP_TMP); /* the units were copied */
        shorten(d, &p, ast->source);
        ask(d, &p);
        if (d->learnt)
                compare(d, &p);
        d->programs[d->n_programs++] = p;
        return 0;
}

static struct program *program_of(const struct qn_diff *d, struct qn_str path)
{
        uint32_t i = qn_map_get(&d->program_index, path);

        return i == QN_MAP_NONE ? NULL : &d->programs[i];
}

struct qn_str qn_diff_shortened(const struct qn_diff *d, struct qn_str path, struct qn_str text)
{
        const struct program *p = program_of(d, path);

        return p && p->before.n ? p->before.text : text;
}

static void learn_program(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast)
{
        struct program *p = program_of(d, path);
        struct qn_js_units u;

        if (qn_js_units(ast, &d->tmp, &u) < 0) {
                d->lost = true;
                return;
        }
        if (p && p->before.n)
                p->holds |= qn_shortened_holds(&p->before, &u);
        for (uint32_t i = 0; i < u.n; i++)
                learn(d, &u.v[i]);
}

void qn_diff_program(struct qn_diff *d, struct qn_str path, const struct qn_js_ast *ast)
{
        if (d->step == QN_DIFF_LEARN)
                learn_program(d, path, ast);
        else if (d->step == QN_DIFF_PACKAGE && is_changed(d, path) && take(d, path, ast) < 0)
                d->lost = true;
        qn_arena_reset(&d->tmp, KEEP_TMP);
}

/* What was left out is learnt from where it stands now. */
static void learn_known(struct qn_diff *d, const struct program *p)
{
        for (uint32_t i = 0; i < p->units.n; i++)
                if (p->known[i])
                        learn(d, &p->units.v[i]);
}

static void read_whole(struct qn_diff *d, struct program *p)
{
        p->before = (struct qn_shortened){ 0 };
        memset(p->known, 0, p->units.n * sizeof *p->known);
        ask(d, p);
}

/* What is not read because it has only moved cannot be left out in part. */
void qn_diff_walked(struct qn_diff *d)
{
        for (size_t i = 0; i < d->n_programs; i++) {
                struct program *p = &d->programs[i];

                if (p->before.n &&
                    !qn_diff_differs(d, d->texts[qn_map_get(&d->text_index, p->path)].text))
                        read_whole(d, p);
        }
}

bool qn_diff_must_learn_all(struct qn_diff *d)
{
        bool again = false;

        for (size_t i = 0; i < d->n_programs; i++)
                again |= d->programs[i].before.n && !d->programs[i].holds;
        for (size_t i = 0; again && i < d->n_programs; i++)
                read_whole(d, &d->programs[i]);
        return again;
}

static void mark_changed(const struct program *p, struct qn_scan *s)
{
        uint32_t f = qn_graph_find(&s->graph, p->path);

        if (!p->fresh[p->units.n] || f == QN_FILE_NONE)
                return;
        s->graph.files[f].flags |= QN_GF_DEEP | QN_GF_CHANGED;
        s->changed = true;
}

void qn_diff_learnt(struct qn_diff *d, struct qn_scan *s)
{
        for (size_t i = 0; i < d->n_programs; i++)
                learn_known(d, &d->programs[i]);
        for (size_t i = 0; i < d->n_programs; i++) {
                compare(d, &d->programs[i]);
                mark_changed(&d->programs[i], s);
        }
        for (size_t i = 0; i < d->n_places; i++) {
                const struct place *at = &d->places[i];
                struct qn_event *e = &s->sink.list[at->event].e;

                if (is_fresh(&d->programs[at->program], at->unit))
                        e->fresh = QN_MAX(e->fresh, QN_NOVELTY_CODE);
        }
        d->learnt = true;
}

bool qn_diff_has_code(const struct qn_diff *d, struct qn_str path)
{
        const struct program *p = program_of(d, path);

        if (d->step != QN_DIFF_PACKAGE) /* only what differs is looked at of the version before */
                return true;
        return p && d->learnt && p->fresh[p->units.n];
}

bool qn_diff_may_have_code(const struct qn_diff *d, struct qn_str path)
{
        const struct program *p = program_of(d, path);

        return qn_diff_has_code(d, path) || (p && !d->learnt && p->suspect);
}

static const struct program *changed_program(const struct qn_diff *d, struct qn_str path)
{
        return d->step == QN_DIFF_PACKAGE && is_changed(d, path) ? program_of(d, path) : NULL;
}

enum qn_novelty qn_diff_code(const struct qn_diff *d, struct qn_str path, uint32_t off)
{
        const struct program *p = d->learnt ? changed_program(d, path) : NULL;

        return p && is_fresh(p, qn_js_unit_at(&p->units, off)) ? QN_NOVELTY_CODE : QN_NOVELTY_NONE;
}

void qn_diff_place(struct qn_diff *d, struct qn_str path, uint32_t off, uint32_t event)
{
        const struct program *p = d->learnt ? NULL : changed_program(d, path);

        if (!p)
                return;
        if (QN_ARENA_ROOM(&d->a, d->places, d->n_places, d->places_cap) < 0)
                d->lost = true;
        else
                d->places[d->n_places++] = (struct place){ event, (uint32_t)(p - d->programs),
                                                           qn_js_unit_at(&p->units, off) };
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

void qn_diff_learn_lines(struct qn_diff *d, struct qn_str text)
{
        struct qn_event e;

        if (qn_obfuscation_long_line(text, &e))
                add(d, &d->events, signature(&e));
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

static const struct file *find_fresh(const struct qn_diff *d, uint64_t path)
{
        for (size_t i = 0; i < d->n_fresh_files; i++)
                if (d->fresh_files[i].path == path)
                        return &d->fresh_files[i];
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
                const struct file *fresh;

                if (!(f->phases & BY_ITSELF) || !(f->flags & (QN_GF_JS | QN_GF_OTHER)))
                        continue;
                fresh = find_fresh(d, hash_of(f->path));
                if (!fresh)
                        continue;
                report_program(s, f->path, fresh->content);
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
