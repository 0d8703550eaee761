/* cmd-unpack.c - `qanat unpack`: what an npm tarball holds, read as npm reads it; or its files, put safely below a
 * directory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "observe/archive.h"
#include "parse/binfmt.h"
#include "parse/gz.h"
#include "role/landlock.h"
#include "role/sanitizer.h"

#define OUTPUT_MAX  ((size_t)1 << 30)
#define COMPLAIN_AT 20 /* further entries that are left out are only counted */
#define EXIT_ODD    1
#define EXIT_BROKEN 3

struct unpack {
        const char *name; /* of the archive */
        struct qn_buf bytes;
        struct qn_gz *gz;
        struct qn_archive archive;
        struct qn_buf out;
        struct qn_jsonw json;
        bool as_json;
        int root;      /* directory to extract into, or -1 */
        size_t odd;    /* entries that npm and others would not unpack as written */
        size_t failed; /* entries that could not be written */
};

/* --- listing --- */

/* The first bytes of a file's content. */
static int peek(struct unpack *u, const struct qn_tar_entry *e, uint8_t *room, struct qn_cur *ret,
                struct qn_err *err)
{
        size_t n = 0;

        if (!u->archive.streaming) {
                *ret = e->data;
                return 0;
        }
        while (n < QN_SNIFF_MAX) {
                ssize_t r = qn_tar_read(u->archive.tar, room + n, QN_SNIFF_MAX - n, err);

                if (r < 0)
                        return (int)r;
                if (r == 0)
                        break;
                n += (size_t)r;
        }
        *ret = qn_cur_mem(room, n);
        return 0;
}

static void marks_json(struct unpack *u, const struct qn_tar_entry *e)
{
        qn_jsonw_array(&u->json, "odd");
        for (unsigned i = 0; i < QN_TAR_ODD_BITS; i++)
                if (e->odd >> i & 1)
                        qn_jsonw_cstr(&u->json, NULL, qn_tar_odd_name(i));
        qn_jsonw_end_array(&u->json);
}

static void entry_json(struct unpack *u, const struct qn_tar_entry *e, const char *format,
                       enum qn_misfit misfit)
{
        qn_jsonw_object(&u->json, NULL);
        qn_jsonw_str(&u->json, "path", e->path);
        qn_jsonw_str(&u->json, "full", e->full);
        qn_jsonw_cstr(&u->json, "type", qn_tar_type_name(e->type));
        qn_jsonw_u64(&u->json, "mode", e->mode);
        qn_jsonw_u64(&u->json, "size", e->size);
        qn_jsonw_cstr(&u->json, "format", format);
        qn_jsonw_cstr(&u->json, "misfit", misfit == QN_MISFIT_NONE ? NULL : qn_misfit_name(misfit));
        if (e->link.n)
                qn_jsonw_str(&u->json, "link", e->link);
        marks_json(u, e);
        qn_jsonw_end_object(&u->json);
}

static void entry_text(struct unpack *u, const struct qn_tar_entry *e, const char *format,
                       enum qn_misfit misfit)
{
        struct qn_buf *out = &u->out;

        qn_buf_printf(out, "%04o %11zu  %-15s  ", e->mode, (size_t)e->size,
                      format ? format : qn_tar_type_name(e->type));
        qn_show(out, e->odd ? e->full : e->path, 0, 0);
        if (e->link.n) {
                qn_buf_puts(out, " -> ");
                qn_show(out, e->link, 0, 0);
        }
        for (unsigned i = 0; i < QN_TAR_ODD_BITS; i++)
                if (e->odd >> i & 1)
                        qn_buf_printf(out, "  [%s]", qn_tar_odd_name(i));
        if (misfit != QN_MISFIT_NONE)
                qn_buf_puts(out, "  [not what its name says]");
        qn_buf_byte(out, '\n');
}

static int list_entry(struct unpack *u, const struct qn_tar_entry *e, struct qn_err *err)
{
        uint8_t room[QN_SNIFF_MAX];
        enum qn_misfit misfit = QN_MISFIT_NONE;
        const char *format = NULL;
        struct qn_cur head;

        if (e->type == QN_TAR_FILE) {
                enum qn_format f;
                int r = peek(u, e, room, &head, err);

                if (r < 0)
                        return r;
                f = qn_sniff(head, e->size);
                format = qn_format_name(f);
                misfit = qn_format_misfit(e->path, f);
        }
        (u->as_json ? entry_json : entry_text)(u, e, format, misfit);
        return 0;
}

