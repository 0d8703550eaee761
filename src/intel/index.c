#include "intel/index.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/hashset.h"
#include "base/io.h"
#include "base/limits.h"
#include "intel/record.h"
#include "parse/osv.h"
#include "parse/packument.h"

#define VERSION    1u
#define MAP_SIZE   ((size_t)16 << 30)  /* of addresses; the file is as large as it must be */
#define KEY_MAX    400u                /* LMDB takes 511 bytes */
#define SHARED_MIN 24u                 /* a shorter line is cheaper where it stands */
#define SEEN_MAX   ((size_t)256 << 20) /* memory for what an import has seen */

enum table { RECORDS, IDS, NAMES, IOCS, SOURCES, TEXTS, META, TABLES };

static const struct {
        const char *name;
        unsigned flags;
} tables[TABLES] = {
        [RECORDS] = { "records", MDB_INTEGERKEY },
        [IDS] = { "ids", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [NAMES] = { "names", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [IOCS] = { "iocs", MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP },
        [SOURCES] = { "sources", 0 },
        [TEXTS] = { "texts", MDB_INTEGERKEY },
        [META] = { "meta", 0 },
};

struct import {
        unsigned source;
        bool whole;
        uint32_t next; /* number of the next new record */
        uint64_t had;  /* records of the source before */
        uint64_t generation;
        struct qn_hashset lines; /* of details, seen once */
        uint8_t *seen;           /* a bit for each record */
        size_t seen_n;
        struct qn_intel_counts counts;
};

struct qn_intel {
        MDB_env *env;
        MDB_txn *txn;
        MDB_dbi dbi[TABLES];
        int lock; /* writer: held as long as it is open */
        bool writer;
        char *path;
        struct import im;
        struct qn_arena a;   /* of one record */
        struct qn_arena mem; /* of one import */
        struct qn_buf value; /* that is being put together */
};

/* --- errors --- */

static int code_of(int e)
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
        default:
                return e > 0 ? -e : -EIO;
        }
}

static int failed(const struct qn_intel *x, int r, struct qn_err *reterr)
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

static MDB_val val(const void *p, size_t n)
{
        return (MDB_val){ n, (void *)(uintptr_t)p };
}

static struct qn_cur cur(MDB_val v)
{
        return qn_cur_mem(v.mv_data, v.mv_size);
}

static int get(struct qn_intel *x, enum table t, MDB_val key, MDB_val *ret)
{
        return code_of(mdb_get(x->txn, x->dbi[t], &key, ret));
}

static int put(struct qn_intel *x, enum table t, MDB_val key, MDB_val value, unsigned flags)
{
        int e = mdb_put(x->txn, x->dbi[t], &key, &value, flags);

        return e == MDB_KEYEXIST ? 0 : code_of(e);
}

static uint64_t get_meta(struct qn_intel *x, const char *key)
{
        MDB_val v;
        uint64_t n = 0;

        if (get(x, META, val(key, strlen(key)), &v) == 0 && v.mv_size == sizeof n)
                memcpy(&n, v.mv_data, sizeof n);
        return n;
}

static int put_meta(struct qn_intel *x, const char *key, uint64_t n)
{
        return put(x, META, val(key, strlen(key)), val(&n, sizeof n), 0);
}

/* A text as a key: what is longer than a key may be is told apart by its hash. */
struct key {
        char bytes[KEY_MAX + 16];
        size_t n;
};

static MDB_val key_of(struct key *k, char prefix, struct qn_str text)
{
        uint64_t hash;

        k->n = 0;
        if (prefix)
                k->bytes[k->n++] = prefix;
        if (text.n)
                memcpy(k->bytes + k->n, text.p, QN_MIN(text.n, (size_t)KEY_MAX));
        k->n += QN_MIN(text.n, (size_t)KEY_MAX);
        if (text.n > KEY_MAX) {
                hash = qn_hash64(text.p, text.n);
                memcpy(k->bytes + k->n, &hash, sizeof hash);
                k->n += sizeof hash;
        }
        if (!k->n)
                k->bytes[k->n++] = '\0';
        return val(k->bytes, k->n);
}

static char ioc_prefix(enum qn_indicator_kind kind)
{
        return (char)('A' + kind);
}

/* --- opening --- */

