/* packlist.h - whether npm would have packed a file, by what "files" of package.json says. */
#pragma once

#include "base/str.h"

struct qn_pkgjson;

/* Generous: what npm packs is in it, and some that it does not.  Always true without "files". */
bool qn_packlist_has(const struct qn_pkgjson *p, struct qn_str path);
