/* Positions to JSON pointers (RFC 6901). */
#include "front/expr/places.h"

#include "base/excerpt.h"
#include "base/text.h"
#include "base/utf8.h"

#define POSITIONS_MAX (1 << 30)
#define POINTER_BYTES_MAX 256 /* of a pointer in a message: its end */

void fl_places_drop(fl_places *places)
{
    fl_free(places->items);
    *places = (fl_places){0};
}

fl_status fl_places_add(fl_places *places, fl_memory *memory, fl_place place, int32_t *ret, fl_err *err)
{
    FL_ASSERT(place.parent < places->n);
    if (place.text.len >= POSITIONS_MAX - places->end)
        return FL_FAIL(err, FL_ERR_LIMIT, "the request has more than %d places", POSITIONS_MAX);
    fl_status st = fl_grow(memory, (void **)&places->items, &places->capacity, places->n + 1,
                           (int64_t)sizeof(*places->items), err);
    if (st != FL_OK)
        return st;
    place.base = places->end;
    places->end += (int32_t)place.text.len + 1; /* the end of a text is a place, too */
    places->items[places->n] = place;
    *ret = places->n++;
    return FL_OK;
}

/* The place of a position: the last that begins at it or before. */
static const fl_place *find(const fl_places *places, int64_t position)
{
    int32_t low = 0, high = places->n;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (places->items[middle].base <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &places->items[low - 1];
}

static void add_key(fl_text *text, fl_str key)
{
    for (int64_t i = 0; i < key.len; i++) {
        if (key.data[i] == '~' || key.data[i] == '/')
            fl_text_addf(text, "~%d", key.data[i] == '/');
        else
            fl_text_add_char(text, key.data[i]);
    }
}

/* Outermost key first: there is no way down, so each is looked up from below. */
static void add_pointer(fl_text *text, const fl_places *places, const fl_place *place)
{
    int32_t depth = 0;
    for (const fl_place *p = place; p->parent >= 0; p = &places->items[p->parent])
        depth++;
    for (; depth > 0; depth--) {
        const fl_place *p = place;
        for (int32_t i = 1; i < depth; i++)
            p = &places->items[p->parent];
        fl_text_add_char(text, '/');
        if (p->key.data == NULL)
            fl_text_addf(text, "%d", p->index);
        else
            add_key(text, p->key);
    }
}

void fl_places_locate(const fl_places *places, fl_err *err)
{
    fl_text pointer;
    if (err == NULL || err->position <= 0)
        return;
    int64_t position = err->position - 1;
    const fl_place *place = find(places, position);
    err->position = 0;
    if (place == NULL)
        return;
    bool is_text = place->text.data != NULL;
    if (place->parent >= 0) {
        fl_text_init(&pointer, NULL);
        add_pointer(&pointer, places, place);
        const char *shown = pointer.data != NULL ? pointer.data : ""; /* there may be no memory for it */
        if (pointer.len > POINTER_BYTES_MAX)
            shown += pointer.len - POINTER_BYTES_MAX;
        while (fl_utf8_is_continuation(*shown))
            shown++;
        fl_err_prefix(err, "at %s%s: ", pointer.len > POINTER_BYTES_MAX ? "…" : "", shown);
        fl_text_drop(&pointer);
    } else if (!is_text) {
        fl_err_prefix(err, "at the root: ");
    }
    if (is_text) {
        int64_t at = position - place->base;
        fl_err_add_excerpt(err, place->text, at < place->text.len ? at : place->text.len);
    }
}
