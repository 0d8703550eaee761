#include "parse/tar.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "parse/tar-field.h"

#define BLOCK        ((size_t)512)
#define WINDOW_BYTES ((size_t)64 << 10)

/* Places and lengths of the header's fields. */
#define F_NAME   0, 100
#define F_MODE   100, 8
#define F_UID    108, 8
#define F_GID    116, 8
#define F_SIZE   124, 12
#define F_MTIME  136, 12
#define F_CKSUM  148, 12 /* npm reads on into the type flag and link name */
#define F_LINK   157, 100
#define F_DEVMAJ 329, 8
#define F_DEVMIN 337, 8
#define F_ATIME  476, 12
#define F_CTIME  488, 12
#define TYPE_AT  156

struct qn_tar {
        struct qn_cur win;   /* bytes at hand: the whole archive, or what was read ahead */
        qn_tar_read_fn read; /* NULL: memory source */
        void *user;
        uint8_t *ahead;     /* stream: WINDOW_BYTES behind win */
        uint64_t off;       /* of win.p in the archive */
        uint64_t body, pad; /* stream: what is left of the current entry */
        struct qn_buf meta; /* stream: body of an extended header */
        struct qn_tar_ext local, global;
        size_t entries, entries_max;
        unsigned notes;
        bool saw_null, ended, named; /* named: local belongs to the entry handed out */
        uint8_t block[BLOCK];
        char name[100 + 155 + 2], scratch[2][160], path[QN_TAR_NAME_MAX];
};

struct header {
        const uint8_t *p;
        int64_t mode, size, cksum; /* size: -1 none */
        bool has_cksum;
        char type; /* as npm has it: '0' for NUL, '5' for a directory by its slash, '?' for an unknown one */
        bool fs; /* one of the types that extended headers speak about */
        struct qn_str path, link;
};

const char *qn_tar_type_name(enum qn_tar_type type)
{
        static const char *const names[QN_TAR_TYPE_MAX] = {
                [QN_TAR_FILE] = "file",       [QN_TAR_DIR] = "directory",
                [QN_TAR_SYMLINK] = "symlink", [QN_TAR_HARDLINK] = "hardlink",
                [QN_TAR_DEVICE] = "device",   [QN_TAR_OTHER] = "entry-type",
        };

        return names[type];
}

const char *qn_tar_odd_name(unsigned i)
{
        static const char *const names[QN_TAR_ODD_BITS] = {
                "absolute-path", "parent-path",     "control-character",
                "outside",       "disputed-header", "encoding",
        };

        return names[i];
}

static int source_new(struct qn_tar **ret)
{
        struct qn_tar *t = calloc(1, sizeof *t);

        if (!t)
                return -ENOMEM;
        t->entries_max = QN_TAR_ENTRIES_MAX;
        t->meta = QN_BUF_INIT(QN_TAR_PAX_MAX);
        t->local.path = t->local.link = t->global.path = t->global.link =
                QN_BUF_INIT(QN_TAR_PAX_MAX);
        *ret = t;
        return 0;
}

int qn_tar_open(struct qn_cur in, struct qn_tar **ret)
{
        struct qn_tar *t;
        int r = source_new(&t);

        if (r < 0)
                return r;
        t->win = in;
        *ret = t;
        return 0;
}

int qn_tar_open_stream(qn_tar_read_fn read, void *user, struct qn_tar **ret)
{
        _cleanup_(qn_tar_freep) struct qn_tar *t = NULL;
        int r = source_new(&t);

        if (r < 0)
                return r;
        t->ahead = malloc(WINDOW_BYTES);
        if (!t->ahead)
                return -ENOMEM;
        t->win = qn_cur_mem(t->ahead, 0);
        t->read = read;
        t->user = user;
        *ret = TAKE_PTR(t);
        return 0;
}

static void ext_done(struct qn_tar_ext *e)
{
        qn_buf_done(&e->path);
        qn_buf_done(&e->link);
}

void qn_tar_allow(struct qn_tar *t, size_t entries)
{
        t->entries_max = entries;
}

struct qn_tar *qn_tar_free(struct qn_tar *t)
{
        if (!t)
                return NULL;
        ext_done(&t->local);
        ext_done(&t->global);
        qn_buf_done(&t->meta);
        free(t->ahead);
        free(t);
        return NULL;
}

