/* The stable hash: XXH3 from the system's library. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t fl_hash_bytes(const void *data, int64_t bytes)
{
    return XXH3_64bits_withSeed(data, (size_t)bytes, 0x666C65746368ull); /* "fletch" */
}
