/* Telling names apart by numbers, finding them by their bytes. */
#include "base/names.h"

#include "base/hash.h"

#define SHOWN 3 /* renamed columns in a note */

typedef struct name_slot {
    fl_str name;    /* data NULL: free */
    int32_t number; /* the last one given to a name like it */
} name_slot;

static uint64_t hash_of(fl_str name)
{
    uint64_t hash = 0;
    for (int64_t i = 0; i < name.len; i++)
        hash = hash * 1099511628211ull ^ (uint8_t)fl_char_lower(name.data[i]);
    return fl_hash_u64(hash, (uint64_t)name.len);
}

/* The name's slot, or the free one where it would be. */
static name_slot *find_slot(name_slot *slots, uint64_t mask, fl_str name)
{
    uint64_t at = hash_of(name) & mask;
    while (slots[at].name.data != NULL && !fl_str_is_equal_nocase(slots[at].name, name))
        at = (at + 1) & mask;
    return &slots[at];
}

/* A name is a C string when it leaves: a NUL in it is written as in JSON. */
static fl_status spell_name(fl_arena *arena, fl_str *name, fl_err *err)
{
    static const char spelled[] = "\\u0000";
    char *text = NULL;
    int64_t len = 0;
    if (name->len == 0 || memchr(name->data, 0, (size_t)name->len) == NULL)
        return FL_OK;
    fl_status st = fl_arena_get(arena, name->len * FL_LEN(spelled), (void **)&text, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < name->len; i++) {
        int64_t bytes = name->data[i] == 0 ? FL_LEN(spelled) - 1 : 1;
        memcpy(text + len, name->data[i] == 0 ? spelled : &name->data[i], (size_t)bytes);
        len += bytes;
    }
    *name = (fl_str){text, len};
    return FL_OK;
}

static fl_status make_note(fl_arena *arena, const fl_str *old, const fl_str *names, int32_t n, fl_str *note,
                           fl_err *err)
{
    fl_status st = FL_OK;
    int32_t renamed = 0;
    for (int32_t i = 0; i < n; i++) {
        if (old[i].data == names[i].data || renamed++ >= SHOWN)
            continue;
        FL_TRY(fl_arena_format(arena, note, err, "%.*s%scolumn %d, \"%.*s\", is called \"%.*s\"", FL_STR_ARG(*note),
                               note->len == 0 ? "names are told apart whatever their case: " : ", ", i + 1,
                               FL_STR_ARG(old[i]), FL_STR_ARG(names[i])));
    }
    if (renamed > SHOWN)
        FL_TRY(fl_arena_format(arena, note, err, "%.*s, and %d more", FL_STR_ARG(*note), renamed - SHOWN));
cleanup:
    return st;
}

fl_status fl_names_tell_apart(fl_arena *arena, fl_memory *memory, fl_str *names, int32_t n, fl_str *ret_note,
                              fl_err *err)
{
    fl_status st = FL_OK;
    name_slot *slots = NULL;
    fl_str *old = NULL, note = FL_STR("");
    uint64_t size = 16;
    while (size < 2 * (uint64_t)n)
        size *= 2;
    FL_TRY(fl_alloc_zero(memory, (int64_t)size * (int64_t)sizeof(*slots), (void **)&slots, err));
    FL_TRY(fl_alloc(memory, (n + 1) * (int64_t)sizeof(*old), (void **)&old, err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(spell_name(arena, &names[i], err));
        name_slot *first = find_slot(slots, size - 1, names[i]), *slot = first;
        fl_str name = names[i];
        old[i] = name;
        while (slot->name.data != NULL) { /* taken: the next number whose name is not */
            FL_TRY(fl_arena_format(arena, &name, err, "%.*s_%d", FL_STR_ARG(old[i]), ++first->number));
            slot = find_slot(slots, size - 1, name);
        }
        slot->name = names[i] = name.data == NULL ? FL_STR("") : name;
    }
    FL_TRY(make_note(arena, old, names, n, &note, err));
    *ret_note = note;
cleanup:
    fl_free(slots);
    fl_free(old);
    return st;
}

/* The name's slot, or the free one where it would be. */
static int32_t *index_slot(int32_t *slots, int64_t size, const fl_str *names, fl_str name)
{
    uint64_t mask = (uint64_t)size - 1, at = fl_hash_str(name.data, name.len, 0) & mask;
    while (slots[at] != 0 && !fl_str_is_equal(names[slots[at] - 1], name))
        at = (at + 1) & mask;
    return &slots[at];
}

int32_t fl_name_index_find(const fl_name_index *index, const fl_str *names, fl_str name)
{
    return index->size == 0 ? -1 : *index_slot(index->slots, index->size, names, name) - 1;
}

fl_status fl_name_index_add(fl_name_index *index, fl_arena *arena, const fl_str *names, fl_err *err)
{
    fl_status st = FL_OK;
    if (2 * (int64_t)index->n >= index->size) {
        int64_t size = index->size == 0 ? 16 : 4 * index->size;
        int32_t *slots = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, size, &slots, err));
        for (int32_t i = 0; i < index->n; i++)
            *index_slot(slots, size, names, names[i]) = i + 1;
        index->slots = slots;
        index->size = size;
    }
    *index_slot(index->slots, index->size, names, names[index->n]) = index->n + 1;
    index->n++;
cleanup:
    return st;
}
