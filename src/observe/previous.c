#include "observe/previous.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "observe/archive.h"
#include "observe/diff.h"
#include "observe/scan.h"
#include "parse/gz.h"

#define TEXTS_KEEP ((size_t)1 << 20) /* memory kept from one pair to the next */

struct qn_previous {
        struct qn_gz *gz;
        const struct qn_observers *observers;
        struct qn_scan *scan; /* made when something must be observed */
        struct qn_archive archive;
        struct qn_diff *diff;
        struct qn_arena texts; /* of programs, when the archive streams */
        bool texts_full;
};

int qn_previous_new(const struct qn_observers *o, struct qn_previous **ret)
{
        struct qn_previous *p = calloc(1, sizeof *p);

        if (!p)
                return -ENOMEM;
        p->observers = o;
        p->texts = QN_ARENA_INIT(QN_PREVIOUS_TEXTS_MAX);
        p->gz = qn_gz_new();
        if (!p->gz || qn_diff_new(&p->diff) < 0) {
                qn_previous_free(p);
                return -ENOMEM;
        }
        *ret = p;
        return 0;
}

struct qn_previous *qn_previous_free(struct qn_previous *p)
{
        if (!p)
                return NULL;
        qn_archive_done(&p->archive);
        qn_gz_free(p->gz);
        qn_arena_done(&p->texts);
        qn_diff_free(p->diff);
        qn_scan_free(p->scan);
        free(p);
        return NULL;
}

/* Calls fn for each file of an archive, as often as it goes on with 0. */
static int each_file(struct qn_archive *a,
                     int (*fn)(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c),
                     void *ctx, struct qn_err *err)
{
        struct qn_tar_entry e;
        struct qn_content c;
        int r = qn_archive_rewind(a);

        while (r == 0 && (r = qn_archive_next(a, &e, err)) == 1) {
                r = 0;
                if (e.type != QN_TAR_FILE)
                        continue;
                r = qn_archive_content(a, &e, &c, err);
                if (r == 0)
                        r = fn(ctx, &e, &c);
        }
        return r;
}

struct look {
        struct qn_previous *p;
        struct qn_scan *scan;
};

static struct qn_scan_file scan_file(const struct look *l, const struct qn_tar_entry *e,
                                     const struct qn_content *c)
{
        return (struct qn_scan_file){
                .path = e->path,
                .mode = e->mode,
                .size = e->size,
                .stays = !l->p->archive.streaming,
                .data = c->data,
                .tail = c->tail,
        };
}

/* A text that would not stay is copied. */
static void keep_program(struct qn_previous *p, struct qn_str path, struct qn_str text)
{
        if (p->archive.streaming)
                text = qn_arena_dup(&p->texts, text);
        if (text.p)
                qn_diff_program_before(p->diff, path, text);
        else
                p->texts_full = true;
}

static int note_file(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c)
{
        struct look *l = ctx;
        const struct qn_scan_file f = scan_file(l, e, c);
        struct qn_str text = qn_cur_rest(&c->data);

        qn_diff_before(l->p->diff, e->path, e->size, text);
        if (qn_str_is(e->path, "package.json"))
                qn_diff_manifest(l->p->diff, c->data);
        if (qn_scan_is_program(&f))
                keep_program(l->p, e->path, text);
        return 0;
}

static bool matters(const struct look *l, const struct qn_tar_entry *e, const struct qn_content *c)
{
        return qn_str_is(e->path, "package.json") ||
               qn_diff_differs(l->p->diff, qn_cur_rest(&c->data));
}

static int learn_file(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c)
{
        struct look *l = ctx;
        const struct qn_scan_file f = scan_file(l, e, c);

        if (qn_scan_is_program(&f) && qn_diff_differs(l->p->diff, qn_cur_rest(&c->data)))
                qn_scan_learn(l->scan, e->path, qn_cur_rest(&c->data));
        return 0;
}

static int observe_file(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c)
{
        struct look *l = ctx;
        const struct qn_scan_file f = scan_file(l, e, c);

        return matters(l, e, c) ? qn_scan_file(l->scan, &f) : 0;
}

int qn_previous_open(struct qn_previous *p, struct qn_cur previous, struct qn_diff **ret,
                     struct qn_err *err)
{
        struct look look = { .p = p };
        int r;

        qn_diff_begin(p->diff);
        p->texts_full = false;
        r = qn_archive_open(&p->archive, p->gz, previous);
        if (r == 0)
                r = each_file(&p->archive, note_file, &look, err);
        qn_diff_step(p->diff, QN_DIFF_PACKAGE);
        *ret = p->diff;
        return r;
}

static int learn_all(struct qn_previous *p, struct qn_scan *scan)
{
        struct look look = { p, scan };
        struct qn_str path, text;
        size_t at = 0;

        if (p->texts_full)
                return each_file(&p->archive, learn_file, &look, NULL);
        while (qn_diff_next_program(p->diff, &at, &path, &text))
                qn_scan_learn(scan, path, text);
        return 0;
}

int qn_previous_learn(struct qn_previous *p, struct qn_scan *scan)
{
        int r;

        qn_diff_walked(p->diff);
        qn_diff_step(p->diff, QN_DIFF_LEARN);
        do {
                r = learn_all(p, scan);
        } while (r != -ENOMEM && qn_diff_must_learn_all(p->diff));
        qn_diff_step(p->diff, QN_DIFF_PACKAGE);
        qn_diff_learnt(p->diff, scan);
        return r == -ENOMEM ? r : 0; /* it was read whole before */
}

int qn_previous_observe(struct qn_previous *p, const struct qn_scan *scan)
{
        const struct qn_event_set *set;
        struct look look = { .p = p };
        int r = 0;

        if (!qn_diff_wants_events(p->diff, scan))
                return 0;
        if (!p->scan)
                r = qn_scan_new(p->observers, &p->scan);
        if (r < 0)
                return r;
        look.scan = p->scan;
        qn_scan_begin(p->scan);
        qn_scan_compare(p->scan, p->diff);
        qn_diff_step(p->diff, QN_DIFF_EVENTS);
        r = each_file(&p->archive, observe_file, &look, NULL);
        if (r != -ENOMEM) {                     /* it was read whole before */
                (void)qn_scan_pending(p->scan); /* files that would be wanted are left out */
                qn_diff_take(p->diff, p->scan);
                if (qn_diff_wants_events(p->diff, scan))
                        qn_scan_deepen(p->scan);
                r = qn_scan_finish(p->scan, (struct qn_str){ 0 }, &set);
        }
        qn_diff_step(p->diff, QN_DIFF_PACKAGE);
        return r;
}

void qn_previous_close(struct qn_previous *p)
{
        if (!p)
                return;
        qn_archive_close(&p->archive);
        qn_arena_reset(&p->texts, TEXTS_KEEP);
}
