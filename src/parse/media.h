/* media.h - where pictures, fonts and sounds end by their own structure.  HOSTILE INPUT.
 * What lies behind that is invisible to every viewer. */
#pragma once

#include "base/cur.h"
#include "parse/binfmt.h"

/* The first byte behind the end; the size of the input when there is nothing behind, when the format is not one of PNG,
 * JPEG, GIF, RIFF (WebP, WAV, AVI), WOFF, WOFF2, TTF, OTF, ICO, BMP, PDF, or when its structure is broken. */
uint64_t qn_media_end(enum qn_format f, struct qn_cur in);