/* --- extracting --- */

static int open_beneath(int dir, const char *name, int flags, mode_t mode)
{
        const struct open_how how = {
                .flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
                .mode = flags & O_CREAT ? mode : 0,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir, name, &how, sizeof how);

        return fd < 0 ? -errno : (int)fd;
}

/* Goes down one directory, which is made when it is missing; closes the one above unless that is the root. */
static int descend(const struct unpack *u, int *dir, const char *name)
{
        int fd;

        if (mkdirat(*dir, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open_beneath(*dir, name, O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        if (*dir != u->root)
                close(*dir);
        *dir = fd;
        return 0;
}

/* Opens a new file below the root.  path is what tar.h calls clean: no empty component, no "." and no "..". */
static int create(const struct unpack *u, struct qn_str path, mode_t mode)
{
        char name[256];
        int dir = u->root, r = 0, fd;

        while (r == 0) {
                struct qn_str c = qn_str_cut(&path, '/');

                if (c.n >= sizeof name)
                        r = -ENAMETOOLONG;
                if (r < 0)
                        break;
                memcpy(name, c.p, c.n);
                name[c.n] = 0;
                if (!path.p)
                        break;
                r = descend(u, &dir, name);
        }
        fd = r < 0 ? r : open_beneath(dir, name, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (dir != u->root)
                close(dir);
        return fd;
}

/* ret_read: the archive failed, not the writing. */
static int copy_content(struct unpack *u, const struct qn_tar_entry *e, int fd, bool *ret_read,
                        struct qn_err *err)
{
        char some[65536];
        ssize_t n;

        if (!u->archive.streaming)
                return qn_io_write_fd(fd, qn_cur_rest(&e->data));
        while ((n = qn_tar_read(u->archive.tar, some, sizeof some, err)) > 0) {
                int r = qn_io_write_fd(fd, (struct qn_str){ some, (size_t)n });

                if (r < 0)
                        return r;
        }
        *ret_read = n < 0;
        return (int)n;
}

static void left_out(struct unpack *u, struct qn_str path, const char *why)
{
        _cleanup_(qn_buf_done) struct qn_buf shown = QN_BUF_INIT(QN_TAR_NAME_MAX * 16);

        if (++u->failed > COMPLAIN_AT)
                return;
        qn_show(&shown, path, 200, 0);
        log_note("left out: %.*s: %s", QN_STR_ARG(qn_buf_view(&shown)), why);
}

/* What other clients may put elsewhere or nowhere is not written at all. */
static int extract_entry(struct unpack *u, const struct qn_tar_entry *e, struct qn_err *err)
{
        const unsigned unsafe =
                QN_TAR_ODD_ABSOLUTE | QN_TAR_ODD_DOTDOT | QN_TAR_ODD_NUL | QN_TAR_ODD_OUTSIDE;
        bool broken = false;
        int r, fd;

        if (e->type == QN_TAR_DIR)
                return 0;
        if (e->type != QN_TAR_FILE || e->odd & unsafe) {
                left_out(u, e->full, e->type != QN_TAR_FILE ? "not a file" : "an unsafe path");
                return 0;
        }
        fd = create(u, e->path, e->mode & 0111 ? 0755 : 0644);
        if (fd < 0) {
                left_out(u, e->path, fd == -EEXIST ? "there already" : strerror(-fd));
                return 0;
        }
        r = copy_content(u, e, fd, &broken, err);
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r < 0 && !broken)
                left_out(u, e->path, strerror(-r));
        return broken ? r : 0;
}

/* --- the verb --- */

static int walk(struct unpack *u, struct qn_err *err)
{
        struct qn_tar_entry e;
        int r = qn_archive_open(&u->archive, u->gz, qn_cur_mem(u->bytes.p, u->bytes.n));

        if (r == 0)
                r = qn_archive_rewind(&u->archive);
        while (r == 0 && (r = qn_archive_next(&u->archive, &e, err)) == 1) {
                u->odd += e.odd || (e.type != QN_TAR_FILE && e.type != QN_TAR_DIR);
                r = u->root >= 0 ? extract_entry(u, &e, err) : list_entry(u, &e, err);
                /* A list of a million entries goes out in pieces. */
                if (r == 0 && !u->as_json && u->out.n > 65536) {
                        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&u->out));
                        qn_buf_reset(&u->out);
                }
        }
        return r;
}

static void end_json(struct unpack *u, int code, const struct qn_err *err)
{
        unsigned notes = u->archive.tar ? qn_tar_notes(u->archive.tar) : 0;

        qn_jsonw_end_array(&u->json);
        qn_jsonw_bool(&u->json, "invalid_headers", notes & QN_TAR_NOTE_SKIPPED);
        qn_jsonw_bool(&u->json, "trailing_data", notes & QN_TAR_NOTE_TRAILING);
        qn_jsonw_cstr(&u->json, "error", code < 0 ? err->msg : NULL);
        qn_jsonw_end_object(&u->json);
        qn_buf_byte(&u->out, '\n');
}

static void tell_notes(const struct unpack *u)
{
        unsigned notes = u->archive.tar ? qn_tar_notes(u->archive.tar) : 0;

        if (notes & QN_TAR_NOTE_SKIPPED)
                log_note("%s: has headers that npm passes over and other clients refuse", u->name);
        if (notes & QN_TAR_NOTE_TRAILING)
                log_note("%s: has data behind the end of the archive", u->name);
        if (u->failed > COMPLAIN_AT)
                log_note("left out: %zu more", u->failed - COMPLAIN_AT);
}

static int finish(struct unpack *u, int code, const struct qn_err *err)
{
        int r;

        if (u->as_json)
                end_json(u, code, err);
        r = qn_buf_error(&u->out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&u->out));
        if (r < 0)
                return log_err(r, "cannot write the list: %s", strerror(-r));
        tell_notes(u);
        if (code < 0) {
                log_err(code, "%s: %s", u->name, err->msg[0] ? err->msg : strerror(-code));
                return EXIT_BROKEN;
        }
        return u->odd || u->failed || (u->archive.tar && qn_tar_notes(u->archive.tar)) ? EXIT_ODD
                                                                                       : 0;
}

