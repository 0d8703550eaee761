#include "base/mask.h"

#include <ctype.h>

#include "base/buf.h"

#define MASK       "***"
#define RANDOM_MIN 20u /* characters of letters in both cases and digits that are no word */
#define HEX_MIN    32u
#define VALUE_MIN  4u /* after "password=" */
#define ISSUED_MIN 8u /* after the prefix of who issues it */

/* How tokens begin, so that leaks can be found: their issuers made them so. */
static const char *const issued[] = {
        "npm_",  "ghp_",  "gho_",  "ghu_",      "ghs_",   "ghr_",     "github_pat_", "glpat-",
        "gldt-", "xoxb-", "xoxp-", "xoxa-",     "xoxe-",  "xoxs-",    "xapp-",       "AKIA",
        "ASIA",  "AIza",  "ya29.", "sk-",       "sk_",    "rk_live_", "pk_live_",    "eyJ",
        "hf_",   "dckr_", "pypi-", "SG.",       "shpat_", "dop_v1_",  "glsa_",       "whsec_",
        "lin_",  "PMAK-", "NRAK-", "rubygems_",
};

/* What a value that nobody should see is called; longer ones come before those they begin with. */
static const char *const called[] = {
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "_authtoken",
        "_auth",
        "token",
        "api_key",
        "api-key",
        "apikey",
        "access_key",
        "access-key",
        "accesskey",
        "private_key",
        "privatekey",
        "mnemonic",
        "bearer",
        "authorization: basic",
};

static bool is_token_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '+' || c == '=';
}

static size_t run_of(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && is_token_char(s.p[n]))
                n++;
        return n;
}

/* Tokens have digits or capitals in them; npm_config_registry is a name. */
static bool is_word(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (isdigit((unsigned char)s.p[i]) || isupper((unsigned char)s.p[i]))
                        return false;
        return true;
}

static bool is_issued(struct qn_str run)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(issued); i++)
                if (qn_str_starts(run, issued[i]) && run.n >= strlen(issued[i]) + ISSUED_MIN)
                        return !is_word(qn_str_skip(run, strlen(issued[i])));
        return false;
}

static bool looks_random(struct qn_str run)
{
        size_t upper = 0, lower = 0, digits = 0, hex = 0;

        for (size_t i = 0; i < run.n; i++) {
                unsigned char c = (unsigned char)run.p[i];

                upper += isupper(c) != 0;
                lower += islower(c) != 0;
                digits += isdigit(c) != 0;
                hex += isxdigit(c) != 0;
        }
        if (run.n >= HEX_MIN && hex >= HEX_MIN && hex == run.n && digits)
                return true;
        return run.n >= RANDOM_MIN && upper && lower && digits > 1;
}

/* "ya29.", "SG." hold a dot, and so do what comes after them and JSON web tokens. */
static size_t issued_run(struct qn_str s)
{
        size_t n = run_of(s);

        if (!qn_str_starts(s, "ya29.") && !qn_str_starts(s, "SG.") && !qn_str_starts(s, "eyJ"))
                return n;
        while (n + 1 < s.n && s.p[n] == '.' && is_token_char(s.p[n + 1]))
                n += 1 + run_of(qn_str_skip(s, n + 1));
        return n;
}

/* A name of a secret at the begin of s, and what stands between it and its value; 0: there is none. */
static size_t name_of_secret(struct qn_str s)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(called); i++) {
                size_t n = strlen(called[i]), from;

                if (s.n <= n || !qn_str_ieq(qn_str_take(s, n), qn_str_c(called[i])))
                        continue;
                from = n;
                while (n < s.n && n < from + 6 && s.p[n] && strchr("'\"` :=", s.p[n]))
                        n++;
                /* "the token of" is a sentence: there must be more than a blank between, but for "Bearer x" */
                if (memchr(s.p + from, '=', n - from) || memchr(s.p + from, ':', n - from) ||
                    (n > from && qn_str_ieq(qn_str_take(s, 6), QN_STR("bearer"))) ||
                    qn_str_ieq(qn_str_take(s, 14), QN_STR("authorization:")))
                        return n;
        }
        return 0;
}

static size_t value_of_secret(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && (unsigned char)s.p[n] > ' ' && !strchr("'\"`,;&)}]<>", s.p[n]))
                n++;
        return n >= VALUE_MIN ? n : 0;
}

/* user:password@ behind "://". */
static size_t user_part(struct qn_str s)
{
        for (size_t n = 0; n < s.n && (unsigned char)s.p[n] > ' ' && !strchr("/?#'\"`", s.p[n]);
             n++)
                if (s.p[n] == '@')
                        return n;
        return 0;
}

/* What is masked or kept as it is at the begin of s: the bytes taken, at least one. */
static size_t mask_next(struct qn_buf *out, struct qn_str s, bool at_word)
{
        size_t n = at_word ? name_of_secret(s) : 0,
               value = n ? value_of_secret(qn_str_skip(s, n)) : 0;

        if (value) {
                qn_buf_add(out, s.p, n);
                qn_buf_puts(out, MASK);
                return n + value;
        }
        if (qn_str_starts(s, "://")) {
                n = user_part(qn_str_skip(s, 3));
                qn_buf_puts(out, n ? "://" MASK : "://");
                return 3 + n;
        }
        n = at_word ? issued_run(s) : 0;
        if (n && (is_issued(qn_str_take(s, n)) || looks_random(qn_str_take(s, n)))) {
                qn_buf_puts(out, MASK);
                return n;
        }
        qn_buf_byte(out, s.p[0]);
        return 1;
}

void qn_mask_secrets(struct qn_buf *out, struct qn_str s)
{
        bool at_word = true;

        while (s.n) {
                size_t n = mask_next(out, s, at_word);

                /* names of secrets are parts of others: NPM_TOKEN=, my-password= */
                at_word = n > 1 || !isalnum((unsigned char)s.p[0]);
                s = qn_str_skip(s, n);
        }
}
