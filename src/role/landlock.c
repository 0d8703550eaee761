#include "role/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface as of ABI 6; the build machine's headers may be older than the kernel it
 * runs on. */
struct ruleset {
        uint64_t fs, net, scoped;
};
#define NET_BIND_TCP    (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

/* What each ABI added: a right that is handled and not granted is refused. */
static const struct {
        long abi;
        struct ruleset adds;
        size_t size; /* of the structure the kernel accepts */
} abis[] = {
        { 1, { .fs = 0x1fff }, 8 },                           /* execute … make symlinks */
        { 2, { .fs = 0x2000 }, 8 },                           /* link across directories */
        { 3, { .fs = 0x4000 }, 8 },                           /* truncate */
        { 4, { .net = NET_BIND_TCP | NET_CONNECT_TCP }, 16 }, /* TCP */
        { 5, { .fs = 0x8000 }, 16 },                          /* ioctl on devices */
        { 6, { .scoped = 3 }, 24 },                           /* abstract sockets, signals */
};

static int allow_reading(int ruleset, const char *path)
{
        _cleanup_(qn_closep) int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
        struct stat st;

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        rule.parent_fd = fd;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                return -errno;
        return 0;
}

int qn_landlock_apply(const struct qn_landlock *l)
{
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        _cleanup_(qn_closep) int fd = -1;
        struct ruleset all = { 0 };
        size_t size = 0;
        int r;

        if (abi < 0)
                return -errno;
        for (size_t i = 0; i < QN_ARRAY_SIZE(abis) && abis[i].abi <= abi; i++) {
                all.fs |= abis[i].adds.fs;
                all.net |= abis[i].adds.net;
                all.scoped |= abis[i].adds.scoped;
                size = abis[i].size;
        }
        if (l->connect)
                all.net &= ~NET_CONNECT_TCP;
        fd = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
        if (fd < 0)
                return -errno;
        for (const char *const *p = l->read; p && *p; p++) {
                r = allow_reading(fd, *p);
                if (r < 0)
                        return r;
        }
        if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
                return -errno;
        return 0;
}
