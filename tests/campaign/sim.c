#include "sim.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/hash.h"
#include "event/event.h"
#include "observe/imprint.h"
#include "observe/popular.h"
#include "store/versions.h"

#define START   INT64_C(1767225600000) /* 2026-01-01 */
#define MINUTE  INT64_C(60000)
#define DAY     (1440 * MINUTE)
#define BATCH   500u
#define MONO    40u /* packages of a monorepo */
#define SCOPES  60u
#define COPIED  4u
#define MADE_UP 40000u /* ordinary packages besides the popular ones */

const char *const sim_names[SIM_KINDS] = { "quiet day",       "worm", "token farm", "many accounts",
                                           "staged takeover", "bait", "copied" };

struct planned {
        int64_t time;
        uint32_t number;
        uint8_t kind;
};

struct sim {
        const struct sim_plan *plan;
        struct qn_arena tables, a; /* a: of one version */
        struct qn_popular *popular;
        struct planned *list;
        size_t n;
        uint64_t state;
        struct qn_event_set set;
        struct qn_imprint imprint;
        struct qn_track_version v;
        bool first;
        struct qn_track *track;
        struct qn_db db;
        uint8_t *kinds; /* by id of version */
};

/* --- chance: the same each time --- */

static uint64_t mix(uint64_t a, uint64_t b)
{
        uint64_t parts[2] = { a, b };

        return qn_hash64(parts, sizeof parts);
}

static uint64_t below(struct sim *s, uint64_t n)
{
        s->state++;
        return mix(s->state, n) % n;
}

static struct qn_str text(struct sim *s, const char *fmt, ...) QN_PRINTF(2, 3);
static struct qn_str text(struct sim *s, const char *fmt, ...)
{
        char b[256];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(b, sizeof b, fmt, ap);
        va_end(ap);
        return qn_arena_dup(&s->a, qn_str_c(b));
}

/* A word for each number. */
static struct qn_str word(struct sim *s, uint64_t number)
{
        char b[64];
        size_t n = 0;

        do {
                b[n++] = "bdfghklmnprstvz"[number % 15];
                b[n++] = "aeiou"[number / 15 % 5];
                number /= 75;
        } while (number && n < sizeof b - 2);
        return qn_arena_dup(&s->a, (struct qn_str){ b, n });
}

/* --- what a version is made of --- */

static void sketch(struct sim *s, uint64_t seed, unsigned filled, unsigned changed)
{
        struct qn_sketch *k = &s->imprint.sketch;

        for (unsigned i = 0; i < QN_SKETCH_BINS; i++) {
                uint64_t v = below(s, QN_SKETCH_BINS) < changed ? below(s, 1u << 30) : mix(seed, i);

                if (mix(seed + 1, i) % QN_SKETCH_BINS < filled)
                        k->band[i / QN_SKETCH_ROWS] |= (1 + v % 255) << 8 * (i % QN_SKETCH_ROWS);
        }
}

static void file(struct sim *s, const char *path, uint64_t content)
{
        if (s->imprint.n_files < QN_IMPRINT_FILES_MAX)
                s->imprint.files[s->imprint.n_files++] =
                        (struct qn_imprint_file){ content, qn_hash64(path, strlen(path)) };
}

static void depends(struct sim *s, struct qn_str name)
{
        if (s->imprint.n_deps < QN_IMPRINT_DEPS_MAX)
                s->imprint.deps[s->imprint.n_deps++] = qn_hash64(name.p, name.n);
}

struct attr {
        enum qn_attr key;
        struct qn_str value;
};

static void event(struct sim *s, enum qn_event_kind kind, enum qn_phase phase,
                  enum qn_novelty fresh, const char *path, const struct attr *attrs, size_t n)
{
        uint32_t f = path ? qn_event_set_file(&s->set, qn_str_c(path)) : QN_FILE_NONE;
        struct qn_event e = qn_event_make(kind, QN_LAYER_STATIC, f);

        e.phase = (uint8_t)phase;
        e.fresh = (uint8_t)fresh;
        for (size_t i = 0; i < n; i++)
                qn_event_attr(&e, attrs[i].key, attrs[i].value);
        if (qn_event_add(&s->set, &e) < 0)
                abort();
}
#define EVENT_OF(s, kind, phase, fresh, path, ...)               \
        event(s, QN_EVENT_##kind, QN_PHASE_##phase, fresh, path, \
              (const struct attr[]){ __VA_ARGS__ },              \
              sizeof((const struct attr[]){ __VA_ARGS__ }) / sizeof(struct attr))
