/* read_csv: its named arguments, and the table that it makes. */
#include "format/csv/table.h"

#include "base/hash.h"
#include "base/strptime.h"
#include "format/csv/values.h"

/* ---- options ---- */

/* A single byte; "\t" is a tab. An empty text is allowed where may_be_empty: 0. */
static fl_status read_char(const fl_value *value, bool may_be_empty, char *ret)
{
    fl_str s = value->type.id == FL_UTF8 && !value->is_null ? value->s : (fl_str){NULL, -1};
    if (s.len == 2 && s.data[0] == '\\' && s.data[1] == 't')
        *ret = '\t';
    else if (s.len == 1 && s.data[0] != '\n' && s.data[0] != '\r' && s.data[0] != 0 && (s.data[0] & 0x80) == 0)
        *ret = s.data[0];
    else if (s.len == 0 && may_be_empty)
        *ret = 0;
    else
        return FL_ERR_TYPE;
    return FL_OK;
}

/* Several bytes, at each of which a line could go on. */
static fl_status read_delim(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err)
{
    char one;
    fl_str *ret = ret_str;
    fl_str s = value->type.id == FL_UTF8 && !value->is_null ? value->s : (fl_str){0};
    if (read_char(value, false, &one) == FL_OK)
        return fl_arena_copy_str(arena, (fl_str){&one, 1}, ret, err);
    if (s.len < 2 || s.len > FL_CSV_DELIM_MAX)
        return FL_ERR_TYPE;
    for (int64_t i = 0; i < s.len; i++)
        if (s.data[i] == '\n' || s.data[i] == '\r' || s.data[i] == 0)
            return FL_ERR_TYPE;
    return fl_arena_copy_str(arena, s, ret, err);
}

static fl_status read_quote(fl_arena *arena, const fl_value *value, void *ret_char, fl_err *err)
{
    (void)arena, (void)err;
    return read_char(value, true, ret_char);
}

static fl_status read_skip(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err)
{
    fl_status st = fl_option_rows(arena, value, ret_i64, err);
    return st == FL_OK && *(int64_t *)ret_i64 < 0 ? FL_ERR_TYPE : st;
}

/* As of strptime; 'iso' and 'auto' are what is read without it. */
static fl_status read_format(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err)
{
    int64_t us;
    fl_status st = fl_option_text(arena, value, ret_str, err);
    fl_str *format = ret_str;
    if (st != FL_OK)
        return st;
    if (fl_str_is_equal_nocase(*format, FL_STR("iso")) || fl_str_is_equal_nocase(*format, FL_STR("auto")))
        *format = (fl_str){0};
    for (int64_t i = 0; i + 1 < format->len; i++) /* each specifier alone: a text ends at the first that does not fit */
        if (format->data[i] == '%' &&
            fl_strptime((fl_str){0}, (fl_str){format->data + i, format->len - i}, &us) == FL_STRPTIME_BAD_FORMAT)
            return FL_ERR_TYPE;
        else if (format->data[i] == '%')
            i++;
    return FL_OK;
}

static fl_status read_decimal_separator(fl_arena *arena, const fl_value *value, void *ret_char, fl_err *err)
{
    (void)arena, (void)err;
    char *to = ret_char;
    fl_status st = read_char(value, false, to);
    if (st == FL_OK && *to != '.' && *to != ',')
        return FL_ERR_TYPE;
    *to = st == FL_OK && *to == '.' ? 0 : *to;
    return st;
}

/* Columns are always found by looking, where they are not said. */
static fl_status read_auto_detect(fl_arena *arena, const fl_value *value, void *ret, fl_err *err)
{
    bool is_wanted = false;
    (void)ret;
    fl_status st = fl_option_bool(arena, value, &is_wanted, err);
    if (st != FL_OK || is_wanted)
        return st;
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "read_csv has no auto_detect = false: it looks for what it is not told");
    fl_err_hint(err, "tell it: delim, quote, escape, header and columns");
    return FL_ERR_UNSUPPORTED;
}

