/* What the text functions share: reading arguments in any layout, keeping results, and the shape of their descriptors.
 *
 * All of them take constants and strings in any form, so that a literal is not copied for every row. */
#ifndef FL_FUNC_TEXT_TEXT_H
#define FL_FUNC_TEXT_TEXT_H

#include "base/utf8.h"
#include "exec/func.h"

#define FL_TEXT_TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS)

/* One entry of a table of descriptors; what follows the text are its overloads. */
#define FL_TEXT_FUNC(name_, doc_, ...)                     \
    {FL_DESC(fl_func_desc),                                \
     .name = name_,                                        \
     .traits = FL_TEXT_TRAITS,                             \
     .doc = doc_,                                          \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))}

/* As it, with state that all rows share. */
#define FL_TEXT_FUNC_PREPARED(name_, doc_, prepare_, ...)  \
    {FL_DESC(fl_func_desc),                                \
     .name = name_,                                        \
     .traits = FL_TEXT_TRAITS,                             \
     .doc = doc_,                                          \
     .prepare = prepare_,                                  \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))}

/* As both, where the rows for which it is true lie in a range; `prepare_` may be NULL. */
#define FL_TEXT_FUNC_RANGED(name_, doc_, prepare_, range_, ...) \
    {FL_DESC(fl_func_desc),                                     \
     .name = name_,                                             \
     .traits = FL_TEXT_TRAITS,                                  \
     .doc = doc_,                                               \
     .prepare = prepare_,                                       \
     .range = range_,                                           \
     .overloads = (const fl_func_overload[]){__VA_ARGS__},      \
     .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))}

/** fl_func_desc.range of texts that begin with `prefix`, whose bytes are borrowed: up to the least text behind all of them. */
fl_status fl_text_prefix_range(fl_arena *arena, fl_str prefix, fl_func_range *ret, fl_err *err);

static inline fl_str fl_text_arg(const fl_call *call, int32_t i, int32_t row)
{
    return fl_vec_str(&call->args[i], row);
}

static inline int64_t fl_text_arg_i64(const fl_call *call, int32_t i, int32_t row)
{
    const fl_vec *arg = &call->args[i];
    return ((const int64_t *)arg->data)[fl_vec_row(arg, row)];
}

/** A view of bytes copied into the call's heap. */
static inline fl_status fl_text_keep(fl_call *call, fl_str text, fl_view *ret, fl_err *err)
{
    char *out = NULL;
    if (text.len > FL_VIEW_INLINE_MAX) {
        fl_status st = fl_call_room(call, text.len, &out, err);
        if (st != FL_OK)
            return st;
        memcpy(out, text.data, (size_t)text.len);
        text.data = out;
    }
    *ret = fl_view_of(text.data, text.len);
    return FL_OK;
}

/** Where a piece of work on a long text ends that begins at `begin`: at a character's begin, or the text's end. */
static inline int64_t fl_text_piece_end(fl_str text, int64_t begin)
{
    int64_t end = begin + FL_WORK_STEPS;
    while (end < text.len && fl_utf8_is_continuation(text.data[end]))
        end++;
    return end < text.len ? end : text.len;
}

/** fl_text_find for texts that are searched in pieces. */
fl_status fl_text_find_long(fl_call *call, fl_str text, int64_t from, fl_str wanted, int64_t *ret_at, fl_err *err);

/** The leftmost place of `wanted` (not empty) from `from` on; -1: none. Linear in both lengths. */
static inline fl_status fl_text_find(fl_call *call, fl_str text, int64_t from, fl_str wanted, int64_t *ret_at,
                                     fl_err *err)
{
    int64_t left = text.len - from;
    FL_ASSERT(wanted.len > 0 && left >= 0);
    if (FL_UNLIKELY(left > FL_WORK_STEPS))
        return fl_text_find_long(call, text, from, wanted, ret_at, err);
    const char *hit =
        left < wanted.len ? NULL : memmem(text.data + from, (size_t)left, wanted.data, (size_t)wanted.len);
    *ret_at = hit == NULL ? -1 : hit - text.data;
    return fl_call_work(call, (hit == NULL ? left : *ret_at - from) + 8, err);
}

/** Fills `bytes` bytes with `unit` (not empty) over and over; the last one may be cut. */
fl_status fl_text_fill(fl_call *call, char *to, int64_t bytes, fl_str unit, fl_err *err);

/** Longest text a function makes: views count bytes in 31 bits. */
#define FL_TEXT_BYTES_MAX ((int64_t)1 << 30)

static inline fl_status fl_text_fail_long(fl_err *err)
{
    return FL_FAIL(err, FL_ERR_LIMIT, "the text would be longer than 1 GB");
}

#endif