static int open_root(struct unpack *u, const char *path)
{
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return log_err(-errno, "%s: %s", path, strerror(errno));
        u->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return u->root < 0 ? log_err(-errno, "%s: %s", path, strerror(errno)) : 0;
}

static int run(struct unpack *u)
{
        static const char *const nothing[] = { NULL };
        struct qn_err err = { 0 };
        int r;

        /* Whoever takes this process over finds no files and no network, where the kernel can see to that. */
        if (u->root < 0 && !QN_SANITIZED) /* the leak check reads /proc */
                (void)!qn_landlock_apply(&(struct qn_landlock){ .read = nothing });
        if (u->as_json) {
                qn_jsonw_object(&u->json, NULL);
                qn_jsonw_cstr(&u->json, "schema", "qanat.unpack/1");
                qn_jsonw_array(&u->json, "entries");
        }
        r = walk(u, &err);
        return finish(u, r, &err);
}

static void unpack_done(struct unpack *u)
{
        qn_archive_done(&u->archive);
        qn_gz_free(u->gz);
        qn_buf_done(&u->bytes);
        qn_buf_done(&u->out);
        qn_closep(&u->root);
}

int cmd_unpack(const struct qn_args *a)
{
        const char *to = qn_args_get(a, "to");
        _cleanup_(unpack_done) struct unpack u = {
                .name = a->argv[0],
                .bytes = QN_BUF_INIT(QN_TARBALL_MAX),
                .out = QN_BUF_INIT(OUTPUT_MAX),
                .root = -1,
        };
        int r;

        if (to && qn_args_on(a, "list"))
                return log_err(-EINVAL, "--list and --to exclude each other");
        u.as_json = !to && strcmp(qn_args_get(a, "format"), "json") == 0;
        u.json = QN_JSONW_INIT(&u.out, 1);
        u.gz = qn_gz_new();
        if (!u.gz)
                return log_err(-ENOMEM, "out of memory");
        r = qn_io_read(u.name, &u.bytes);
        if (r < 0)
                return log_err(r, "%s: %s", u.name, strerror(-r));
        r = to ? open_root(&u, to) : 0;
        return r < 0 ? r : run(&u);
}
