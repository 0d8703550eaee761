#include "test.h"

#include "gate/route.h"

static const struct {
        const char *path;
        enum qn_route_kind kind;
        const char *name, *version;
} cases[] = {
        { "/left-pad", QN_ROUTE_PACKUMENT, "left-pad", "" },
        { "/left-pad/", QN_ROUTE_PACKUMENT, "left-pad", "" },
        { "/left-pad?write=true", QN_ROUTE_PACKUMENT, "left-pad", "" },
        { "/@s/n", QN_ROUTE_PACKUMENT, "@s/n", "" },
        { "/@s%2fn", QN_ROUTE_PACKUMENT, "@s/n", "" },
        { "/%40s%2Fn", QN_ROUTE_PACKUMENT, "@s/n", "" },
        { "/left-pad/1.3.0", QN_ROUTE_VERSION, "left-pad", "1.3.0" },
        { "/@s%2fn/latest", QN_ROUTE_VERSION, "@s/n", "latest" },
        { "/left-pad/-/left-pad-1.3.0.tgz", QN_ROUTE_TARBALL, "left-pad", "1.3.0" },
        { "/@s/n/-/n-1.0.0-rc.1.tgz", QN_ROUTE_TARBALL, "@s/n", "1.0.0-rc.1" },
        { "/@s%2fn/-/n-1.0.0+b.tgz", QN_ROUTE_TARBALL, "@s/n", "1.0.0+b" },
        { "/left-pad/-/other-1.3.0.tgz", QN_ROUTE_TARBALL, "left-pad", "" },
        { "/left-pad/-/left-pad-.tgz", QN_ROUTE_TARBALL, "left-pad", "" },
        { "/-/ping", QN_ROUTE_PING, "", "" },
        { "/-/whoami", QN_ROUTE_WHOAMI, "", "" },
        { "/-/npm/v1/keys", QN_ROUTE_KEYS, "", "" },
        { "/-/npm/v1/attestations/@s%2fn@1.0.0", QN_ROUTE_ATTESTATIONS, "@s/n", "1.0.0" },
        { "/-/npm/v1/security/advisories/bulk", QN_ROUTE_ADVISORIES, "", "" },
        { "/-/npm/v1/security/audits/quick", QN_ROUTE_AUDIT, "", "" },
        { "/-/v1/search?text=x", QN_ROUTE_SEARCH, "", "" },
        { "/-/v1/login", QN_ROUTE_LOGIN, "", "" },
        { "/-/user/org.couchdb.user:me", QN_ROUTE_LOGIN, "", "" },
        { "/-/npm/v1/tokens/token/abc", QN_ROUTE_TOKENS, "", "" },
        { "/-/package/@s%2fn/dist-tags", QN_ROUTE_TAGS, "@s/n", "" },
        { "/-/package/n/dist-tags/beta", QN_ROUTE_TAG, "n", "beta" },
        { "/-/package/n/collaborators", QN_ROUTE_OTHER_REGISTRY, "n", "" },
        { "/-/org/x", QN_ROUTE_OTHER_REGISTRY, "", "" },
        { "/n/-rev/3-abc", QN_ROUTE_REVISION, "n", "" },
        { "/n/-/n-1.0.0.tgz/-rev/3-abc", QN_ROUTE_REVISION, "n", "" },
        { "/-/gate/ready", QN_ROUTE_READY, "", "" },
        { "/-/gate/metrics", QN_ROUTE_METRICS, "", "" },
        { "/-/gate/other", QN_ROUTE_NONE, "", "" },
        { "", QN_ROUTE_NONE, "", "" },
        { "/", QN_ROUTE_NONE, "", "" },
        { "left-pad", QN_ROUTE_NONE, "", "" },
        { "//left-pad", QN_ROUTE_NONE, "", "" },
        { "/a//b", QN_ROUTE_NONE, "", "" },
        { "/../etc/passwd", QN_ROUTE_NONE, "", "" },
        { "/a/-/../../etc/passwd", QN_ROUTE_NONE, "", "" },
        { "/a/-/%2e%2e/b", QN_ROUTE_NONE, "", "" },
        { "/a/-/b%252f", QN_ROUTE_NONE, "", "" },
        { "/a%00b", QN_ROUTE_NONE, "", "" },
        { "/a%0d%0ab", QN_ROUTE_NONE, "", "" },
        { "/a%5cb", QN_ROUTE_NONE, "", "" },
        { "/a%2", QN_ROUTE_NONE, "", "" },
        { "/a%zz", QN_ROUTE_NONE, "", "" },
        { "/a b", QN_ROUTE_NONE, "", "" },
        { "/@s", QN_ROUTE_NONE, "", "" },
        { "/@/n", QN_ROUTE_NONE, "", "" },
        { "/a/1/2", QN_ROUTE_NONE, "", "" },
        { "/a/-/", QN_ROUTE_NONE, "", "" },
        { "/-/npm/v1/attestations/@1.0.0", QN_ROUTE_NONE, "", "" },
        { "/-/package/n/dist-tags/a/b", QN_ROUTE_NONE, "", "" },
};

TEST(route_of_each_path)
{
        static struct qn_route r;

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                qn_route_parse(qn_str_c(cases[i].path), QN_STR(""), &r);
                if (r.kind != cases[i].kind || !qn_str_is(r.name, cases[i].name) ||
                    !qn_str_is(r.version, cases[i].version))
                        print_error("%s: %s %.*s %.*s\n", cases[i].path, qn_route_kind_name(r.kind),
                                    QN_STR_ARG(r.name), QN_STR_ARG(r.version));
                ASSERT_EQ(r.kind, cases[i].kind);
                ASSERT_STR(r.name, cases[i].name);
                ASSERT_STR(r.version, cases[i].version);
        }
}

TEST(route_below_a_prefix)
{
        static struct qn_route r;

        qn_route_parse(QN_STR("/npm/left-pad?a=%00"), QN_STR("/npm"), &r);
        ASSERT_EQ(r.kind, QN_ROUTE_PACKUMENT);
        ASSERT_STR(r.query, "a=%00");
        qn_route_parse(QN_STR("/left-pad"), QN_STR("/npm"), &r);
        ASSERT_EQ(r.kind, QN_ROUTE_NONE);
        qn_route_parse(QN_STR("/npmx/left-pad"), QN_STR("/npm"), &r);
        ASSERT_EQ(r.kind, QN_ROUTE_NONE);
}

TEST(route_too_long)
{
        static struct qn_route r;
        char path[QN_ROUTE_PATH_MAX + 8];

        memset(path, 'a', sizeof path);
        path[0] = '/';
        qn_route_parse((struct qn_str){ path, sizeof path }, QN_STR(""), &r);
        ASSERT_EQ(r.kind, QN_ROUTE_NONE);
}
