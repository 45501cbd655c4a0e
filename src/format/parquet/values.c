/* Reading values: plain, dictionary codes, and the encodings that are undone first. */
#include "format/parquet/values.h"

#include "base/datetime.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "format/parquet/delta.h"

#define NOT_ENOUGH "its values end too early"

void fl_pq_dict_unref(fl_pq_dict *dict)
{
    if (dict == NULL || atomic_fetch_sub_explicit(&dict->refs, 1, memory_order_acq_rel) != 1)
        return;
    fl_free(dict->bad);
    fl_buffer_unref(dict->bytes);
    fl_buffer_unref(dict->values);
    fl_free(dict);
}

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return value;
}

/* ---- undoing ---- */

/* Checks text that lies behind the value before it: where all of it is UTF-8, it is enough that it begins with a character
 * (and so the value before ends with one). */
static bool is_text(const fl_pq_values *v, const char *data, int64_t len)
{
    return v->is_utf8 ? len == 0 || !fl_utf8_is_continuation(data[0]) : fl_utf8_is_valid(data, len);
}

static fl_status undo_delta(fl_pq_values *v, fl_pq_pool *pool, const uint8_t *data, int64_t bytes, int64_t n,
                            const char **ret_wrong, fl_err *err)
{
    int width = v->leaf->stored_width;
    int64_t count = fl_pq_delta_count(data, bytes);
    if ((v->leaf->physical != FL_PQ_INT32 && v->leaf->physical != FL_PQ_INT64) || count < 0) {
        *ret_wrong = count < 0 ? "malformed deltas" : "deltas of a type that is no integer";
        return FL_ERR_CORRUPT;
    }
    count = count < n ? count : n;
    fl_status st = fl_pq_pool_take(pool, count * width + 64, &v->undone, err);
    if (st != FL_OK)
        return st;
    if (fl_pq_delta_read(data, bytes, count, width, v->undone) < 0) {
        *ret_wrong = "malformed deltas";
        return FL_ERR_CORRUPT;
    }
    v->kind = FL_PQ_VALUES_FIXED;
    v->at = v->undone;
    v->end = v->undone + count * width;
    return FL_OK;
}

/* Reads a block of lengths; returns the bytes that it took, negative when it is malformed or a length is negative. */
static int64_t read_lengths(const uint8_t *data, int64_t bytes, int64_t n, int32_t *lengths, int64_t *ret_sum)
{
    int64_t took = fl_pq_delta_read(data, bytes, n, 4, lengths);
    int64_t sum = 0;
    bool is_negative = false;
    for (int64_t i = 0; took >= 0 && i < n; i++) {
        is_negative |= lengths[i] < 0;
        sum += lengths[i];
    }
    *ret_sum = sum;
    return is_negative ? -1 : took;
}

/* DELTA_LENGTH_BYTE_ARRAY: all lengths, then all characters. Views point into the page. */
static fl_status undo_lengths(fl_pq_values *v, fl_pq_pool *pool, const uint8_t *data, int64_t bytes, int64_t n,
                              const char **ret_wrong, fl_err *err)
{
    int64_t count = fl_pq_delta_count(data, bytes), sum = 0;
    uint8_t *scratch = NULL;
    *ret_wrong = "malformed lengths";
    if (count < 0)
        return FL_ERR_CORRUPT;
    count = count < n ? count : n;
    fl_status st = fl_pq_pool_take(pool, count * 16 + 64, &v->undone, err);
    if (st == FL_OK)
        st = fl_pq_pool_take(pool, count * 4 + 64, &scratch, err);
    if (st != FL_OK)
        return st;
    int32_t *lengths = (int32_t *)scratch;
    fl_view *views = (fl_view *)v->undone;
    int64_t took = read_lengths(data, bytes, count, lengths, &sum);
    if (took < 0 || sum > bytes - took)
        return FL_ERR_CORRUPT;
    const char *chars = (const char *)data + took;
    v->is_utf8 = v->leaf->is_text && fl_utf8_is_valid(chars, sum);
    for (int64_t i = 0; i < count; i++) {
        if (v->leaf->is_text && !is_text(v, chars, lengths[i])) {
            *ret_wrong = "text that is not UTF-8";
            return FL_ERR_CORRUPT;
        }
        views[i] = fl_view_of(chars, lengths[i]);
        chars += lengths[i];
    }
    v->kind = FL_PQ_VALUES_VIEWS;
    v->views = views;
    v->left = count;
    return FL_OK;
}

