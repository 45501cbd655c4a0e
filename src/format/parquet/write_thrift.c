/* Writing Thrift's compact protocol. */
#include "format/parquet/write_thrift.h"

#include "format/parquet/thrift.h"

#define SHORT_STEP_MAX 15 /* from one field's number to the next, in a head of one byte */
#define SHORT_LIST_MAX 14

void fl_pq_thrift_out_init(fl_pq_thrift_out *w, fl_text *text)
{
    *w = (fl_pq_thrift_out){.text = text, .depth = -1};
}

static void add_varint(fl_text *text, uint64_t value)
{
    char *room = fl_text_room(text, 10);
    if (room == NULL)
        return;
    int64_t n = 0;
    for (; value >= 0x80; value >>= 7)
        room[n++] = (char)(value | 0x80);
    room[n++] = (char)value;
    text->len += n;
}

static void add_int(fl_text *text, int64_t value)
{
    add_varint(text, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static void add_head(fl_pq_thrift_out *w, int32_t id, int32_t kind)
{
    FL_ASSERT(w->depth >= 0 && id > w->last[w->depth]);
    int32_t step = id - w->last[w->depth];
    w->last[w->depth] = id;
    if (step <= SHORT_STEP_MAX) {
        fl_text_add_char(w->text, (char)(step << 4 | kind));
        return;
    }
    fl_text_add_char(w->text, (char)kind);
    add_int(w->text, id);
}

void fl_pq_write_struct(fl_pq_thrift_out *w)
{
    FL_ASSERT(w->depth + 1 < FL_PQ_WRITE_DEPTH);
    w->last[++w->depth] = 0;
}

void fl_pq_write_struct_field(fl_pq_thrift_out *w, int32_t id)
{
    add_head(w, id, FL_PQ_THRIFT_STRUCT);
    fl_pq_write_struct(w);
}

void fl_pq_write_end(fl_pq_thrift_out *w)
{
    FL_ASSERT(w->depth >= 0);
    w->depth--;
    fl_text_add_char(w->text, 0);
}

void fl_pq_write_bool(fl_pq_thrift_out *w, int32_t id, bool value)
{
    add_head(w, id, value ? FL_PQ_THRIFT_TRUE : FL_PQ_THRIFT_FALSE);
}

void fl_pq_write_i8(fl_pq_thrift_out *w, int32_t id, int8_t value)
{
    add_head(w, id, FL_PQ_THRIFT_I8);
    fl_text_add_char(w->text, (char)value);
}

void fl_pq_write_i16(fl_pq_thrift_out *w, int32_t id, int16_t value)
{
    add_head(w, id, FL_PQ_THRIFT_I16);
    add_int(w->text, value);
}

void fl_pq_write_i32(fl_pq_thrift_out *w, int32_t id, int32_t value)
{
    add_head(w, id, FL_PQ_THRIFT_I32);
    add_int(w->text, value);
}

void fl_pq_write_i64(fl_pq_thrift_out *w, int32_t id, int64_t value)
{
    add_head(w, id, FL_PQ_THRIFT_I64);
    add_int(w->text, value);
}

void fl_pq_write_bytes(fl_pq_thrift_out *w, int32_t id, fl_str value)
{
    add_head(w, id, FL_PQ_THRIFT_BINARY);
    fl_pq_write_bytes_element(w, value);
}

void fl_pq_write_list(fl_pq_thrift_out *w, int32_t id, int32_t element_kind, int64_t n)
{
    add_head(w, id, FL_PQ_THRIFT_LIST);
    if (n <= SHORT_LIST_MAX) {
        fl_text_add_char(w->text, (char)(n << 4 | element_kind));
        return;
    }
    fl_text_add_char(w->text, (char)(0xF0 | element_kind));
    add_varint(w->text, (uint64_t)n);
}

void fl_pq_write_bool_element(fl_pq_thrift_out *w, bool value)
{
    fl_text_add_char(w->text, value ? FL_PQ_THRIFT_TRUE : FL_PQ_THRIFT_FALSE);
}

void fl_pq_write_int_element(fl_pq_thrift_out *w, int64_t value)
{
    add_int(w->text, value);
}

void fl_pq_write_bytes_element(fl_pq_thrift_out *w, fl_str value)
{
    add_varint(w->text, (uint64_t)value.len);
    fl_text_add(w->text, value);
}
