/* The JSON frontend: a query as one JSON object.
 *
 *     {"from": "orders.parquet",
 *      "filter": {"age": {"$gt": 25}},                      filter.h
 *      "group": ["city"],
 *      "select": ["city", "sum(price * qty) as total"],     infix text, or trees with "as"
 *      "having": {"total": {"$gte": 1000}},
 *      "sort": ["-total", {"field": "city", "order": "asc", "nulls": "last"}],
 *      "limit": 10, "offset": 20, "distinct": true}
 *
 * "from" alone is needed: a table, view or file. Without "select" all columns are given, of groups their keys and count(*) as `count`.
 * The request becomes the syntax tree of a SELECT and is bound as such, so that it has SQL's plan and plan hash.
 *
 *     fl_request request;
 *     fl_ast_statement statement;
 *     fl_request_init(&request, memory);
 *     if (fl_request_parse(&request, json, &statement, err) != FL_OK || bind_and_run(&statement, err) != FL_OK)
 *         fl_request_locate(&request, err);
 *     fl_request_drop(&request);
 *
 * One thread at a time. */
#ifndef FL_FRONT_EXPR_REQUEST_H
#define FL_FRONT_EXPR_REQUEST_H

#include "front/expr/places.h"
#include "front/sql/ast.h"

typedef struct fl_request {
    fl_memory *memory;
    fl_arena arena;
    fl_places places;
    void *document; /* the parsed JSON: texts lie in it */
} fl_request;

void fl_request_init(fl_request *request, fl_memory *memory);

/** Frees the nodes, too. */
void fl_request_drop(fl_request *request);

/** Reads a request; `json` may go afterwards. FL_ERR_SYNTAX for what is no JSON (line and column) or no request (its place). Cost:
 *  linear. Once for each fl_request_init. */
fl_status fl_request_parse(fl_request *request, fl_str json, fl_ast_statement *ret, fl_err *err);

/** Reads an expression in infix text by itself: the condition or value of a column, for functions that are expressions. */
fl_status fl_request_parse_infix(fl_request *request, fl_str text, fl_ast_expr **ret, fl_err *err);

/** The same for a JSON tree. */
fl_status fl_request_parse_tree(fl_request *request, fl_str json, fl_ast_expr **ret, fl_err *err);

/** Words an error of reading, binding or running by the place that it comes from: "at /filter/age: …". */
void fl_request_locate(const fl_request *request, fl_err *err);

#endif