/* DELTA_BYTE_ARRAY: lengths of prefixes shared with the value before, lengths of suffixes, suffixes. */
static fl_status undo_prefixes(fl_pq_values *v, fl_pq_pool *pool, const uint8_t *data, int64_t bytes, int64_t n,
                               const char **ret_wrong, fl_err *err)
{
    int64_t count = fl_pq_delta_count(data, bytes), prefix_sum = 0, suffix_sum = 0;
    uint8_t *scratch = NULL;
    *ret_wrong = "malformed prefixes";
    if (count < 0)
        return FL_ERR_CORRUPT;
    count = count < n ? count : n;
    fl_status st = fl_pq_pool_take(pool, count * 8 + 128, &scratch, err);
    if (st != FL_OK)
        return st;
    int32_t *prefixes = (int32_t *)scratch;
    int32_t *suffixes = prefixes + count + 16;
    int64_t took = read_lengths(data, bytes, count, prefixes, &prefix_sum);
    if (took < 0 || fl_pq_delta_count(data + took, bytes - took) < count)
        return FL_ERR_CORRUPT;
    int64_t took_too = read_lengths(data + took, bytes - took, count, suffixes, &suffix_sum);
    if (took_too < 0 || suffix_sum > bytes - took - took_too)
        return FL_ERR_CORRUPT;
    if (prefix_sum + suffix_sum > FL_PQ_PAGE_BYTES_MAX) {
        *ret_wrong = "more than 1 GB of text in a page";
        return FL_ERR_CORRUPT;
    }
    st = fl_pq_pool_take(pool, count * 16 + prefix_sum + suffix_sum + 64, &v->undone, err);
    if (st != FL_OK)
        return st;
    const uint8_t *suffix = data + took + took_too;
    fl_view *views = (fl_view *)v->undone;
    char *chars = (char *)(views + count), *last = chars;
    int32_t last_len = 0;
    bool is_checked = !v->leaf->is_text || v->kernels->is_ascii(suffix, suffix_sum);
    for (int64_t i = 0; i < count; i++) {
        if (prefixes[i] > last_len)
            return FL_ERR_CORRUPT;
        memcpy(chars, last, (size_t)prefixes[i]);
        memcpy(chars + prefixes[i], suffix, (size_t)suffixes[i]);
        last = chars;
        last_len = prefixes[i] + suffixes[i];
        if (!is_checked && !fl_utf8_is_valid(last, last_len)) {
            *ret_wrong = "text that is not UTF-8";
            return FL_ERR_CORRUPT;
        }
        if (v->leaf->physical == FL_PQ_FIXED && last_len != v->leaf->stored_width) {
            *ret_wrong = "a value of the wrong length";
            return FL_ERR_CORRUPT;
        }
        views[i] = fl_view_of(last, last_len);
        chars += last_len;
        suffix += suffixes[i];
    }
    v->kind = FL_PQ_VALUES_VIEWS;
    v->views = views;
    v->left = count;
    return FL_OK;
}

