/* npmrc-echo - reads one base64 .npmrc a line, prints its entries outside sections as one line of JSON: [key, value, list].
 * The environment is fixed: A and LONG_NAME are set, everything else is not. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "lines.h"
#include "parse/npmrc.h"

static bool env(void *ctx QN_UNUSED, struct qn_str name, struct qn_str *ret)
{
        if (qn_str_is(name, "A"))
                *ret = QN_STR("value of a");
        else if (qn_str_is(name, "LONG_NAME"))
                *ret = QN_STR("${A}\\;");
        else
                return false;
        return true;
}

static int echo_line(struct qn_str line)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)64 << 20);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);
        struct qn_npmrc rc = QN_NPMRC_INIT;
        struct qn_str doc;

        if (qn_base64_decode(line, &a, &doc) < 0 ||
            qn_npmrc_parse(&rc, qn_cur_str(doc), env, NULL, &a, NULL) < 0)
                return -1;
        qn_jsonw_array(&w, NULL);
        for (size_t i = 0; i < rc.n; i++) {
                if (rc.v[i].section.p)
                        continue;
                qn_jsonw_array(&w, NULL);
                qn_jsonw_str(&w, NULL, rc.v[i].key);
                qn_jsonw_str(&w, NULL, rc.v[i].value);
                qn_jsonw_bool(&w, NULL, rc.v[i].list);
                qn_jsonw_end_array(&w);
        }
        qn_jsonw_end_array(&w);
        if (qn_buf_error(&out) < 0)
                return -1;
        printf("%s\n", out.p);
        return 0;
}

int main(void)
{
        return each_line(echo_line);
}
