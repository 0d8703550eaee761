/* front-mhd.c - libmicrohttpd, loaded when the face opens.  It brings GnuTLS and a dozen other libraries, whose loading takes
 * milliseconds that no other role and no other verb should pay.  The functions are those of microhttpd.h, by the same names. */
#include <errno.h>
#include <stddef.h>

#include "base/lazy.h"
#include "gate/front-priv.h"

#define LIBRARY "libmicrohttpd.so.12"

#define FUNCTIONS(X)                                                                           \
        X(const union MHD_ConnectionInfo *, MHD_get_connection_info,                           \
          (struct MHD_Connection * c, enum MHD_ConnectionInfoType t, ...), (c, t))             \
        X(int, MHD_get_connection_values_n,                                                    \
          (struct MHD_Connection * c, enum MHD_ValueKind k, MHD_KeyValueIteratorN i, void *x), \
          (c, k, i, x))                                                                        \
        X(enum MHD_Result, MHD_queue_response,                                                 \
          (struct MHD_Connection * c, unsigned s, struct MHD_Response *r), (c, s, r))          \
        X(struct MHD_Response *, MHD_create_response_from_buffer_with_free_callback_cls,       \
          (size_t n, void *p, MHD_ContentReaderFreeCallback f, void *x), (n, p, f, x))         \
        X(struct MHD_Response *, MHD_create_response_from_callback,                            \
          (uint64_t n, size_t b, MHD_ContentReaderCallback r, void *x,                         \
           MHD_ContentReaderFreeCallback f),                                                   \
          (n, b, r, x, f))                                                                     \
        X(struct MHD_Response *, MHD_create_response_from_fd_at_offset64,                      \
          (uint64_t n, int fd, uint64_t o), (n, fd, o))                                        \
        X(enum MHD_Result, MHD_add_response_header,                                            \
          (struct MHD_Response * r, const char *n, const char *v), (r, n, v))                  \
        X(enum MHD_Result, MHD_is_feature_supported, (enum MHD_FEATURE f), (f))                \
        X(MHD_socket, MHD_quiesce_daemon, (struct MHD_Daemon * d), (d))

#define PROCEDURES(X)                                               \
        X(MHD_destroy_response, (struct MHD_Response * r), (r))     \
        X(MHD_suspend_connection, (struct MHD_Connection * c), (c)) \
        X(MHD_resume_connection, (struct MHD_Connection * c), (c))  \
        X(MHD_stop_daemon, (struct MHD_Daemon * d), (d))

enum {
#define F(type, name, parameters, arguments) AT_##name,
#define P(name, parameters, arguments)       AT_##name,
        FUNCTIONS(F) PROCEDURES(P)
#undef F
#undef P
                AT_MHD_start_daemon,
        AT_MAX
};

static const char *const names[AT_MAX] = {
#define F(type, name, parameters, arguments) #name,
#define P(name, parameters, arguments)       #name,
        FUNCTIONS(F) PROCEDURES(P)
#undef F
#undef P
                "MHD_start_daemon",
};

static void *functions[AT_MAX];
static struct qn_lazy library = QN_LAZY(LIBRARY, names, functions);

int qn_mhd_load(struct qn_err *reterr)
{
        return qn_lazy_load(&library)
                       ? 0
                       : qn_fail(reterr, -ELIBACC, 0, LIBRARY " is missing: install libmicrohttpd");
}

#define F(type, name, parameters, arguments)                                       \
        type(name) parameters                                                      \
        {                                                                          \
                type(*real) parameters = (type(*) parameters)functions[AT_##name]; \
                return real arguments;                                             \
        }
#define P(name, parameters, arguments)                                             \
        void(name) parameters                                                      \
        {                                                                          \
                void(*real) parameters = (void(*) parameters)functions[AT_##name]; \
                real arguments;                                                    \
        }

FUNCTIONS(F)
PROCEDURES(P)

struct MHD_Daemon *qn_mhd_start(unsigned flags, MHD_AccessHandlerCallback handler,
                                struct MHD_OptionItem *options)
{
        struct MHD_Daemon *(*real)(unsigned, uint16_t, MHD_AcceptPolicyCallback, void *,
                                   MHD_AccessHandlerCallback, void *, ...) =
                (struct MHD_Daemon * (*)(unsigned, uint16_t, MHD_AcceptPolicyCallback, void *,
                                         MHD_AccessHandlerCallback, void *, ...))
                        functions[AT_MHD_start_daemon];

        return real(flags, 0, NULL, NULL, handler, NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}
