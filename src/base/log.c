#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static void QN_PRINTF(1, 0) say(const char *fmt, va_list ap)
{
        char line[2048];

        vsnprintf(line, sizeof line, fmt, ap);
        fprintf(stderr, "qanat: %s\n", line);
}

int log_err(int r, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        say(fmt, ap);
        va_end(ap);
        return r;
}

void log_note(const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        say(fmt, ap);
        va_end(ap);
}
