#include "store/setting.h"

#include <errno.h>

int qn_setting_get(struct qn_db *db, const char *key, struct qn_arena *a, struct qn_str *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT value FROM setting WHERE key = ?1");
        int r;

        qn_db_bind_text(s, 1, qn_str_c(key));
        r = qn_db_row(s);
        if (r == 0) {
                const struct qn_str value = qn_arena_dup(a, qn_db_text(s, 0));

                r = value.p ? 0 : -ENOBUFS;
                if (r == 0)
                        *ret = value;
        }
        qn_db_reset(s);
        return r;
}

int qn_setting_put(struct qn_db *db, const char *key, struct qn_str value)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO setting(key, value) VALUES(?1, ?2)"
                                  " ON CONFLICT(key) DO UPDATE SET value = excluded.value");

        qn_db_bind_text(s, 1, qn_str_c(key));
        qn_db_bind_text(s, 2, value);
        return qn_db_run(s);
}
