/* Arrow values as text and as JSON, and Arrow types by their SQL names.
 *
 * A reading of the C Data interface apart from the library's own: what an embedder would write. Text is PostgreSQL's:
 * shortest doubles, ISO dates, `1 year 2 mons 3 days 04:05:06`, `[1, 2]`, `{'a': 1}`, `\x0a`. In JSON, numbers that a
 * double would bend (decimals, integers beyond 2^53) and all that JSON has no word for are strings of that text.
 * Rows count from 0 and leave the array's offset aside. */
#ifndef FL_CLI_VALUE_H
#define FL_CLI_VALUE_H

#include "cli/text.h"
#include "fletch/arrow.h"

/** Whether the value is NULL; a dictionary's code decides. */
bool fl_cli_value_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row);

/** Adds the value as text; NULL adds "NULL". */
void fl_cli_value_add_text(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array,
                           int64_t row);

/** Adds the value as JSON: a number, string, boolean, null, array or object. */
void fl_cli_value_add_json(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array,
                           int64_t row);

/** Adds the type's SQL name: "integer", "decimal(15,2)", "text[]", "struct(a integer)". */
void fl_cli_type_add_name(fl_cli_text *text, const struct ArrowSchema *schema);

/** Whether values are numbers: they are aligned to the right. */
bool fl_cli_type_is_number(const struct ArrowSchema *schema);

#endif
