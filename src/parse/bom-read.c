#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/jsonc.h"

#define HEAD ((size_t)4096) /* bytes in which a text format shows what it is */

static const struct {
        const char *name;
        qn_bom_reader *read;
} names[] = {
        { "package-lock.json", qn_bom_read_npm },
        { ".package-lock.json", qn_bom_read_npm },
        { "npm-shrinkwrap.json", qn_bom_read_npm },
        { "bun.lock", qn_bom_read_bun },
        { "bun.lockb", qn_bom_read_bunb },
        { "deno.lock", qn_bom_read_deno },
        { "pnpm-lock.yaml", qn_bom_read_pnpm },
        { ".pnp.cjs", qn_bom_read_pnp },
        { ".pnp.js", qn_bom_read_pnp },
        { ".pnp.data.json", qn_bom_read_pnp },
};

static bool has_line(struct qn_str text, const char *start)
{
        while (text.n)
                if (qn_str_starts(qn_str_cut(&text, '\n'), start))
                        return true;
        return false;
}

static qn_bom_reader *by_text(const struct qn_bom_in *in)
{
        struct qn_str all = qn_cur_rest(&in->doc), head = qn_str_take(all, HEAD);

        if (qn_str_starts(all, "#!/usr/bin/env bun\nbun-lockfile-format"))
                return qn_bom_read_bunb;
        if (has_line(head, "# yarn lockfile v1"))
                return qn_bom_read_yarn;
        if (has_line(head, "__metadata:") ||
            (qn_str_is(in->name, "yarn.lock") && has_line(all, "__metadata:")))
                return qn_bom_read_berry;
        if (qn_str_is(in->name, "yarn.lock"))
                return qn_bom_read_yarn;
        if (has_line(all, "lockfileVersion:"))
                return qn_bom_read_pnpm;
        return NULL;
}

static bool is_list_of_lists(const struct qn_node *packages)
{
        return qn_node_is(packages, QN_NODE_OBJECT) &&
               (!packages->n || qn_node_is(packages->items[0], QN_NODE_ARRAY));
}

/* A JSON document under a name that says nothing. */
static qn_bom_reader *by_keys(const struct qn_node *doc)
{
        const struct qn_node *version = qn_node_get(doc, "lockfileVersion");

        if (qn_bom_is_sbom(doc))
                return qn_bom_read_sbom;
        if (qn_node_get(doc, "packageRegistryData"))
                return qn_bom_read_pnp;
        if (version && qn_node_get(doc, "workspaces") &&
            is_list_of_lists(qn_node_get(doc, "packages")))
                return qn_bom_read_bun;
        if (version)
                return qn_bom_read_npm;
        if (qn_node_text(qn_node_get(doc, "version")).p &&
            (qn_node_get(doc, "npm") || qn_node_get(doc, "specifiers") ||
             qn_node_get(qn_node_get(doc, "packages"), "npm")))
                return qn_bom_read_deno;
        return NULL;
}

static int find_reader(const struct qn_bom_in *in, struct qn_arena *a, qn_bom_reader **ret,
                       struct qn_err *reterr)
{
        struct qn_str text = qn_str_trim(qn_cur_rest(&in->doc));
        struct qn_node *doc;
        int r;

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                *ret = names[i].read;
                if (qn_str_is(in->name, names[i].name))
                        return 0;
        }
        if (!qn_str_starts(text, "{")) {
                *ret = by_text(in);
        } else {
                r = qn_jsonc_parse(in->doc, a, &doc, reterr);
                if (r < 0)
                        return r;
                *ret = by_keys(doc);
        }
        return *ret ? 0
                    : qn_fail(reterr, -EINVAL, 0,
                              "neither a lock file nor an SBOM that is known here");
}

int qn_bom_read(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                struct qn_err *reterr)
{
        qn_bom_reader *read = NULL;
        int r = find_reader(in, a, &read, reterr);

        return r < 0 ? r : read(in, a, ret, reterr);
}
