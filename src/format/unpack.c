/* Streams of packed bytes, by zlib, zstd and bzip2. Their memory is charged to the stream's budget. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_customMem */
#include "format/unpack.h"

#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PACKED_BYTES (128 << 10) /* of the file, read at once */

/* Zip's local header (PKWARE APPNOTE, 4.3.7), without name and extra field. */
#define ZIP_HEADER_BYTES 30
enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };
#define ZIP_IS_ENCRYPTED 1
#define ZIP_SIZES_FOLLOW 8 /* checksum and sizes stand behind the bytes */
#define ZIP_LOCAL_SIGNATURE 0x04034B50U
#define ZIP_DESCRIPTOR_SIGNATURE 0x08074B50U

typedef struct packing_desc packing_desc;

struct fl_unpacker {
    const packing_desc *desc;
    fl_memory *memory;
    fl_file *file;
    int64_t offset; /* in the file, behind what `packed` holds */
    uint8_t *packed;
    int64_t at, len; /* of `packed`: the next byte, and the end */
    bool is_open;    /* the library's state is there */
    bool is_begun;   /* within a member */
    bool is_over;    /* nothing follows */
    z_stream zlib;
    bz_stream bzip2;
    ZSTD_DCtx *zstd;
    bool is_stored; /* a zip's file that is not packed: */
    int64_t stored_left;
    fl_err fault; /* why a library got no memory */
    uint16_t zip_flags;
    uint32_t zip_checksum, checksum;
};

struct packing_desc {
    const char *name;
    fl_str magic;
    /** Before the first byte of a member. */
    fl_status (*begin)(fl_unpacker *u, fl_err *err);
    /** Takes from `packed`, gives up to `room` bytes; *ret_ended: the member ends here. */
    fl_status (*step)(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err);
    /** Behind a member, where there is something to compare. */
    fl_status (*end)(fl_unpacker *u, fl_err *err);
    void (*close)(fl_unpacker *u);
    bool has_one; /* no other member follows */
};

/* ---- the packed bytes ---- */

static int64_t place_of(const fl_unpacker *u)
{
    return u->offset - (u->len - u->at);
}

static fl_status fail(const fl_unpacker *u, const char *what, fl_err *err)
{
    FL_FAIL(err, FL_ERR_FORMAT, "\"%s\", byte %lld: %s", u->file->path, (long long)place_of(u), what);
    return fl_err_state(err, "XX001", FL_ERR_FORMAT);
}

static fl_status fail_damaged(const fl_unpacker *u, fl_err *err)
{
    FL_FAIL(err, FL_ERR_FORMAT, "\"%s\", byte %lld: what is packed with %s is damaged before here", u->file->path,
            (long long)place_of(u), u->desc->name);
    return fl_err_state(err, "XX001", FL_ERR_FORMAT);
}

static fl_status fail_short(const fl_unpacker *u, fl_err *err)
{
    FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" ends at byte %lld, in the middle of what is packed with %s", u->file->path,
            (long long)u->file->bytes, u->desc->name);
    fl_err_state(err, "XX001", FL_ERR_FORMAT);
    fl_err_hint(err, "it was cut off, or is still being written");
    return FL_ERR_FORMAT;
}

static bool is_at_end(const fl_unpacker *u)
{
    return u->at == u->len && u->offset == u->file->bytes;
}

/* More of the file behind what is left of it. */
static fl_status fill(fl_unpacker *u, fl_err *err)
{
    int64_t left = u->len - u->at, room = PACKED_BYTES - left, bytes = u->file->bytes - u->offset;
    memmove(u->packed, u->packed + u->at, (size_t)left);
    u->at = 0;
    u->len = left;
    bytes = bytes < room ? bytes : room;
    fl_status st = fl_file_read_at(u->file, u->offset, u->packed + left, bytes, err);
    if (st != FL_OK)
        return st;
    u->len += bytes;
    u->offset += bytes;
    return FL_OK;
}

/* At least `bytes` (at most PACKED_BYTES) are in `packed`. */
static fl_status need(fl_unpacker *u, int64_t bytes, fl_err *err)
{
    FL_ASSERT(bytes <= PACKED_BYTES);
    fl_status st = u->len - u->at < bytes ? fill(u, err) : FL_OK;
    return st == FL_OK && u->len - u->at < bytes ? fail_short(u, err) : st;
}

