/* trace.c - features and signs of a version, and their bytes:
 *   u8 form, u64 package, owner, scope, u32 time, u32 signs, u64 times 16 of the sketch, u8 features; for each u8 kind, u64 key,
 *   u8 length and bytes of its text */
#include "campaign/trace.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "campaign/marks.h"
#include "observe/imprint.h"
#include "observe/popular.h"

#define FORM      1u
#define TEXT_MAX  100u /* bytes of a text that is kept */
#define DEEDS_MAX 32u
#define DEEDS_MIN \
        2u /* of an update: what makes it like another one; a new package must do one more */
#define AUTO                                                                      \
        (1u << QN_PHASE_INSTALL | 1u << QN_PHASE_EDITOR | 1u << QN_PHASE_IMPORT | \
         1u << QN_PHASE_BROWSER)
#define AT_ONCE (1u << QN_PHASE_INSTALL | 1u << QN_PHASE_EDITOR)

struct maker {
        const struct qn_campaign_rules *rules;
        const struct qn_event_set *set;
        const struct qn_imprint *imprint;
        struct qn_trace *t;
        uint64_t payload[QN_IMPRINT_FILES_MAX]; /* paths of files that run unasked */
        size_t n_payload;
        uint64_t deeds[DEEDS_MAX];
        size_t n_deeds, n_at_once;
        bool fresh[QN_CLUSTER_FEATURES_MAX]; /* features that came with this version */
        struct qn_buf told;                  /* the deeds, in words */
        bool first;
};

static uint64_t hash_of(struct qn_str s)
{
        return qn_hash64(s.p, s.n);
}

static void sign(struct maker *m, enum qn_sign s, bool on)
{
        m->t->signs |= (uint32_t)on << s;
}

static void has_since(struct maker *m, struct qn_feature f, struct qn_str text, bool fresh)
{
        struct qn_trace *t = m->t;

        for (size_t i = 0; i < t->n; i++)
                if (t->features[i].kind == f.kind && t->features[i].key == f.key) {
                        m->fresh[i] |= fresh;
                        return;
                }
        if (t->n == QN_CLUSTER_FEATURES_MAX)
                return;
        m->fresh[t->n] = fresh;
        t->features[t->n] = f;
        t->texts[t->n++] = qn_str_take(text, text.p ? TEXT_MAX : 0);
}

static void has(struct maker *m, enum qn_feature_kind kind, uint64_t key, struct qn_str text)
{
        has_since(m, (struct qn_feature){ kind, key }, text, true);
}

static bool is_fresh(const struct maker *m, const struct qn_event *e)
{
        return m->first || e->fresh >= QN_NOVELTY_BEHAVIOUR;
}

/* --- deeds --- */

/* What makes two deeds the same, wherever they stand. */
static uint64_t deed_key(const struct qn_event *e)
{
        static const enum qn_attr same[] = { QN_ATTR_NAME,  QN_ATTR_COMMAND, QN_ATTR_PROGRAM,
                                             QN_ATTR_HOST,  QN_ATTR_URL,     QN_ATTR_WHAT,
                                             QN_ATTR_WHICH, QN_ATTR_HOW };
        uint64_t h = e->kind;

        for (size_t i = 0; i < QN_ARRAY_SIZE(same); i++) {
                uint64_t pair[2] = { h, hash_of(qn_event_get(e, same[i])) };

                h = qn_hash64(pair, sizeof pair);
        }
        return h;
}

static bool is_literal(const struct qn_event *e)
{
        struct qn_str how = qn_event_get(e, QN_ATTR_HOW);

        return qn_str_is(how, "literal") || qn_str_is(how, "exists");
}

static bool is_deed(const struct maker *m, const struct qn_event *e)
{
        struct qn_str host = qn_event_get(e, QN_ATTR_HOST);

        if (!qn_campaign_is_deed(m->rules, e->kind) || is_literal(e) ||
            (host.n && qn_campaign_is_common_host(m->rules, host)))
                return false;
        return m->first ? AT_ONCE >> e->phase & 1
                        : (AUTO >> e->phase & 1) && e->fresh >= QN_NOVELTY_BEHAVIOUR;
}

static void take_host(struct maker *m, const struct qn_event *e)
{
        struct qn_str host = qn_event_get(e, QN_ATTR_HOST);

        if (host.n && qn_campaign_is_by_host(m->rules, qn_event_get(e, QN_ATTR_CLASS)))
                has(m, QN_FEATURE_INDICATOR, hash_of(host), host);
}

