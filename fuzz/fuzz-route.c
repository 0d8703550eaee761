/* What is found in a path is a name that can be asked for, and parts of the path; spelling it plainly finds the same. */
#include <stdlib.h>

#include "gate/route.h"
#include "net/npmconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(const struct qn_route *r, struct qn_str s)
{
        return !s.n || (s.p >= r->bytes && s.p + s.n <= r->bytes + sizeof r->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_str path = { (const char *)data, size };
        struct qn_route r;

        qn_route_parse(path, QN_STR(""), &r);
        if (r.kind > QN_ROUTE_NONE || (r.name.n && !qn_npm_name_ok(r.name)))
                abort();
        if (!inside(&r, r.name) || !inside(&r, r.version) || !inside(&r, r.file))
                abort();
        if ((r.kind == QN_ROUTE_TARBALL || r.kind == QN_ROUTE_PACKUMENT) && !r.name.n)
                abort();
        return 0;
}
