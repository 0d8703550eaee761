/* watch-db.h - the store of what was seen at the registry: its tables are here, who works on them is in files of their own
 * (versions.h, pending.h …). */
#pragma once

#include "store/db.h"

extern const struct qn_db_def qn_db_watch;