void qn_tar_freep(struct qn_tar **t)
{
        *t = qn_tar_free(*t);
}

unsigned qn_tar_notes(const struct qn_tar *t)
{
        return t->notes;
}

/* --- the source --- */

/* Stream: tries to have n bytes (at most a window) in win.  0 or the reader's error; the end just leaves win short. */
static int fill(struct qn_tar *t, size_t n, struct qn_err *reterr)
{
        size_t have = qn_cur_left(&t->win);

        if (have >= n || !t->read)
                return 0;
        if (have)
                memmove(t->ahead, t->win.p, have);
        while (have < n) {
                ssize_t r = t->read(t->user, t->ahead + have, WINDOW_BYTES - have, reterr);

                if (r < 0)
                        return (int)r;
                if (r == 0)
                        break;
                have += (size_t)r;
        }
        t->win = qn_cur_mem(t->ahead, have);
        return 0;
}

static int cut_short(const struct qn_tar *t, struct qn_err *reterr)
{
        return qn_fail(reterr, -ENODATA, t->off, "the archive is cut short inside an entry");
}

/* 1 and the next block, 0 when less than a block is left. */
static int next_block(struct qn_tar *t, const uint8_t **ret, struct qn_err *reterr)
{
        struct qn_cur block;
        int r = fill(t, BLOCK, reterr);

        if (r < 0)
                return r;
        if (qn_cur_take(&t->win, BLOCK, &block) < 0)
                return 0;
        t->off += BLOCK;
        *ret = block.p;
        if (t->read) /* names must outlive the window */
                *ret = memcpy(t->block, block.p, BLOCK);
        return 1;
}

/* Up to n bytes into out: bytes copied, 0 at the end of the source. */
static ssize_t source_read(struct qn_tar *t, void *out, size_t n, struct qn_err *reterr)
{
        size_t have = qn_cur_left(&t->win);
        ssize_t r;

        if (have == 0 && t->read && n >= WINDOW_BYTES) {
                r = t->read(t->user, out, n, reterr);
                if (r > 0)
                        t->off += (uint64_t)r;
                return r;
        }
        r = fill(t, 1, reterr);
        if (r < 0)
                return r;
        n = QN_MIN(n, qn_cur_left(&t->win));
        if (qn_cur_copy(&t->win, n, out) < 0)
                return 0;
        t->off += n;
        return (ssize_t)n;
}

static int source_skip(struct qn_tar *t, uint64_t n, struct qn_err *reterr)
{
        while (n > 0) {
                size_t some;
                int r = fill(t, 1, reterr);

                if (r < 0)
                        return r;
                some = QN_MIN(n, (uint64_t)qn_cur_left(&t->win));
                if (some == 0 || qn_cur_skip(&t->win, some) < 0)
                        return cut_short(t, reterr);
                t->off += some;
                n -= some;
        }
        return 0;
}

static uint64_t padding(uint64_t size)
{
        return -size & (BLOCK - 1);
}

/* --- headers --- */

static struct qn_str field(const uint8_t *h, size_t at, size_t n)
{
        return (struct qn_str){ (const char *)h + at, n };
}

/* A number that nobody needs, but which makes npm's reader drop the header when it is broken. */
static int check_number(const uint8_t *h, size_t at, size_t n)
{
        int64_t v;

        return h[at] & 0x80 && qn_tar_number(field(h, at, n), &v) == -EBADMSG ? -EBADMSG : 0;
}

static unsigned sum_bytes(const uint8_t *p, size_t n)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += p[i];
        return sum;
}

