#include "check/item.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/limits.h"
#include "parse/packument.h"

struct qn_item *qn_item_new(size_t order, const char *target, struct qn_arena *names)
{
        struct qn_item *it = calloc(1, sizeof *it);

        if (!it)
                return NULL;
        it->mem = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        it->own = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        it->names = names ? names : &it->own;
        it->order = order;
        it->target = target;
        it->published = QN_TIME_NONE;
        it->fd = it->packument = it->previous = it->bytes = -1;
        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                it->docs[i] = -1;
        return it;
}

size_t qn_item_descriptors(const struct qn_item *it)
{
        size_t n = (size_t)(it->fd >= 0) + (it->packument >= 0) + (it->previous >= 0);

        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                n += it->docs[i] >= 0;
        return n;
}

void qn_item_close(struct qn_item *it)
{
        qn_closep(&it->fd);
        qn_closep(&it->packument);
        qn_closep(&it->previous);
        it->fd = it->packument = it->previous = -1;
        for (unsigned i = 0; i < QN_DOC_MAX; i++) {
                qn_closep(&it->docs[i]);
                it->docs[i] = -1;
        }
}

struct qn_item *qn_item_free(struct qn_item *it)
{
        if (!it)
                return NULL;
        qn_item_close(it);
        qn_closep(&it->bytes);
        qn_arena_done(&it->mem);
        qn_arena_done(&it->own);
        free(it);
        return NULL;
}

int qn_item_set(struct qn_item *it, struct qn_str *field, struct qn_str value)
{
        struct qn_str copy = { NULL, 0 };

        if (value.p)
                copy = qn_arena_dup(it->names, value);
        if (value.p && !copy.p)
                return -ENOMEM;
        *field = copy;
        return 0;
}

int qn_item_identify(struct qn_item *it)
{
        int r = 0;

        if (!it->name.n)
                r = qn_item_set(it, &it->name, it->set.name);
        if (r == 0 && !it->version.n)
                r = qn_item_set(it, &it->version, it->set.version);
        /* What was analysed, not what was promised. */
        if (r == 0 && it->set.integrity.n)
                r = qn_item_set(it, &it->integrity, it->set.integrity);
        return r;
}

void qn_item_keep_bytes(struct qn_item *it)
{
        qn_closep(&it->bytes);
        it->bytes = fcntl(it->fd, F_DUPFD_CLOEXEC, 0);
}

struct qn_event_set *qn_item_more(struct qn_item *it)
{
        if (!it->more.arena)
                qn_event_set_init(&it->more, &it->mem);
        return &it->more;
}

int qn_item_join(struct qn_item *it)
{
        struct qn_event_set merged;
        int r;

        if (!it->more.arena)
                return 0;
        r = qn_event_set_seal(&it->more);
        if (r == 0)
                r = qn_event_set_merge(&it->set, &it->more, &it->mem, &merged);
        if (r < 0)
                return r;
        it->set = merged;
        it->more = (struct qn_event_set){ 0 };
        return 0;
}

void qn_item_unknown(struct qn_item *it, const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        it->verdict = (struct qn_verdict){ .kind = QN_UNKNOWN,
                                           .reason = qn_arena_dup(it->names, qn_str_c(text)) };
        if (!it->verdict.reason.p)
                it->verdict.reason = QN_STR("out of memory");
        it->state = QN_ITEM_DONE;
        qn_item_close(it);
}

void qn_item_fail_closed(struct qn_item *it)
{
        if (!it->incomplete.p || it->verdict.kind != QN_CLEAN)
                return;
        it->verdict.kind = QN_UNKNOWN;
        it->verdict.reason = it->incomplete;
}
