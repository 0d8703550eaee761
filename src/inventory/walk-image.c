#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "inventory/walk.h"
#include "parse/files.h"
#include "parse/image.h"

#define DEPTH_MAX 4u /* blobs/sha256/… */

struct packer {
        int root, out;
        uint64_t bytes;
};

static int put(struct packer *p, struct qn_str s)
{
        p->bytes += s.n;
        return p->bytes > QN_ROLE_INPUT_MAX ? -EFBIG : qn_io_write_fd(p->out, s);
}

/* Head and content of one file, as qn_files_add() writes them. */
static int put_file(struct packer *p, const char *path)
{
        _cleanup_(qn_closep) int fd =
                openat(p->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        uint32_t head[3] = { QN_FILES_FILE, (uint32_t)strlen(path), 0 };
        char block[1 << 16];
        struct stat st;
        uint64_t left;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return 0;
        if ((uint64_t)st.st_size > QN_ROLE_INPUT_MAX)
                return -EFBIG;
        head[2] = (uint32_t)st.st_size;
        r = put(p, (struct qn_str){ (const char *)head, sizeof head });
        if (r == 0)
                r = put(p, qn_str_c(path));
        for (left = (uint64_t)st.st_size; r == 0 && left;) {
                ssize_t n = read(fd, block, QN_MIN(left, (uint64_t)sizeof block));

                if (n <= 0)
                        return n < 0 ? -errno : -ESTALE;
                r = put(p, (struct qn_str){ block, (size_t)n });
                left -= (uint64_t)n;
        }
        return r;
}

/* Bounded by DEPTH_MAX. */
static int put_dir(struct packer *p, const char *dir, unsigned depth)
{
        _cleanup_(qn_closep) int fd =
                openat(p->root, *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct dirent **names = NULL;
        int n = fd < 0 ? -1 : scandirat(fd, ".", &names, NULL, alphasort), r = n < 0 ? -errno : 0;

        for (int i = 0; i < n; i++) {
                char path[QN_TAR_NAME_MAX];
                struct stat st;

                if (r == 0 && names[i]->d_name[0] != '.' &&
                    snprintf(path, sizeof path, "%s%s%s", dir, *dir ? "/" : "", names[i]->d_name) <
                            (int)sizeof path &&
                    fstatat(p->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
                                r = put_dir(p, path, depth + 1);
                        else if (S_ISREG(st.st_mode))
                                r = put_file(p, path);
                }
                free(names[i]);
        }
        free(names);
        return r;
}

int qn_walk_image(const struct qn_walk *w, struct qn_str dir, int *ret)
{
        _cleanup_(qn_closep) int root = openat(w->root, dir.n ? dir.p : ".",
                                               O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_(qn_closep) int out = memfd_create("qanat-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct packer p = { root, out, 0 };
        int r = root < 0 || out < 0 ? -errno : put(&p, QN_STR(QN_IMAGE_BUNDLE));

        if (r == 0)
                r = put_dir(&p, "", 0);
        if (r == 0 &&
            fcntl(out, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                r = -errno;
        if (r == 0)
                *ret = TAKE_FD(out);
        return r;
}
