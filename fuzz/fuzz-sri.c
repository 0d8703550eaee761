/* What is parsed has hashes inside the text, the strongest only, and no bytes match what is not their digest. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "parse/sri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_str text = { (const char *)data, size };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1024);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_sri sri, again;

        if (qn_sri_parse(text, &sri) < 0)
                return 0;
        if (sri.n == 0 || sri.n > QN_SRI_HASHES_MAX)
                abort();
        for (size_t i = 0; i < sri.n; i++)
                if (sri.digests[i].p < text.p ||
                    sri.digests[i].p + sri.digests[i].n > text.p + text.n)
                        abort();
        if (qn_digest(sri.algorithm, data, size, digest) < 0 ||
            qn_sri_format(sri.algorithm, digest, &b) < 0 ||
            qn_sri_parse(qn_buf_view(&b), &again) < 0 || again.algorithm != sri.algorithm ||
            qn_sri_check(&again, qn_cur_mem(data, size)) != 0)
                abort();
        (void)!qn_sri_check_digest(&sri, digest);
        return 0;
}
