#include "intel/index-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"

#define FILE_NAME "/index.mdb"
#define VERSION   3u
#define READERS   4096u               /* processes that read at a time */
#define MAP_SIZE  ((size_t)16 << 30)  /* of addresses; the file is as large as it must be */
#define SEEN_MAX  ((size_t)256 << 20) /* memory for what an import has seen */

static const struct {
        const char *name;
        unsigned flags;
} tables[TABLES] = {
        [RECORDS] = { "records", MDB_INTEGERKEY },
        [IDS] = { "ids", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [NAMES] = { "names", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [IOCS] = { "iocs", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [SOURCES] = { "sources", 0 },
        [DICTIONARIES] = { "dictionaries", MDB_INTEGERKEY },
        [HISTORY] = { "history", MDB_INTEGERKEY },
        [META] = { "meta", 0 },
};

/* --- errors --- */

int qn_ix_code(int e)
{
        switch (e) {
        case MDB_SUCCESS:
                return 0;
        case MDB_NOTFOUND:
                return -ENOENT;
        case MDB_INVALID:
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_PANIC:
                return -EBADMSG;
        case MDB_VERSION_MISMATCH:
                return -EPROTO;
        case MDB_MAP_FULL:
        case MDB_TXN_FULL:
                return -ENOSPC;
        case MDB_READERS_FULL:
                return -EUSERS;
        default:
                return e > 0 ? -e : -EIO;
        }
}

int qn_ix_failed(const struct qn_intel *x, int r, struct qn_err *reterr)
{
        if (r == -EBADMSG)
                return qn_fail(reterr, r, 0,
                               "the index %s is damaged: delete it and run qanat intel import",
                               x->path);
        if (r == -EPROTO)
                return qn_fail(reterr, r, 0,
                               "the index %s was written by another version: delete it and run "
                               "qanat intel import",
                               x->path);
        return qn_fail(reterr, r, 0, "the index %s: %s", x->path, strerror(-r));
}

/* --- small pieces --- */

int qn_ix_get(struct qn_intel *x, enum table t, MDB_val key, MDB_val *ret)
{
        return qn_ix_code(mdb_get(x->txn, x->dbi[t], &key, ret));
}

int qn_ix_put(struct qn_intel *x, enum table t, MDB_val key, MDB_val value, unsigned flags)
{
        int e = mdb_put(x->txn, x->dbi[t], &key, &value, flags);

        return e == MDB_KEYEXIST ? 0 : qn_ix_code(e);
}

int qn_ix_walk(struct qn_intel *x, enum table t, MDB_cursor_op step,
               int (*fn)(void *ctx, MDB_val key, MDB_val value), void *ctx)
{
        MDB_cursor *c;
        MDB_val k, v;
        int r = qn_ix_code(mdb_cursor_open(x->txn, x->dbi[t], &c));

        if (r < 0)
                return r;
        while (r == 0) {
                int e = mdb_cursor_get(c, &k, &v, step);

                if (e == MDB_NOTFOUND)
                        break;
                r = e ? qn_ix_code(e) : fn(ctx, k, v);
        }
        mdb_cursor_close(c);
        return r;
}

uint64_t qn_ix_get_meta(struct qn_intel *x, const char *key)
{
        MDB_val v;
        uint64_t n = 0;

        if (qn_ix_get(x, META, qn_ix_val(key, strlen(key)), &v) == 0 && v.mv_size == sizeof n)
                memcpy(&n, v.mv_data, sizeof n);
        return n;
}

int qn_ix_put_meta(struct qn_intel *x, const char *key, uint64_t n)
{
        return qn_ix_put(x, META, qn_ix_val(key, strlen(key)), qn_ix_val(&n, sizeof n), 0);
}

MDB_val qn_ix_key(struct key *k, char prefix, struct qn_str text)
{
        uint64_t hash;

        k->n = 0;
        if (prefix)
                k->bytes[k->n++] = prefix;
        if (text.n)
                memcpy(k->bytes + k->n, text.p, QN_MIN(text.n, (size_t)QN_IX_KEY_MAX));
        k->n += QN_MIN(text.n, (size_t)QN_IX_KEY_MAX);
        if (text.n > QN_IX_KEY_MAX) {
                hash = qn_hash64(text.p, text.n);
                memcpy(k->bytes + k->n, &hash, sizeof hash);
                k->n += sizeof hash;
        }
        if (!k->n)
                k->bytes[k->n++] = '\0';
        return qn_ix_val(k->bytes, k->n);
}

/* --- opening --- */

static int open_tables(struct qn_intel *x)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < TABLES; i++)
                r = qn_ix_code(mdb_dbi_open(x->txn, tables[i].name,
                                            tables[i].flags | (x->writer ? MDB_CREATE : 0),
                                            &x->dbi[i]));
        if (r == 0 && x->writer && !qn_ix_get_meta(x, "version"))
                r = qn_ix_put_meta(x, "version", VERSION);
        if (r == 0 && qn_ix_get_meta(x, "version") != VERSION)
                r = -EPROTO;
        return r;
}

/* A file that was cut short would end the process when it is read. */
static int check_size(struct qn_intel *x)
{
        MDB_envinfo info;
        MDB_stat st;
        struct stat file;
        mdb_filehandle_t fd;

        if (mdb_env_info(x->env, &info) || mdb_env_stat(x->env, &st) ||
            mdb_env_get_fd(x->env, &fd) || fstat(fd, &file) < 0)
                return -EBADMSG;
        x->dev = file.st_dev;
        x->ino = file.st_ino;
        return (uint64_t)file.st_size < (info.me_last_pgno + 1) * (uint64_t)st.ms_psize ? -EBADMSG
                                                                                        : 0;
}

static int open_env(struct qn_intel *x)
{
        unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (x->writer ? 0 : MDB_RDONLY);
        int r = qn_ix_code(mdb_env_create(&x->env));

        if (r == 0)
                r = qn_ix_code(mdb_env_set_maxdbs(x->env, TABLES));
        if (r == 0)
                r = qn_ix_code(mdb_env_set_maxreaders(x->env, READERS));
        if (r == 0 && x->writer)
                r = qn_ix_code(mdb_env_set_mapsize(x->env, MAP_SIZE));
        return r == 0 ? qn_ix_code(mdb_env_open(x->env, x->path, flags, 0600)) : r;
}

int qn_ix_begin(struct qn_intel *x)
{
        int dead, e = mdb_txn_begin(x->env, NULL, x->writer ? 0 : MDB_RDONLY, &x->txn), r;

        /* Those that were killed while they read have left their places. */
        if (e == MDB_READERS_FULL && mdb_reader_check(x->env, &dead) == 0)
                e = mdb_txn_begin(x->env, NULL, MDB_RDONLY, &x->txn);
        r = qn_ix_code(e);
        return r == 0 ? open_tables(x) : r;
}

static int open_unlocked(struct qn_intel *x)
{
        int r = qn_ix_code(mdb_env_create(&x->env));

        if (r == 0)
                r = qn_ix_code(mdb_env_set_maxdbs(x->env, TABLES));
        return r == 0 ? qn_ix_code(mdb_env_open(x->env, x->path,
                                                MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK,
                                                0600))
                      : r;
}

/* A reader that may not write beside the index reads without taking part in the locking. */
static int open_reader(struct qn_intel *x)
{
        int r = open_env(x);

        if (r != -EACCES && r != -EROFS)
                return r;
        mdb_env_close(x->env);
        x->env = NULL;
        return open_unlocked(x);
}

/* The first import into it is under way, or was cut short: it says nothing yet. */
static bool is_blank(const struct qn_intel *x)
{
        MDB_envinfo info;

        return x->ino /* it could be opened */ && mdb_env_info(x->env, &info) == 0 &&
               info.me_last_txnid == 0;
}

/* The handles of tables are the environment's own once the transaction that opened them is committed; so the next one can begin
 * before this one ends. */
static int begin_reading(struct qn_intel *x)
{
        int r = qn_ix_begin(x);

        if (r == 0) {
                r = qn_ix_code(mdb_txn_commit(x->txn));
                x->txn = NULL;
        }
        return r == 0 ? qn_ix_begin(x) : r;
}

static int new_intel(const char *dir, bool writer, struct qn_intel **ret)
{
        struct qn_intel *x = calloc(1, sizeof *x);

        if (!x)
                return -ENOMEM;
        x->lock = -1;
        x->writer = writer;
        x->a = QN_ARENA_INIT(QN_FEED_ARENA_MAX);
        x->mem = QN_ARENA_INIT(SEEN_MAX);
        x->value = QN_BUF_INIT(QN_OSV_MAX * 2);
        if (asprintf(&x->path, "%s" FILE_NAME, dir) < 0) {
                x->path = NULL;
                free(x);
                return -ENOMEM;
        }
        *ret = x;
        return 0;
}

static void forget_dictionaries(struct qn_intel *x)
{
        for (unsigned i = 0; i < QN_IX_DICTIONARIES; i++)
                x->squeeze[i] = qn_squeeze_free(x->squeeze[i]);
}

struct qn_intel *qn_intel_close(struct qn_intel *x)
{
        if (!x)
                return NULL;
        if (x->txn)
                mdb_txn_abort(x->txn);
        if (x->env)
                mdb_env_close(x->env);
        qn_closep(&x->lock);
        qn_arena_done(&x->a);
        qn_arena_done(&x->mem);
        qn_buf_done(&x->value);
        qn_buf_done(&x->im.gone);
        forget_dictionaries(x);
        free(x->im.seen);
        free(x->path);
        free(x);
        return NULL;
}

void qn_intel_closep(struct qn_intel **x)
{
        *x = qn_intel_close(*x);
}

static int read_index(struct qn_intel *x, int (*open_it)(struct qn_intel *x), struct qn_err *reterr)
{
        struct stat st;
        int r = stat(x->path, &st) < 0 ? -errno : 0;

        if (r == 0 && !st.st_size) /* nobody leaves it like that */
                r = -EBADMSG;
        if (r == 0)
                r = open_it(x);
        if (r == 0)
                r = check_size(x);
        if (r == 0)
                r = begin_reading(x);
        if (r < 0 && (access(x->path, F_OK) < 0 || is_blank(x)))
                return qn_fail(reterr, -ENOENT, 0,
                               "there is no intelligence yet: run qanat intel import");
        if (r == -ENOENT) /* without tables */
                r = -EBADMSG;
        return r < 0 ? qn_ix_failed(x, r, reterr) : 0;
}

int qn_intel_open(const char *dir, struct qn_intel **ret, struct qn_err *reterr)
{
        _cleanup_(qn_intel_closep) struct qn_intel *x = NULL;
        int r = new_intel(dir, false, &x);

        if (r == 0)
                r = read_index(x, open_reader, reterr);
        if (r == 0)
                *ret = TAKE_PTR(x);
        return r;
}

/* --- once more --- */

/* The next transaction begins before the one that it follows ends: when it cannot, that one goes on. */
static int read_newest(struct qn_intel *x, struct qn_err *reterr)
{
        MDB_txn *before = x->txn;
        int r = check_size(x);

        if (r == 0)
                r = qn_ix_begin(x);
        if (r < 0) {
                if (x->txn && x->txn != before)
                        mdb_txn_abort(x->txn);
                x->txn = before;
                return qn_ix_failed(x, r, reterr);
        }
        mdb_txn_abort(before);
        forget_dictionaries(x);
        return 0;
}

/* Another file lies there.  It is looked at without touching the locks, which both may share, before the old one is given up. */
static int change_over(struct qn_intel **x, struct qn_err *reterr)
{
        _cleanup_(qn_intel_closep) struct qn_intel *next = NULL;
        _cleanup_(qn_freep) char *dir = strndup((*x)->path, strlen((*x)->path) - strlen(FILE_NAME));
        int r = dir ? new_intel(dir, false, &next) : -ENOMEM;

        if (r == 0)
                r = read_index(next, open_unlocked, reterr);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        next = qn_intel_close(next);
        *x = qn_intel_close(*x);
        return qn_intel_open(dir, x, reterr);
}

int qn_intel_again(struct qn_intel **x, struct qn_err *reterr)
{
        struct stat st;

        if (stat((*x)->path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        return st.st_dev == (*x)->dev && st.st_ino == (*x)->ino ? read_newest(*x, reterr)
                                                                : change_over(x, reterr);
}

static int take_lock(struct qn_intel *x, const char *dir)
{
        _cleanup_(qn_freep) char *path = NULL;

        if (asprintf(&path, "%s/update.lock", dir) < 0)
                return -ENOMEM;
        x->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (x->lock < 0)
                return -errno;
        return flock(x->lock, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

int qn_intel_open_writer(const char *dir, struct qn_intel **ret, struct qn_err *reterr)
{
        _cleanup_(qn_intel_closep) struct qn_intel *x = NULL;
        int r = new_intel(dir, true, &x);

        if (r == 0)
                r = qn_io_mkdirs(dir);
        if (r == 0)
                r = take_lock(x, dir);
        if (r == -EBUSY)
                return qn_fail(reterr, r, 0, "another process is updating %s: try again later",
                               x->path);
        if (r == 0)
                r = open_env(x);
        if (r == 0)
                r = check_size(x);
        if (r == 0)
                r = qn_ix_begin(x);
        if (r < 0)
                return x ? qn_ix_failed(x, r, reterr) : r;
        *ret = TAKE_PTR(x);
        return 0;
}

int qn_ix_squeeze(struct qn_intel *x, unsigned number, struct qn_squeeze **ret)
{
        struct qn_str dictionary = { 0 };
        uint32_t key = number;
        MDB_val v;
        int r = 0;

        if (number >= QN_IX_DICTIONARIES)
                return -EBADMSG;
        if (!x->squeeze[number] && number) {
                r = qn_ix_get(x, DICTIONARIES, qn_ix_val(&key, sizeof key), &v);
                if (r == 0)
                        dictionary = (struct qn_str){ v.mv_data, v.mv_size };
        }
        if (r == 0 && !x->squeeze[number])
                r = qn_squeeze_new(dictionary, &x->squeeze[number]);
        *ret = x->squeeze[number];
        return r == -ENOENT ? -EBADMSG : r;
}

static uint64_t entries(struct qn_intel *x, enum table t)
{
        MDB_stat st;

        return mdb_stat(x->txn, x->dbi[t], &st) ? 0 : st.ms_entries;
}

int qn_intel_stats(struct qn_intel *x, struct qn_intel_stats *ret)
{
        struct stat st;

        if (stat(x->path, &st) < 0)
                return -errno;
        *ret = (struct qn_intel_stats){ .records = entries(x, RECORDS),
                                        .names = entries(x, NAMES),
                                        .indicators = entries(x, IOCS),
                                        .bytes = (uint64_t)st.st_size,
                                        .generation = qn_ix_get_meta(x, "generation") };
        ret->state = qn_hash64((const uint64_t[]){ x->dev, x->ino, ret->generation },
                               3 * sizeof(uint64_t));
        return 0;
}
