/* First bytes, pieces and places of text files; streams of those whose text is made. */
#include "format/text_file.h"

#define HEAD_BYTES (256 << 10)   /* enough to find a dialect or layout by */
#define READ_ON_BYTES (16 << 10) /* behind a piece: enough for the end of most lines */
#define PADDING 16               /* that parsers may write */
#define RAW_BYTES (64 << 10)     /* of another encoding, converted at once */
#define PACKED_RATIO 5           /* of text to what it is packed to, as logs and tables have it */

/* ---- streams ---- */

typedef struct fl_text_stream {
    const fl_text_file *text; /* that it is of */
    fl_unpacker *unpacker;
    int64_t raw_at, raw_len; /* of `raw`: what is not converted yet */
    int64_t raw_offset;      /* in the file's unpacked bytes, of raw_at */
    bool is_raw_over;
    char raw[RAW_BYTES]; /* only of texts that are not UTF-8 */
} fl_text_stream;

static void stream_free(fl_text_stream *stream)
{
    if (stream != NULL)
        fl_unpacker_free(stream->unpacker);
    fl_free(stream);
}

static fl_status stream_new(fl_memory *memory, const fl_text_file *text, fl_text_stream **ret, fl_err *err)
{
    fl_text_stream *stream = NULL;
    int64_t bytes = (int64_t)(text->encoding == FL_ENCODING_UTF8 ? offsetof(fl_text_stream, raw) : sizeof(*stream));
    fl_status st = fl_alloc_zero(memory, bytes, (void **)&stream, err);
    if (st != FL_OK)
        return st;
    stream->text = text;
    st = fl_unpacker_new(memory, text->file, text->packing, &stream->unpacker, err);
    if (st == FL_OK)
        *ret = stream;
    else
        stream_free(stream);
    return st;
}

static fl_status fail_encoding(const fl_text_stream *stream, bool is_cut, fl_err *err)
{
    FL_FAIL(err, FL_ERR_FORMAT, "\"%s\", byte %lld: this is no text in its encoding, %s", stream->text->file->path,
            (long long)stream->raw_offset,
            is_cut ? "which ends in the middle of a character" : "where no character begins so");
    return fl_err_state(err, "22021", FL_ERR_FORMAT);
}

/* Converts what was read before reading more. */
static fl_status convert(fl_text_stream *stream, char *ret, int64_t bytes, int64_t *ret_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t done = 0;
    while (bytes - done >= 4 && !(stream->is_raw_over && stream->raw_at == stream->raw_len)) {
        int64_t used = 0, made = 0, given = 0, left = stream->raw_len - stream->raw_at;
        fl_str raw = {stream->raw + stream->raw_at, left};
        bool is_text = fl_encoding_convert(stream->text->encoding, raw, ret + done, bytes - done, &used, &made);
        stream->raw_at += used;
        stream->raw_offset += used;
        done += made;
        if (!is_text || (used == 0 && left > 0 && stream->is_raw_over))
            return fail_encoding(stream, is_text, err);
        left -= used;
        if (used > 0 && left >= 4)
            continue;
        memmove(stream->raw, stream->raw + stream->raw_at, (size_t)left);
        FL_TRY(fl_unpacker_read(stream->unpacker, stream->raw + left, RAW_BYTES - left, &given, err));
        stream->is_raw_over = given < RAW_BYTES - left;
        stream->raw_at = 0;
        stream->raw_len = left + given;
    }
    *ret_bytes = done;
cleanup:
    return st;
}

/* ---- the file ---- */