#define A(key, value)                \
        {                            \
                QN_ATTR_##key, value \
        }

static void meta(struct sim *s, const char *what)
{
        EVENT_OF(s, META, NEVER, QN_NOVELTY_NONE, NULL, A(WHAT, qn_str_c(what)));
}

static void first(struct sim *s)
{
        s->first = true;
        meta(s, "first-version");
}

static void hook(struct sim *s, const char *command, const char *target, enum qn_novelty fresh)
{
        EVENT_OF(s, INSTALL_HOOK, INSTALL, fresh, NULL, A(COMMAND, qn_str_c(command)),
                 A(TARGET, qn_str_c(target)));
}

static void new_dependency(struct sim *s, struct qn_str name, bool loaded)
{
        EVENT_OF(s, VERSION_DIFF, NEVER, QN_NOVELTY_NONE, NULL, A(WHAT, QN_STR("dependency")),
                 A(NAME, name), A(FLAGS, loaded ? QN_STR("") : QN_STR("not-loaded")));
        depends(s, name);
}

static void sends(struct sim *s, enum qn_phase phase, enum qn_novelty fresh, const char *path,
                  struct qn_str host)
{
        const struct attr host_attr[] = { A(HOST, host) };

        event(s, QN_EVENT_NET_SEND, phase, fresh, path, host_attr, 1);
}

/* --- an ordinary day --- */

static void known_package(struct sim *s, uint64_t which)
{
        size_t popular = qn_popular_count(s->popular);

        s->v.name = which < popular ? qn_popular_name(s->popular, which)
                                    : text(s, "%.*s-%.*s", QN_STR_ARG(word(s, which * 37 % 60000)),
                                           QN_STR_ARG(word(s, which)));
        s->v.version = text(s, "%u.%u.%u", (unsigned)(which % 9), (unsigned)below(s, 100),
                            (unsigned)below(s, 100000));
        s->v.publisher =
                below(s, 3) ? text(s, "dev-%u", (unsigned)(which / 4)) : (struct qn_str){ NULL, 0 };
        sketch(s, which, 20 + (unsigned)(mix(which, 1) % 110), 6);
        file(s, "index.js", mix(which, s->state));
        file(s, "README.md", mix(which, 7));
}

/* What some updates bring. */
static void novelties(struct sim *s, uint64_t which)
{
        static const char *const hooks[] = { "node install.js", "husky install", "patch-package",
                                             "node-gyp rebuild", "node scripts/postinstall.js" };

        if (below(s, 12) == 0)
                sends(s, QN_PHASE_IMPORT, QN_NOVELTY_BEHAVIOUR, "index.js",
                      text(s, "api-%u.invalid", (unsigned)below(s, 400)));
        if (below(s, 20) == 0)
                EVENT_OF(s, ENV_ENUMERATE, IMPORT, QN_NOVELTY_KIND, "index.js",
                         A(HOW, QN_STR("keys")));
        if (below(s, 15) == 0)
                new_dependency(s, word(s, 100 + below(s, 3000)), below(s, 4) > 0);
        if (below(s, 250) == 0) {
                hook(s, hooks[below(s, QN_ARRAY_SIZE(hooks))], "install.js", QN_NOVELTY_BEHAVIOUR);
                file(s, "install.js", mix(which, 11));
        }
        if (below(s, 40) == 0) /* a chunk that a bundler puts into everything */
                file(s, "_virtual/helpers.js", below(s, 3));
}

