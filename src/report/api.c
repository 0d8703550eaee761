/* api.c - the public API (include/qanat/qanat.h) on top of the layers. */
#include "qanat/qanat.h"

const char *qanat_version(void)
{
        return QN_VERSION;
}
