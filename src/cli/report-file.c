#include "cli/report-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"

/* Lines that say when a record was made. */
static bool is_time(struct qn_str line)
{
        line = qn_str_trim(line);
        return qn_str_starts(line, "\"modified\": \"") || qn_str_starts(line, "\"published\": \"");
}

bool qn_report_same(struct qn_str a, struct qn_str b)
{
        while (a.p && b.p) {
                struct qn_str x = qn_str_cut(&a, '\n'), y = qn_str_cut(&b, '\n');

                if (!qn_str_eq(x, y) && !(is_time(x) && is_time(y)))
                        return false;
        }
        return !a.p && !b.p;
}

static int compare(const char *path, struct qn_str text, struct qn_err *err)
{
        _cleanup_(qn_buf_done) struct qn_buf there = QN_BUF_INIT(QN_OSV_MAX);
        int r = qn_io_read(path, &there);

        if (r == 0 && qn_report_same(qn_buf_view(&there), text))
                return 1;
        return qn_fail(err, -EEXIST, 0,
                       "another record is there already: look at both, and remove one");
}

/* Beside its place and then linked to it: a file that is there stays, and nobody sees half of one. */
static int put(const char *path, struct qn_str text, struct qn_err *err)
{
        char beside[PATH_MAX];
        int n = snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
        _cleanup_(qn_closep) int fd = -1;
        int r;

        if (n < 0 || (size_t)n >= sizeof beside)
                return qn_fail(err, -ENAMETOOLONG, 0, "the path is too long");
        fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0)
                return qn_fail(err, -errno, 0, "cannot make a file: %s", strerror(errno));
        r = qn_io_write_fd(fd, text);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && link(beside, path) < 0)
                r = -errno;
        (void)unlink(beside);
        if (r == -EEXIST)
                return compare(path, text, err);
        return r < 0 ? qn_fail(err, r, 0, "cannot write: %s", strerror(-r)) : 0;
}

int qn_report_file(const char *root, struct qn_str path, struct qn_str text, struct qn_err *reterr)
{
        char full[PATH_MAX], dir[PATH_MAX];
        struct qn_str below = qn_str_dir(path);
        struct stat st;
        int n = snprintf(full, sizeof full, "%s/%.*s", root, QN_STR_ARG(path)), r;

        if (n < 0 || (size_t)n >= sizeof full)
                return qn_fail(reterr, -ENAMETOOLONG, 0, "the path is too long");
        if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode))
                return qn_fail(reterr, -ENOTDIR, 0, "there is no such directory");
        snprintf(dir, sizeof dir, "%s/%.*s", root, QN_STR_ARG(below));
        r = qn_io_mkdirs(dir);
        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot make the directory: %s", strerror(-r));
        return put(full, text, reterr);
}