static int open_tables(struct qn_intel *x)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < TABLES; i++)
                r = code_of(mdb_dbi_open(x->txn, tables[i].name,
                                         tables[i].flags | (x->writer ? MDB_CREATE : 0),
                                         &x->dbi[i]));
        if (r == 0 && x->writer && !get_meta(x, "version"))
                r = put_meta(x, "version", VERSION);
        if (r == 0 && get_meta(x, "version") != VERSION)
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
        return (uint64_t)file.st_size < (info.me_last_pgno + 1) * (uint64_t)st.ms_psize ? -EBADMSG
                                                                                        : 0;
}

static int open_env(struct qn_intel *x)
{
        unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (x->writer ? 0 : MDB_RDONLY);
        int r = code_of(mdb_env_create(&x->env));

        if (r == 0)
                r = code_of(mdb_env_set_maxdbs(x->env, TABLES));
        if (r == 0 && x->writer)
                r = code_of(mdb_env_set_mapsize(x->env, MAP_SIZE));
        return r == 0 ? code_of(mdb_env_open(x->env, x->path, flags, 0600)) : r;
}

static int begin(struct qn_intel *x)
{
        int r = code_of(mdb_txn_begin(x->env, NULL, x->writer ? 0 : MDB_RDONLY, &x->txn));

        return r == 0 ? open_tables(x) : r;
}

/* A reader that may not write beside the index reads without taking part in the locking. */
static int open_reader(struct qn_intel *x)
{
        int r = open_env(x);

        if (r != -EACCES && r != -EROFS)
                return r;
        mdb_env_close(x->env);
        x->env = NULL;
        r = code_of(mdb_env_create(&x->env));
        if (r == 0)
                r = code_of(mdb_env_set_maxdbs(x->env, TABLES));
        return r == 0 ? code_of(mdb_env_open(x->env, x->path,
                                             MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK,
                                             0600))
                      : r;
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
        if (asprintf(&x->path, "%s/index.mdb", dir) < 0) {
                x->path = NULL;
                free(x);
                return -ENOMEM;
        }
        *ret = x;
        return 0;
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
        free(x->im.seen);
        free(x->path);
        free(x);
        return NULL;
}

void qn_intel_closep(struct qn_intel **x)
{
        *x = qn_intel_close(*x);
}

int qn_intel_open(const char *dir, struct qn_intel **ret, struct qn_err *reterr)
{
        _cleanup_(qn_intel_closep) struct qn_intel *x = NULL;
        int r = new_intel(dir, false, &x);

        if (r < 0)
                return r;
        if (access(x->path, F_OK) < 0)
                return qn_fail(reterr, -ENOENT, 0,
                               "there is no intelligence yet: run qanat intel import");
        r = open_reader(x);
        if (r == 0)
                r = check_size(x);
        if (r == 0)
                r = begin(x);
        if (r == -ENOENT) /* without tables */
                r = -EBADMSG;
        if (r < 0)
                return failed(x, r, reterr);
        *ret = TAKE_PTR(x);
        return 0;
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
                r = begin(x);
        if (r < 0)
                return x ? failed(x, r, reterr) : r;
        *ret = TAKE_PTR(x);
        return 0;
}

/* --- sources --- */

static void put_source(struct qn_buf *b, const struct qn_intel_source *s)
{
        qn_intel_put_num(b, s->number);
        qn_intel_put_num(b, s->records);
        qn_intel_put_num(b, s->updated_s);
        qn_intel_put_num(b, s->generation);
        qn_intel_put_text(b, s->etag);
        qn_intel_put_text(b, s->last_modified);
        qn_intel_put_text(b, s->from);
        qn_intel_put_text(b, s->position);
}

static int get_source(struct qn_cur c, struct qn_arena *a, struct qn_intel_source *ret)
{
        struct qn_str *texts[] = { &ret->etag, &ret->last_modified, &ret->from, &ret->position };
        uint64_t number;

        if (qn_intel_get_num(&c, &number) < 0 || number >= QN_INTEL_SOURCES_MAX ||
            qn_intel_get_num(&c, &ret->records) < 0 || qn_intel_get_num(&c, &ret->updated_s) < 0 ||
            qn_intel_get_num(&c, &ret->generation) < 0)
                return -EBADMSG;
        ret->number = (unsigned)number;
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                struct qn_str s;

                if (qn_intel_get_text(&c, &s) < 0)
                        return -EBADMSG;
                *texts[i] = qn_arena_dup(a, s);
                if (!texts[i]->p)
                        return -ENOBUFS;
        }
        return 0;
}

