/* Reading Thrift's compact protocol. Skipping recurses, so that depth is bounded. */
#include "format/parquet/thrift.h"

#define DEPTH_MAX 64

void fl_pq_thrift_init(fl_pq_thrift *t, const void *data, int64_t bytes)
{
    *t = (fl_pq_thrift){.begin = data, .at = data, .end = (const uint8_t *)data + bytes};
}

static void set_bad(fl_pq_thrift *t)
{
    t->is_bad = true;
}

static void set_short(fl_pq_thrift *t)
{
    t->is_short |= !t->is_bad;
    t->is_bad = true;
}

static uint8_t read_byte(fl_pq_thrift *t)
{
    if (t->is_bad || t->at == t->end) {
        set_short(t);
        return 0;
    }
    return *t->at++;
}

static uint64_t read_varint(fl_pq_thrift *t)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(t);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return t->is_bad ? 0 : value;
    }
    set_bad(t);
    return 0;
}

static int64_t read_zigzag(fl_pq_thrift *t)
{
    uint64_t raw = read_varint(t);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

static bool pass(fl_pq_thrift *t, uint64_t bytes)
{
    if (t->is_bad || bytes > (uint64_t)(t->end - t->at)) {
        set_short(t);
        return false;
    }
    t->at += bytes;
    return true;
}

bool fl_pq_thrift_field(fl_pq_thrift *t, int32_t *id, int32_t *kind)
{
    uint8_t head = read_byte(t);
    if (t->is_bad || head == 0)
        return false;
    *kind = head & 15;
    if (head >> 4 != 0) {
        *id += head >> 4;
    } else {
        int64_t number = read_zigzag(t);
        if (number < 0 || number > INT16_MAX)
            set_bad(t);
        *id = (int32_t)number;
    }
    if (*id > INT16_MAX)
        set_bad(t);
    return !t->is_bad;
}

int64_t fl_pq_thrift_int(fl_pq_thrift *t, int32_t kind)
{
    if (kind == FL_PQ_THRIFT_I8)
        return (int8_t)read_byte(t);
    if (kind == FL_PQ_THRIFT_I16 || kind == FL_PQ_THRIFT_I32 || kind == FL_PQ_THRIFT_I64)
        return read_zigzag(t);
    set_bad(t);
    return 0;
}

bool fl_pq_thrift_bool(fl_pq_thrift *t, int32_t kind)
{
    if (kind != FL_PQ_THRIFT_TRUE && kind != FL_PQ_THRIFT_FALSE)
        set_bad(t);
    return kind == FL_PQ_THRIFT_TRUE;
}

bool fl_pq_thrift_bool_element(fl_pq_thrift *t)
{
    return read_byte(t) == FL_PQ_THRIFT_TRUE;
}

fl_str fl_pq_thrift_str(fl_pq_thrift *t, int32_t kind)
{
    if (kind != FL_PQ_THRIFT_BINARY)
        set_bad(t);
    uint64_t bytes = read_varint(t);
    const char *data = (const char *)t->at;
    if (!pass(t, bytes))
        return (fl_str){0};
    return (fl_str){data, (int64_t)bytes};
}

int64_t fl_pq_thrift_list(fl_pq_thrift *t, int32_t kind, int64_t element_bytes_min, int32_t *ret_element_kind)
{
    *ret_element_kind = 0;
    if (kind != FL_PQ_THRIFT_LIST && kind != FL_PQ_THRIFT_SET)
        set_bad(t);
    uint8_t head = read_byte(t);
    uint64_t count = head >> 4;
    if (count == 15)
        count = read_varint(t);
    if (t->is_bad)
        return 0;
    if (count > (uint64_t)(t->end - t->at) / (uint64_t)element_bytes_min) {
        set_short(t);
        return 0;
    }
    *ret_element_kind = head & 15;
    return (int64_t)count;
}

bool fl_pq_thrift_struct(fl_pq_thrift *t, int32_t kind)
{
    if (kind == FL_PQ_THRIFT_STRUCT)
        return !t->is_bad;
    set_bad(t);
    return false;
}

static void skip_element(fl_pq_thrift *t, int32_t kind)
{
    if (kind == FL_PQ_THRIFT_TRUE || kind == FL_PQ_THRIFT_FALSE)
        read_byte(t);
    else
        fl_pq_thrift_skip(t, kind);
}

static void skip_map(fl_pq_thrift *t)
{
    uint64_t count = read_varint(t);
    if (t->is_bad || count == 0)
        return;
    if (count > (uint64_t)(t->end - t->at)) {
        set_short(t);
        return;
    }
    uint8_t kinds = read_byte(t);
    for (uint64_t i = 0; i < count && !t->is_bad; i++) {
        skip_element(t, kinds >> 4);
        skip_element(t, kinds & 15);
    }
}

void fl_pq_thrift_skip(fl_pq_thrift *t, int32_t kind)
{
    if (t->is_bad)
        return;
    if (++t->depth > DEPTH_MAX)
        set_bad(t);
    switch (kind) {
    case FL_PQ_THRIFT_TRUE:
    case FL_PQ_THRIFT_FALSE:
        break;
    case FL_PQ_THRIFT_I8:
        pass(t, 1);
        break;
    case FL_PQ_THRIFT_I16:
    case FL_PQ_THRIFT_I32:
    case FL_PQ_THRIFT_I64:
        read_varint(t);
        break;
    case FL_PQ_THRIFT_DOUBLE:
        pass(t, 8);
        break;
    case FL_PQ_THRIFT_UUID:
        pass(t, 16);
        break;
    case FL_PQ_THRIFT_BINARY:
        fl_pq_thrift_str(t, kind);
        break;
    case FL_PQ_THRIFT_LIST:
    case FL_PQ_THRIFT_SET: {
        int32_t element = 0;
        int64_t count = fl_pq_thrift_list(t, kind, 1, &element);
        for (int64_t i = 0; i < count && !t->is_bad; i++)
            skip_element(t, element);
        break;
    }
    case FL_PQ_THRIFT_MAP:
        skip_map(t);
        break;
    case FL_PQ_THRIFT_STRUCT: {
        int32_t id = 0, field = 0;
        while (fl_pq_thrift_field(t, &id, &field))
            fl_pq_thrift_skip(t, field);
        break;
    }
    default:
        set_bad(t);
    }
    t->depth--;
}

void fl_pq_thrift_read(fl_pq_thrift *t, const fl_pq_thrift_member *members, int64_t n_members, void *ret)
{
    static const fl_pq_thrift_member unknown = {.to = FL_PQ_THRIFT_TO_NOTHING};
    int32_t id = 0, kind = 0;
    while (fl_pq_thrift_field(t, &id, &kind)) {
        const fl_pq_thrift_member *m = id < n_members ? &members[id] : &unknown;
        void *to = (char *)ret + m->at;
        switch (m->to) {
        case FL_PQ_THRIFT_TO_NOTHING:
            fl_pq_thrift_skip(t, kind);
            break;
        case FL_PQ_THRIFT_TO_BOOL:
            *(bool *)to = fl_pq_thrift_bool(t, kind);
            break;
        case FL_PQ_THRIFT_TO_I32:
            *(int32_t *)to = (int32_t)fl_pq_thrift_int(t, kind);
            break;
        case FL_PQ_THRIFT_TO_I64:
            *(int64_t *)to = fl_pq_thrift_int(t, kind);
            break;
        case FL_PQ_THRIFT_TO_STR:
            *(fl_str *)to = fl_pq_thrift_str(t, kind);
            break;
        case FL_PQ_THRIFT_TO_STRUCT:
            if (fl_pq_thrift_struct(t, kind))
                fl_pq_thrift_read(t, m->members, m->n_members, to);
            break;
        case FL_PQ_THRIFT_TO_CALL:
            m->read(t, kind, to);
            break;
        }
    }
}