/* Types that may be found by looking; text always is one. */
static fl_status read_candidates(fl_arena *arena, const fl_value *value, void *ret_kinds, fl_err *err)
{
    fl_option_texts names = {0};
    fl_status st = fl_option_texts_read(arena, value, &names, err);
    uint32_t kinds = 0;
    for (int32_t i = 0; i < names.n && st == FL_OK; i++) {
        fl_type type;
        if (!fl_option_type_read(names.items[i], &type))
            return FL_ERR_TYPE;
        kinds |= type.id == FL_BOOL          ? FL_CSV_BOOL
                 : fl_type_is_integer(type)  ? FL_CSV_I64
                 : type.id == FL_DECIMAL     ? FL_CSV_DECIMAL
                 : fl_type_is_float(type)    ? FL_CSV_F64
                 : type.id == FL_DATE        ? FL_CSV_DATE | FL_CSV_DATE_FORM
                 : type.id == FL_TIME        ? FL_CSV_TIME
                 : type.id == FL_TIMESTAMP   ? FL_CSV_TIMESTAMP | FL_CSV_TIMESTAMP_FORM
                 : type.id == FL_TIMESTAMPTZ ? FL_CSV_TIMESTAMPTZ
                                             : 0;
    }
    if (st == FL_OK)
        *(uint32_t *)ret_kinds = kinds;
    return st;
}

#define CANDIDATES "types such as ['bigint', 'date']"
#define FORMAT "a format of dates such as '%d/%m/%Y'"
#define DELIM "one ASCII character, or up to 4 bytes"
#define QUOTE "one ASCII character, or empty for none"
#define AT(member) offsetof(fl_csv_table, options.member)

static const fl_option_desc options[] = {
    {"delim", DELIM, read_delim, AT(wishes.delim), -1},
    {"delimiter", DELIM, read_delim, AT(wishes.delim), -1},
    {"sep", DELIM, read_delim, AT(wishes.delim), -1},
    {"quote", QUOTE, read_quote, AT(wishes.quote), AT(wishes.has_quote)},
    {"escape", QUOTE, read_quote, AT(wishes.escape), AT(wishes.has_escape)},
    {"header", FL_OPTION_BOOL, fl_option_bool, AT(header), AT(has_header)},
    {"comment", QUOTE, read_quote, AT(wishes.comment), AT(wishes.has_comment)},
    {"skip", "a number of lines", read_skip, AT(skip), AT(has_skip)},
    {"trim", FL_OPTION_BOOL, fl_option_bool, AT(wishes.trims), -1},
    {"nullstr", FL_OPTION_TEXTS, fl_option_texts_read, AT(nullstrs), -1},
    {"names", "names such as ['a', 'b']", fl_option_texts_read, AT(names), -1},
    {"column_names", "names such as ['a', 'b']", fl_option_texts_read, AT(names), -1},
    {"types", FL_OPTION_TYPES, fl_option_types, AT(types), -1},
    {"dtypes", FL_OPTION_TYPES, fl_option_types, AT(types), -1},
    {"column_types", FL_OPTION_TYPES, fl_option_types, AT(types), -1},
    {"dateformat", FORMAT, read_format, AT(date_format), -1},
    {"date_format", FORMAT, read_format, AT(date_format), -1},
    {"timestampformat", FORMAT, read_format, AT(timestamp_format), -1},
    {"timestamp_format", FORMAT, read_format, AT(timestamp_format), -1},
    {"decimal_separator", "'.' or ','", read_decimal_separator, AT(decimal_separator), -1},
    {"auto_detect", "true", read_auto_detect, 0, -1},
    {"columns", FL_OPTION_COLUMNS, fl_option_columns, AT(columns), -1},
    {"compression", FL_TEXT_COMPRESSION, fl_option_text, AT(text.compression), -1},
    {"encoding", FL_TEXT_ENCODING, fl_option_text, AT(text.encoding), -1},
    {"all_varchar", FL_OPTION_BOOL, fl_option_bool, AT(all_varchar), -1},
    {"auto_type_candidates", CANDIDATES, read_candidates, AT(candidates), -1},
    {"sample_size", FL_OPTION_ROWS, fl_option_rows, AT(sample_rows), -1},
    {"ignore_errors", FL_OPTION_BOOL, fl_option_bool, AT(ignore_errors), -1},
    {"store_rejects", FL_OPTION_BOOL, fl_option_bool, AT(store_rejects), -1},
    {"null_padding", FL_OPTION_BOOL, fl_option_bool, AT(null_padding), -1},
};

static bool has_byte(fl_str text, char byte)
{
    return byte != 0 && text.len > 0 && memchr(text.data, byte, (size_t)text.len) != NULL;
}

