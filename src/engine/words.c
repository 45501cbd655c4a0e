/* The words of the language, for who completes or colours what is being written. */
#include "engine/internal.h"

#include "base/text.h"
#include "front/sql/lexer.h"

#include <stdlib.h>

static int compare_words(const void *a, const void *b)
{
    return fl_str_compare(*(const fl_str *)a, *(const fl_str *)b);
}

static fl_status list_words(const fl_registry *registry, fl_arena *arena, fl_str **ret, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_funcs = 0, n_aggs = 0, n_formats = 0;
    const fl_func_desc *const *funcs = fl_registry_funcs(registry, &n_funcs);
    const fl_agg_desc *const *aggs = fl_registry_aggs(registry, &n_aggs);
    const fl_format_desc *const *formats = fl_registry_formats(registry, &n_formats);
    int64_t n = 0;
    FL_TRY(FL_NEW_ARRAY(arena, FL_KW_COUNT + n_funcs + n_aggs + n_formats + 1, ret, err));
    for (int keyword = FL_KW_NONE + 1; keyword < FL_KW_COUNT; keyword++)
        (*ret)[n++] = fl_sql_keyword_text((fl_sql_keyword)keyword);
    for (int32_t i = 0; i < n_funcs; i++)
        FL_TRY(fl_arena_format(arena, &(*ret)[n++], err, "%s(", funcs[i]->name));
    for (int32_t i = 0; i < n_aggs; i++)
        FL_TRY(fl_arena_format(arena, &(*ret)[n++], err, "%s(", aggs[i]->name));
    for (int32_t i = 0; i < n_formats; i++)
        FL_TRY(fl_arena_format(arena, &(*ret)[n++], err, "%s(", formats[i]->function));
    qsort(*ret, (size_t)n, sizeof(**ret), compare_words);
    *ret_n = n;
cleanup:
    return st;
}

fl_status fl_session_words(fl_session *session, char **ret_text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_text text;
    fl_str *words = NULL, before = {0};
    int64_t n = 0;
    fl_arena_init(&arena, &session->memory);
    fl_text_init(&text, NULL);
    FL_TRY(list_words(session->registry, &arena, &words, &n, err));
    for (int64_t i = 0; i < n; i++) {
        bool is_name = words[i].len > 0 && ((words[i].data[0] | 32) >= 'a') && ((words[i].data[0] | 32) <= 'z');
        if (!is_name || fl_str_is_equal(words[i], before)) /* operators are functions, too */
            continue;
        before = words[i];
        fl_text_add(&text, words[i]);
        fl_text_add_char(&text, '\n');
    }
    FL_TRY(fl_text_status(&text, err));
    FL_TRY(fl_alloc(NULL, text.len + 1, (void **)ret_text, err));
    memcpy(*ret_text, text.data, (size_t)text.len);
    (*ret_text)[text.len] = 0;
cleanup:
    fl_text_drop(&text);
    fl_arena_drop(&arena);
    return st;
}