static uint32_t number_at(const fl_unpacker *u, int64_t at, int bytes)
{
    uint32_t value = 0;
    memcpy(&value, u->packed + u->at + at, (size_t)bytes);
    return value; /* little endian, as this machine is */
}

/* ---- memory of the libraries ---- */

/* Libraries say no more than that they had no memory: what was wrong is kept. */
static void *take(fl_unpacker *u, int64_t bytes)
{
    void *block = NULL;
    return fl_alloc_zero(u->memory, bytes, &block, &u->fault) == FL_OK ? block : NULL;
}

static void *zlib_take(void *u, unsigned n, unsigned bytes)
{
    return take(u, (int64_t)n * bytes);
}

static void *bzip2_take(void *u, int n, int bytes)
{
    return take(u, (int64_t)n * bytes);
}

static void *zstd_take(void *u, size_t bytes)
{
    return take(u, (int64_t)bytes);
}

static void give(void *u, void *block)
{
    (void)u;
    fl_free(block);
}

static fl_status fail_memory(const fl_unpacker *u, fl_err *err)
{
    FL_ASSERT(u->fault.code != FL_OK);
    if (err != NULL)
        *err = u->fault;
    return u->fault.code;
}

/* ---- deflate, in gzip and zip ---- */

static fl_status open_zlib(fl_unpacker *u, int window_bits, fl_err *err)
{
    int code = Z_OK;
    if (u->is_open) {
        code = inflateReset(&u->zlib);
    } else {
        u->zlib = (z_stream){.zalloc = zlib_take, .zfree = give, .opaque = u};
        code = inflateInit2(&u->zlib, window_bits);
    }
    u->is_open |= code == Z_OK;
    return code == Z_OK ? FL_OK : fail_memory(u, err);
}

static fl_status gzip_begin(fl_unpacker *u, fl_err *err)
{
    return open_zlib(u, 15 + 16, err);
}

static fl_status zlib_step(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err)
{
    room = room < (1 << 30) ? room : 1 << 30;
    u->zlib.next_in = u->packed + u->at;
    u->zlib.avail_in = (unsigned)(u->len - u->at);
    u->zlib.next_out = to;
    u->zlib.avail_out = (unsigned)room;
    int code = inflate(&u->zlib, Z_NO_FLUSH);
    u->at = u->len - u->zlib.avail_in;
    *ret_bytes = room - u->zlib.avail_out;
    *ret_ended = code == Z_STREAM_END;
    if (code == Z_MEM_ERROR)
        return fail_memory(u, err);
    return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR ? FL_OK : fail_damaged(u, err);
}

static void zlib_close(fl_unpacker *u)
{
    inflateEnd(&u->zlib);
}

static fl_status zip_begin(fl_unpacker *u, fl_err *err)
{
    fl_status st = need(u, ZIP_HEADER_BYTES, err);
    if (st != FL_OK)
        return st;
    u->zip_flags = (uint16_t)number_at(u, 6, 2);
    uint32_t method = number_at(u, 8, 2);
    u->zip_checksum = number_at(u, 14, 4);
    u->stored_left = number_at(u, 18, 4);
    int64_t header = ZIP_HEADER_BYTES + (int64_t)number_at(u, 26, 2) + number_at(u, 28, 2);
    st = need(u, header < PACKED_BYTES ? header : PACKED_BYTES, err);
    if (st != FL_OK)
        return st;
    if (header > PACKED_BYTES)
        return fail_damaged(u, err);
    u->at += header;
    u->checksum = (uint32_t)crc32(0, NULL, 0);
    if ((u->zip_flags & ZIP_IS_ENCRYPTED) != 0)
        return fail(u, "this zip is encrypted", err);
    u->is_stored = method == ZIP_STORED;
    if (u->is_stored && ((u->zip_flags & ZIP_SIZES_FOLLOW) != 0 || u->stored_left == UINT32_MAX))
        return fail(u, "this zip does not say how long its file is", err);
    if (!u->is_stored && method != ZIP_DEFLATED)
        return fail(u, "this zip is packed by a method other than deflate", err);
    return u->is_stored ? FL_OK : open_zlib(u, -15, err);
}