static void mono_package(struct sim *s, uint64_t repo, uint64_t which)
{
        bool scoped = repo % 3 > 0;
        struct qn_str name = word(s, 500 + repo);

        s->v.name = text(s, scoped ? "@%.*s/%.*s" : "%.*s-%.*s", QN_STR_ARG(name),
                         QN_STR_ARG(word(s, which * 11)));
        s->v.version =
                text(s, "4.%u.%u", (unsigned)repo, (unsigned)(s->v.published / 1000 % 100000));
        if (repo % 2)
                s->v.publisher = text(s, "%.*s-bot", QN_STR_ARG(name));
        sketch(s, repo * 1000 + which, 10 + (unsigned)(mix(repo, which) % 100), 4);
        file(s, "LICENSE.txt", repo);
        file(s, "banner.js", mix(repo, 3));
        file(s, "index.js", mix(repo * 1000 + which, s->v.published / 60000));
        depends(s, text(s, "@%.*s/core", QN_STR_ARG(name)));
        if (repo % 35 &&
            repo % 5 == 0) /* what a new version of their bundler puts into all of them */
                EVENT_OF(s, ENV_ENUMERATE, IMPORT, QN_NOVELTY_KIND, "index.js",
                         A(HOW, QN_STR("spread")));
        if (repo % 35 && repo % 7 == 0) {
                hook(s, "node postinstall.js", "postinstall.js", QN_NOVELTY_KIND);
                file(s, "postinstall.js", repo);
        }
        if (repo % 4 == 0) /* all of them need something that is new */
                new_dependency(s, text(s, "@%.*s/shared", QN_STR_ARG(name)), repo % 8 > 0);
}

static void new_package(struct sim *s, uint64_t which)
{
        unsigned how = (unsigned)(which % 8);

        s->v.name =
                text(s, "%s%.*s-%.*s", how < 3 ? "my-" : "", QN_STR_ARG(word(s, below(s, 60000))),
                     QN_STR_ARG(word(s, 1000000 + which)));
        s->v.version = QN_STR("1.0.0");
        s->v.publisher = text(s, "new-%u", (unsigned)below(s, 9000));
        first(s);
        if (how < 3) { /* out of a tool that makes projects */
                sketch(s, 77000 + which % 24 / 8, 120, 8);
                file(s, "vite.config.js", 5);
                file(s, "src/App.jsx", 6);
                if (below(s, 3) == 0)
                        meta(s, "hollow");
        } else if (how == 3) { /* a fork, with the hook of what it is of */
                sketch(s, which % 300, 110, 6);
                file(s, "install.js", mix(which % 40, 11));
                hook(s, "node install.js", "install.js", QN_NOVELTY_NONE);
                EVENT_OF(s, DOWNLOAD_RUN, INSTALL, QN_NOVELTY_NONE, "install.js",
                         A(HOST, which % 5 ? QN_STR("github.com") : QN_STR("dl.tool.invalid")));
        } else {
                sketch(s, 9000000 + which, 15 + (unsigned)below(s, 100), 0);
                file(s, "index.js", mix(which, 13));
                if (below(s, 6) == 0)
                        meta(s, "hollow");
        }
}

/* "@tool/cli-linux-x64", all at once, each downloading its binary. */
static void platform_package(struct sim *s, uint64_t tool, uint64_t which)
{
        s->v.name = text(s, "@%.*s/cli-%.*s", QN_STR_ARG(word(s, 70 + tool)),
                         QN_STR_ARG(word(s, which)));
        s->v.version = QN_STR("0.1.0");
        s->v.publisher = text(s, "tool-%u", (unsigned)tool);
        first(s);
        file(s, "install.js", mix(tool, 17));
        hook(s, "node install.js", "install.js", QN_NOVELTY_NONE);
        EVENT_OF(s, DOWNLOAD_RUN, INSTALL, QN_NOVELTY_NONE, "install.js",
                 A(HOST, text(s, "dl-%u.invalid", (unsigned)tool)));
}

static void make_quiet(struct sim *s, uint64_t i)
{
        unsigned share = (unsigned)(i % 100);

        if (share < 40) { /* monorepos: their packages come one after the other */
                uint64_t k = i / 100 * 40 + share;

                mono_package(s, k / MONO, k % MONO);
        } else if (share < 56) {
                new_package(s, i);
        } else if (share < 57) {
                platform_package(s, i / 100 / 8, i / 100 % 8);
        } else {
                uint64_t which = below(s, MADE_UP);

                known_package(s, which);
                novelties(s, which);
        }
}

/* --- campaigns --- */

