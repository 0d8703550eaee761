#include "check/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "check/check.h"
#include "check/item.h"
#include "check/pack-dir.h"

static void note_unread(struct qn_item *it, const struct qn_pack_stats *st)
{
        char text[512], lock[4096];

        if (st->unreadable)
                snprintf(text, sizeof text,
                         "%u files could not be read, %s first: run it as a user who may",
                         st->unreadable, st->first);
        else if (qn_target_lock(it->path.p, lock, sizeof lock) == 0)
                return;
        else if (st->installed)
                snprintf(text, sizeof text,
                         "dependencies were not checked: no lock file tells what is in "
                         "node_modules");
        else
                return;
        it->incomplete = qn_arena_dup(it->names, qn_str_c(text));
}

/* The document that was given for what lies here; false: the item has its verdict. */
static bool open_packument(const struct qn_check_config *c, struct qn_item *it)
{
        if (!c->packument || it->packument >= 0 || it->state != QN_ITEM_ANALYSE)
                return true;
        it->packument = open(c->packument, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (it->packument < 0)
                qn_item_unknown(it, "%.200s cannot be read: %s", c->packument, strerror(errno));
        return it->packument >= 0;
}

/* The same for the version before. */
static bool open_previous(const struct qn_check_config *c, struct qn_item *it)
{
        struct qn_err err = { 0 };
        int r = 0;

        if (c->previous && it->previous < 0 && it->state == QN_ITEM_ANALYSE)
                r = qn_pack_open(c->previous, &it->previous, &err);
        if (r < 0)
                qn_item_unknown(it, "%.200s cannot be read: %s", c->previous,
                                err.msg[0] ? err.msg : strerror(-r));
        return r >= 0;
}

/* What has a path. */
static bool open_item(struct qn_item *it)
{
        struct qn_pack_stats st = { 0 };
        struct qn_err err = { 0 };
        int r;

        if (it->fd >= 0)
                return true;
        if (!it->is_dir) {
                it->fd = open(it->path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                if (it->fd < 0)
                        qn_item_unknown(it, "%.200s cannot be read: %s", it->path.p,
                                        strerror(errno));
        } else {
                r = qn_pack_dir(it->path.p, &it->fd, &st, &err);
                if (r < 0)
                        qn_item_unknown(it, "%s", err.msg[0] ? err.msg : strerror(-r));
                else
                        note_unread(it, &st);
        }
        return it->fd >= 0;
}

bool qn_check_local(const struct qn_check_config *c, struct qn_item *it)
{
        return open_item(it) && open_packument(c, it) && open_previous(c, it);
}
