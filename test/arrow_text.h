/* Arrow values as text: what the sqllogictest runner compares with a file's expected answers.
 *
 * A reading of the C Data interface of its own, apart from the library's, so that a mistake in the library's export is
 * not undone by the same mistake here. Relies on the caller to keep schema and array alive. One thread at a time. */
#ifndef FLETCH_TEST_ARROW_TEXT_H
#define FLETCH_TEST_ARROW_TEXT_H

#include <fletch/arrow.h>
#include <stdbool.h>
#include <stddef.h>

/* A text that grows; zero is empty. `free(text.data)` gives it back. */
struct text {
    char *data;
    size_t len, capacity;
};

void text_add(struct text *text, const char *data, size_t len);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether row `row` of `array` (not counting its offset) is null. */
bool arrow_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row);

/** Appends the value at `row`: as PostgreSQL prints it, lists as [1, a] and structs as {'name': 1}, without quotes
 *  around texts; nulls are NULL.
 *  Ends the program for a type that the interface knows and this file does not, naming its format. */
void arrow_text(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, struct text *text);

/** The value as a double, and true, when its type is a number; else false. */
bool arrow_number(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, double *ret_value);

#endif
