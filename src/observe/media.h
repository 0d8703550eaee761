/* media.h - what hides in pictures, fonts, sounds and unknown data.  HOSTILE INPUT. */
#pragma once

#include "parse/binfmt.h"

struct qn_scan;
struct qn_scan_file;

/* Whether the file is text after all, behind a magic number (GIF89a=1;…). */
bool qn_media_observe(struct qn_scan *s, const struct qn_scan_file *f, enum qn_format format);