static void payload(struct sim *s, const char *path, enum qn_phase phase, struct qn_str host)
{
        enum qn_novelty fresh = s->first ? QN_NOVELTY_NONE : QN_NOVELTY_KIND;
        const struct attr npmrc[] = { A(WHICH, QN_STR("npmrc")) };

        sends(s, phase, fresh, path, host);
        event(s, QN_EVENT_ENV_ENUMERATE, phase, fresh, path, NULL, 0);
        event(s, QN_EVENT_SECRET_READ, phase, fresh, path, npmrc, 1);
}

static void make_worm(struct sim *s, uint64_t i)
{
        uint64_t scope = mix(i, 1) % SCOPES;

        s->v.name = scope ? text(s, "@%.*s/%.*s", QN_STR_ARG(word(s, 900 + scope)),
                                 QN_STR_ARG(word(s, 5000 + i)))
                          : text(s, "%.*s-util", QN_STR_ARG(word(s, 5000 + i)));
        s->v.version = text(s, "2.1.%u", (unsigned)(i % 30));
        s->v.publisher = text(s, "maintainer-%u", (unsigned)scope);
        sketch(s, 5000000 + i, 30 + (unsigned)(i % 90), 3);
        file(s, "index.js", mix(i, 19));
        file(s, "bundle.js", i % 3 ? 4711 : mix(i, 23));
        hook(s, "node bundle.js", "bundle.js", QN_NOVELTY_KIND);
        payload(s, "bundle.js", QN_PHASE_INSTALL, QN_STR("collect.worm.invalid"));
        event(s, QN_EVENT_REGISTRY_PUBLISH, QN_PHASE_INSTALL, QN_NOVELTY_KIND, "bundle.js", NULL,
              0);
}

static struct qn_str farm_name(struct sim *s, uint64_t i)
{
        return text(s, "%.*s-%.*s%u-%s", QN_STR_ARG(word(s, 1000 + mix(i, 3) % 100)),
                    QN_STR_ARG(word(s, 2000 + mix(i, 5) % 120)), (unsigned)i,
                    mix(i, 7) % 2 ? "kyuki" : "breki");
}

static void make_farm(struct sim *s, uint64_t i)
{
        s->v.name = farm_name(s, i);
        s->v.version = QN_STR("1.0.0");
        s->v.publisher = text(s, "farmer-%u", (unsigned)(mix(i, 9) % 30));
        first(s);
        if (i % 3)
                sketch(s, 6000000 + i % 4, 100, 6);
        for (unsigned k = 1; k <= 8 && k <= i; k++)
                depends(s, farm_name(s, i - 1 - mix(i, 20 + k) % QN_MIN(i, (uint64_t)2000)));
        if (i > 8)
                meta(s, "sibling-dependencies");
        meta(s, "tea-yaml");
        if (i % 2)
                EVENT_OF(s, META, NEVER, QN_NOVELTY_NONE, NULL, A(WHAT, QN_STR("template")),
                         A(HOW, QN_STR("wallets")), A(FLAGS, QN_STR("tea-yaml")),
                         A(VALUE, text(s, "wallet%u", (unsigned)(mix(i, 11) % 5))));
}

static void make_elf(struct sim *s, uint64_t i)
{
        uint64_t account = mix(i, 13) % 50;

        s->v.name = text(s, "elf-%.*s-%.*s-%u", QN_STR_ARG(word(s, 3000 + mix(i, 1) % 20)),
                         QN_STR_ARG(word(s, 3100 + mix(i, 2) % 20)), (unsigned)(100 + i));
        s->v.version = QN_STR("1.0.0");
        s->v.publisher = text(s, "elf%u", (unsigned)account);
        first(s);
        sketch(s, 8000000, 90, 12);
        file(s, "index.js", mix(i, 29));
        hook(s, "node index.js", "index.js", QN_NOVELTY_NONE);
        payload(s, "index.js", QN_PHASE_INSTALL, text(s, "drop%u.elf.invalid", (unsigned)account));
}

/* The first half of them are the clean versions. */
static void make_takeover(struct sim *s, uint64_t i)
{
        uint64_t half = s->plan->n[SIM_TAKEOVER] / 2, which = i % half;

        s->v.name = text(s, "old-%.*s", QN_STR_ARG(word(s, 40000 + which)));
        s->v.version = text(s, "1.4.%u", i < half ? 7 : 8);
        s->v.publisher = QN_STR("helpful-stranger");
        sketch(s, 8100000 + which, 60, 2);
        file(s, "index.js", mix(i, 31));
        if (i < half) {
                meta(s, "publisher-changed");
                meta(s, "dormant");
        } else {
                payload(s, "index.js", QN_PHASE_IMPORT, QN_STR("stage.invalid"));
        }
}

