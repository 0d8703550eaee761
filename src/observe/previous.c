#include "observe/previous.h"

#include <errno.h>
#include <stdlib.h>

#include "observe/archive.h"
#include "observe/diff.h"
#include "observe/scan.h"
#include "parse/gz.h"

struct qn_previous {
        struct qn_gz *gz;
        struct qn_archive archive;
        struct qn_diff *diff;
};

int qn_previous_new(struct qn_previous **ret)
{
        struct qn_previous *p = calloc(1, sizeof *p);

        if (!p)
                return -ENOMEM;
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
        qn_diff_free(p->diff);
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

struct side {
        struct qn_diff *diff;
        enum qn_diff_side side;
};

static int note_file(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c)
{
        struct side *s = ctx;

        qn_diff_file(s->diff, s->side, e->path, e->size, qn_cur_rest(&c->data));
        return 0;
}

struct look {
        struct qn_previous *p;
        struct qn_scan *scan;
};

static int scan_file(void *ctx, const struct qn_tar_entry *e, const struct qn_content *c)
{
        struct look *l = ctx;
        const struct qn_scan_file f = {
                .path = e->path,
                .mode = e->mode,
                .size = e->size,
                .stays = !l->p->archive.streaming,
                .data = c->data,
                .tail = c->tail,
        };

        if (!qn_str_is(e->path, "package.json") &&
            !qn_diff_differs(l->p->diff, QN_DIFF_BEFORE, qn_cur_rest(&c->data)))
                return 0;
        return qn_scan_file(l->scan, &f);
}

static int scan_previous(struct qn_previous *p, struct qn_scan *scan, struct qn_err *err)
{
        const struct qn_event_set *set;
        struct look l = { p, scan };
        int r;

        qn_scan_begin(scan);
        qn_scan_compare(scan, p->diff);
        r = each_file(&p->archive, scan_file, &l, err);
        if (r < 0)
                return r;
        (void)qn_scan_pending(scan); /* files that would be wanted are left out */
        qn_scan_deepen(scan);
        return qn_scan_finish(scan, (struct qn_str){ 0 }, &set);
}

int qn_previous_look(struct qn_previous *p, struct qn_scan *scan, struct qn_archive *now,
                     struct qn_cur previous, struct qn_diff **ret, struct qn_err *err)
{
        struct side before = { p->diff, QN_DIFF_BEFORE }, after = { p->diff, QN_DIFF_NOW };
        int r;

        qn_diff_begin(p->diff);
        r = qn_archive_open(&p->archive, p->gz, previous);
        if (r == 0)
                r = each_file(&p->archive, note_file, &before, err);
        if (r == 0 && each_file(now, note_file, &after, NULL) == -ENOMEM) /* damage shows later */
                r = -ENOMEM;
        if (r == 0)
                r = scan_previous(p, scan, err);
        qn_archive_close(&p->archive);
        qn_diff_compare(p->diff);
        *ret = p->diff;
        return r;
}