static fl_status zip_step(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err)
{
    fl_status st = FL_OK;
    if (u->is_stored) {
        int64_t bytes = u->len - u->at < room ? u->len - u->at : room;
        bytes = bytes < u->stored_left ? bytes : u->stored_left;
        memcpy(to, u->packed + u->at, (size_t)bytes);
        u->at += bytes;
        u->stored_left -= bytes;
        *ret_bytes = bytes;
        *ret_ended = u->stored_left == 0;
    } else {
        st = zlib_step(u, to, room, ret_bytes, ret_ended, err);
    }
    if (st == FL_OK)
        u->checksum = (uint32_t)crc32_z(u->checksum, to, (size_t)*ret_bytes);
    return st;
}

/* Behind the file come its checksum, where the header did not have it, and the list of all files: it must be of this one alone. */
static fl_status zip_end(fl_unpacker *u, fl_err *err)
{
    fl_status st = FL_OK;
    if ((u->zip_flags & ZIP_SIZES_FOLLOW) != 0) {
        FL_TRY(need(u, 16, err));
        bool has_signature = number_at(u, 0, 4) == ZIP_DESCRIPTOR_SIGNATURE;
        u->zip_checksum = number_at(u, has_signature ? 4 : 0, 4);
        u->at += has_signature ? 16 : 12;
    }
    if (u->zip_checksum != u->checksum)
        return fail(u, "the checksum of the zip's file is another", err);
    FL_TRY(need(u, 4, err));
    if (number_at(u, 0, 4) == ZIP_LOCAL_SIGNATURE) {
        fail(u, "this zip holds several files", err);
        fl_err_hint(err, "unpack it and read them by a pattern: 'folder/*.csv'");
        st = FL_ERR_FORMAT;
    }
cleanup:
    return st;
}

static void zip_close(fl_unpacker *u)
{
    if (!u->is_stored)
        zlib_close(u);
}

/* ---- zstd ---- */

static fl_status zstd_begin(fl_unpacker *u, fl_err *err)
{
    ZSTD_customMem memory = {.customAlloc = zstd_take, .customFree = give, .opaque = u};
    if (!u->is_open)
        u->zstd = ZSTD_createDCtx_advanced(memory);
    u->is_open = u->zstd != NULL;
    return u->is_open ? FL_OK : fail_memory(u, err);
}

static fl_status zstd_step(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err)
{
    ZSTD_inBuffer in = {u->packed + u->at, (size_t)(u->len - u->at), 0};
    ZSTD_outBuffer out = {to, (size_t)room, 0};
    size_t left = ZSTD_decompressStream(u->zstd, &out, &in);
    u->at += (int64_t)in.pos;
    *ret_bytes = (int64_t)out.pos;
    *ret_ended = left == 0;
    if (!ZSTD_isError(left))
        return FL_OK;
    return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? fail_memory(u, err) : fail_damaged(u, err);
}

static void zstd_close(fl_unpacker *u)
{
    ZSTD_freeDCtx(u->zstd);
}

/* ---- bzip2 ---- */

static fl_status bzip2_begin(fl_unpacker *u, fl_err *err)
{
    if (u->is_open) /* it cannot begin anew */
        BZ2_bzDecompressEnd(&u->bzip2);
    u->bzip2 = (bz_stream){.bzalloc = bzip2_take, .bzfree = give, .opaque = u};
    u->is_open = BZ2_bzDecompressInit(&u->bzip2, 0, 0) == BZ_OK;
    return u->is_open ? FL_OK : fail_memory(u, err);
}

static fl_status bzip2_step(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err)
{
    room = room < (1 << 30) ? room : 1 << 30;
    u->bzip2.next_in = (char *)u->packed + u->at;
    u->bzip2.avail_in = (unsigned)(u->len - u->at);
    u->bzip2.next_out = (char *)to;
    u->bzip2.avail_out = (unsigned)room;
    int code = BZ2_bzDecompress(&u->bzip2);
    u->at = u->len - u->bzip2.avail_in;
    *ret_bytes = room - u->bzip2.avail_out;
    *ret_ended = code == BZ_STREAM_END;
    if (code == BZ_MEM_ERROR)
        return fail_memory(u, err);
    return code == BZ_OK || code == BZ_STREAM_END ? FL_OK : fail_damaged(u, err);
}

static void bzip2_close(fl_unpacker *u)
{
    BZ2_bzDecompressEnd(&u->bzip2);
}

/* ---- no packing ---- */

static fl_status plain_begin(fl_unpacker *u, fl_err *err)
{
    (void)err;
    u->is_open = true;
    return FL_OK;
}

