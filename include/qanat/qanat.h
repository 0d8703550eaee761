/* qanat.h - the public face of libqanat: opaque structs only.  No I/O but reading the data
 * directory. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* "major.minor.patch" of the library. */
const char *qanat_version(void);

#ifdef __cplusplus
}
#endif