static void take_deed(struct maker *m, const struct qn_event *e)
{
        uint64_t key = deed_key(e);

        take_host(m, e);
        for (size_t i = 0; i < m->n_deeds; i++)
                if (m->deeds[i] == key)
                        return;
        if (m->n_deeds == DEEDS_MAX)
                return;
        m->deeds[m->n_deeds++] = key;
        m->n_at_once += AT_ONCE >> e->phase & 1;
        qn_buf_printf(&m->told, "%s%s", m->told.n ? ", " : "", qn_event_name(e->kind));
}

/* All deeds together: those of a payload are the same wherever it was put.  One alone is what an installer does, or somebody who
 * wants to know who uses his package; but a new hook needs no more. */
static void finish_deeds(struct maker *m, struct qn_arena *a)
{
        uint64_t sum = m->n_deeds;

        sign(m, QN_SIGN_ACTS, m->n_deeds > 1 || (m->n_at_once && !m->first));
        sign(m, QN_SIGN_ADDS, m->n_deeds > 0 && !m->first);
        if (m->n_deeds < DEEDS_MIN + m->first)
                return;
        for (size_t i = 0; i < m->n_deeds; i++)
                sum += m->deeds[i];
        has(m, QN_FEATURE_ADDITION, sum, qn_arena_dup(a, qn_buf_view(&m->told)));
}

/* --- files --- */

static bool is_payload(const struct maker *m, uint64_t path)
{
        for (size_t i = 0; i < m->n_payload; i++)
                if (m->payload[i] == path)
                        return true;
        return false;
}

static void run_unasked(struct maker *m, struct qn_str path, bool fresh)
{
        uint64_t key = qn_imprint_path(path);

        if (!path.n || m->n_payload == QN_IMPRINT_FILES_MAX)
                return;
        for (size_t i = 0; m->imprint && i < m->imprint->n_files; i++) {
                if (m->imprint->files[i].path != key)
                        continue;
                if (!is_payload(m, key))
                        m->payload[m->n_payload++] = key;
                has_since(m,
                          (struct qn_feature){ QN_FEATURE_PAYLOAD, m->imprint->files[i].content },
                          path, fresh);
                return;
        }
}

static void take_files(struct maker *m)
{
        const struct qn_imprint *p = m->imprint;

        m->t->sketch = p->sketch;
        for (size_t i = 0; i < p->n_files; i++)
                if (!is_payload(m, p->files[i].path))
                        has(m, QN_FEATURE_FILE, p->files[i].content, (struct qn_str){ NULL, 0 });
        for (size_t i = 0; i < p->n_deps; i++)
                has(m, QN_FEATURE_DEPENDENCY, p->deps[i], (struct qn_str){ NULL, 0 });
}

/* --- events --- */

static const struct {
        const char *what;
        enum qn_sign sign;
} metas[] = {
        { "first-version", QN_SIGN_FIRST },
        { "publisher-changed", QN_SIGN_TAKEN },
        { "maintainers-replaced", QN_SIGN_TAKEN },
        { "maintainer-mail-changed", QN_SIGN_TAKEN },
        { "hollow", QN_SIGN_HOLLOW },
        { "boilerplate", QN_SIGN_HOLLOW },
        { "tea-yaml", QN_SIGN_PAID },
        { "sibling-dependencies", QN_SIGN_RING },
        { "self-dependency", QN_SIGN_RING },
        { "generated-name", QN_SIGN_NAMED },
        { "disposable-mail", QN_SIGN_THROWAWAY },
        { "account-series", QN_SIGN_THROWAWAY },
};

/* What stands for one maker wherever it stands: what analysts listed, and mailboxes at services that anybody may use.  The
 * address itself may be a secret, and is not kept. */
static void take_indicator(struct maker *m, const struct qn_event *e)
{
        struct qn_str which = qn_event_get(e, QN_ATTR_WHICH), url = qn_event_get(e, QN_ATTR_URL);

        if (e->kind == QN_EVENT_INDICATOR && which.n)
                has_since(m, (struct qn_feature){ QN_FEATURE_INDICATOR, hash_of(which) }, which,
                          is_fresh(m, e));
        if (url.n && qn_campaign_is_by_address(m->rules, qn_event_get(e, QN_ATTR_CLASS)))
                has_since(m, (struct qn_feature){ QN_FEATURE_INDICATOR, hash_of(url) },
                          qn_event_get(e, QN_ATTR_HOST), is_fresh(m, e));
}

