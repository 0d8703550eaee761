/* report-sample.c - prints the sample report in the format named: text, json or sarif. */
#include "report-sample.h"

int main(int argc, char **argv)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)16 << 20);
        struct qn_report_opts o = { .fail_on = QN_SUSPICIOUS };
        struct sample s;

        if (argc != 2 || qn_report_format_from_name(qn_str_c(argv[1]), &o.format) < 0)
                return 2;
        sample_init(&s);
        sample_report(&s, &o, 0, &out);
        fwrite(out.p, 1, out.n, stdout);
        sample_done(&s);
        return 0;
}