int qn_intel_sources(struct qn_intel *x, struct qn_arena *a, struct qn_intel_source **ret,
                     size_t *ret_n)
{
        struct qn_intel_source *list = qn_arena_calloc(a, QN_INTEL_SOURCES_MAX, sizeof *list);
        MDB_cursor *c;
        MDB_val k, v;
        size_t n = 0;
        int r = list ? code_of(mdb_cursor_open(x->txn, x->dbi[SOURCES], &c)) : -ENOBUFS;

        if (r < 0)
                return r;
        while (r == 0 && (r = code_of(mdb_cursor_get(c, &k, &v, MDB_NEXT))) == 0) {
                struct qn_intel_source s = { 0 };

                r = get_source(cur(v), a, &s);
                s.name = qn_arena_dup(a, (struct qn_str){ k.mv_data, k.mv_size });
                if (r == 0) {
                        n = QN_MAX(n, (size_t)s.number + 1);
                        list[s.number] = s;
                }
        }
        mdb_cursor_close(c);
        *ret = list;
        *ret_n = n;
        return r == -ENOENT ? 0 : r;
}

int qn_intel_source(struct qn_intel *x, struct qn_str name, struct qn_arena *a,
                    struct qn_intel_source *ret)
{
        struct qn_intel_source *list, s = { 0 };
        MDB_val v;
        size_t n;
        int r;

        if (!name.n || name.n > QN_INTEL_SOURCE_NAME_MAX)
                return -EINVAL;
        r = get(x, SOURCES, val(name.p, name.n), &v);
        if (r == 0)
                r = get_source(cur(v), a, &s);
        else if (r == -ENOENT && x->writer && (r = qn_intel_sources(x, a, &list, &n)) == 0) {
                for (s.number = 0; s.number < n && list[s.number].name.n;)
                        s.number++;
                if (s.number >= QN_INTEL_SOURCES_MAX)
                        return -ENOSPC;
        }
        if (r < 0)
                return r;
        s.name = qn_arena_dup(a, name);
        *ret = s;
        return s.name.p ? 0 : -ENOBUFS;
}

/* --- records --- */

/* What stands in front of a packed head. */
struct front {
        uint32_t sources;
        uint32_t head_n;
        uint64_t generation;
        int64_t modified_ms;
        uint64_t hash; /* of the packed record as it came */
        uint32_t withdrawn;
        uint32_t unused;
};

static int read_record(MDB_val v, uint32_t number, struct front *ret_front,
                       struct qn_intel_record *ret)
{
        struct qn_cur c = cur(v), head;

        if (qn_cur_copy(&c, sizeof *ret_front, ret_front) < 0 ||
            qn_cur_take(&c, ret_front->head_n, &head) < 0)
                return -EBADMSG;
        *ret = (struct qn_intel_record){ .number = number,
                                         .sources = ret_front->sources,
                                         .generation = ret_front->generation,
                                         .head = head,
                                         .prose = c };
        return 0;
}

static int get_record(struct qn_intel *x, uint32_t number, struct front *ret_front,
                      struct qn_intel_record *ret)
{
        MDB_val v;
        int r = get(x, RECORDS, val(&number, sizeof number), &v);

        return r == 0 ? read_record(v, number, ret_front, ret) : r;
}

/* --- details: lines that several records share are kept once --- */

enum { LINE_OWN, LINE_SHARED };

static int put_line(struct qn_intel *x, struct qn_str line)
{
        uint64_t hash = qn_hash64(line.p, line.n);
        MDB_val v;
        int r = -ENOENT;

        if (line.n >= SHARED_MIN)
                r = get(x, TEXTS, val(&hash, sizeof hash), &v);
        if (r == 0 && !qn_str_eq((struct qn_str){ v.mv_data, v.mv_size }, line))
                r = -ENOENT; /* another line with this hash */
        else if (r == -ENOENT && line.n >= SHARED_MIN) {
                r = qn_hashset_add(&x->im.lines, &x->mem, hash);
                if (r == 1)
                        r = put(x, TEXTS, val(&hash, sizeof hash), val(line.p, line.n),
                                MDB_NOOVERWRITE);
                else
                        r = -ENOENT;
        }
        if (r < 0 && r != -ENOENT)
                return r;
        qn_buf_byte(&x->value, r == 0 ? LINE_SHARED : LINE_OWN);
        if (r == 0)
                qn_buf_add(&x->value, &hash, sizeof hash);
        else
                qn_intel_put_text(&x->value, line);
        return 0;
}