static fl_status undo_split(fl_pq_values *v, fl_pq_pool *pool, const uint8_t *data, int64_t bytes,
                            const char **ret_wrong, fl_err *err)
{
    int64_t width = v->leaf->stored_width;
    if (width == 0) {
        *ret_wrong = "split bytes of a type without a fixed width";
        return FL_ERR_CORRUPT;
    }
    int64_t count = bytes / width;
    fl_status st = fl_pq_pool_take(pool, count * width + 64, &v->undone, err);
    if (st != FL_OK)
        return st;
    v->kernels->unsplit(data, count, width, v->undone);
    v->kind = FL_PQ_VALUES_FIXED;
    v->at = v->undone;
    v->end = v->undone + count * width;
    return FL_OK;
}

static fl_status begin_plain(fl_pq_values *v, const uint8_t *data, int64_t bytes)
{
    v->at = data;
    v->end = data + bytes;
    if (v->leaf->physical == FL_PQ_BOOLEAN) {
        v->kind = FL_PQ_VALUES_BITS;
        v->left = bytes * 8;
    } else if (v->leaf->physical == FL_PQ_BYTE_ARRAY) {
        v->kind = FL_PQ_VALUES_BYTES;
        v->is_utf8 = v->leaf->is_text && fl_utf8_is_valid((const char *)data, bytes);
    } else {
        v->kind = FL_PQ_VALUES_FIXED;
        v->is_utf8 = v->leaf->is_text && fl_utf8_is_valid((const char *)data, bytes);
    }
    return FL_OK;
}

fl_status fl_pq_values_begin(fl_pq_values *v, const fl_pq_leaf *leaf, const fl_pq_kernels *kernels, fl_pq_pool *pool,
                             int encoding, const uint8_t *data, int64_t bytes, int64_t n, const fl_pq_dict *dict,
                             const char **ret_wrong, fl_err *err)
{
    fl_status st = FL_OK;
    *v = (fl_pq_values){.leaf = leaf, .kernels = kernels, .dict = dict};
    bool is_string = leaf->physical == FL_PQ_BYTE_ARRAY;
    bool is_string_like = is_string || leaf->physical == FL_PQ_FIXED;
    *ret_wrong = "an encoding that does not fit the type";
    switch (encoding) {
    case FL_PQ_PLAIN:
        st = begin_plain(v, data, bytes);
        break;
    case FL_PQ_PLAIN_DICTIONARY:
    case FL_PQ_RLE_DICTIONARY:
        v->kind = FL_PQ_VALUES_CODES;
        if (bytes == 0) { /* no value is present, nothing was written */
            fl_pq_hybrid_init(&v->hybrid, data, 0, 0);
            return FL_OK;
        }
        if (data[0] > 32) {
            *ret_wrong = "dictionary codes of more than 32 bits";
            return FL_ERR_CORRUPT;
        }
        fl_pq_hybrid_init(&v->hybrid, data + 1, bytes - 1, data[0]);
        return FL_OK;
    case FL_PQ_RLE:
        if (leaf->physical != FL_PQ_BOOLEAN || bytes < 4 || load_u32(data) > bytes - 4)
            return FL_ERR_CORRUPT;
        v->kind = FL_PQ_VALUES_RUNS;
        fl_pq_hybrid_init(&v->hybrid, data + 4, load_u32(data), 1);
        return FL_OK;
    case FL_PQ_DELTA_BINARY_PACKED:
        st = undo_delta(v, pool, data, bytes, n, ret_wrong, err);
        break;
    case FL_PQ_DELTA_LENGTH_BYTE_ARRAY:
        st = is_string ? undo_lengths(v, pool, data, bytes, n, ret_wrong, err) : FL_ERR_CORRUPT;
        break;
    case FL_PQ_DELTA_BYTE_ARRAY:
        st = is_string_like ? undo_prefixes(v, pool, data, bytes, n, ret_wrong, err) : FL_ERR_CORRUPT;
        break;
    case FL_PQ_BYTE_STREAM_SPLIT:
        st = undo_split(v, pool, data, bytes, ret_wrong, err);
        break;
    default:
        *ret_wrong = "an unknown encoding";
        return FL_ERR_CORRUPT;
    }
    return st;
}

