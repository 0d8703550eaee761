/* Text of a package on its way to a terminal.  The first byte chooses width and flags.  What comes out is one line of valid
 * UTF-8 without controls or invisible characters, no wider than was asked for and as wide as was said; shown again, it stays
 * as it is. */
#include <stdlib.h>

#include "base/show.h"
#include "base/unicode.h"
#include "base/utf8.h"

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
        if (!ok)
                abort();
}

static void check_line(struct qn_str s)
{
        check(qn_utf8_valid(s));
        for (size_t i = 0; i < s.n; i++)
                check((uint8_t)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(ROOM), again = QN_BUF_INIT(ROOM),
                                             fang = QN_BUF_INIT(ROOM);
        struct qn_str s;
        size_t max, columns;

        if (size == 0)
                return 0;
        max = data[0] >> 1;
        s = (struct qn_str){ (const char *)data + 1, size - 1 };
        columns = qn_show(&out, s, max, data[0] & QN_SHOW_DEFANG);
        check_line(qn_buf_view(&out));
        check((!max || columns <= max) && columns == qn_show_width(qn_buf_view(&out)));
        qn_show(&again, qn_buf_view(&out), 0, 0);
        check(qn_str_eq(qn_buf_view(&out), qn_buf_view(&again)));
        qn_show_defang(&fang, qn_buf_view(&out));
        check_line(qn_buf_view(&fang));
        return 0;
}