static int put_details(struct qn_intel *x, struct qn_str details)
{
        int r = 0;

        while (r == 0 && details.p)
                r = put_line(x, qn_str_cut(&details, '\n'));
        return r;
}

int qn_intel_details(struct qn_intel *x, const struct qn_intel_record *rec, struct qn_buf *out)
{
        struct qn_cur c = rec->prose;
        size_t lines = 0;
        int r = 0;

        while (r == 0 && qn_cur_left(&c)) {
                struct qn_str line;
                uint64_t hash;
                uint8_t kind;
                MDB_val v;

                if (qn_cur_u8(&c, &kind) < 0)
                        return -EBADMSG;
                if (kind == LINE_OWN) {
                        r = qn_intel_get_text(&c, &line);
                } else if ((r = qn_cur_le64(&c, &hash)) == 0) {
                        r = get(x, TEXTS, val(&hash, sizeof hash), &v);
                        line = (struct qn_str){ v.mv_data, v.mv_size };
                }
                if (r == 0 && lines++)
                        qn_buf_byte(out, '\n');
                if (r == 0)
                        qn_buf_str(out, line);
        }
        return r < 0 ? r : qn_buf_error(out);
}

/* --- writing --- */

/* Adds or removes what leads to a record. */
static int lead(struct qn_intel *x, enum table t, MDB_val key, uint32_t number, bool add)
{
        MDB_val v = val(&number, sizeof number);
        int e;

        if (add)
                return put(x, t, key, v, MDB_NODUPDATA);
        e = mdb_del(x->txn, x->dbi[t], &key, &v);
        return e == MDB_NOTFOUND ? 0 : code_of(e);
}

static int link_all(struct qn_intel *x, const struct qn_osv *osv, uint32_t number, bool add)
{
        struct key k;
        int r = lead(x, IDS, key_of(&k, 0, osv->id), number, add);

        for (size_t i = 0; r == 0 && i < osv->n_aliases; i++)
                r = lead(x, IDS, key_of(&k, 0, osv->aliases[i]), number, add);
        for (size_t i = 0; r == 0 && i < osv->n_affected; i++)
                r = lead(x, NAMES, key_of(&k, 0, osv->affected[i].name), number, add);
        for (size_t i = 0; r == 0 && i < osv->n_indicators; i++)
                r = lead(x, IOCS,
                         key_of(&k, ioc_prefix(osv->indicators[i].kind), osv->indicators[i].value),
                         number, add);
        return r;
}

static int unlink_record(struct qn_intel *x, const struct qn_intel_record *rec)
{
        struct qn_osv *osv;
        int r;

        qn_arena_reset(&x->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &x->a, &osv);
        return r == 0 ? link_all(x, osv, rec->number, false) : r;
}

/* The number of the record that has this id itself, not as an alias. */
static int find_own(struct qn_intel *x, struct qn_str id, uint32_t *ret, struct front *ret_front,
                    struct qn_intel_record *ret_rec)
{
        struct key k;
        MDB_cursor *c;
        MDB_val key = key_of(&k, 0, id), v;
        int r = code_of(mdb_cursor_open(x->txn, x->dbi[IDS], &c)), e;

        if (r < 0)
                return r;
        r = -ENOENT;
        for (e = mdb_cursor_get(c, &key, &v, MDB_SET_KEY); e == 0 && r == -ENOENT;
             e = mdb_cursor_get(c, &key, &v, MDB_NEXT_DUP)) {
                struct qn_str own;
                struct qn_cur head;
                uint32_t n;

                memcpy(&n, v.mv_data, sizeof n);
                if (get_record(x, n, ret_front, ret_rec) < 0)
                        continue;
                head = ret_rec->head;
                if (qn_intel_get_text(&head, &own) == 0 && qn_str_eq(own, id)) {
                        *ret = n;
                        r = 0;
                }
        }
        mdb_cursor_close(c);
        return r;
}