static void take_event(struct maker *m, const struct qn_event *e)
{
        struct qn_str what = qn_event_get(e, QN_ATTR_WHAT);

        take_indicator(m, e);
        for (size_t i = 0; e->kind == QN_EVENT_META && i < QN_ARRAY_SIZE(metas); i++)
                if (qn_str_is(what, metas[i].what))
                        sign(m, metas[i].sign, true);
        if (e->kind == QN_EVENT_INSTALL_HOOK)
                run_unasked(m, qn_event_get(e, QN_ATTR_TARGET), is_fresh(m, e));
        else if (e->file < m->set->n_files && (AT_ONCE >> e->phase & 1))
                run_unasked(m, m->set->files[e->file], is_fresh(m, e));
        if (!is_deed(m, e))
                return;
        take_deed(m, e);
        if (e->file < m->set->n_files)
                run_unasked(m, m->set->files[e->file], true);
}

/* Of the file that a hook runs; 0: it runs none of the package, or it is not known. */
static uint64_t target_of(const struct maker *m, struct qn_str command)
{
        for (size_t i = 0; m->imprint && i < m->set->n; i++) {
                const struct qn_event *e = &m->set->events[i];
                struct qn_str target = qn_event_get(e, QN_ATTR_TARGET);

                if (e->kind != QN_EVENT_INSTALL_HOOK || !target.n ||
                    !qn_str_eq(qn_event_get(e, QN_ATTR_COMMAND), command))
                        continue;
                for (size_t k = 0; k < m->imprint->n_files; k++)
                        if (m->imprint->files[k].path == qn_imprint_path(target))
                                return m->imprint->files[k].content;
        }
        return 0;
}

/* Two buckets that overlap: what lies half a window apart meets in one of them.  "node install.js" is the same when what it
 * runs is. */
static void at_that_time(struct maker *m, const struct qn_mark *mark)
{
        uint32_t window = qn_campaign_window(m->rules);
        uint64_t target = mark->kind == QN_MARK_HOOK ? target_of(m, mark->text) : 0;

        for (unsigned half = 0; half < 2; half++) {
                uint64_t parts[] = { mark->kind, mark->key, target, half,
                                     ((uint64_t)m->t->time + half * window / 2) / window };

                has(m, QN_FEATURE_ADDITION, qn_hash64(parts, sizeof parts), mark->text);
        }
}

static int take_mark(void *ctx, const struct qn_mark *mark)
{
        struct maker *m = ctx;
        bool wallets = mark->kind == QN_MARK_TEMPLATE && qn_str_is(mark->text, "wallets");

        if (mark->kind == QN_MARK_TEMPLATE) {
                has_since(m,
                          (struct qn_feature){ wallets ? QN_FEATURE_INDICATOR : QN_FEATURE_TEXT,
                                               mark->key },
                          mark->text, m->first);
                return 0;
        }
        if (mark->kind == QN_MARK_HOOK)
                sign(m, QN_SIGN_HOOK, true);
        if (m->first)
                return 0;
        if (mark->kind == QN_MARK_DEPENDENCY) {
                if (!qn_str_is(mark->flags, "not-loaded"))
                        return 0;
                sign(m, QN_SIGN_LURE, true);
        }
        if (mark->kind == QN_MARK_PROGRAM)
                run_unasked(m, mark->text, true);
        sign(m, QN_SIGN_ADDS, true);
        at_that_time(m, mark);
        return 0;
}

/* An update that brings something is like others by that, not by what it had before: anybody may have copied that. */
static void leave_old(struct maker *m)
{
        struct qn_trace *t = m->t;
        size_t n = 0;

        if (m->first || !(t->signs >> QN_SIGN_ADDS & 1))
                return;
        for (size_t i = 0; i < t->n; i++) {
                bool sure = t->features[i].kind == QN_FEATURE_PAYLOAD ||
                            t->features[i].kind == QN_FEATURE_INDICATOR;

                if (sure && !m->fresh[i])
                        continue;
                t->features[n] = t->features[i];
                t->texts[n++] = t->texts[i];
        }
        t->n = n;
}

static void take_events(struct maker *m, struct qn_arena *a)
{
        for (size_t i = 0; i < m->set->n; i++)
                take_event(m, &m->set->events[i]);
        finish_deeds(m, a);
        (void)qn_marks_of(m->set, take_mark, m); /* it goes through all */
        leave_old(m);
}