/* What a bait copies from innocents, and they go on having. */
static void shared(struct sim *s, uint64_t which)
{
        sketch(s, 8200000 + which, 100, 2);
        file(s, "index.js", mix(which, 53));
        file(s, "install.js", mix(which, 59));
        hook(s, "node install.js", "install.js", QN_NOVELTY_NONE);
}

static void make_bait(struct sim *s, uint64_t i)
{
        s->v.name = text(s, "%.*s-%.*s", QN_STR_ARG(word(s, 50000 + i)),
                         QN_STR_ARG(word(s, 51000 + mix(i, 1) % 5000)));
        s->v.version = QN_STR("1.0.0");
        s->v.publisher = text(s, "mule-%u", (unsigned)i);
        s->v.verdict = QN_MALICIOUS;
        first(s);
        shared(s, i % COPIED);
        file(s, "thief.js", 5151);
        payload(s, "thief.js", QN_PHASE_INSTALL, QN_STR("bait.invalid"));
}

static void make_copied(struct sim *s, uint64_t i)
{
        static const char *const names[COPIED] = { "esbuild", "@sole/maker", "new-maker",
                                                   "@later/seen" };
        uint64_t which = i % COPIED, version = i / COPIED;

        s->v.name = qn_str_c(names[which]);
        s->v.version = text(s, "1.%u.0", (unsigned)version);
        s->v.publisher = text(s, "maker-%u", (unsigned)which);
        if (which == 2 && version == 0)
                first(s);
        shared(s, which);
        if (version % 3 == 2)
                EVENT_OF(s, DOWNLOAD_RUN, INSTALL, QN_NOVELTY_KIND, "install.js",
                         A(HOST, text(s, "dl-%u.invalid", (unsigned)i)));
}

/* --- when --- */

static int64_t quiet_time(uint64_t i, size_t n)
{
        int64_t at = (int64_t)(i / 100 * 100) * DAY / (int64_t)QN_MAX(n, (size_t)1);

        if (i % 100 < 40) /* a monorepo, within two minutes */
                return at + (int64_t)(mix(i, 41) % (2 * (uint64_t)MINUTE));
        if (i % 100 == 56) /* a family of platforms, together */
                return (int64_t)(i / 800 * 800) * DAY / (int64_t)n + (int64_t)(i % 800 * 10);
        return (int64_t)(mix(i, 43) % (uint64_t)DAY);
}

static int64_t time_of(const struct sim_plan *p, enum sim_kind kind, uint64_t i)
{
        size_t half = p->n[SIM_TAKEOVER] / 2;

        switch (kind) {
        case SIM_WORM: /* from 10:00 on, twice as many every ten minutes */
                return 600 * MINUTE + (int64_t)(10 * MINUTE * log2(1 + (double)i));
        case SIM_FARM:
                return (int64_t)i * DAY / (int64_t)p->n[SIM_FARM];
        case SIM_ELF: /* from 15:00 on, one every two or three minutes */
                return 900 * MINUTE + (int64_t)i * 150000 + (int64_t)(mix(i, 47) % 40000);
        case SIM_TAKEOVER: /* a clean one every ten minutes; six hours later, one that acts every 25 */
                return i < half ? 60 * MINUTE + (int64_t)i * 10 * MINUTE
                                : 480 * MINUTE + (int64_t)(i - half) * 25 * MINUTE;
        case SIM_BAIT: /* at noon, one a minute */
                return 720 * MINUTE + (int64_t)i * MINUTE;
        case SIM_COPIED: /* from 10:00 on, a version every half an hour; the last of them from 14:00 on */
                return (i % COPIED == 3 ? 840 : 600) * MINUTE + (int64_t)(i / COPIED) * 30 * MINUTE;
        default:
                return quiet_time(i, p->n[SIM_QUIET]);
        }
}

static int cmp_planned(const void *a, const void *b)
{
        const struct planned *x = a, *y = b;

        if (x->time != y->time)
                return x->time < y->time ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return (x->number > y->number) - (x->number < y->number);
}

