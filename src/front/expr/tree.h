/* Expressions as JSON trees.
 *
 *     {"op": "*", "left": e, "right": e}       + - * / % pow == != < <= > >= && ||; also {"op": "&&", "args": [e, e, e]}
 *     {"op": "!", "arg": e}                    and "-"
 *     {"op": "in", "left": e, "right": [e, e]} and "not in"
 *     {"field": "a.b"}    {"const": v}         v: null, true, a number, "text", an array of such
 *     {"func": "abs", "args": [e]}             any function of SQL
 *     {"cond": e, "then": e, "else": e}
 *     {"expr": "price * 1.2"}                  infix text in between
 *
 * Where an expression stands inside of one, a bare number, text, boolean or null is itself. */
#ifndef FL_FRONT_EXPR_TREE_H
#define FL_FRONT_EXPR_TREE_H

#include "front/expr/json_ref.h"

/** Whether an object is a tree, going by its members. */
bool fl_tree_is_one(yyjson_val *object);

/** An expression: a tree, or a string of infix text. */
fl_status fl_tree_parse_expression(maker *m, json_ref ref, fl_ast_expr **ret);

/** An operand: as inside of a tree, where a string is a text. */
fl_status fl_tree_parse_operand(maker *m, json_ref ref, fl_ast_expr **ret);

/** A value: null, a boolean, number, text or array of them. */
fl_status fl_tree_parse_constant(maker *m, json_ref ref, fl_ast_expr **ret);

/** The items of an array as operands; FL_ERR_SYNTAX when it is none. */
fl_status fl_tree_parse_operands(maker *m, json_ref ref, fl_ast_expr ***ret, int32_t *ret_n);

#endif
