/* Expressions in infix text: `doc.price * 1.2 > 100 && !sold`.
 *
 *     expression := or [? expression : expression]
 *     or         := and {|| and}              and := equality {&& equality}
 *     equality   := order {(== | !=) order}   order := sum {(< | <= | > | >= | [not] in) sum}
 *     sum        := product {(+ | -) product} product := unary {(* | / | %) unary}
 *     unary      := (- | !) unary | primary
 *     primary    := number | 'text' | "text" | true | false | null | field | name(…) | (expression) | [list]
 *
 * Fields are names with dots between: a.b, doc.a.b; `a b` in backquotes. Texts know the escapes of JSON. No text holds a NUL. */
#ifndef FL_FRONT_EXPR_INFIX_H
#define FL_FRONT_EXPR_INFIX_H

#include "front/expr/maker.h"

/** Reads a whole text, whose first byte has the position `base`. The text outlives the nodes. FL_ERR_SYNTAX says what was expected and
 *  what was found. */
fl_status fl_infix_parse(maker *m, fl_str text, int32_t base, fl_ast_expr **ret);

/** The same, with `as name` behind it (empty: none), or `*` alone. */
fl_status fl_infix_parse_item(maker *m, fl_str text, int32_t base, fl_ast_item *ret);

/** Whether a text is the name of a field: names with dots between. */
bool fl_infix_is_field(fl_str text);

#endif