/* ---- converting ---- */

bool fl_pq_load_big_endian(const uint8_t *data, int64_t bytes, fl_i128 *ret)
{
    fl_u128 value = bytes > 0 && data[0] >= 128 ? ~(fl_u128)0 : 0;
    int64_t extra = bytes - 16;
    for (int64_t i = 0; i < bytes; i++) {
        if (i < extra && data[i] != (uint8_t)value)
            return false; /* more than sign bits beyond 128 */
        value = i < extra ? value : value << 8 | data[i];
    }
    if (extra > 0 && (value >> 127 != 0) != (data[0] >= 128))
        return false;
    *ret = (fl_i128)value;
    return true;
}

bool fl_pq_is_decimal_within(fl_type type, fl_i128 value)
{
    fl_i128 limit = fl_pow10_i128[type.precision];
    return value > -limit && value < limit;
}

static const char *big_endian(const fl_pq_leaf *leaf, const uint8_t *from, int64_t bytes, int64_t i, void *to)
{
    fl_i128 value;
    if (leaf->convert == FL_PQ_UUID) {
        if (bytes != FL_UUID_BYTES)
            return "a UUID that is not of 16 bytes";
        ((fl_i128 *)to)[i] = fl_uuid_of_bytes(from);
        return NULL;
    }
    if (!fl_pq_load_big_endian(from, bytes, &value) || !fl_pq_is_decimal_within(leaf->type, value))
        return leaf->type.precision == FL_DECIMAL_PRECISION_MAX ? "a decimal of more than 38 digits"
                                                                : "a decimal of more digits than its type has";
    if (leaf->convert == FL_PQ_BIG_ENDIAN_128)
        ((fl_i128 *)to)[i] = value;
    else
        ((int64_t *)to)[i] = (int64_t)value;
    return NULL;
}

static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float small = (float)fraction * 0x1p-24f;
        return sign != 0 ? -small : small;
    }
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

#define JULIAN_DAY_1970 2440588
#define NS_PER_DAY (FL_US_PER_DAY * 1000)

static const char *int96_times(const uint8_t *from, int64_t n, bool has_nanos, int64_t *to)
{
    int64_t per_day = has_nanos ? NS_PER_DAY : FL_US_PER_DAY;
    bool is_beyond = false, is_cut = false;
    for (int64_t i = 0; i < n; i++, from += 12) {
        int64_t nanos, time;
        memcpy(&nanos, from, 8);
        int64_t days = (int64_t)(int32_t)load_u32(from + 8) - JULIAN_DAY_1970;
        is_cut |= !has_nanos && nanos % 1000 != 0;
        /* some writers let the time of day run over, or below, midnight */
        is_beyond |= __builtin_mul_overflow(days, per_day, &time) ||
                     __builtin_add_overflow(time, has_nanos ? nanos : nanos / 1000, &to[i]);
    }
    return is_beyond ? "a time that its type cannot hold"
           : is_cut  ? "a timestamp with nanoseconds; int96_as = 'timestamp_ns' reads them"
                     : NULL;
}

static const char *nano_times(const uint8_t *from, int64_t n, int64_t *to)
{
    bool is_cut = false;
    for (int64_t i = 0; i < n; i++) {
        int64_t nanos;
        memcpy(&nanos, from + i * 8, 8);
        is_cut |= nanos % 1000 != 0;
        to[i] = nanos / 1000;
    }
    return is_cut ? "a time with nanoseconds; times have microseconds" : NULL;
}

/* What is wrong with converted values of 8 bytes: decimals against their precision, times against the day, milliseconds
 * against what microseconds hold. */
