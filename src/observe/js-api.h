/* js-api.h - data/apis.yaml in memory: a tree of names below modules and globals, each with what it does. */
#pragma once

#include "base/map.h"
#include "observe/table.h"

enum qn_js_role {
        QN_ROLE_NONE,
        QN_ROLE_PATH,
        QN_ROLE_TO,
        QN_ROLE_PROBE,
        QN_ROLE_URL,
        QN_ROLE_HOST,
        QN_ROLE_PORT,
        QN_ROLE_DATA,
        QN_ROLE_CODE,
        QN_ROLE_CODE_LAST, /* the last argument is code */
        QN_ROLE_COMMAND,
        QN_ROLE_ARGV,
        QN_ROLE_OPTIONS,
        QN_ROLE_NAME,
        QN_ROLE_RECORD,
        QN_ROLE_MODULE,
        QN_ROLE_FILE,
        QN_ROLE_MS,
        QN_ROLE_TEXT,
        QN_ROLE_ENCODING,
        QN_ROLE_CALLBACK,
        QN_ROLE_MODE,
        QN_ROLE_REDIRECT, /* an address: no event unless it is another host's */
};

enum qn_js_is {
        QN_IS_NOTHING,
        QN_IS_UNKNOWN,
        QN_IS_REQUIRE,
        QN_IS_SELF,
        QN_IS_GLOBAL,
        QN_IS_ARG0,
        QN_IS_JOIN,
        QN_IS_HOME,
        QN_IS_TMP,
        QN_IS_CWD,
        QN_IS_ENV,
        QN_IS_ENVGET,
        QN_IS_BUFFER,
        QN_IS_BASE64,
        QN_IS_PERCENT,
        QN_IS_CHARCODES,
        QN_IS_TIMER,
        QN_IS_PROBE,
        QN_IS_CIPHER,
        QN_IS_DECODED,
        QN_IS_ROOT, /* another root: Buffer of the module buffer */
};

#define QN_JS_ROLES 5

struct qn_js_api {
        struct qn_str name;
        uint32_t parent;
        uint32_t returns; /* root of the result, 0 none */
        uint8_t roles[QN_JS_ROLES], n_roles;
        uint8_t is;
        bool call, prop, assign, global; /* which rows exist; may stand as a free name */
        struct qn_row_event event, assigned;
        bool has_event, has_assigned;
        uint64_t labels;
};

struct qn_js_apis {
        struct qn_js_api *list; /* [0] is none */
        size_t n, cap;
        struct qn_map roots;    /* module or global → index */
        struct qn_map later;    /* methods of unknown objects that keep a function for later */
        struct qn_map children; /* parent's index and name → index; see qn_js_api_member() */
};

/* Index of a module (by any of its names) or of a global; 0: none. */
uint32_t qn_js_api_module(const struct qn_js_apis *t, struct qn_str name);
uint32_t qn_js_api_global(const struct qn_js_apis *t, struct qn_str name);
uint32_t qn_js_api_member(const struct qn_js_apis *t, uint32_t api, struct qn_str name);