static fl_status find_packing(fl_text_file *text, const fl_text_wishes *wishes, fl_err *err)
{
    char head[FL_PACKING_HEAD_BYTES];
    int64_t bytes = text->file->bytes < FL_PACKING_HEAD_BYTES ? text->file->bytes : FL_PACKING_HEAD_BYTES;
    fl_str wish = wishes->compression;
    fl_status st = fl_file_read_at(text->file, 0, head, bytes, err);
    if (st != FL_OK)
        return st;
    fl_packing found = fl_packing_of((fl_str){head, bytes});
    bool is_said = wish.len > 0 && !fl_str_is_equal_nocase(wish, FL_STR("auto"));
    bool is_none = fl_str_is_equal_nocase(wish, FL_STR("none")) || fl_str_is_equal_nocase(wish, FL_STR("uncompressed"));
    text->packing = is_none ? FL_PACKED_NOT : found;
    if (!is_said || is_none)
        return FL_OK;
    fl_str name = fl_str_of(fl_packing_name(found));
    bool is_short = found != FL_PACKED_NOT && fl_str_is_equal_nocase(wish, found == FL_PACKED_GZIP   ? FL_STR("gz")
                                                                           : found == FL_PACKED_ZSTD ? FL_STR("zst")
                                                                                                     : FL_STR("bz2"));
    if (fl_str_is_equal_nocase(wish, name) || is_short)
        return FL_OK;
    FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" is not packed with %.*s: its first bytes say %s", text->file->path,
            FL_STR_ARG(wish), fl_packing_name(found));
    fl_err_state(err, "XX001", FL_ERR_FORMAT);
    fl_err_hint(err, "compression is 'auto', 'none', 'gzip', 'zstd', 'bzip2' or 'zip'");
    return FL_ERR_FORMAT;
}

static fl_status find_encoding(fl_text_file *text, const fl_text_wishes *wishes, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    char head[FL_ENCODING_MARK_BYTES];
    int64_t bytes = 0;
    fl_unpacker *unpacker = NULL;
    FL_TRY(fl_unpacker_new(memory, text->file, text->packing, &unpacker, err));
    FL_TRY(fl_unpacker_read(unpacker, head, FL_ENCODING_MARK_BYTES, &bytes, err));
    text->encoding = fl_encoding_of((fl_str){head, bytes});
    if (wishes->encoding.len > 0 && !fl_encoding_by_name(wishes->encoding, (fl_str){head, bytes}, &text->encoding)) {
        st = FL_FAIL(err, FL_ERR_CONFIG, "there is no encoding \"%.*s\"", FL_STR_ARG(wishes->encoding));
        fl_err_hint(err, "encodings are 'utf-8', 'utf-16', 'latin-1' and 'windows-1252'");
    }
cleanup:
    fl_unpacker_free(unpacker);
    return st;
}

fl_status fl_text_file_begin(fl_text_file *text, fl_file *file, const fl_text_wishes *wishes, fl_text_piece *piece,
                             int64_t *ret_start, fl_err *err)
{
    fl_status st = FL_OK;
    text->file = file;
    FL_TRY(find_packing(text, wishes, err));
    FL_TRY(find_encoding(text, wishes, piece->memory, err));
    atomic_init(&text->bytes, fl_text_file_is_stream(text) ? FL_TEXT_BYTES_UNKNOWN : file->bytes);
    FL_TRY(fl_text_piece_read(piece, text, 0, HEAD_BYTES, err));
    FL_ASSERT(piece->offset == 0);
    *ret_start = fl_str_has_prefix((fl_str){fl_text_piece_data(piece), piece->len}, FL_STR("\xEF\xBB\xBF")) ? 3 : 0;
cleanup:
    return st;
}

double fl_text_file_estimate_bytes(const fl_text_file *text)
{
    int64_t bytes = fl_text_file_bytes(text);
    if (bytes != FL_TEXT_BYTES_UNKNOWN)
        return (double)bytes;
    return (double)text->file->bytes * (text->packing != FL_PACKED_NOT ? PACKED_RATIO : 1);
}

bool fl_text_file_has_ending(const fl_text_file *text, fl_str ending)
{
    fl_str name = fl_str_of(text->file->path);
    const char *dot = text->packing != FL_PACKED_NOT ? strrchr(name.data, '.') : NULL;
    return fl_str_has_suffix(dot != NULL ? (fl_str){name.data, dot - name.data} : name, ending);
}

void fl_text_file_err_at(const fl_text_file *text, int64_t line, int64_t column, fl_err *err)
{
    if (err == NULL)
        return;
    err->line = line;
    err->column = column;
    fl_err_prefix(err, "\"%s\", line %lld, column %lld: ", text->file->path, (long long)line, (long long)column);
}

/* ---- pieces ---- */

static fl_status make_room(fl_text_piece *piece, int64_t len, fl_err *err)
{
    return piece->bytes == NULL ? fl_buffer_new(piece->memory, len + PADDING, &piece->bytes, err)
                                : fl_buffer_grow(&piece->bytes, len + PADDING, err);
}