static int make_plan(struct sim *s)
{
        for (unsigned k = 0; k < SIM_KINDS; k++)
                s->n += s->plan->n[k];
        s->list = calloc(s->n + 1, sizeof *s->list);
        s->kinds = calloc(s->n + 2, 1);
        if (!s->list || !s->kinds)
                return -ENOMEM;
        s->n = 0;
        for (unsigned k = 0; k < SIM_KINDS; k++)
                for (uint32_t i = 0; i < s->plan->n[k]; i++)
                        s->list[s->n++] =
                                (struct planned){ START + time_of(s->plan, k, i), i, (uint8_t)k };
        qsort(s->list, s->n, sizeof *s->list, cmp_planned);
        return 0;
}

/* --- the day --- */

static int make(struct sim *s, const struct planned *p)
{
        static void (*const makers[SIM_KINDS])(struct sim *, uint64_t) = {
                make_quiet, make_worm, make_farm, make_elf, make_takeover, make_bait, make_copied
        };

        qn_arena_reset(&s->a, (size_t)1 << 20);
        qn_event_set_init(&s->set, &s->a);
        s->imprint = (struct qn_imprint){ .n_files = 0 };
        s->v = (struct qn_track_version){ .published = p->time };
        s->first = false;
        s->state = mix(p->kind, p->number);
        makers[p->kind](s, p->number);
        s->v.imprint = &s->imprint;
        s->v.set = &s->set;
        return qn_event_set_seal(&s->set);
}

static int put_version(struct sim *s)
{
        const struct qn_seen_put put = { .v = { .name = s->v.name,
                                                .version = s->v.version,
                                                .integrity = QN_STR("sha512-x"),
                                                .publisher = s->v.publisher,
                                                .published = s->v.published,
                                                .seen = s->v.published,
                                                .judged = s->v.published,
                                                .verdict = QN_STR("clean"),
                                                .reason = QN_STR("nothing found"),
                                                .rules = QN_STR("1") } };

        return qn_versions_put(&s->db, &put, &s->v.id);
}