static const char *check_range(const fl_pq_leaf *leaf, const int64_t *values, int64_t n)
{
    const fl_pq_kernels *kernels = fl_pq_kernels_choose();
    if (leaf->type.id == FL_TIME)
        return kernels->is_within_8(values, n, 0, FL_US_PER_DAY) ? NULL : "a time beyond 24 hours";
    if (fl_type_is_timestamp(leaf->type))
        return kernels->is_within_8(values, n, INT64_MIN / 1000, INT64_MAX / 1000) ? NULL : "a timestamp out of range";
    if (leaf->type.precision > FL_DECIMAL64_PRECISION_MAX)
        return NULL;
    int64_t most = fl_pow10_i64[leaf->type.precision] - 1;
    return kernels->is_within_8(values, n, -most, most) ? NULL : "a decimal of more digits than its type has";
}

/* 32-bit integers of narrower types. */
static const char *narrow(const fl_pq_leaf *leaf, const uint8_t *from, int64_t n, void *to)
{
    bool is_signed = fl_type_is_signed(leaf->type);
    int unused = 32 - 8 * leaf->width;
    uint32_t lost = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t value = load_u32(from + i * 4), shifted = value << unused;
        lost |= value ^ (is_signed ? (uint32_t)((int32_t)shifted >> unused) : shifted >> unused);
        if (leaf->width == 1)
            ((uint8_t *)to)[i] = (uint8_t)value;
        else
            ((uint16_t *)to)[i] = (uint16_t)value;
    }
    return lost == 0 ? NULL : "a number that its type cannot hold";
}

static const char *intervals(const uint8_t *from, int64_t n, fl_interval *to)
{
    bool is_beyond = false;
    for (int64_t i = 0; i < n; i++, from += 12) {
        uint32_t months = load_u32(from), days = load_u32(from + 4);
        is_beyond |= months > INT32_MAX || days > INT32_MAX;
        to[i] = (fl_interval){
            .months = (int32_t)months, .days = (int32_t)days, .nanos = (int64_t)load_u32(from + 8) * 1000000};
    }
    return is_beyond ? "an interval that its type cannot hold" : NULL;
}

const char *fl_pq_convert_fixed(const fl_pq_leaf *leaf, const uint8_t *from, int64_t n, void *to)
{
    const char *wrong = NULL;
    switch (leaf->convert) {
    case FL_PQ_COPY:
        memcpy(to, from, (size_t)(n * leaf->stored_width));
        return NULL;
    case FL_PQ_NARROW_8:
    case FL_PQ_NARROW_16:
        return narrow(leaf, from, n, to);
    case FL_PQ_WIDEN_64:
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)to)[i] = (int32_t)load_u32(from + i * 4);
        return check_range(leaf, to, n);
    case FL_PQ_DECIMAL_64:
    case FL_PQ_MICRO_TIME:
    case FL_PQ_MILLI_STAMP:
        memcpy(to, from, (size_t)(n * 8));
        return check_range(leaf, to, n);
    case FL_PQ_MILLI_TIME:
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)to)[i] = (int64_t)(int32_t)load_u32(from + i * 4) * 1000;
        return check_range(leaf, to, n);
    case FL_PQ_NANO_TIME:
        wrong = nano_times(from, n, to);
        return wrong != NULL ? wrong : check_range(leaf, to, n);
    case FL_PQ_INT96_MICRO:
        return int96_times(from, n, false, to);
    case FL_PQ_INT96_NANO:
        return int96_times(from, n, true, to);
    case FL_PQ_HALF:
        for (int64_t i = 0; i < n; i++)
            ((float *)to)[i] = half_to_float((uint16_t)(from[i * 2] | from[i * 2 + 1] << 8));
        return NULL;
    case FL_PQ_INTERVAL:
        return intervals(from, n, to);
    default:
        for (int64_t i = 0; i < n && wrong == NULL; i++)
            wrong = big_endian(leaf, from + i * leaf->stored_width, leaf->stored_width, i, to);
        return wrong;
    }
}

/* ---- reading ---- */

