#include "parse/files.h"

void qn_files_add(struct qn_buf *b, enum qn_files_kind kind, struct qn_str path,
                  struct qn_str content)
{
        uint32_t head[3] = { kind, (uint32_t)path.n, (uint32_t)content.n };

        qn_buf_add(b, head, sizeof head);
        qn_buf_str(b, path);
        qn_buf_str(b, content);
}

int qn_files_next(struct qn_cur *c, struct qn_files_entry *ret)
{
        struct qn_files_entry e = { .kind = QN_FILES_FILE };
        struct qn_cur path;
        uint32_t kind, sizes[2];

        if (!qn_cur_left(c))
                return 0;
        if (qn_cur_le32(c, &kind) < 0 || kind >= QN_FILES_KIND_MAX ||
            qn_cur_le32(c, &sizes[0]) < 0 || qn_cur_le32(c, &sizes[1]) < 0 ||
            qn_cur_take(c, sizes[0], &path) < 0 || qn_cur_take(c, sizes[1], &e.content) < 0)
                return -EBADMSG;
        e.kind = (enum qn_files_kind)kind;
        e.path = qn_cur_rest(&path);
        *ret = e;
        return 1;
}