/* The stream's next bytes, up to `len` in the piece. It gives less than is asked for only at its end. */
static fl_status fill_from_stream(fl_text_piece *piece, fl_text_file *text, int64_t len, fl_err *err)
{
    fl_status st = FL_OK;
    while (piece->len < len) {
        int64_t step = piece->len < HEAD_BYTES ? HEAD_BYTES : piece->len; /* how much comes is not known */
        int64_t wanted = len - piece->len < step ? len - piece->len : step, given = 0;
        FL_TRY(make_room(piece, piece->len + wanted, err));
        char *to = (char *)piece->bytes->data + piece->len;
        if (text->encoding == FL_ENCODING_UTF8)
            FL_TRY(fl_unpacker_read(piece->stream->unpacker, to, wanted, &given, err));
        else
            FL_TRY(
                convert(piece->stream, to, wanted + PADDING / 2, &given, err)); /* a whole character always has room */
        piece->len += given;
        bool is_over = text->encoding == FL_ENCODING_UTF8
                           ? given < wanted
                           : piece->stream->is_raw_over && piece->stream->raw_at == piece->stream->raw_len;
        if (is_over) {
            atomic_store_explicit(&text->bytes, piece->offset + piece->len, memory_order_relaxed);
            break;
        }
    }
    FL_TRY(make_room(piece, piece->len, err));
cleanup:
    return st;
}

/* Reads what is missing of the first `len` bytes. */
static fl_status fill(fl_text_piece *piece, fl_text_file *text, int64_t len, fl_err *err)
{
    fl_status st = FL_OK;
    if (fl_text_file_is_stream(text))
        return fill_from_stream(piece, text, len, err);
    FL_TRY(make_room(piece, len, err));
    FL_TRY(fl_file_read_at(text->file, piece->offset + piece->len, piece->bytes->data + piece->len, len - piece->len,
                           err));
    piece->len = len;
cleanup:
    return st;
}

/* Moves a stream's piece on to begin at `offset`: what it holds of that stays, what lies before is passed over. */
static fl_status move_on(fl_text_piece *piece, fl_text_file *text, int64_t offset, fl_err *err)
{
    fl_status st = FL_OK;
    if (piece->stream == NULL || piece->stream->text != text || offset < piece->offset) {
        stream_free(piece->stream);
        piece->stream = NULL;
        FL_TRY(stream_new(piece->memory, text, &piece->stream, err));
        piece->offset = piece->len = 0;
    }
    while (piece->offset + piece->len < offset && !fl_text_piece_is_last(piece, text)) {
        piece->offset += piece->len;
        piece->len = 0;
        FL_TRY(fill_from_stream(piece, text, offset - piece->offset < HEAD_BYTES ? offset - piece->offset : HEAD_BYTES,
                                err));
    }
    int64_t passed = offset - piece->offset < piece->len ? offset - piece->offset : piece->len;
    if (passed > 0)
        memmove(piece->bytes->data, piece->bytes->data + passed, (size_t)(piece->len - passed));
    piece->offset += passed;
    piece->len -= passed;
    FL_ASSERT(piece->offset <= offset);
cleanup:
    return st;
}

fl_status fl_text_piece_read(fl_text_piece *piece, fl_text_file *text, int64_t begin, int64_t end, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = fl_text_file_bytes(text), from = begin > 0 ? begin - 1 : 0;
    int64_t len = (end + READ_ON_BYTES < bytes ? end + READ_ON_BYTES : bytes) - from;
    bool is_stream = fl_text_file_is_stream(text);
    FL_ASSERT(begin <= end && len >= 0);
    if (is_stream) {
        FL_TRY(move_on(piece, text, from, err));
    } else {
        piece->offset = from;
        piece->len = 0;
        if (piece->bytes != NULL &&
            piece->bytes->capacity > 8 * (len + READ_ON_BYTES)) /* a long line's room goes back */
            fl_text_piece_drop(piece);
    }
    FL_TRY(fill(piece, text, len, err));
cleanup:
    return st;
}

fl_status fl_text_piece_read_on(fl_text_piece *piece, fl_text_file *text, fl_err *err)
{
    int64_t left = fl_text_file_bytes(text) - piece->offset - piece->len;
    return fill(piece, text, piece->len + (piece->len < left ? piece->len : left), err);
}

void fl_text_piece_drop(fl_text_piece *piece)
{
    fl_buffer_unref(piece->bytes);
    piece->bytes = NULL;
    stream_free(piece->stream);
    piece->stream = NULL;
    piece->len = 0;
}
