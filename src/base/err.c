#include "base/err.h"

#include <stdarg.h>

int qn_fail(struct qn_err *err, int code, size_t off, const char *fmt, ...)
{
        va_list ap;

        if (!err)
                return code;
        err->code = code;
        err->off = off;
        va_start(ap, fmt);
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        return code;
}
