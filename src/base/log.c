#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/show.h"

static void QN_PRINTF(1, 0) say(const char *fmt, va_list ap)
{
        char line[2048];
        struct qn_buf out = QN_BUF_INIT(sizeof line * 16);

        vsnprintf(line, sizeof line, fmt, ap);
        qn_show(&out, qn_str_c(line), 0, 0);
        fprintf(stderr, "qanat: %.*s\n", (int)out.n, out.n ? out.p : "");
        qn_buf_done(&out);
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
