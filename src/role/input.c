#include "role/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"

#define KEEP_MAX ((size_t)1 << 20) /* memory kept from one job to the next */

/* glibc's fstat() is newfstatat(), which takes paths and is therefore refused in a role. */
static int stat_fd(int fd, struct stat *ret)
{
        return syscall(SYS_fstat, fd, ret) < 0 ? -errno : 0;
}

static int read_all(struct qn_input *in, int fd, size_t size)
{
        int r = qn_buf_room(&in->bytes, size);

        if (r < 0)
                return r;
        while (in->bytes.n < size) {
                ssize_t n = pread(fd, in->bytes.p + in->bytes.n, size - in->bytes.n,
                                  (off_t)in->bytes.n);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -ESTALE;
                in->bytes.n += (size_t)n;
        }
        return 0;
}

static int map_all(struct qn_input *in, int fd, size_t size)
{
        void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p == MAP_FAILED)
                return -errno;
        in->mapped = size;
        atomic_signal_fence(memory_order_release); /* qn_input_trim() sees the size with the map */
        in->map = p;
        return 0;
}

int qn_input_open(struct qn_input *in, int fd, struct qn_cur *ret, struct qn_err *reterr)
{
        size_t size;
        int r = stat_fd(fd, &in->before);

        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot read the input: %s", strerror(-r));
        if (!S_ISREG(in->before.st_mode))
                return qn_fail(reterr, -EINVAL, 0, "the input is not a regular file");
        size = (size_t)in->before.st_size;
        if (size > QN_ROLE_INPUT_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the input has %zu bytes, more than %zu", size,
                               QN_ROLE_INPUT_MAX);
        in->bytes.max = QN_ROLE_READ_MAX;
        qn_buf_reset(&in->bytes);
        r = size > QN_ROLE_READ_MAX ? map_all(in, fd, size) : read_all(in, fd, size);
        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot read the input: %s", strerror(-r));
        *ret = in->map ? qn_cur_mem(in->map, size) : qn_cur_mem(in->bytes.p, size);
        return 0;
}

void qn_input_trim(struct qn_input *in)
{
        if (in->map)
                madvise(in->map, in->mapped, MADV_DONTNEED);
}

static bool same_time(struct timespec a, struct timespec b)
{
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

int qn_input_close(struct qn_input *in, int fd, struct qn_err *reterr)
{
        struct stat now;
        bool was_mapped = in->map != NULL;

        if (in->bytes.cap > KEEP_MAX)
                qn_buf_done(&in->bytes);
        if (!was_mapped)
                return 0;
        munmap(TAKE_PTR(in->map), in->mapped);
        if (stat_fd(fd, &now) < 0 || now.st_size != in->before.st_size ||
            !same_time(now.st_mtim, in->before.st_mtim) ||
            !same_time(now.st_ctim, in->before.st_ctim))
                return qn_fail(reterr, -ESTALE, 0, "the file changed while it was read");
        return 0;
}

int qn_input_seal(int fd, uint64_t *ret_size)
{
        struct stat st;

        if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
            fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        *ret_size = (uint64_t)st.st_size;
        return 0;
}

int qn_input_sealed(struct qn_cur bytes, int *ret)
{
        _cleanup_(qn_closep) int fd = memfd_create("qanat-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        uint64_t size;
        int r;

        if (fd < 0)
                return -errno;
        r = qn_io_write_fd(fd, qn_cur_rest(&bytes));
        if (r == 0)
                r = qn_input_seal(fd, &size);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}