static fl_status plain_step(fl_unpacker *u, uint8_t *to, int64_t room, int64_t *ret_bytes, bool *ret_ended, fl_err *err)
{
    (void)err;
    *ret_bytes = u->len - u->at < room ? u->len - u->at : room;
    memcpy(to, u->packed + u->at, (size_t)*ret_bytes);
    u->at += *ret_bytes;
    *ret_ended = is_at_end(u);
    return FL_OK;
}

static void plain_close(fl_unpacker *u)
{
    (void)u;
}

/* ---- all of them ---- */

static const packing_desc packings[] = {
    [FL_PACKED_NOT] = {"none", {NULL, 0}, plain_begin, plain_step, NULL, plain_close, true},
    [FL_PACKED_GZIP] = {"gzip", FL_STR("\x1F\x8B"), gzip_begin, zlib_step, NULL, zlib_close, false},
    [FL_PACKED_ZSTD] = {"zstd", FL_STR("\x28\xB5\x2F\xFD"), zstd_begin, zstd_step, NULL, zstd_close, false},
    [FL_PACKED_BZIP2] = {"bzip2", FL_STR("BZh"), bzip2_begin, bzip2_step, NULL, bzip2_close, false},
    [FL_PACKED_ZIP] = {"zip", FL_STR("PK\x03\x04"), zip_begin, zip_step, zip_end, zip_close, true},
};

fl_packing fl_packing_of(fl_str head)
{
    for (int i = FL_PACKED_GZIP; i < FL_LEN(packings); i++)
        if (fl_str_has_prefix(head, packings[i].magic))
            return (fl_packing)i;
    return FL_PACKED_NOT;
}

const char *fl_packing_name(fl_packing packing)
{
    FL_ASSERT(packing >= 0 && (int64_t)packing < FL_LEN(packings));
    return packings[packing].name;
}

fl_status fl_unpacker_new(fl_memory *memory, fl_file *file, fl_packing packing, fl_unpacker **ret, fl_err *err)
{
    fl_unpacker *u = NULL;
    FL_ASSERT(packing >= 0 && (int64_t)packing < FL_LEN(packings));
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*u), (void **)&u, err);
    if (st != FL_OK)
        return st;
    u->desc = &packings[packing];
    u->memory = memory;
    u->file = file;
    st = fl_alloc(memory, PACKED_BYTES, (void **)&u->packed, err);
    if (st == FL_OK)
        *ret = u;
    else
        fl_unpacker_free(u);
    return st;
}

void fl_unpacker_free(fl_unpacker *u)
{
    if (u == NULL)
        return;
    if (u->is_open)
        u->desc->close(u);
    fl_free(u->packed);
    fl_free(u);
}

/* Behind a member: another one, zeros that fill up a tape's block, or the end. */
static fl_status find_next(fl_unpacker *u, fl_err *err)
{
    fl_status st = FL_OK;
    u->is_begun = false;
    if (u->desc->end != NULL)
        FL_TRY(u->desc->end(u, err));
    if (u->desc->has_one) {
        u->is_over = true;
        return FL_OK;
    }
    FL_TRY(fill(u, err));
    if (fl_str_has_prefix((fl_str){(const char *)u->packed, u->len}, u->desc->magic))
        return FL_OK;
    while (!is_at_end(u)) {
        while (u->at < u->len && u->packed[u->at] == 0)
            u->at++;
        if (u->at < u->len)
            return fail(u, "what follows the end of the packed bytes is none of them", err);
        FL_TRY(fill(u, err));
    }
    u->is_over = true;
cleanup:
    return st;
}

fl_status fl_unpacker_read(fl_unpacker *u, void *ret, int64_t bytes, int64_t *ret_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t done = 0;
    FL_ASSERT(bytes >= 0);
    while (done < bytes && !u->is_over) {
        int64_t given = 0, before = u->at;
        bool has_ended = false;
        if (u->at == u->len && u->offset < u->file->bytes)
            FL_TRY(fill(u, err));
        if (!u->is_begun)
            FL_TRY(u->desc->begin(u, err));
        u->is_begun = true;
        before = u->at;
        FL_TRY(u->desc->step(u, (uint8_t *)ret + done, bytes - done, &given, &has_ended, err));
        FL_ASSERT(given <= bytes - done);
        done += given;
        if (has_ended)
            FL_TRY(find_next(u, err));
        else if (given == 0 && u->at == before && u->offset == u->file->bytes) /* all was given, and it wants more */
            FL_TRY(fail_short(u, err));
    }
    *ret_bytes = done;
cleanup:
    return st;
}