/* The numbers of a header in the reader's order; -EBADMSG when one of them makes it drop the header. */
static int read_numbers(struct header *h, unsigned has, unsigned has_times)
{
        const uint8_t *p = h->p;
        int r = qn_tar_number(field(p, F_MODE), &h->mode);

        if (r == -EBADMSG || (!(has & QN_TAR_EXT_UID) && check_number(p, F_UID) < 0) ||
            (!(has & QN_TAR_EXT_GID) && check_number(p, F_GID) < 0))
                return -EBADMSG;
        if (r < 0)
                h->mode = 0;
        if (!(has & QN_TAR_EXT_SIZE)) {
                r = qn_tar_number(field(p, F_SIZE), &h->size);
                if (r == -EBADMSG)
                        return r;
                if (r < 0 || h->size < 0)
                        h->size = 0;
        }
        if (!(has & QN_TAR_EXT_MTIME) && check_number(p, F_MTIME) < 0)
                return -EBADMSG;
        r = qn_tar_number(field(p, F_CKSUM), &h->cksum);
        h->has_cksum = r == 0;
        if (r == -EBADMSG)
                return r;
        if (memcmp(p + 257, "ustar\00000", 8) != 0)
                return 0;
        if (check_number(p, F_DEVMAJ) < 0 || check_number(p, F_DEVMIN) < 0)
                return -EBADMSG;
        if (p[475] == 0 && ((!(has_times & QN_TAR_EXT_ATIME) && check_number(p, F_ATIME) < 0) ||
                            (!(has_times & QN_TAR_EXT_CTIME) && check_number(p, F_CTIME) < 0)))
                return -EBADMSG;
        return 0;
}

/* The name field, and before it the ustar prefix, whose length depends on whether times stand behind it. */
static struct qn_str read_name(struct qn_tar *t, const uint8_t *h, struct qn_str name)
{
        struct qn_str prefix;
        bool whole = h[475] != 0;

        if (memcmp(h + 257, "ustar\00000", 8) != 0)
                return name;
        prefix = qn_tar_cut_nul(field(h, 345, whole ? 155 : 130), t->scratch[1]);
        if (prefix.n == 0 && !whole)
                return name;
        /* A pax name is not prefixed in the end: the caller only asks whether there is any name at all. */
        name = qn_str_take(name, 100);
        if (prefix.n)
                memcpy(t->name, prefix.p, prefix.n);
        t->name[prefix.n] = '/';
        if (name.n)
                memcpy(t->name + prefix.n + 1, name.p, name.n);
        return (struct qn_str){ t->name, prefix.n + 1 + name.n };
}

static char npm_type(uint8_t t)
{
        if (t == 0)
                return '0';
        return memchr("01234567gxADIKLMNSVX", t, 20) ? (char)t : '?';
}

static bool is_meta(char type)
{
        return memchr("gxXLNK", type, 6) != NULL;
}

/* Reads a header as npm does.  0, or -EBADMSG when npm drops it while reading numbers. */
static int read_header(struct qn_tar *t, const uint8_t *p, struct header *h)
{
        const struct qn_tar_ext *l = &t->local, *g = &t->global;
        struct qn_str name;
        unsigned times = l->has | g->has, has;
        int r;

        *h = (struct header){ .p = p, .type = npm_type(p[TYPE_AT]) };
        h->fs = h->type == 'D' || (h->type >= '0' && h->type <= '7');
        has = h->fs ? times : 0;
        if (has & QN_TAR_EXT_SIZE)
                h->size = (int64_t)(l->has & QN_TAR_EXT_SIZE ? l->size : g->size);
        r = read_numbers(h, has, times);
        if (r < 0)
                return r;
        if (h->fs && (l->has & QN_TAR_EXT_PATH))
                name = qn_buf_view(&l->path);
        else
                name = qn_tar_cut_nul(field(p, F_NAME), t->scratch[0]);
        if (h->type == '0' && name.n && name.p[name.n - 1] == '/')
                h->type = '5';
        if (h->type == '5')
                h->size = 0;
        h->path = read_name(t, p, name);
        h->link = qn_tar_cut_nul(field(p, F_LINK), t->scratch[1]);
        return 0;
}

/* Whether npm takes this header for an entry; otherwise it goes on with the next block. */
static bool acceptable(const struct header *h, unsigned sum)
{
        bool link = h->type == '1' || h->type == '2';

        if (!h->has_cksum || h->cksum != (int64_t)sum || h->path.n == 0)
                return false;
        if (link)
                return h->link.n > 0;
        return h->link.n == 0 || h->type == 'x' || h->type == 'g';
}

/* --- extended headers --- */

