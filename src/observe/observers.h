/* observers.h - the observers of single files that need no header of their own. */
#pragma once

#include "base/str.h"

struct qn_event;
struct qn_scan;
struct qn_scan_file;
struct qn_site;

/* Formats and names of files; whether the file is text. */
bool qn_binary_observe(struct qn_scan *s, const struct qn_scan_file *f);
void qn_text_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text);
/* Whether a program holds a line that nobody reads, as the event that tells. */
bool qn_obfuscation_long_line(struct qn_str source, struct qn_event *ret);
void qn_html_observe(struct qn_scan *s, struct qn_str text);
