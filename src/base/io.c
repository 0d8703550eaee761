#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

int qn_io_read_fd(int fd, struct qn_buf *b)
{
        for (;;) {
                size_t room = QN_MIN((size_t)256 << 10, b->max - b->n);
                ssize_t n;
                char extra;
                int r;

                if (room == 0) {
                        n = read(fd, &extra, 1);
                        if (n > 0)
                                return -EFBIG;
                } else {
                        r = qn_buf_room(b, room);
                        if (r < 0)
                                return r;
                        n = read(fd, b->p + b->n, room);
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return qn_buf_add(b, "", 0);
                b->n += (size_t)n;
        }
}

int qn_io_read(const char *path, struct qn_buf *b)
{
        _cleanup_(qn_closep) int fd = -1;

        if (strcmp(path, "-") == 0)
                return qn_io_read_fd(STDIN_FILENO, b);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return qn_io_read_fd(fd, b);
}

int qn_io_write_fd(int fd, struct qn_str s)
{
        while (s.n) {
                ssize_t n = write(fd, s.p, s.n);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                s = qn_str_skip(s, (size_t)n);
        }
        return 0;
}

int qn_io_copy(int from, int to, uint64_t n)
{
        char block[1 << 16];
        off_t at = 0;

        while (n) {
                ssize_t got = pread(from, block, QN_MIN(n, (uint64_t)sizeof block), at);
                int r;

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return got < 0 ? -errno : -ESTALE;
                r = qn_io_write_fd(to, (struct qn_str){ block, (size_t)got });
                if (r < 0)
                        return r;
                at += got;
                n -= (uint64_t)got;
        }
        return 0;
}

int qn_io_replace(const char *path, struct qn_str s)
{
        _cleanup_(qn_closep) int fd = -1;
        char tmp[4096];
        int r = snprintf(tmp, sizeof tmp, "%s.%ld.tmp", path, (long)getpid());

        if (r < 0 || (size_t)r >= sizeof tmp)
                return -ENAMETOOLONG;
        fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = qn_io_write_fd(fd, s);
        if (r == 0 && rename(tmp, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(tmp);
        return r;
}

int qn_io_mkdirs(const char *path)
{
        char part[4096];
        size_t n = strlen(path);

        if (n == 0 || n >= sizeof part)
                return -ENAMETOOLONG;
        for (size_t i = 1; i <= n; i++) {
                if (i < n && path[i] != '/')
                        continue;
                memcpy(part, path, i);
                part[i] = '\0';
                if (mkdir(part, 0700) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

int64_t qn_io_now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t qn_io_nanos(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