/* The body of an extended header, with its padding: without that npm does not use it. */
static int take_meta(struct qn_tar *t, size_t size, struct qn_str *ret, struct qn_err *reterr)
{
        struct qn_cur body;

        if (!t->read) {
                if (qn_cur_take(&t->win, size, &body) < 0)
                        return cut_short(t, reterr);
                t->off += size;
                *ret = qn_cur_rest(&body);
                return source_skip(t, padding(size), reterr);
        }
        qn_buf_reset(&t->meta);
        if (qn_buf_room(&t->meta, size) < 0)
                return -ENOMEM;
        while (t->meta.n < size) {
                ssize_t n = source_read(t, t->meta.p + t->meta.n, size - t->meta.n, reterr);

                if (n <= 0)
                        return n < 0 ? (int)n : cut_short(t, reterr);
                t->meta.n += (size_t)n;
        }
        *ret = qn_buf_view(&t->meta);
        return source_skip(t, padding(size), reterr);
}

static int apply_meta(struct qn_tar *t, char type, struct qn_str body, struct qn_err *reterr)
{
        int r;

        switch (type) {
        case 'L':
        case 'N':
                r = qn_tar_ext_long(&t->local, QN_TAR_EXT_PATH, body);
                break;
        case 'K':
                r = qn_tar_ext_long(&t->local, QN_TAR_EXT_LINK, body);
                break;
        default:
                r = qn_tar_ext_pax(type == 'g' ? &t->global : &t->local, body, reterr);
        }
        return r == -EFBIG ? qn_fail(reterr, r, t->off, "a path is longer than %u bytes",
                                     QN_TAR_NAME_MAX)
                           : r;
}

static int read_meta(struct qn_tar *t, const struct header *h, struct qn_err *reterr)
{
        struct qn_str body;
        int r;

        /* npm measures this header by the size meant for the file, others do not: no honest archive has that. */
        if ((t->local.has | t->global.has) & QN_TAR_EXT_SIZE)
                return qn_fail(reterr, -EBADMSG, t->off, "an extended header behind a pax size");
        if ((uint64_t)h->size > QN_TAR_PAX_MAX)
                return qn_fail(reterr, -EFBIG, t->off, "an extended header of more than %zu bytes",
                               QN_TAR_PAX_MAX);
        if (h->size == 0)
                return 0;
        r = take_meta(t, (size_t)h->size, &body, reterr);
        if (r < 0)
                return r;
        return apply_meta(t, h->type, body, reterr);
}

/* --- entries --- */

static bool is_slash(char c)
{
        return c == '/' || c == '\\';
}

static bool is_drive(struct qn_str s)
{
        return s.n >= 2 && s.p[1] == ':' && ((s.p[0] | 0x20) >= 'a' && (s.p[0] | 0x20) <= 'z');
}

static size_t span(struct qn_str s, size_t i, bool slashes)
{
        while (i < s.n && is_slash(s.p[i]) == slashes)
                i++;
        return i;
}

/* Length of what Node's path.win32.parse() calls the root: "\", "C:", "C:\", "\\server\share\". */
static size_t root_len(struct qn_str s)
{
        size_t server, share, rest;

        if (s.n == 0)
                return 0;
        if (!is_slash(s.p[0]))
                return is_drive(s) ? 2 + (s.n > 2 && is_slash(s.p[2])) : 0;
        if (s.n < 2 || !is_slash(s.p[1]))
                return 1;
        server = span(s, 2, false);
        share = span(s, server, true);
        if (server == 2 || server == s.n || share == s.n)
                return 1;
        rest = span(s, share, false);
        return rest == s.n ? rest : rest + 1;
}

/* Roots are taken off until none is left, on every system (node-tar, strip-absolute-path). */
static struct qn_str strip_roots(struct qn_str s, unsigned *odd)
{
        for (;;) {
                size_t n = root_len(s);

                if (n == 0)
                        return s;
                if (s.p[0] == '/' && !qn_str_starts(s, "//?/"))
                        n = 1;
                else
                        *odd |= QN_TAR_ODD_ABSOLUTE;
                s = qn_str_skip(s, n);
        }
}

/* Takes the next component off s; true when it is one that counts. */
static bool component(struct qn_str *s, struct qn_str *ret)
{
        *ret = qn_str_cut(s, '/');
        return ret->n > 0 && !qn_str_is(*ret, ".");
}

