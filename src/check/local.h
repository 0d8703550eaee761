/* local.h - what lies here and an analyse role is to read: opened only when its turn comes.  Private to check/. */
#pragma once

#include <stdbool.h>

struct qn_check_config;
struct qn_item;

/* The item's bytes, and the documents beside it that were named; false: one cannot be read, and the item has its verdict. */
bool qn_check_local(const struct qn_check_config *c, struct qn_item *it);