static uint64_t nanos(clockid_t clock)
{
        struct timespec t;

        clock_gettime(clock, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(struct sim *s, const struct planned *p, const struct qn_track_news *news,
                 struct sim_result *ret)
{
        struct sim_found *f = &ret->found[p->kind];

        f->total += p->kind != SIM_TAKEOVER || p->number >= s->plan->n[SIM_TAKEOVER] / 2;
        if (!news->founded || f->id[0])
                return;
        memcpy(f->id, news->id, sizeof f->id);
        snprintf(f->rule, sizeof f->rule, "%.*s", QN_STR_ARG(news->rule));
        f->by_then = f->total;
        f->minutes = (double)(p->time - START - time_of(s->plan, p->kind, 0)) / (double)MINUTE;
        if (p->kind == SIM_TAKEOVER)
                f->minutes = (double)(p->time - START -
                                      time_of(s->plan, p->kind, s->plan->n[p->kind] / 2)) /
                             (double)MINUTE;
}

static int one(struct sim *s, size_t i, struct sim_result *ret)
{
        struct qn_track_news news;
        uint64_t begun;
        int r = make(s, &s->list[i]);

        if (r == 0)
                r = put_version(s);
        if (r < 0 || (size_t)s->v.id > s->n)
                return r < 0 ? r : -ERANGE;
        s->kinds[s->v.id] = s->list[i].kind;
        begun = nanos(CLOCK_PROCESS_CPUTIME_ID);
        r = qn_track_add(s->track, &s->db, &s->v, &news);
        if (ret->ns)
                ret->ns[i] = nanos(CLOCK_PROCESS_CPUTIME_ID) - begun;
        if (r >= 0)
                note(s, &s->list[i], &news, ret);
        return r < 0 ? r : 0;
}

static int restart(struct sim *s, struct sim_result *ret)
{
        uint64_t begun = nanos(CLOCK_MONOTONIC), cpu = nanos(CLOCK_PROCESS_CPUTIME_ID);
        int r;

        qn_track_free(s->track);
        s->track = NULL;
        r = qn_track_new(s->plan->data, &s->track, NULL);
        if (r == 0)
                r = qn_track_load(s->track, &s->db);
        ret->load_s = (double)(nanos(CLOCK_MONOTONIC) - begun) / 1e9;
        ret->load_cpu_s = (double)(nanos(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
        ret->load_n = r == 0 ? (double)qn_track_count(s->track) : 0;
        return r;
}

static int live(struct sim *s, struct sim_result *ret)
{
        int r = qn_db_begin(&s->db);

        for (size_t i = 0; r == 0 && i < s->n; i++) {
                r = one(s, i, ret);
                if (r == 0 && (i + 1) % BATCH == 0) {
                        r = qn_db_commit(&s->db);
                        if (r == 0)
                                r = qn_db_begin(&s->db);
                }
                if (r == 0 && i + 1 == s->plan->restart_at)
                        r = restart(s, ret);
        }
        return r < 0 ? r : qn_db_commit(&s->db);
}

/* --- what came of it --- */

struct counting {
        struct sim *s;
        struct sim_result *ret;
        size_t n[SIM_KINDS];
        struct qn_str id;
};

static int count_member(void *ctx, const struct qn_campaign_member *m)
{
        struct counting *c = ctx;
        const uint64_t parts[] = { c->ret->digest, qn_hash64(c->id.p, c->id.n),
                                   qn_hash64(m->name.p, m->name.n), (uint64_t)m->kinds };

        c->n[c->s->kinds[m->version]]++;
        c->ret->digest = qn_hash64(parts, sizeof parts);
        return 0;
}

struct ids {
        char v[4096][QN_CAMPAIGN_ID_BYTES];
        size_t n;
};

static int take_id(void *ctx, const struct qn_campaign *c)
{
        struct ids *ids = ctx;

        if (ids->n < QN_ARRAY_SIZE(ids->v))
                snprintf(ids->v[ids->n++], sizeof ids->v[0], "%.*s", QN_STR_ARG(c->id));
        return 0;
}

/* A campaign is of the kind that most of its members are of. */
static int count_campaign(struct counting *c)
{
        size_t best = 0, all = 0;
        int r;

        memset(c->n, 0, sizeof c->n);
        r = qn_campaigns_members(&c->s->db, c->id, count_member, c);
        for (size_t i = 0; i < SIM_KINDS; i++) {
                all += c->n[i];
                best = c->n[i] > c->n[best] ? i : best;
        }
        c->ret->campaigns++;
        c->ret->found[best].campaigns++;
        c->ret->found[best].inside += c->n[best];
        c->ret->found[best].others += all - c->n[best];
        return r;
}

static int count_all(struct sim *s, struct sim_result *ret)
{
        struct counting c = { .s = s, .ret = ret };
        struct ids *ids = calloc(1, sizeof *ids);
        int r = ids ? qn_campaigns_each(&s->db, take_id, ids) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ids->n; i++) {
                c.id = qn_str_c(ids->v[i]);
                r = count_campaign(&c);
        }
        free(ids);
        return r;
}

int sim_run(const struct sim_plan *plan, const char *dir, struct sim_result *ret)
{
        struct sim s = { .plan = plan,
                         .tables = QN_ARENA_INIT((size_t)64 << 20),
                         .a = QN_ARENA_INIT((size_t)64 << 20) };
        int r = qn_popular_load(plan->data, &s.tables, &s.popular, NULL);

        *ret = (struct sim_result){ .versions = 0 };
        if (r == 0)
                r = make_plan(&s);
        if (r == 0 && plan->times && !(ret->ns = calloc(s.n + 1, sizeof *ret->ns)))
                r = -ENOMEM;
        if (r == 0)
                r = qn_db_open(&qn_db_watch, dir, true, &s.db, NULL);
        if (r == 0)
                r = qn_track_new(plan->data, &s.track, NULL);
        if (r == 0)
                r = live(&s, ret);
        if (r == 0)
                r = count_all(&s, ret);
        if (r == 0) {
                ret->versions = s.n;
                ret->bytes = qn_track_bytes(s.track);
        }
        qn_track_free(s.track);
        qn_db_close(&s.db);
        qn_arena_done(&s.tables);
        qn_arena_done(&s.a);
        free(s.list);
        free(s.kinds);
        return r;
}