static const char *read_fixed(fl_pq_values *v, int64_t n, void *to)
{
    int64_t width = v->leaf->stored_width;
    if (n > (v->end - v->at) / width)
        return NOT_ENOUGH;
    if (v->leaf->convert == FL_PQ_STRING) {
        fl_view *views = to;
        for (int64_t i = 0; i < n; i++) {
            const char *data = (const char *)v->at + i * width;
            if (v->leaf->is_text && !is_text(v, data, width))
                return "text that is not UTF-8";
            views[i] = fl_view_of(data, width);
        }
    } else {
        const char *wrong = fl_pq_convert_fixed(v->leaf, v->at, n, to);
        if (wrong != NULL)
            return wrong;
    }
    v->at += n * width;
    return NULL;
}

/* A view of bytes with 64 readable ones behind them. */
static inline fl_view view_of_padded(const uint8_t *data, uint32_t len)
{
    fl_view view;
    uint64_t head, rest;
    memcpy(&head, data, 8);
    memcpy(&rest, data + 4, 8);
    view.len = len;
    if (len <= FL_VIEW_INLINE_MAX) {
        uint64_t keep_head = len >= 4 ? ~0ull : (1ull << (8 * len)) - 1;
        uint64_t keep_rest = len >= 12 ? ~0ull : len <= 4 ? 0 : (1ull << (8 * (len - 4))) - 1;
        head &= keep_head;
        rest &= keep_rest;
        memcpy(view.prefix, &head, 4);
        memcpy(view.rest, &rest, 8);
    } else {
        memcpy(view.prefix, &head, 4);
        view.ptr = (const char *)data;
    }
    return view;
}

static const char *read_bytes(fl_pq_values *v, int64_t n, void *to)
{
    const uint8_t *at = v->at, *end = v->end;
    fl_view *views = to;
    bool is_text = v->leaf->is_text;
    for (int64_t i = 0; i < n; i++) {
        if (end - at < 4)
            return NOT_ENOUGH;
        uint32_t len = load_u32(at);
        at += 4;
        if (len > (uint64_t)(end - at))
            return "a string goes beyond the page's end";
        if (v->leaf->convert != FL_PQ_STRING) {
            const char *wrong = big_endian(v->leaf, at, len, i, to);
            if (wrong != NULL)
                return wrong;
        } else {
            /* A length's last byte is ASCII: in bytes that are UTF-8 as a whole a character begins behind it. */
            if (is_text &&
                (v->is_utf8 ? fl_utf8_is_cut_at((const char *)at + len) : !fl_utf8_is_valid((const char *)at, len)))
                return "text that is not UTF-8";
            views[i] = view_of_padded(at, len);
        }
        at += len;
    }
    v->at = at;
    return NULL;
}

static const char *read_views(fl_pq_values *v, int64_t n, void *to)
{
    if (n > v->left)
        return NOT_ENOUGH;
    if (v->leaf->type.id == FL_DECIMAL) {
        for (int64_t i = 0; i < n; i++) {
            fl_str s = fl_view_str(&v->views[i]);
            const char *wrong = big_endian(v->leaf, (const uint8_t *)s.data, s.len, i, to);
            if (wrong != NULL)
                return wrong;
        }
    } else if (v->leaf->width == 16 && fl_type_is_string(v->leaf->type)) {
        memcpy(to, v->views, (size_t)n * sizeof(fl_view));
    } else { /* fixed bytes of another meaning */
        for (int64_t i = 0; i < n; i++) {
            const char *wrong = fl_pq_convert_fixed(v->leaf, (const uint8_t *)fl_view_data(&v->views[i]), 1,
                                                    (uint8_t *)to + i * v->leaf->width);
            if (wrong != NULL)
                return wrong;
        }
    }
    v->views += n;
    v->left -= n;
    return NULL;
}

static const char *read_bits(fl_pq_values *v, int64_t n, uint8_t *to)
{
    if (n > v->left)
        return NOT_ENOUGH;
    for (int64_t i = 0; i < n; i++, v->bit++)
        to[i] = v->at[v->bit >> 3] >> (v->bit & 7) & 1;
    v->left -= n;
    return NULL;
}

