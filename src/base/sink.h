/* sink.h - where bytes go as they are made, so that memory does not grow with them. */
#pragma once

#include <stddef.h>

/* Takes bytes: 0 or -errno, which ends what makes them. */
typedef int qn_sink_fn(void *ctx, const void *p, size_t n);