static void mark_seen(struct import *im, uint32_t number)
{
        if (number / 8 < im->seen_n)
                im->seen[number / 8] |= (uint8_t)(1u << number % 8);
}

/* Whether a record that comes now counts more than the one that is there.  The order in which they come plays no part. */
static bool is_newer(const struct front *now, const struct front *old)
{
        if (now->modified_ms != old->modified_ms)
                return now->modified_ms > old->modified_ms;
        if (now->withdrawn != old->withdrawn)
                return now->withdrawn;
        return now->hash > old->hash;
}

static int store(struct qn_intel *x, uint32_t number, const struct front *f,
                 const struct qn_intel_packed *p)
{
        unsigned flags = number == x->im.next ? MDB_APPEND : 0;
        struct qn_cur head = p->head, prose = p->prose;
        int r;

        qn_buf_reset(&x->value);
        qn_buf_add(&x->value, f, sizeof *f);
        qn_buf_str(&x->value, qn_cur_rest(&head));
        r = put_details(x, qn_cur_rest(&prose));
        if (r == 0)
                r = qn_buf_error(&x->value);
        if (r == 0)
                r = put(x, RECORDS, val(&number, sizeof number), val(x->value.p, x->value.n),
                        flags);
        return r;
}

/* Only the front changes: who has it. */
static int store_front(struct qn_intel *x, uint32_t number, const struct front *f)
{
        MDB_val v;
        int r = get(x, RECORDS, val(&number, sizeof number), &v);

        if (r < 0)
                return r;
        qn_buf_reset(&x->value);
        qn_buf_add(&x->value, v.mv_data, v.mv_size);
        if (qn_buf_error(&x->value) < 0)
                return -ENOMEM;
        memcpy(x->value.p, f, sizeof *f);
        return put(x, RECORDS, val(&number, sizeof number), val(x->value.p, x->value.n), 0);
}

static int grow_seen(struct import *im, uint32_t number)
{
        size_t want = ((size_t)number / 8 + 1) * 2;
        uint8_t *p;

        if (number / 8 < im->seen_n)
                return 0;
        p = realloc(im->seen, want);
        if (!p)
                return -ENOMEM;
        memset(p + im->seen_n, 0, want - im->seen_n);
        im->seen = p;
        im->seen_n = want;
        return 0;
}

static int add_record(struct qn_intel *x, struct front *f, const struct qn_intel_packed *p,
                      const struct qn_osv *osv)
{
        uint32_t number = x->im.next;
        int r = grow_seen(&x->im, number);

        if (r == 0)
                r = store(x, number, f, p);
        if (r == 0)
                r = link_all(x, osv, number, true);
        if (r < 0)
                return r;
        x->im.next++;
        x->im.counts.added++;
        mark_seen(&x->im, number);
        return 0;
}

static int change_record(struct qn_intel *x, uint32_t number, struct front *f,
                         const struct front *old, const struct qn_intel_record *was,
                         struct qn_cur packed)
{
        uint32_t bit = 1u << x->im.source;
        struct qn_intel_packed p;
        struct qn_osv *osv;
        bool newer = is_newer(f, old);
        int r;

        mark_seen(&x->im, number);
        if (!newer) {
                struct front kept = *old;

                kept.sources |= bit;
                x->im.counts.same++;
                return kept.sources == old->sources ? 0 : store_front(x, number, &kept);
        }
        f->sources |= old->sources;
        r = unlink_record(x, was);
        if (r == 0)
                r = qn_intel_split(packed, &p);
        if (r == 0)
                r = store(x, number, f, &p);
        qn_arena_reset(&x->a, 1 << 20);
        if (r == 0)
                r = qn_intel_unpack(p.head, &x->a, &osv);
        if (r == 0)
                r = link_all(x, osv, number, true);
        x->im.counts.changed += r == 0;
        return r;
}

