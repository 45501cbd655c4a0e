/* gzip members and Zstandard frames. */
#include "format/pack.h"

#include <zlib.h>
#include <zstd.h>

#define GZIP_WINDOW (15 + 16) /* the largest window; with gzip's header */
#define GZIP_MEMORY 8
#define ZSTD_LEVEL 3

fl_status fl_option_packing(fl_arena *arena, const fl_value *value, void *ret_packing, fl_err *err)
{
    (void)arena, (void)err;
    static const struct {
        const char *name;
        fl_packing packing;
    } known[] = {{"none", FL_PACK_NONE}, {"uncompressed", FL_PACK_NONE}, {"gzip", FL_PACK_GZIP}, {"gz", FL_PACK_GZIP},
                 {"zstd", FL_PACK_ZSTD}, {"zst", FL_PACK_ZSTD},          {"auto", FL_PACK_NONE}};
    if (value->is_null || value->type.id != FL_UTF8)
        return FL_ERR_TYPE;
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal_nocase(value->s, fl_str_of(known[i].name))) {
            *(fl_packing *)ret_packing = known[i].packing;
            return FL_OK;
        }
    return FL_ERR_TYPE;
}

static fl_status pack_gzip(fl_str from, fl_text *to, fl_err *err)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: zlib could not begin");
    fl_status st = FL_OK;
    int64_t bound = (int64_t)deflateBound(&stream, (uLong)from.len);
    char *room = fl_text_room(to, bound);
    if (room != NULL) {
        stream.next_in = (Bytef *)(uintptr_t)from.data;
        stream.avail_in = (uInt)from.len;
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)bound;
        int done = deflate(&stream, Z_FINISH);
        FL_ASSERT(done == Z_STREAM_END); /* the bound holds all */
        to->len += (int64_t)stream.total_out;
    }
    deflateEnd(&stream);
    return room == NULL ? fl_text_status(to, err) : st;
}

static fl_status pack_zstd(fl_str from, fl_text *to, fl_err *err)
{
    int64_t bound = (int64_t)ZSTD_compressBound((size_t)from.len);
    char *room = fl_text_room(to, bound);
    if (room == NULL)
        return fl_text_status(to, err);
    size_t n = ZSTD_compress(room, (size_t)bound, from.data, (size_t)from.len, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return FL_FAIL(err, FL_ERR_MEMORY, "zstd cannot pack: %s", ZSTD_getErrorName(n));
    to->len += (int64_t)n;
    return FL_OK;
}

fl_status fl_pack(fl_packing packing, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text packed;
    if (packing == FL_PACK_NONE || text->len == 0)
        return FL_OK;
    FL_ASSERT(text->len <= UINT32_MAX);
    fl_text_init(&packed, text->memory);
    FL_TRY(fl_text_status(text, err));
    FL_TRY(packing == FL_PACK_GZIP ? pack_gzip(fl_text_str(text), &packed, err)
                                   : pack_zstd(fl_text_str(text), &packed, err));
    fl_text_drop(text);
    *text = packed;
    return FL_OK;
cleanup:
    fl_text_drop(&packed);
    return st;
}