static bool is_clean(struct qn_str s)
{
        struct qn_str c;

        if (s.n && s.p[s.n - 1] == '/')
                return false;
        while (s.n > 0)
                if (!component(&s, &c))
                        return false;
        return true;
}

/* Without empty and "." components: s itself, or put together in out (at least s.n bytes). */
static struct qn_str clean(struct qn_str s, char *out)
{
        struct qn_str c;
        size_t n = 0;

        if (is_clean(s))
                return s;
        while (s.n > 0) {
                if (!component(&s, &c))
                        continue;
                if (n > 0)
                        out[n++] = '/';
                memcpy(out + n, c.p, c.n);
                n += c.n;
        }
        return (struct qn_str){ out, n };
}

static bool has_dotdot(struct qn_str s)
{
        for (size_t i = 0; i < s.n;) {
                size_t end = span(s, i, false);

                if (end - i == 2 && s.p[i] == '.' && s.p[i + 1] == '.')
                        return true;
                i = end + 1;
        }
        return false;
}

static unsigned odd_bytes(struct qn_str s)
{
        unsigned odd = 0;
        uint8_t high = 0;

        for (size_t i = 0; i < s.n; i++) {
                uint8_t c = (uint8_t)s.p[i];

                high |= c;
                if (c < ' ' || c == 0x7f || c == '\\')
                        odd |= QN_TAR_ODD_NUL;
        }
        if (high & 0x80 && !qn_utf8_valid(s))
                odd |= QN_TAR_ODD_UTF8;
        return odd;
}

/* Where npm would put the entry, and what is odd about it. */
static void set_path(struct qn_tar *t, struct qn_tar_entry *e)
{
        struct qn_str rest = e->full;

        e->odd |= odd_bytes(e->full);
        if (e->full.n && (is_slash(e->full.p[0]) || is_drive(e->full)))
                e->odd |= QN_TAR_ODD_ABSOLUTE;
        if (has_dotdot(e->full))
                e->odd |= QN_TAR_ODD_DOTDOT;
        (void)qn_str_cut(&rest, '/');
        e->path = clean(strip_roots(rest, &e->odd), t->path);
        if (e->path.n == 0 && e->type != QN_TAR_DIR) {
                e->odd |= QN_TAR_ODD_OUTSIDE;
                e->path = clean(e->full, t->path);
        }
}

static enum qn_tar_type entry_type(char type)
{
        switch (type) {
        case '0':
        case '7':
                return QN_TAR_FILE;
        case '5':
        case 'D':
                return QN_TAR_DIR;
        case '1':
                return QN_TAR_HARDLINK;
        case '2':
                return QN_TAR_SYMLINK;
        case '3':
        case '4':
        case '6':
                return QN_TAR_DEVICE;
        default:
                return QN_TAR_OTHER;
        }
}

static struct qn_str link_target(const struct qn_tar *t, const struct header *h)
{
        if (t->global.has & QN_TAR_EXT_LINK)
                return qn_buf_view(&t->global.link);
        return t->local.has & QN_TAR_EXT_LINK ? qn_buf_view(&t->local.link) : h->link;
}

/* Whether readers may differ on this entry because of what extended headers say, or its own: a negative size is nothing to npm,
 * an error to some and a way back to others. */
static bool pax_odd(const struct qn_tar *t, const struct header *h)
{
        unsigned has = t->local.has | t->global.has;
        int64_t raw;
        int r = qn_tar_number(field(h->p, F_SIZE), &raw);

        if (t->local.disputed || t->global.disputed || (t->global.has & QN_TAR_EXT_PATH))
                return true;
        if (r == 0 && raw < 0)
                return true;
        if ((has & QN_TAR_EXT_SIZE) && (r < 0 || raw != h->size))
                return true;
        return (has & QN_TAR_EXT_LINK) && h->type != '1' && h->type != '2';
}

static int fill_entry(struct qn_tar *t, const struct header *h, struct qn_tar_entry *ret,
                      struct qn_err *reterr)
{
        uint64_t size = (uint64_t)h->size;
        int r;

