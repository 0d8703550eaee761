/* version.c - the version; on its own, so that asking for it does not link the whole library. */
#include "qanat/qanat.h"

const char *qanat_version(void)
{
        return QN_VERSION;
}
