#include "base/term.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/show.h"

#define SECOND UINT64_C(1000000000)

bool qn_term_colour(const char *when, int fd)
{
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

        if (when && strcmp(when, "always") == 0)
                return true;
        if (when && strcmp(when, "never") == 0)
                return false;
        return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

size_t qn_term_width(int fd, size_t fallback)
{
        struct winsize w;

        return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : fallback;
}

void qn_progress_begin(struct qn_progress *p, const char *what, bool quiet)
{
        *p = (struct qn_progress){ .what = what,
                                   .on = !quiet && isatty(STDERR_FILENO),
                                   .started = qn_io_nanos() };
}

static void draw(const struct qn_progress *p, size_t done, size_t total, struct qn_str detail)
{
        _cleanup_(qn_buf_done) struct qn_buf line = QN_BUF_INIT(4096);
        size_t width = qn_term_width(STDERR_FILENO, 80), used;

        qn_buf_printf(&line, "\r\033[K%s %zu", p->what, done);
        if (total)
                qn_buf_printf(&line, " of %zu (%zu %%)", total, done * 100 / total);
        qn_buf_puts(&line, "  ");
        used = line.n - 4; /* the return and the erasing sequence take no column */
        if (width > used + 8)
                qn_show(&line, detail, width - used - 1, 0);
        if (qn_buf_error(&line) == 0)
                fwrite(line.p, 1, line.n, stderr);
}

void qn_progress_step(struct qn_progress *p, size_t done, size_t total, struct qn_str detail)
{
        uint64_t now;

        if (!p->on)
                return;
        now = qn_io_nanos();
        if (now - p->started < SECOND || now - p->last < SECOND / 10)
                return;
        p->last = now;
        p->drawn = true;
        draw(p, done, total, detail);
}

void qn_progress_clear(struct qn_progress *p)
{
        if (p->drawn)
                fputs("\r\033[K", stderr);
        p->drawn = false;
}