int qn_intel_put(struct qn_intel *x, struct qn_cur packed)
{
        struct qn_str bytes = qn_cur_rest(&packed);
        struct qn_intel_packed p;
        struct qn_intel_record was;
        struct front f = { 0 }, old;
        struct qn_osv *osv;
        uint32_t number;
        int r = qn_intel_split(packed, &p);

        qn_arena_reset(&x->a, 1 << 20);
        if (r == 0)
                r = qn_intel_unpack(p.head, &x->a, &osv);
        if (r < 0)
                return r;
        if (!osv->id.n)
                return -EBADMSG;
        f = (struct front){ .sources = 1u << x->im.source,
                            .head_n = (uint32_t)qn_cur_left(&p.head),
                            .generation = x->im.generation,
                            .modified_ms = osv->modified_ms,
                            .hash = qn_hash64(bytes.p, bytes.n),
                            .withdrawn = osv->withdrawn.n > 0 };
        r = find_own(x, osv->id, &number, &old, &was);
        if (r == -ENOENT)
                return add_record(x, &f, &p, osv);
        return r == 0 ? change_record(x, number, &f, &old, &was, packed) : r;
}

/* The source does not say it any more: without any other it is gone. */
static int forget(struct qn_intel *x, uint32_t number, const struct front *old,
                  const struct qn_intel_record *rec)
{
        struct front f = *old;
        MDB_val key = val(&number, sizeof number);
        int r;

        f.sources &= ~(1u << x->im.source);
        x->im.counts.removed++;
        if (f.sources)
                return store_front(x, number, &f);
        r = unlink_record(x, rec);
        return r == 0 ? code_of(mdb_del(x->txn, x->dbi[RECORDS], &key, NULL)) : r;
}

static uint32_t last_number(struct qn_intel *x)
{
        uint32_t n = 0;
        MDB_cursor *c;
        MDB_val k, v;

        if (mdb_cursor_open(x->txn, x->dbi[RECORDS], &c))
                return 0;
        if (mdb_cursor_get(c, &k, &v, MDB_LAST) == 0 && k.mv_size == sizeof n)
                memcpy(&n, k.mv_data, sizeof n);
        mdb_cursor_close(c);
        return n;
}

int qn_intel_begin(struct qn_intel *x, const struct qn_intel_source *s, bool whole)
{
        free(x->im.seen);
        qn_arena_reset(&x->mem, 0);
        x->im = (struct import){ .source = s->number,
                                 .whole = whole,
                                 .had = s->records,
                                 .next = last_number(x) + 1,
                                 .generation = get_meta(x, "generation") + 1 };
        return grow_seen(&x->im, x->im.next);
}

/* The numbers of the records that the source had and did not repeat, and how many it has now. */
static int find_left(struct qn_intel *x, uint32_t **ret, size_t *ret_n, uint64_t *ret_has)
{
        uint32_t bit = 1u << x->im.source, *list = NULL;
        size_t n = 0, cap = 0;
        MDB_cursor *c;
        MDB_val k, v;
        int r = code_of(mdb_cursor_open(x->txn, x->dbi[RECORDS], &c));

        *ret_has = 0;
        while (r == 0 && (r = code_of(mdb_cursor_get(c, &k, &v, MDB_NEXT))) == 0) {
                struct front f;
                uint32_t number;

                if (k.mv_size != sizeof number || v.mv_size < sizeof f) {
                        r = -EBADMSG;
                        break;
                }
                memcpy(&number, k.mv_data, sizeof number);
                memcpy(&f, v.mv_data, sizeof f);
                if (!(f.sources & bit))
                        continue;
                ++*ret_has;
                if (!x->im.whole ||
                    (number / 8 < x->im.seen_n && x->im.seen[number / 8] >> number % 8 & 1))
                        continue;
                if (QN_ARENA_ROOM(&x->mem, list, n, cap) < 0)
                        r = -ENOMEM;
                else
                        list[n++] = number;
        }
        mdb_cursor_close(c);
        *ret = list;
        *ret_n = n;
        return r == -ENOENT ? 0 : r;
}

static int forget_left(struct qn_intel *x, const uint32_t *list, size_t n)
{
        struct qn_intel_record rec;
        struct front f;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = get_record(x, list[i], &f, &rec);
                if (r == 0)
                        r = forget(x, list[i], &f, &rec);
        }
        return r;
}

