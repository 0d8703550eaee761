/* Any bytes as a rule file.  What was read has every text that
 * the reports rely on; what was refused is refused with a place. */
#include <stdlib.h>

#include "memfile.h"
#include "rule/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
        if (!ok)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        struct qn_err err = { 0 };
        struct memfile file = memfile_open(data, size);
        const char *const paths[] = { file.path };
        int r = qn_rules_load(paths, 1, &rules, &err);

        memfile_close(&file);
        check((r == 0) == (rules != NULL) && (r == 0 || err.msg[0]));
        for (size_t i = 0; r == 0 && i < qn_rules_count(rules); i++) {
                const struct qn_rule *rule = qn_rules_at(rules, i);

                check(rule->id.n && rule->title.n && rule->when && rule->line &&
                      rule->score <= 100);
                check(qn_rules_find(rules, rule->id) == rule);
        }
        return 0;
}
