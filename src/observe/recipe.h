/* recipe.h - files that other programs take commands from: Dockerfile, Makefile, units of systemd, plists of launchd, desktop
 * entries, registry files and shortcuts of Windows.  HOSTILE INPUT.  Nothing of npm runs them; a command that does makes
 * them part of its phase. */
#pragma once

#include "base/str.h"

struct qn_scan;

/* Whether the file is one; text: all of it. */
bool qn_recipe_observe(struct qn_scan *s, struct qn_str path, struct qn_str text);
/* Shortcuts (.lnk), which are no text. */
void qn_shortcut_observe(struct qn_scan *s, struct qn_str bytes);