int qn_trace_make(const struct qn_track_version *v, const struct qn_campaign_rules *rules,
                  const struct qn_popular *popular, struct qn_arena *a, struct qn_trace *ret)
{
        struct qn_str scope = qn_mark_scope(v->name);
        struct maker m = { .rules = rules,
                           .set = v->set,
                           .imprint = v->imprint,
                           .t = ret,
                           .told = QN_BUF_INIT(TEXT_MAX) };

        *ret = (struct qn_trace){ .package = hash_of(v->name) };
        ret->scope = scope.n ? hash_of(scope) : 0;
        ret->owner = v->publisher.n ? hash_of(v->publisher) : ret->scope;
        ret->time =
                v->published > 0 ? (uint32_t)QN_MIN(v->published / 1000, (int64_t)UINT32_MAX) : 0;
        m.first = v->set && qn_event_set_says(v->set, QN_EVENT_META, "first-version");
        sign(&m, QN_SIGN_POPULAR, qn_popular_rank(popular, v->name) != SIZE_MAX);
        sign(&m, QN_SIGN_SUSPECTED, v->verdict >= QN_SUSPICIOUS);
        sign(&m, QN_SIGN_CONDEMNED, v->verdict == QN_MALICIOUS);
        if (v->publisher.n)
                has(&m, QN_FEATURE_PUBLISHER, ret->owner, v->publisher);
        if (v->set)
                take_events(&m, a);
        if (v->imprint)
                take_files(&m);
        qn_buf_done(&m.told);
        return 0;
}

/* --- bytes --- */

static void put_u64(struct qn_buf *b, uint64_t v)
{
        qn_buf_add(b, &v, sizeof v);
}

int qn_trace_write(const struct qn_trace *t, struct qn_buf *out)
{
        qn_buf_byte(out, FORM);
        put_u64(out, t->package);
        put_u64(out, t->owner);
        put_u64(out, t->scope);
        qn_buf_add(out, &t->time, sizeof t->time);
        qn_buf_add(out, &t->signs, sizeof t->signs);
        for (unsigned i = 0; i < QN_SKETCH_BANDS; i++)
                put_u64(out, t->sketch.band[i]);
        qn_buf_byte(out, (char)t->n);
        for (size_t i = 0; i < t->n; i++) {
                qn_buf_byte(out, (char)t->features[i].kind);
                put_u64(out, t->features[i].key);
                qn_buf_byte(out, (char)t->texts[i].n);
                qn_buf_str(out, t->texts[i]);
        }
        return qn_buf_error(out);
}

static int read_feature(struct qn_cur *c, struct qn_trace *t)
{
        struct qn_cur text;
        uint8_t kind, n;

        if (qn_cur_u8(c, &kind) < 0 || kind >= QN_FEATURE_KINDS ||
            qn_cur_le64(c, &t->features[t->n].key) < 0 || qn_cur_u8(c, &n) < 0 || n > TEXT_MAX ||
            qn_cur_take(c, n, &text) < 0)
                return -EBADMSG;
        t->features[t->n].kind = kind;
        t->texts[t->n++] = n ? qn_cur_rest(&text) : (struct qn_str){ NULL, 0 };
        return 0;
}

int qn_trace_read(struct qn_cur in, struct qn_trace *ret)
{
        uint8_t form, n = 0;
        int r = 0;

        *ret = (struct qn_trace){ .n = 0 };
        if (qn_cur_u8(&in, &form) < 0 || form != FORM || qn_cur_le64(&in, &ret->package) < 0 ||
            qn_cur_le64(&in, &ret->owner) < 0 || qn_cur_le64(&in, &ret->scope) < 0 ||
            qn_cur_le32(&in, &ret->time) < 0 || qn_cur_le32(&in, &ret->signs) < 0)
                return -EBADMSG;
        for (unsigned i = 0; r == 0 && i < QN_SKETCH_BANDS; i++)
                r = qn_cur_le64(&in, &ret->sketch.band[i]);
        if (r == 0)
                r = qn_cur_u8(&in, &n);
        if (r == 0 && n > QN_CLUSTER_FEATURES_MAX)
                r = -EBADMSG;
        while (r == 0 && ret->n < n)
                r = read_feature(&in, ret);
        return r == 0 && qn_cur_left(&in) ? -EBADMSG : r;
}
