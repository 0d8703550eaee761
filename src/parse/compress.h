/* compress.h - bytes → gzip or zstd, streaming: memory does not grow with them.  The same bytes give the same output. */
#pragma once

#include "base/cur.h"
#include "base/macro.h"
#include "base/sink.h"

enum qn_compression { QN_COMPRESS_GZIP = 1, QN_COMPRESS_ZSTD };

/* Small documents get a higher level than large ones.  0, -ENOMEM, -EINVAL, or the sink's error. */
QN_MUST int qn_compress(struct qn_cur in, enum qn_compression as, qn_sink_fn *sink, void *ctx);
