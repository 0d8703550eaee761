/* Any bytes as the configuration file.  */
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "memfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
        if (!ok)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_config c = { 0 };
        struct qn_err err = { 0 };
        struct memfile file = memfile_open(data, size);
        int r = qn_config_load(file.path, &c, &err);

        memfile_close(&file);
        check(r == 0 || (err.msg[0] && c.n == 0));
        for (size_t i = 0; i < c.n; i++)
                check(c.lines[i].line && strlen(c.lines[i].key) + strlen(c.lines[i].value) < size &&
                      qn_config_get(&c, c.lines[i].key));
        qn_config_done(&c);
        return 0;
}
