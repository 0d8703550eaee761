/* curl.c - libcurl, loaded when it is first needed.  It brings thirty libraries, which take ten milliseconds to load: most runs, and
 * all roles but one, never need them.  The functions are those of curl/curl.h, by the same names, and hand on to the real ones. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/lazy.h"

#define LIBRARY "libcurl.so.4"

/* Those whose arguments can be handed on as they are: type, name, parameters, arguments, what is returned without libcurl. */
#define FUNCTIONS(X)                                                                              \
        X(CURL *, curl_easy_init, (void), (), NULL)                                               \
        X(struct curl_slist *, curl_slist_append, (struct curl_slist * l, const char *s), (l, s), \
          NULL)                                                                                   \
        X(CURLHcode, curl_easy_header,                                                            \
          (CURL * e, const char *n, size_t i, unsigned o, int r, struct curl_header **h),         \
          (e, n, i, o, r, h), CURLHE_NOT_BUILT_IN)                                                \
        X(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)                   \
        X(CURLM *, curl_multi_init, (void), (), NULL)                                             \
        X(CURLMcode, curl_multi_add_handle, (CURLM * m, CURL * e), (m, e), CURLM_INTERNAL_ERROR)  \
        X(CURLMcode, curl_multi_remove_handle, (CURLM * m, CURL * e), (m, e),                     \
          CURLM_INTERNAL_ERROR)                                                                   \
        X(CURLMcode, curl_multi_assign, (CURLM * m, curl_socket_t s, void *p), (m, s, p),         \
          CURLM_INTERNAL_ERROR)                                                                   \
        X(CURLMcode, curl_multi_cleanup, (CURLM * m), (m), CURLM_OK)                              \
        X(CURLMsg *, curl_multi_info_read, (CURLM * m, int *n), (m, n), NULL)                     \
        X(CURLMcode, curl_multi_socket_action, (CURLM * m, curl_socket_t s, int what, int *n),    \
          (m, s, what, n), CURLM_INTERNAL_ERROR)                                                  \
        X(CURLSH *, curl_share_init, (void), (), NULL)                                            \
        X(CURLSHcode, curl_share_cleanup, (CURLSH * s), (s), CURLSHE_OK)                          \
        X(CURLU *, curl_url, (void), (), NULL)                                                    \
        X(CURLUcode, curl_url_get, (CURLU * u, CURLUPart what, char **part, unsigned flags),      \
          (u, what, part, flags), CURLUE_OUT_OF_MEMORY)                                           \
        X(CURLUcode, curl_url_set, (CURLU * u, CURLUPart what, const char *part, unsigned flags), \
          (u, what, part, flags), CURLUE_OUT_OF_MEMORY)                                           \
        X(const char *, curl_url_strerror, (CURLUcode c), (c), LIBRARY " is missing")

/* The same without a result. */
#define PROCEDURES(X)                                        \
        X(curl_easy_cleanup, (CURL * e), (e))                \
        X(curl_easy_reset, (CURL * e), (e))                  \
        X(curl_slist_free_all, (struct curl_slist * l), (l)) \
        X(curl_url_cleanup, (CURLU * u), (u))                \
        X(curl_free, (void *p), (p))

/* Those with one further argument, a long, a curl_off_t or a pointer: all of them are passed as a pointer is. */
#define OPTIONS(X)                                                                  \
        X(CURLcode, curl_easy_setopt, CURL *, CURLoption, CURLE_FAILED_INIT)        \
        X(CURLcode, curl_easy_getinfo, CURL *, CURLINFO, CURLE_FAILED_INIT)         \
        X(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption, CURLM_INTERNAL_ERROR) \
        X(CURLSHcode, curl_share_setopt, CURLSH *, CURLSHoption, CURLSHE_NOMEM)

_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *),
               "options are handed on as pointers");

enum {
#define F(type, name, parameters, arguments, without) AT_##name,
#define P(name, parameters, arguments)                AT_##name,
#define O(type, name, handle, option, without)        AT_##name,
        FUNCTIONS(F) PROCEDURES(P) OPTIONS(O)
#undef F
#undef P
#undef O
                AT_MAX
};

static const char *const names[] = {
#define F(type, name, parameters, arguments, without) #name,
#define P(name, parameters, arguments)                #name,
#define O(type, name, handle, option, without)        #name,
        FUNCTIONS(F) PROCEDURES(P) OPTIONS(O)
#undef F
#undef P
#undef O
};

static void *functions[AT_MAX];
static struct qn_lazy library = QN_LAZY(LIBRARY, names, functions);

#define F(type, name, parameters, arguments, without) \
        QN_LAZY_FUNCTION(&library, AT_##name, type, name, parameters, arguments, without)
#define P(name, parameters, arguments) \
        QN_LAZY_PROCEDURE(&library, AT_##name, name, parameters, arguments)
#define O(type, name, handle, option, without)                                           \
        type(name)(handle h, option o, ...)                                              \
        {                                                                                \
                type (*real)(handle, option, ...) =                                      \
                        (type(*)(handle, option, ...))qn_lazy_find(&library, AT_##name); \
                void *value;                                                             \
                va_list ap;                                                              \
                va_start(ap, o);                                                         \
                value = va_arg(ap, void *);                                              \
                va_end(ap);                                                              \
                return real ? real(h, o, value) : (without);                             \
        }

FUNCTIONS(F)
PROCEDURES(P)
OPTIONS(O)
