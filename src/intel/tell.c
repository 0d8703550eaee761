#include "intel/tell.h"

#include <errno.h>
#include <stdlib.h>

#include "event/event.h"
#include "intel/record.h"
#include "intel/trust.h"
#include "observe/classify.h"
#include "parse/indicator.h"

struct qn_tell {
        struct qn_intel *index;
        struct qn_intel_trust *trust;
        struct qn_arena tables, tmp; /* tmp: of one question */
        int64_t now_ms;
};

int qn_tell_open(const char *state_dir, const char *data_dir, struct qn_tell **ret,
                 struct qn_err *reterr)
{
        _cleanup_(qn_tell_freep) struct qn_tell *t = calloc(1, sizeof *t);
        char dir[4096];
        int r;

        if (!t)
                return -ENOMEM;
        t->tables = QN_ARENA_INIT((size_t)64 << 20);
        t->tmp = QN_ARENA_INIT((size_t)256 << 20);
        snprintf(dir, sizeof dir, "%s/intel", state_dir);
        r = qn_intel_open(dir, &t->index, reterr);
        if (r == 0)
                r = qn_intel_trust_load(data_dir, &t->tables, &t->trust, reterr);
        if (r == 0)
                *ret = TAKE_PTR(t);
        return r;
}

int qn_tell_again(struct qn_tell **t, const char *data_dir, struct qn_err *reterr)
{
        struct qn_arena tables = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_intel_trust *trust;
        int r = qn_intel_trust_load(data_dir, &tables, &trust, reterr);

        if (r == 0)
                r = qn_intel_again(&(*t)->index, reterr);
        if (r < 0) {
                qn_arena_done(&tables);
                if (!(*t)->index)
                        *t = qn_tell_free(*t);
                return r;
        }
        qn_arena_done(&(*t)->tables);
        (*t)->tables = tables;
        (*t)->trust = trust;
        return 0;
}

struct qn_tell *qn_tell_free(struct qn_tell *t)
{
        if (!t)
                return NULL;
        qn_intel_close(t->index);
        qn_arena_done(&t->tables);
        qn_arena_done(&t->tmp);
        free(t);
        return NULL;
}

void qn_tell_freep(struct qn_tell **t)
{
        *t = qn_tell_free(*t);
}

void qn_tell_at(struct qn_tell *t, int64_t now_ms)
{
        t->now_ms = now_ms;
}

struct qn_intel *qn_tell_index(struct qn_tell *t)
{
        return t->index;
}

struct qn_intel_trust *qn_tell_trust(struct qn_tell *t)
{
        return t->trust;
}

/* --- what is known about the version --- */

static struct qn_str join(struct qn_arena *a, const struct qn_str *list, size_t n)
{
        struct qn_buf b = QN_BUF_INIT(1024);
        struct qn_str s;

        for (size_t i = 0; i < n; i++)
                qn_buf_printf(&b, "%s%.*s", i ? ", " : "", QN_STR_ARG(list[i]));
        s = qn_arena_dup(a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static int add_match(struct qn_tell *t, struct qn_event_set *set, const struct qn_intel_match *m)
{
        struct qn_event e = qn_event_make(QN_EVENT_INTEL_MATCH, QN_LAYER_INTEL, QN_FILE_NONE);

        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(qn_intel_kind_name(m->kind)));
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(qn_intel_sure_name(m->sure)));
        qn_event_attr(&e, QN_ATTR_WHICH, m->id);
        qn_event_attr(&e, QN_ATTR_NAME, join(&t->tmp, m->origins, m->n_origins));
        qn_event_attr(&e, QN_ATTR_VALUE, m->severity);
        qn_event_attr(&e, QN_ATTR_DETAIL, m->why);
        return qn_event_add(set, &e);
}

static int add_matches(struct qn_tell *t, const struct qn_told *told, struct qn_event_set *set)
{
        const struct qn_intel_question q = { .name = told->name,
                                             .version = told->version,
                                             .whole = !told->version.n,
                                             .integrity = told->integrity,
                                             .now_ms = t->now_ms };
        struct qn_intel_answer ans;
        int r;

        if (!told->name.n || told->unnamed)
                return 0;
        r = qn_intel_match(t->index, t->trust, &q, &t->tmp, &ans);
        for (size_t i = 0; r == 0 && i < ans.n; i++)
                r = add_match(t, set, &ans.matches[i]);
        return r;
}

/* --- hosts, addresses and hashes that the events name --- */

struct finder {
        struct qn_tell *t;
        const struct qn_event_set *from;
        struct qn_event_set *to;
        const struct qn_event *base;
        enum qn_indicator_kind kind;
        struct qn_str value;
};

/* Files that packages share: that one of them lay in a bad package says nothing. */
static bool is_noise(struct qn_str note)
{
        static const char *const names[] = { "package.json", "readme", "license", "licence",
                                             "changelog",    ".d.ts",  ".md",     ".map" };
        struct qn_str base = qn_str_base(note);

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_ieq(qn_str_take(base, strlen(names[i])), qn_str_c(names[i])) ||
                    qn_str_ends(base, names[i]))
                        return true;
        return false;
}

