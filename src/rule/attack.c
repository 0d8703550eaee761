#include "rule/attack.h"

static const struct {
        const char *id, *name;
} table[] = {
#define ATTACK(id, name) { id, name },
#include "rule/attack.def"
#undef ATTACK
};

const char *qn_attack_name(struct qn_str id)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                if (qn_str_is(id, table[i].id))
                        return table[i].name;
        return NULL;
}

const char *qn_attack_id(unsigned i)
{
        return i < QN_ARRAY_SIZE(table) ? table[i].id : NULL;
}
