/* setting.h - small facts of the watch store that survive a restart, as text under a key. */
#pragma once

#include "base/arena.h"
#include "store/watch-db.h"

/* 0, or -ENOENT; the value lives in the arena. */
QN_MUST int qn_setting_get(struct qn_db *db, const char *key, struct qn_arena *a,
                           struct qn_str *ret);
QN_MUST int qn_setting_put(struct qn_db *db, const char *key, struct qn_str value);
