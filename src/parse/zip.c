#include "parse/zip.h"

#include "base/limits.h"

#define END_SIZE     22
#define CENTRAL_SIZE 46
#define LOCAL_SIZE   30
#define COMMENT_MAX  65535

static uint64_t num(const struct qn_zip *z, uint64_t at, unsigned n)
{
        struct qn_cur c = z->in;
        uint64_t v = 0, size = qn_cur_left(&c);

        if (at > size || n > size - at)
                return 0;
        for (unsigned i = n; i-- > 0;)
                v = v << 8 | c.p[at + i];
        return v;
}

static struct qn_str slice(const struct qn_zip *z, uint64_t at, uint64_t n)
{
        struct qn_str s = qn_cur_rest(&z->in);

        return at > s.n ? (struct qn_str){ NULL, 0 } : qn_str_take(qn_str_skip(s, at), n);
}

/* The record at the end stands before a comment of any text: the last one that fits counts. */
static int64_t find_end(const struct qn_zip *z)
{
        size_t size = qn_cur_left(&z->in);

        for (size_t back = END_SIZE; back <= size && back <= END_SIZE + COMMENT_MAX; back++)
                if (num(z, size - back, 4) == 0x06054b50 &&
                    num(z, size - back + 20, 2) <= back - END_SIZE)
                        return (int64_t)(size - back);
        return -1;
}

/* Sizes that need more than 32 bits stand in a record of their own, to which a locator in front leads. */
static void read_zip64(struct qn_zip *z, uint64_t end, uint64_t *off, uint64_t *size)
{
        uint64_t at;

        if (end < 20 || num(z, end - 20, 4) != 0x07064b50)
                return;
        at = num(z, end - 20 + 8, 8);
        if (num(z, at, 4) != 0x06064b50)
                return;
        z->left = num(z, at + 32, 8);
        *size = num(z, at + 40, 8);
        *off = num(z, at + 48, 8);
}

int qn_zip_open(struct qn_cur in, struct qn_zip *ret)
{
        struct qn_zip z = { .in = in };
        int64_t end = find_end(&z);
        uint64_t off, size;

        if (end < 0)
                return -EBADMSG;
        z.left = num(&z, (uint64_t)end + 10, 2);
        size = num(&z, (uint64_t)end + 12, 4);
        off = num(&z, (uint64_t)end + 16, 4);
        z.at = (uint64_t)end;
        if (off == UINT32_MAX || size == UINT32_MAX || z.left == UINT16_MAX)
                read_zip64(&z, (uint64_t)end, &off, &size);
        else if (size <= (uint64_t)end && off <= (uint64_t)end - size)
                z.shift = (uint64_t)end - size - off;
        if (off > (uint64_t)end || size > (uint64_t)end - off)
                return -EBADMSG;
        if (z.left > QN_ZIP_ENTRIES_MAX)
                return -EFBIG;
        z.at = off + z.shift;
        z.end = z.at + size;
        *ret = z;
        return 0;
}

/* The extra field with what did not fit into 32 bits: sizes first, each only where the short field is full. */
static void read_extra(const struct qn_zip *z, uint64_t at, uint64_t n, struct qn_zip_entry *e,
                       uint64_t *off)
{
        uint64_t end = at + n;

        while (at + 4 <= end) {
                uint64_t id = num(z, at, 2), size = num(z, at + 2, 2), p = at + 4;
                uint64_t *const wide[] = { &e->size, &e->packed, off };

                at = p + size;
                if (id != 1)
                        continue;
                for (size_t i = 0; i < QN_ARRAY_SIZE(wide) && p + 8 <= at; i++)
                        if (*wide[i] == UINT32_MAX) {
                                *wide[i] = num(z, p, 8);
                                p += 8;
                        }
        }
}

static void find_data(const struct qn_zip *z, uint64_t off, struct qn_zip_entry *e)
{
        struct qn_str data;

        if (off > qn_cur_left(&z->in) || num(z, off + z->shift, 4) != 0x04034b50)
                return;
        off += z->shift;
        off += LOCAL_SIZE + num(z, off + 26, 2) + num(z, off + 28, 2);
        data = slice(z, off, e->packed);
        if (data.n == e->packed)
                e->data = qn_cur_str(data);
}

int qn_zip_next(struct qn_zip *z, struct qn_zip_entry *ret)
{
        uint64_t at = z->at, name, extra, comment, off;
        struct qn_zip_entry e = { 0 };

        if (!z->left || at >= z->end)
                return 0;
        if (z->end - at < CENTRAL_SIZE || num(z, at, 4) != 0x02014b50)
                return -EBADMSG;
        name = num(z, at + 28, 2);
        extra = num(z, at + 30, 2);
        comment = num(z, at + 32, 2);
        if (name + extra + comment > z->end - at - CENTRAL_SIZE)
                return -EBADMSG;
        e.encrypted = num(z, at + 8, 2) & 1;
        e.method = (uint16_t)num(z, at + 10, 2);
        e.crc = (uint32_t)num(z, at + 16, 4);
        e.packed = num(z, at + 20, 4);
        e.size = num(z, at + 24, 4);
        off = num(z, at + 42, 4);
        if (num(z, at + 5, 1) == 3) /* made on Unix */
                e.mode = (uint32_t)num(z, at + 40, 2) & 0777;
        e.path = slice(z, at + CENTRAL_SIZE, name);
        read_extra(z, at + CENTRAL_SIZE + name, extra, &e, &off);
        find_data(z, off, &e);
        z->at = at + CENTRAL_SIZE + name + extra + comment;
        z->left--;
        *ret = e;
        return 1;
}
