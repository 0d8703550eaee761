#include <errno.h>

#include "base/limits.h"
#include "parse/bom-priv.h"

int qn_bom_place(struct qn_bom_places *p, struct qn_str path, uint32_t item)
{
        int r = qn_map_add(&p->map, p->arena, path, item, NULL);

        return r < 0 ? r : 0;
}

static uint32_t look_in(struct qn_bom_places *p, struct qn_str dir, struct qn_str name)
{
        qn_buf_reset(&p->path);
        qn_buf_str(&p->path, dir);
        qn_buf_puts(&p->path, dir.n ? "/node_modules/" : "node_modules/");
        qn_buf_str(&p->path, name);
        if (qn_buf_error(&p->path) < 0)
                return QN_MAP_NONE;
        return qn_map_get(&p->map, qn_buf_view(&p->path));
}

uint32_t qn_bom_find(struct qn_bom_places *p, struct qn_str from, struct qn_str name)
{
        struct qn_str dir = from;

        for (unsigned i = 0; i < QN_BOM_CLIMB_MAX; i++) {
                ptrdiff_t slash = qn_str_rchr(dir, '/');
                struct qn_str last = slash < 0 ? dir : qn_str_skip(dir, (size_t)slash + 1);
                uint32_t at = QN_MAP_NONE;

                if (!qn_str_is(last, "node_modules"))
                        at = look_in(p, dir, name);
                if (at != QN_MAP_NONE || !dir.n)
                        return at;
                dir.n = slash < 0 ? 0 : (size_t)slash;
        }
        return QN_MAP_NONE;
}