const char *fl_pq_values_read_codes(fl_pq_values *v, int64_t n, uint32_t *to)
{
    if (!fl_pq_hybrid_read(&v->hybrid, v->kernels, n, to))
        return "its dictionary codes end too early or are malformed";
    bool is_any_in_range = v->hybrid.width < 32 && v->dict->n >> v->hybrid.width != 0;
    if (!is_any_in_range && n > 0 && v->kernels->max_u32(to, n) >= v->dict->n)
        return "a dictionary code is out of range";
    for (int64_t i = 0; v->dict->bad != NULL && i < n; i++)
        if (fl_bit_get(v->dict->bad, to[i]))
            return v->dict->bad_wrong;
    return NULL;
}

static const char *read_coded(fl_pq_values *v, int64_t n, void *to, uint32_t *codes)
{
    const char *wrong = fl_pq_values_read_codes(v, n, codes);
    if (wrong != NULL)
        return wrong;
    const void *values = v->dict->values->data;
    switch (v->leaf->width) {
    case 1:
        for (int64_t i = 0; i < n; i++)
            ((uint8_t *)to)[i] = ((const uint8_t *)values)[codes[i]];
        break;
    case 2:
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)to)[i] = ((const uint16_t *)values)[codes[i]];
        break;
    case 4:
        v->kernels->gather_4(values, codes, n, to);
        break;
    case 8:
        v->kernels->gather_8(values, codes, n, to);
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            ((fl_i128 *)to)[i] = ((const fl_i128 *)values)[codes[i]];
    }
    return NULL;
}

const char *fl_pq_values_read(fl_pq_values *v, int64_t n, void *to, uint32_t *scratch)
{
    switch (v->kind) {
    case FL_PQ_VALUES_FIXED:
        return read_fixed(v, n, to);
    case FL_PQ_VALUES_BYTES:
        return read_bytes(v, n, to);
    case FL_PQ_VALUES_VIEWS:
        return read_views(v, n, to);
    case FL_PQ_VALUES_BITS:
        return read_bits(v, n, to);
    case FL_PQ_VALUES_CODES:
        return read_coded(v, n, to, scratch);
    default:
        if (!fl_pq_hybrid_read(&v->hybrid, v->kernels, n, scratch))
            return NOT_ENOUGH;
        for (int64_t i = 0; i < n; i++)
            ((uint8_t *)to)[i] = (uint8_t)scratch[i];
        return NULL;
    }
}

static const char *skip_bytes(fl_pq_values *v, int64_t n)
{
    const uint8_t *at = v->at, *end = v->end;
    for (int64_t i = 0; i < n; i++) {
        if (end - at < 4)
            return NOT_ENOUGH;
        uint32_t len = load_u32(at);
        at += 4;
        if (len > (uint64_t)(end - at))
            return "a string goes beyond the page's end";
        at += len;
    }
    v->at = at;
    return NULL;
}

const char *fl_pq_values_skip(fl_pq_values *v, int64_t n)
{
    switch (v->kind) {
    case FL_PQ_VALUES_FIXED:
        if (n > (v->end - v->at) / v->leaf->stored_width)
            return NOT_ENOUGH;
        v->at += n * v->leaf->stored_width;
        return NULL;
    case FL_PQ_VALUES_BYTES:
        return skip_bytes(v, n);
    case FL_PQ_VALUES_VIEWS:
    case FL_PQ_VALUES_BITS:
        if (n > v->left)
            return NOT_ENOUGH;
        v->left -= n;
        v->bit += n;
        if (v->kind == FL_PQ_VALUES_VIEWS) /* bits have none */
            v->views += n;
        return NULL;
    default:
        return fl_pq_hybrid_skip(&v->hybrid, n) ? NULL : "its codes end too early or are malformed";
    }
}