static int remember(struct qn_intel *x, const struct qn_intel_source *s, uint64_t records)
{
        struct qn_intel_source kept = *s;
        int r;

        kept.number = x->im.source;
        kept.records = records;
        kept.generation = x->im.generation;
        qn_buf_reset(&x->value);
        put_source(&x->value, &kept);
        r = qn_buf_error(&x->value);
        return r == 0 ? put(x, SOURCES, val(s->name.p, s->name.n), val(x->value.p, x->value.n), 0)
                      : r;
}

static int finish(struct qn_intel *x, const struct qn_intel_source *s, bool shrunk_ok,
                  struct qn_err *reterr)
{
        uint64_t has;
        uint32_t *left;
        size_t n;
        int r = find_left(x, &left, &n, &has);

        if (r == 0 && !shrunk_ok && x->im.whole && x->im.had && (has - n) < x->im.had / 2)
                return qn_fail(reterr, -ERANGE, 0,
                               "%.*s shrank from %llu to %llu records: not taken over (--force "
                               "takes it)",
                               QN_STR_ARG(s->name), (unsigned long long)x->im.had,
                               (unsigned long long)(has - n));
        if (r == 0)
                r = forget_left(x, left, n);
        if (r == 0)
                r = remember(x, s, has - n);
        return r == 0 ? put_meta(x, "generation", x->im.generation) : r;
}

int qn_intel_commit(struct qn_intel *x, const struct qn_intel_source *s, bool shrunk_ok,
                    struct qn_intel_counts *ret, struct qn_err *reterr)
{
        int r = finish(x, s, shrunk_ok, reterr);

        free(x->im.seen);
        x->im.seen = NULL;
        x->im.seen_n = 0;
        if (r == 0)
                r = code_of(mdb_txn_commit(x->txn));
        else
                mdb_txn_abort(x->txn);
        x->txn = NULL;
        if (r == 0)
                *ret = x->im.counts;
        if (r < 0 && r != -ERANGE)
                failed(x, r, reterr);
        if (r == 0 && (r = begin(x)) < 0)
                failed(x, r, reterr);
        return r;
}

/* --- reading --- */

static int each(struct qn_intel *x, enum table t, MDB_val key, qn_intel_fn *fn, void *ctx)
{
        MDB_cursor *c;
        MDB_val v;
        int r = code_of(mdb_cursor_open(x->txn, x->dbi[t], &c)), e;

        if (r < 0)
                return r;
        for (e = mdb_cursor_get(c, &key, &v, MDB_SET_KEY); e == 0 && r == 0;
             e = mdb_cursor_get(c, &key, &v, MDB_NEXT_DUP)) {
                struct qn_intel_record rec;
                struct front f;
                uint32_t n;

                memcpy(&n, v.mv_data, sizeof n);
                r = get_record(x, n, &f, &rec);
                if (r == 0)
                        r = fn(ctx, &rec);
        }
        mdb_cursor_close(c);
        return r;
}

int qn_intel_by_name(struct qn_intel *x, struct qn_str name, qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, NAMES, key_of(&k, 0, name), fn, ctx);
}

int qn_intel_by_id(struct qn_intel *x, struct qn_str id, qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, IDS, key_of(&k, 0, id), fn, ctx);
}

int qn_intel_by_indicator(struct qn_intel *x, enum qn_indicator_kind kind, struct qn_str value,
                          qn_intel_fn *fn, void *ctx)
{
        struct key k;

        return each(x, IOCS, key_of(&k, ioc_prefix(kind), value), fn, ctx);
}

int qn_intel_all(struct qn_intel *x, qn_intel_fn *fn, void *ctx)
{
        MDB_cursor *c;
        MDB_val k, v;
        int r = code_of(mdb_cursor_open(x->txn, x->dbi[RECORDS], &c));

        if (r < 0)
                return r;
        while (r == 0 && (r = code_of(mdb_cursor_get(c, &k, &v, MDB_NEXT))) == 0) {
                struct qn_intel_record rec;
                struct front f;
                uint32_t n;

                memcpy(&n, k.mv_data, sizeof n);
                r = read_record(v, n, &f, &rec);
                if (r == 0)
                        r = fn(ctx, &rec);
        }
        mdb_cursor_close(c);
        return r == -ENOENT ? 0 : r;
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
                                        .generation = get_meta(x, "generation") };
        return 0;
}
