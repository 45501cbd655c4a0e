/* Bitmap copies that shift. */
#include "base/bitmap.h"

void fl_bitmap_copy(uint64_t *to, const void *from, int64_t offset, int64_t bits)
{
    const uint8_t *bytes = (const uint8_t *)from + (offset >> 3);
    int shift = (int)(offset & 7);
    int64_t bytes_out = (bits + 7) >> 3;
    uint8_t *out = (uint8_t *)to;
    if (bits <= 0)
        return;
    to[fl_bitmap_words(bits) - 1] = 0;
    if (shift == 0) {
        memcpy(out, bytes, (size_t)bytes_out);
    } else {
        int64_t bytes_in = (shift + bits + 7) >> 3;
        for (int64_t i = 0; i < bytes_out; i++) {
            uint32_t low = bytes[i];
            uint32_t high = i + 1 < bytes_in ? bytes[i + 1] : 0;
            out[i] = (uint8_t)((low | high << 8) >> shift);
        }
    }
    to[fl_bitmap_words(bits) - 1] &= fl_bitmap_tail(bits);
}
