/* cmd-events.c - prints what the observers saw in one package: a tarball or a directory. */
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "check/pack-dir.h"
#include "cli/args.h"
#include "cli/documents.h"
#include "cli/verbs.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/scan.h"

struct inputs {
        struct qn_buf target, previous, packument;
};

static void inputs_done(struct inputs *in)
{
        qn_buf_done(&in->target);
        qn_buf_done(&in->previous);
        qn_buf_done(&in->packument);
}

static int read_named(const char *path, int (*read)(const char *path, struct qn_buf *ret),
                      struct qn_buf *ret)
{
        int r = path ? read(path, ret) : 0;

        return r < 0 ? log_err(r, "%s: %s", path, strerror(-r)) : 0;
}

/* The target, and what is given beside it. */
static int observe(const struct qn_args *a, struct qn_analyser *an, struct inputs *from,
                   const struct qn_event_set **ret)
{
        struct qn_analyse_in in = { 0 };
        int r;

        if ((r = read_named(a->argv[0], qn_pack_read, &from->target)) < 0 ||
            (r = read_named(qn_args_get(a, "previous"), qn_pack_read, &from->previous)) < 0 ||
            (r = read_named(qn_args_get(a, "packument"), qn_io_read, &from->packument)) < 0)
                return r;
        in.archive = qn_cur_mem(from->target.p, from->target.n);
        in.previous = qn_cur_mem(from->previous.p, from->previous.n);
        in.packument = qn_cur_mem(from->packument.p, from->packument.n);
        r = qn_analyse(an, &in, ret);
        return r < 0 ? log_err(r, "%s: %s", a->argv[0], strerror(-r)) : 0;
}

static void print_attr(struct qn_buf *out, const struct qn_event *e)
{
        for (size_t i = 0; i < qn_event_n_identity(e); i++) {
                qn_buf_printf(out, "  %s=", qn_attr_name(e->keys[i]));
                for (size_t k = 0; k < e->values[i].n;
                     k++) /* nothing of a package reaches the terminal as it is */
                        qn_buf_byte(out, e->values[i].p[k] < ' ' || e->values[i].p[k] == 127
                                                 ? '?'
                                                 : e->values[i].p[k]);
        }
}

static void print_text(struct qn_buf *out, const struct qn_event_set *set)
{
        qn_buf_printf(out, "%.*s@%.*s: %zu events\n", QN_STR_ARG(set->name),
                      QN_STR_ARG(set->version), set->n);
        for (size_t i = 0; i < set->n; i++) {
                const struct qn_event *e = &set->events[i];

                qn_buf_printf(out, "%-8s %-18s", qn_phase_name(e->phase), qn_event_name(e->kind));
                if (e->file != QN_FILE_NONE)
                        qn_buf_printf(out, " %.*s:%u:%u", QN_STR_ARG(set->files[e->file]), e->line,
                                      e->column);
                print_attr(out, e);
                if (e->fresh)
                        qn_buf_printf(out, "  new=%s", qn_novelty_name(e->fresh));
                for (unsigned l = 0; l < QN_LABEL_MAX; l++)
                        if (e->labels >> l & 1)
                                qn_buf_printf(out, "  +%s", qn_label_name(l));
                qn_buf_byte(out, '\n');
        }
}

/* What the registry's documents tell beside it, when some were given. */
static int add_documents(const struct qn_args *a, struct qn_arena *arena,
                         const struct qn_event_set **set)
{
        _cleanup_(qn_provenance_freep) struct qn_provenance *p = NULL;
        int fds[QN_DOC_MAX], r = qn_documents_from_args(a, fds);
        struct qn_err err = { 0 };

        if (r == 0 && qn_documents_given(a)) {
                r = qn_provenance_new(a->data, &p, &err);
                if (r == 0)
                        r = qn_documents_observe(p, fds, *set, arena, set);
                if (r < 0)
                        log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        }
        qn_documents_close(fds);
        return r;
}

int cmd_events(const struct qn_args *a)
{
        _cleanup_(inputs_done) struct inputs in = { QN_BUF_INIT(QN_UNPACKED_MAX),
                                                    QN_BUF_INIT(QN_UNPACKED_MAX),
                                                    QN_BUF_INIT(QN_PACKUMENT_MAX) };
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_JSON_MAX);
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_observers_freep) struct qn_observers *o = NULL;
        _cleanup_(qn_analyser_freep) struct qn_analyser *an = NULL;
        const struct qn_event_set *set = NULL;
        struct qn_err err = { 0 };
        int r = qn_observers_load(a->data, &o, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_analyser_new(o, &an);
        if (r < 0)
                return log_err(r, "%s", strerror(-r));
        r = observe(a, an, &in, &set);
        if (r < 0)
                return r;
        r = add_documents(a, &arena, &set);
        if (r < 0)
                return r;
        if (strcmp(qn_args_get(a, "format"), "json") == 0)
                r = qn_event_set_write_json(set, &out);
        else
                print_text(&out, set);
        if (r == 0)
                r = qn_buf_error(&out);
        return r < 0 ? log_err(r, "%s: too many events to print", a->argv[0])
                     : qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
}
