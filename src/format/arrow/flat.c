/* Reading and writing FlatBuffers. */
#include "format/arrow/flat.h"

#define POINTER_BYTES 4

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool is_inside(fl_flat *f, int64_t at, int64_t bytes)
{
    if (at >= 0 && bytes >= 0 && at <= f->bytes && bytes <= f->bytes - at)
        return true;
    f->is_bad = true;
    return false;
}

static uint64_t load(const fl_flat *f, int64_t at, int32_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, f->data + at, (size_t)bytes);
    return value;
}

int64_t fl_flat_i64(const fl_flat *f, int64_t at)
{
    return (int64_t)load(f, at, 8);
}

int32_t fl_flat_i32(const fl_flat *f, int64_t at)
{
    return (int32_t)load(f, at, 4);
}

/* What a pointer leads to, a table if there are 4 bytes. */
static int64_t follow(fl_flat *f, int64_t at)
{
    if (at == 0 && f->bytes == 0)
        return 0;
    if (!is_inside(f, at, POINTER_BYTES))
        return 0;
    int64_t to = at + (int64_t)load(f, at, POINTER_BYTES);
    return is_inside(f, to, POINTER_BYTES) && to != at ? to : 0;
}

int64_t fl_flat_root(fl_flat *f)
{
    return follow(f, 0);
}

/* The place of a field; 0: it is not there. */
static int64_t field_at(fl_flat *f, int64_t table, int32_t slot, int32_t width)
{
    if (table == 0 || f->is_bad || !is_inside(f, table, 4))
        return 0;
    int64_t layout = table - fl_flat_i32(f, table);
    if (!is_inside(f, layout, 4))
        return 0;
    int64_t layout_bytes = (int64_t)load(f, layout, 2), at = 4 + 2 * (int64_t)slot;
    if (at + 2 > layout_bytes || !is_inside(f, layout + at, 2))
        return 0;
    int64_t offset = (int64_t)load(f, layout + at, 2);
    return offset != 0 && is_inside(f, table + offset, width) ? table + offset : 0;
}

int64_t fl_flat_int(fl_flat *f, int64_t table, int32_t slot, int32_t width, int64_t otherwise)
{
    int64_t at = field_at(f, table, slot, width);
    if (at == 0)
        return otherwise;
    uint64_t value = load(f, at, width);
    int32_t rest = 64 - width * 8;
    return width == 1 ? (int64_t)value : (int64_t)(value << rest) >> rest;
}

int64_t fl_flat_table(fl_flat *f, int64_t table, int32_t slot)
{
    int64_t at = field_at(f, table, slot, POINTER_BYTES);
    return at == 0 ? 0 : follow(f, at);
}

int64_t fl_flat_vector(fl_flat *f, int64_t table, int32_t slot, int32_t element_bytes, int64_t *ret_n)
{
    int64_t at = fl_flat_table(f, table, slot);
    *ret_n = 0;
    if (at == 0)
        return 0;
    int64_t n = (int64_t)load(f, at, 4);
    if (!is_inside(f, at + 4, n * element_bytes))
        return 0;
    *ret_n = n;
    return at + 4;
}

fl_str fl_flat_str(fl_flat *f, int64_t table, int32_t slot)
{
    int64_t n, at = fl_flat_vector(f, table, slot, 1, &n);
    return at == 0 ? (fl_str){"", 0} : (fl_str){(const char *)f->data + at, n};
}

int64_t fl_flat_element(fl_flat *f, int64_t element)
{
    return follow(f, element);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static void add_zeros(fl_text *text, int64_t n)
{
    char *room = fl_text_room(text, n);
    if (room == NULL)
        return;
    memset(room, 0, (size_t)n);
    text->len += n;
}

static void align(fl_text *text, int64_t alignment, int64_t ahead)
{
    add_zeros(text, (alignment - (text->len + ahead) % alignment) % alignment);
}

static void add_int(fl_text *text, uint64_t value, int32_t width)
{
    fl_text_add(text, (fl_str){(const char *)&value, width});
}

void fl_flat_begin(fl_text *text)
{
    add_zeros(text, POINTER_BYTES);
}

void fl_flat_point(fl_text *text, int64_t at, int32_t alignment)
{
    align(text, alignment, 0);
    if (text->st != FL_OK)
        return;
    uint32_t distance = (uint32_t)(text->len - at);
    memcpy(text->data + at, &distance, sizeof(distance));
}

/* The layout, then the table: a pointer back to it, then the fields, the widest first. */
void fl_flat_write_table(fl_text *text, int64_t from, const fl_flat_field *fields, int32_t n)
{
    uint16_t offsets[FL_FLAT_FIELDS_MAX] = {0}, slots = 0, bytes = 4;
    FL_ASSERT(n <= FL_FLAT_FIELDS_MAX);
    for (int32_t width = 8; width >= 1; width /= 2)
        for (int32_t i = 0; i < n; i++)
            if (fields[i].width == width) {
                bytes = (uint16_t)((bytes + width - 1) / width * width);
                offsets[fields[i].slot] = bytes;
                bytes = (uint16_t)(bytes + width);
                slots = (uint16_t)(fields[i].slot + 1 > slots ? fields[i].slot + 1 : slots);
            }
    int64_t layout_bytes = 4 + 2 * (int64_t)slots;
    align(text, 8, layout_bytes); /* the table begins on a multiple of 8 */
    int64_t layout = text->len;
    add_int(text, (uint64_t)layout_bytes, 2);
    add_int(text, bytes, 2);
    for (int32_t i = 0; i < slots; i++)
        add_int(text, offsets[i], 2);
    fl_flat_point(text, from, 8);
    int64_t table = text->len;
    add_zeros(text, bytes);
    if (text->st != FL_OK)
        return;
    int32_t back = (int32_t)(table - layout);
    memcpy(text->data + table, &back, 4);
    for (int32_t i = 0; i < n; i++) {
        if (fields[i].width == 0)
            continue;
        memcpy(text->data + table + offsets[fields[i].slot], &fields[i].value, (size_t)fields[i].width);
        if (fields[i].at != NULL)
            *fields[i].at = table + offsets[fields[i].slot];
    }
}

void fl_flat_write_vector(fl_text *text, int64_t from, int64_t n, int32_t alignment)
{
    align(text, alignment < 4 ? 4 : alignment, 4);
    fl_flat_point(text, from, 4);
    add_int(text, (uint64_t)n, 4);
}

void fl_flat_write_str(fl_text *text, int64_t from, fl_str s)
{
    fl_flat_write_vector(text, from, s.len, 4);
    fl_text_add(text, s);
    add_zeros(text, 1);
}
