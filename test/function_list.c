/* Prints the functions of the registry that expressions can call, as rows of a table in Markdown: scalar ones, an empty line, aggregates.
 *
 * docs/expressions.md holds what it prints; test/expr/document.py compares the two. */
#include "engine/internal.h"

#include "exec/agg.h"
#include "exec/func.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "| name | what it does |"; operators and what no expression can name are left out. */
static char *row_of(const char *name, const char *doc)
{
    char row[1024];
    int len = snprintf(row, sizeof(row), "| `%s` | ", name);
    if (!isalpha((unsigned char)name[0]) || strpbrk(name, " $:") != NULL || doc == NULL || doc[0] == 0)
        return NULL;
    for (const char *c = doc; *c != 0 && len < (int)sizeof(row) - 5; c++)
        len += snprintf(row + len, sizeof(row) - (size_t)len, *c == '|' ? "\\%c" : "%c", *c);
    snprintf(row + len, sizeof(row) - (size_t)len, " |");
    return strdup(row);
}

static void print(char **rows, int32_t n)
{
    qsort(rows, (size_t)n, sizeof(*rows), compare);
    for (int32_t i = 0; i < n; i++) {
        puts(rows[i]);
        free(rows[i]);
    }
}

int main(void)
{
    static char *rows[4096];
    fl_engine *engine = NULL;
    fl_err err = {0};
    int32_t n = 0, n_rows = 0;
    if (fl_engine_open(NULL, &engine, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const fl_registry *registry = fl_engine_registry(engine);
    const fl_func_desc *const *funcs = fl_registry_funcs(registry, &n);
    FL_ASSERT(n < FL_LEN(rows));
    for (int32_t i = 0; i < n; i++)
        if ((rows[n_rows] = row_of(funcs[i]->name, funcs[i]->doc)) != NULL)
            n_rows++;
    print(rows, n_rows);
    puts("");
    const fl_agg_desc *const *aggs = fl_registry_aggs(registry, &n);
    FL_ASSERT(n < FL_LEN(rows));
    n_rows = 0;
    for (int32_t i = 0; i < n; i++)
        if ((rows[n_rows] = row_of(aggs[i]->name, aggs[i]->doc)) != NULL)
            n_rows++;
    print(rows, n_rows);
    fl_registry_unref(registry);
    fl_engine_close(engine);
    return 0;
}