static bool counts(const struct finder *f, const struct qn_osv *osv)
{
        if (osv->withdrawn.n || !osv->malware)
                return false;
        if ((f->kind == QN_IOC_DOMAIN || f->kind == QN_IOC_IP) &&
            (qn_intel_is_shared_host(f->t->trust, f->value) ||
             qn_str_is(qn_classify_ip(f->value), "private")))
                return false;
        for (size_t i = 0; i < osv->n_indicators; i++)
                if (osv->indicators[i].kind == f->kind &&
                    qn_str_eq(qn_indicator_key(f->kind, osv->indicators[i].value),
                              qn_indicator_key(f->kind, f->value)))
                        return !is_noise(osv->indicators[i].note);
        return false;
}

/* The event that names it; what only stands there is a literal, and what has the hash a file. */
static const char *how_of(const struct finder *f)
{
        if (f->kind == QN_IOC_SHA256 || f->kind == QN_IOC_SHA1 || f->kind == QN_IOC_SHA512)
                return "file";
        if (f->base->kind == QN_EVENT_INTEL_MATCH || f->base->kind == QN_EVENT_URL_LITERAL)
                return "literal";
        return qn_event_name(f->base->kind);
}

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct finder *f = ctx;
        struct qn_event e = qn_event_make(QN_EVENT_INTEL_MATCH, QN_LAYER_INTEL, QN_FILE_NONE);
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &f->t->tmp, &osv);

        if (r == 0)
                r = qn_intel_complete(f->t->index, rec, &f->t->tmp, osv);
        if (r < 0 || !counts(f, osv))
                return r;
        if (f->base->file < f->from->n_files)
                e.file = qn_event_set_file(f->to, f->from->files[f->base->file]);
        e.phase = f->base->phase;
        e.off = f->base->off;
        e.line = f->base->line;
        e.column = f->base->column;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("indicator"));
        qn_event_attr(&e, QN_ATTR_CLASS, qn_str_c(qn_indicator_name(f->kind)));
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how_of(f)));
        qn_event_attr(&e, QN_ATTR_WHICH, osv->id);
        qn_event_attr(&e, QN_ATTR_VALUE, f->value);
        qn_event_attr(&e, QN_ATTR_FLAGS, osv->n_affected ? QN_STR("evidence") : QN_STR("listed"));
        r = qn_event_add(f->to, &e);
        return r < 0 ? r : 1; /* one record is enough */
}

static int ask(struct finder *f, enum qn_indicator_kind kind, struct qn_str value)
{
        int r;

        f->kind = kind;
        f->value = value;
        r = qn_intel_by_indicator(f->t->index, kind, value, on_record, f);
        return r == -ENOENT ? 0 : r;
}

/* The host or a domain above it, down to two labels. */
static int ask_host(struct finder *f, struct qn_str host)
{
        int r = ask(f, QN_IOC_IP, host);

        while (r == 0 && memchr(host.p, '.', host.n)) {
                r = ask(f, QN_IOC_DOMAIN, host);
                (void)qn_str_cut(&host, '.');
        }
        return r;
}

static int ask_value(struct finder *f, struct qn_str kind, struct qn_str value)
{
        for (unsigned i = 0; i < QN_IOC_MAX; i++)
                if (qn_str_is(kind, qn_indicator_name(i)))
                        return ask(f, i, value);
        return 0;
}

static int look_at(struct finder *f, const struct qn_event *e)
{
        struct qn_str host = qn_event_get(e, QN_ATTR_HOST), url = qn_event_get(e, QN_ATTR_URL);
        int r = 0;

        f->base = e;
        if (e->kind == QN_EVENT_INTEL_MATCH && e->layer != QN_LAYER_INTEL)
                r = ask_value(f, qn_event_get(e, QN_ATTR_CLASS), qn_event_get(e, QN_ATTR_VALUE));
        if (r == 0 && url.n)
                r = ask(f, QN_IOC_URL, url);
        return r == 0 && host.n ? ask_host(f, host) : r;
}

static int add_indicators(struct qn_tell *t, const struct qn_event_set *from,
                          struct qn_event_set *to)
{
        struct finder f = { .t = t, .from = from, .to = to };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n; i++)
                r = look_at(&f, &from->events[i]);
        return r < 0 ? r : 0;
}

int qn_tell_events(struct qn_tell *t, const struct qn_told *told, const struct qn_event_set *seen,
                   struct qn_arena *a, struct qn_event_set *ret)
{
        int r;

        qn_event_set_init(ret, a);
        ret->name = told->name;
        ret->version = told->version;
        ret->integrity = told->integrity;
        r = add_matches(t, told, ret);
        if (r == 0 && seen)
                r = add_indicators(t, seen, ret);
        qn_arena_reset(&t->tmp, 1 << 20);
        return r < 0 ? r : qn_event_set_seal(ret);
}
