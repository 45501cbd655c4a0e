/* First bytes, pieces and places of text files. */
#include "format/text_file.h"

#define HEAD_BYTES (256 << 10)   /* enough to find a dialect or layout by */
#define READ_ON_BYTES (16 << 10) /* behind a piece: enough for the end of most lines */
#define PADDING 16               /* that parsers may write */

static fl_status check_head(const fl_file *file, const char *head, int64_t bytes, fl_err *err)
{
    static const struct {
        fl_str magic;
        const char *name, *program;
    } packers[] = {{FL_STR("\x1F\x8B"), "gzip", "gunzip"},
                   {FL_STR("\x28\xB5\x2F\xFD"), "zstd", "unzstd"},
                   {FL_STR("PK\x03\x04"), "zip", "unzip"},
                   {FL_STR("BZh"), "bzip2", "bunzip2"}};
    fl_str text = {head, bytes};
    for (int64_t i = 0; i < FL_LEN(packers); i++)
        if (fl_str_has_prefix(text, packers[i].magic)) {
            FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" is compressed with %s, which is not read yet", file->path,
                    packers[i].name);
            fl_err_hint(err, "unpack it first, with %s", packers[i].program);
            return FL_ERR_UNSUPPORTED;
        }
    if (fl_str_has_prefix(text, FL_STR("\xFF\xFE")) || fl_str_has_prefix(text, FL_STR("\xFE\xFF"))) {
        FL_FAIL(err, FL_ERR_FORMAT, "this is UTF-16, not UTF-8");
        fl_err_state(err, "22021", FL_ERR_FORMAT);
        fl_err_hint(err, "convert it first: iconv -f utf-16 -t utf-8");
        fl_text_file_err_at(file, 1, 1, err);
        return FL_ERR_FORMAT;
    }
    return FL_OK;
}

fl_status fl_text_file_begin(fl_memory *memory, fl_file *file, char **ret_head, int64_t *ret_bytes, int64_t *ret_start,
                             fl_err *err)
{
    fl_status st = FL_OK;
    *ret_bytes = file->bytes < HEAD_BYTES ? file->bytes : HEAD_BYTES;
    FL_TRY(fl_alloc(memory, *ret_bytes + 1, (void **)ret_head, err));
    FL_TRY(fl_file_read_at(file, 0, *ret_head, *ret_bytes, err));
    FL_TRY(check_head(file, *ret_head, *ret_bytes, err));
    *ret_start = fl_str_has_prefix((fl_str){*ret_head, *ret_bytes}, FL_STR("\xEF\xBB\xBF")) ? 3 : 0;
cleanup:
    return st;
}

void fl_text_file_err_at(const fl_file *file, int64_t line, int64_t column, fl_err *err)
{
    if (err == NULL)
        return;
    err->line = line;
    err->column = column;
    fl_err_prefix(err, "\"%s\", line %lld, column %lld: ", file->path, (long long)line, (long long)column);
}

/* Reads what is missing of the first `len` bytes. */
static fl_status fill(fl_text_piece *piece, fl_file *file, int64_t len, fl_err *err)
{
    fl_status st = FL_OK;
    if (piece->bytes == NULL)
        FL_TRY(fl_buffer_new(piece->memory, len + PADDING, &piece->bytes, err));
    FL_TRY(fl_buffer_grow(&piece->bytes, len + PADDING, err));
    FL_TRY(fl_file_read_at(file, piece->offset + piece->len, piece->bytes->data + piece->len, len - piece->len, err));
    piece->len = len;
cleanup:
    return st;
}

fl_status fl_text_piece_read(fl_text_piece *piece, fl_file *file, int64_t begin, int64_t end, fl_err *err)
{
    int64_t behind = end + READ_ON_BYTES < file->bytes ? end + READ_ON_BYTES : file->bytes;
    piece->offset = begin > 0 ? begin - 1 : 0;
    piece->len = 0;
    int64_t len = behind - piece->offset;
    if (piece->bytes != NULL && piece->bytes->capacity > 8 * (len + READ_ON_BYTES)) /* a long line's room goes back */
        fl_text_piece_drop(piece);
    return fill(piece, file, len, err);
}

fl_status fl_text_piece_read_on(fl_text_piece *piece, fl_file *file, fl_err *err)
{
    int64_t left = file->bytes - piece->offset - piece->len;
    return fill(piece, file, piece->len + (piece->len < left ? piece->len : left), err);
}

void fl_text_piece_drop(fl_text_piece *piece)
{
    fl_buffer_unref(piece->bytes);
    piece->bytes = NULL;
}