/* Options that each are right, but not together. */
static fl_status check_options(fl_csv_options *o, fl_err *err)
{
    fl_csv_wishes *w = &o->wishes;
    char quote = w->has_quote ? w->quote : '"';
    w->has_escape &= w->escape != 0;
    o->ignore_errors |= o->store_rejects;
    if (has_byte(w->delim, quote) || (w->has_escape && has_byte(w->delim, w->escape)))
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's delim cannot be its quote or escape, too");
    if (o->columns.fields != NULL && (o->names.n > 0 || o->types.n > 0))
        return FL_FAIL(err, FL_ERR_CONFIG,
                       "read_csv's columns say names and types of all columns: names and types cannot "
                       "stand beside them");
    if (fl_str_is_equal(w->delim, (fl_str){&o->decimal_separator, 1}))
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's delim cannot be its decimal_separator, too");
    if (w->comment != 0 && (w->comment == quote || has_byte(w->delim, w->comment)))
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's comment cannot be its quote or delim, too");
    return FL_OK;
}

/* ---- the table ---- */

/* What changes the rows is part of the table's identity. */
static uint64_t hash_options(const fl_csv_table *table)
{
    const fl_csv_dialect *d = &table->files[table->first].layout.dialect;
    const fl_csv_options *o = &table->options;
    uint64_t hash = fl_hash_bytes(d->delim, d->delim_len);
    hash = fl_hash_combine(hash, (uint64_t)(uint8_t)d->quote << 8 | (uint64_t)(uint8_t)d->escape << 16 |
                                     (uint64_t)table->has_header << 24 | (uint64_t)(uint8_t)o->decimal_separator << 48 |
                                     (uint64_t)(uint8_t)d->comment << 32 | (uint64_t)d->trims << 40);
    hash = fl_hash_combine(hash, (uint64_t)o->skip << 2 | (uint64_t)o->null_padding << 1 | o->ignore_errors);
    for (int32_t i = 0; i < o->nullstrs.n; i++)
        hash = fl_hash_combine(hash, fl_hash_bytes(o->nullstrs.items[i].data, o->nullstrs.items[i].len));
    for (int32_t i = 0; table->formats != NULL && i < table->base.table.n_cols; i++)
        hash = fl_hash_combine(hash, fl_hash_bytes(table->formats[i].data, table->formats[i].len));
    hash = fl_hash_combine(hash, fl_hash_bytes(o->date_format.data, o->date_format.len));
    return fl_hash_combine(hash, fl_hash_bytes(o->timestamp_format.data, o->timestamp_format.len));
}

static fl_status learn(fl_files_table *base, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_table *table = (fl_csv_table *)base;
    FL_TRY(check_options(&table->options, err));
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &table->files, err));
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &base->texts, err));
    for (int32_t f = 0; f < base->n_files; f++)
        table->files[f].file = &base->texts[f];
    FL_TRY(fl_csv_sniff(table, memory, err));
    base->table.version = fl_hash_combine(base->table.version, hash_options(table));
cleanup:
    return st;
}

static const fl_file_sampling sampling = {
    .scan_new = fl_csv_sample_scan_new, .rows_of = fl_text_windows_rows_of, .has_windows = true};

static const fl_table_ops table_ops = {.scan_new = fl_csv_scan_new, FL_FILE_SAMPLE_OPS, .free = fl_files_table_free};

static const fl_csv_table defaults = {.base.table.is_sample_read = true,
                                      .base.sampling = &sampling,
                                      .base.piece_bytes = FL_TEXT_PIECE_BYTES,
                                      .options.sample_rows = FL_TEXT_SAMPLE_ROWS,
                                      .options.candidates = FL_CSV_ANY};

static const fl_files_reader reader = {.format = &fl_format_csv,
                                       .ops = &table_ops,
                                       .options = options,
                                       .n_options = FL_LEN(options),
                                       .table_bytes = (int64_t)sizeof(fl_csv_table),
                                       .defaults = &defaults,
                                       .learn = learn};

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *given,
                            int32_t n_given, fl_table **ret, fl_err *err)
{
    return fl_files_table_open(&reader, memory, paths, n_paths, given, n_given, ret, err);
}

static const char *const suffixes[] = {".csv",     ".tsv",     ".csv.gz",  ".tsv.gz", ".csv.zst",
                                       ".tsv.zst", ".csv.bz2", ".tsv.bz2", NULL};

static const char *const aliases[] = {"read_csv_auto", NULL};

const fl_format_desc fl_format_csv = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "csv",
    .function = "read_csv",
    .aliases = aliases,
    .types_option = "types",
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_csv(file [, delim, quote, escape, comment, skip, trim, header, nullstr, columns, names, "
           "types, all_varchar, dateformat, timestampformat, decimal_separator, null_padding, ignore_errors, "
           "store_rejects, auto_type_candidates, "
           "sample_size, compression, encoding]) "
           "gives the rows of one or several CSV files; what is not said is found by looking",
};
