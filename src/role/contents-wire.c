/* contents-wire.c - name, version, integrity, u32 files; each: path, hash, u32 size. */
#include "role/contents-wire.h"

#include <errno.h>

#include "base/limits.h"
#include "role/wire.h"

#define TEXTS(c) &(c)->name, &(c)->version, &(c)->integrity

int qn_contents_wire_write(const struct qn_contents *c, struct qn_buf *out)
{
        const struct qn_str *const texts[] = { TEXTS(c) };

        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        qn_wire_put_u32(out, (uint32_t)c->n);
        for (size_t i = 0; i < c->n; i++) {
                qn_wire_put_text(out, c->files[i].path);
                qn_buf_add(out, c->files[i].id.hash, QN_CONTENT_BYTES);
                qn_wire_put_u32(out, c->files[i].id.size);
        }
        return qn_buf_error(out);
}

int qn_contents_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_contents *ret)
{
        struct qn_contents c = { 0 };
        struct qn_str *const texts[] = { TEXTS(&c) };
        uint32_t n;

        if (qn_wire_get_texts(&reply, texts, QN_ARRAY_SIZE(texts)) < 0 || !c.name.n ||
            !c.version.n || qn_cur_le32(&reply, &n) < 0 || n > QN_CONTENT_FILES_MAX)
                return -EBADMSG;
        c.files = qn_arena_calloc(a, (size_t)n + 1, sizeof *c.files);
        if (!c.files)
                return -ENOBUFS;
        for (; c.n < n; c.n++) {
                struct qn_content_file *f = &c.files[c.n];

                if (qn_wire_get_text(&reply, &f->path) < 0 || !f->path.n ||
                    qn_cur_copy(&reply, QN_CONTENT_BYTES, f->id.hash) < 0 ||
                    qn_cur_le32(&reply, &f->id.size) < 0)
                        return -EBADMSG;
        }
        if (qn_cur_left(&reply))
                return -EBADMSG;
        *ret = c;
        return 0;
}
