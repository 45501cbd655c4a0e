/* Places of values, and what is said of them. */
#include "front/expr/json_ref.h"

#include "base/name_map.h"
#include "base/nearest.h"

#include <stdio.h>

#define DESCRIBED_BYTES_MAX 40 /* of a value in a message */

static fl_status add(maker *m, json_ref of, fl_place place, yyjson_val *value, json_ref *ret)
{
    place.parent = of.place;
    fl_status st = fl_places_add(m->places, m->memory, place, &ret->place, m->err);
    if (st != FL_OK)
        return st;
    ret->value = value;
    ret->at = m->places->items[ret->place].base;
    return FL_OK;
}

fl_status fl_json_ref_member(maker *m, json_ref of, yyjson_val *key, yyjson_val *value, json_ref *ret)
{
    return add(m, of, (fl_place){.key = fl_json_ref_text(key)}, value, ret);
}

fl_status fl_json_ref_item(maker *m, json_ref of, int32_t index, yyjson_val *value, json_ref *ret)
{
    return add(m, of, (fl_place){.index = index}, value, ret);
}

fl_status fl_json_ref_get(maker *m, json_ref of, const char *name, json_ref *ret)
{
    size_t i, n;
    yyjson_val *key, *value;
    *ret = (json_ref){0};
    yyjson_obj_foreach(of.value, i, n, key, value)
    {
        if (fl_str_is_equal(fl_json_ref_text(key), fl_str_of(name)))
            return fl_json_ref_member(m, of, key, value, ret);
    }
    return FL_OK;
}

fl_status fl_json_ref_infix_place(maker *m, json_ref of, int32_t *ret_base)
{
    fl_place place = m->places->items[of.place];
    int32_t number = 0;
    place.text = fl_json_ref_text(of.value);
    fl_status st = fl_places_add(m->places, m->memory, place, &number, m->err);
    if (st == FL_OK)
        *ret_base = m->places->items[number].base;
    return st;
}

void fl_json_ref_hint_name(maker *m, fl_str name, const char *const *names)
{
    fl_nearest near;
    fl_nearest_init(&near, name);
    for (int32_t i = 0; names[i] != NULL; i++)
        fl_nearest_offer(&near, fl_str_of(names[i]));
    fl_nearest_hint(&near, m->err);
}

fl_status fl_json_ref_check_names(maker *m, json_ref of, const char *const *names, const char *what)
{
    size_t i, n;
    yyjson_val *key, *value;
    uint64_t seen = 0;
    yyjson_obj_foreach(of.value, i, n, key, value)
    {
        json_ref member;
        fl_str name = fl_json_ref_text(key);
        int32_t found = 0;
        while (names[found] != NULL && !fl_str_is_equal(name, fl_str_of(names[found])))
            found++;
        FL_ASSERT(found < 64);
        bool is_lost = names[found] != NULL && fl_str_is_equal(name, FL_STR("as")) && of.value != m->item;
        if (names[found] != NULL && !(seen >> found & 1) && !is_lost) {
            seen |= 1ull << found;
            continue;
        }
        fl_status st = fl_json_ref_member(m, of, key, value, &member);
        if (st != FL_OK)
            return st;
        if (is_lost)
            return fl_maker_fail(m, member.at,
                                 "\"as\" names items of \"select\" and \"group\", not what stands inside of one");
        if (names[found] != NULL)
            return fl_maker_fail(m, member.at, "\"%s\" is there twice", names[found]);
        st = fl_maker_fail(m, member.at, "%s has no \"%.*s\"", what, FL_STR_ARG(name));
        fl_json_ref_hint_name(m, name, names);
        return st;
    }
    return FL_OK;
}

const char *fl_json_ref_describe(yyjson_val *value, char *buffer, int64_t bytes)
{
    const char *text = yyjson_is_str(value) || yyjson_is_raw(value) ? unsafe_yyjson_get_str(value) : "";
    int shown = (int)(yyjson_get_len(value) < DESCRIBED_BYTES_MAX ? yyjson_get_len(value) : DESCRIBED_BYTES_MAX);
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_OBJ:
        return "an object";
    case YYJSON_TYPE_ARR:
        return "an array";
    case YYJSON_TYPE_NULL:
        return "null";
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? "true" : "false";
    case YYJSON_TYPE_RAW:
        snprintf(buffer, (size_t)bytes, "the number %.*s", shown, text);
        return buffer;
    default:
        snprintf(buffer, (size_t)bytes, "the text \"%.*s\"", shown, text);
        return buffer;
    }
}
