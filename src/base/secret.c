#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static int check_file(int fd, struct qn_err *err)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return qn_fail(err, -errno, 0, "the secret's file cannot be read: %s",
                               strerror(errno));
        if (!S_ISREG(st.st_mode))
                return qn_fail(err, -EINVAL, 0, "the secret's file is no regular file");
        if (st.st_mode & 077)
                return qn_fail(err, -EINVAL, 0,
                               "others can read the secret's file: chmod 600 it, and change the "
                               "secret");
        if (st.st_uid != geteuid() && st.st_uid != 0)
                return qn_fail(err, -EINVAL, 0, "the secret's file is somebody else's: chown it");
        return 0;
}

static int check_line(struct qn_str s, struct qn_err *err)
{
        if (!s.n)
                return qn_fail(err, -EINVAL, 0, "the secret is empty");
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return qn_fail(err, -EINVAL, 0, "the secret is no single line of ASCII");
        return 0;
}

int qn_secret_read(const char *path, struct qn_buf *b, struct qn_str *ret, struct qn_err *reterr)
{
        _cleanup_(qn_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        int r;

        if (fd < 0)
                return qn_fail(reterr, -errno, 0, "the secret's file cannot be read: %s",
                               strerror(errno));
        r = check_file(fd, reterr);
        if (r < 0)
                return r;
        r = qn_io_read_fd(fd, b);
        if (r < 0)
                return qn_fail(reterr, r, 0, "the secret's file cannot be read: %s", strerror(-r));
        *ret = qn_str_trim(qn_buf_view(b));
        return check_line(*ret, reterr);
}

void qn_secret_done(struct qn_buf *b)
{
        if (b->p)
                explicit_bzero(b->p, b->cap);
        qn_buf_done(b);
}