        if (t->entries++ == t->entries_max)
                return qn_fail(reterr, -EFBIG, t->off, "more than %zu entries", t->entries_max);
        if (size > QN_UNPACKED_MAX)
                return qn_fail(reterr, -EFBIG, t->off, "an entry claims more than %zu bytes",
                               QN_UNPACKED_MAX);
        *ret = (struct qn_tar_entry){
                .type = entry_type(h->type),
                .mode = (uint32_t)(h->mode & 07777),
                .size = size,
                .off = t->off,
                .full = t->local.has & QN_TAR_EXT_PATH ? qn_buf_view(&t->local.path) : h->path,
                .link = link_target(t, h),
        };
        if (ret->full.n > QN_TAR_NAME_MAX)
                return qn_fail(reterr, -EFBIG, t->off, "a path is longer than %u bytes",
                               QN_TAR_NAME_MAX);
        if (pax_odd(t, h))
                ret->odd |= QN_TAR_ODD_PAX;
        set_path(t, ret);
        if (t->read) {
                t->body = size;
                t->pad = padding(size);
                return 1;
        }
        if (size + padding(size) > qn_cur_left(&t->win) ||
            qn_cur_take(&t->win, size, &ret->data) < 0)
                return cut_short(t, reterr);
        t->off += size;
        r = source_skip(t, padding(size), reterr);
        return r < 0 ? r : 1;
}

/* Behind the end of the archive there is padding, usually less than 10 KB of it. */
static int check_trailing(struct qn_tar *t, struct qn_err *reterr)
{
        size_t seen = 0;

        while (seen < QN_TAR_TRAILING_MAX) {
                int r = fill(t, 1, reterr);
                size_t n = QN_MIN(qn_cur_left(&t->win), QN_TAR_TRAILING_MAX - seen);

                if (r < 0 || n == 0)
                        return r;
                for (size_t i = 0; i < n; i++)
                        if (t->win.p[i]) {
                                t->notes |= QN_TAR_NOTE_TRAILING;
                                return 0;
                        }
                seen += n;
                if (qn_cur_skip(&t->win, n) < 0)
                        return 0;
        }
        t->notes |= QN_TAR_NOTE_TRAILING;
        return 0;
}

/* One header block: 1 an entry, 0 the end of the archive, 2 go on. */
static int one_header(struct qn_tar *t, const uint8_t *p, struct qn_tar_entry *ret,
                      struct qn_err *reterr)
{
        struct header h;
        unsigned sum = sum_bytes(p, BLOCK) - sum_bytes(p + 148, 8) + 8 * ' ';
        int r;

        if (read_header(t, p, &h) < 0) {
                t->notes |= QN_TAR_NOTE_SKIPPED;
                return 2;
        }
        if (!h.has_cksum && sum == 8 * ' ') {
                if (t->saw_null)
                        return check_trailing(t, reterr);
                t->saw_null = true;
                return 2;
        }
        t->saw_null = false;
        if (!acceptable(&h, sum)) {
                t->notes |= QN_TAR_NOTE_SKIPPED;
                return 2;
        }
        if (is_meta(h.type)) {
                r = read_meta(t, &h, reterr);
                return r < 0 ? r : 2;
        }
        return fill_entry(t, &h, ret, reterr);
}

int qn_tar_next(struct qn_tar *t, struct qn_tar_entry *ret, struct qn_err *reterr)
{
        const uint8_t *p;
        int r;

        if (t->ended)
                return 0;
        r = source_skip(t, t->body + t->pad, reterr);
        t->body = t->pad = 0;
        /* What the last entry was named by lives until here. */
        if (t->named) {
                qn_tar_ext_reset(&t->local);
                t->named = false;
        }
        while (r >= 0) {
                r = next_block(t, &p, reterr);
                if (r <= 0)
                        break;
                r = one_header(t, p, ret, reterr);
                if (r != 2)
                        break;
        }
        t->named = r == 1;
        t->ended = r <= 0;
        return r;
}

ssize_t qn_tar_read(struct qn_tar *t, void *out, size_t n, struct qn_err *reterr)
{
        ssize_t r;

        n = QN_MIN((uint64_t)n, t->body);
        if (n == 0)
                return 0;
        r = source_read(t, out, n, reterr);
        if (r == 0)
                return cut_short(t, reterr);
        if (r > 0)
                t->body -= (uint64_t)r;
        return r;
}
