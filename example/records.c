/* A program's own records as a table: nothing is copied, a query reads the fields that it needs where they lie. */
#include <fletch/records.h>

#include <stdio.h>

typedef struct order {
    int64_t id;
    double amount;
    bool is_paid;
    const char *region;
} order;

int main(void)
{
    static const order orders[] = {{1, 120.5, true, "north"}, {2, 80, true, "south"}, {3, 99.5, false, "north"}};
    static const fl_record_field fields[] = {{.name = "id", .type = "bigint", .offset = offsetof(order, id)},
                                             {.name = "amount", .type = "double", .offset = offsetof(order, amount)},
                                             {.name = "is_paid", .type = "boolean", .offset = offsetof(order, is_paid)},
                                             {.name = "region", .type = "text", .offset = offsetof(order, region)}};
    fl_records records = {
        .size = sizeof(records), .data = orders, .rows = 3, .stride = sizeof(order), .fields = fields, .n_fields = 4};
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    fl_err err = {0};
    const char *sql = "SELECT id FROM orders WHERE is_paid AND amount > 100";
    fl_status st = fl_engine_open(NULL, &engine, &err);
    st = st != FL_OK ? st : fl_session_open(engine, &session, &err);
    st = st != FL_OK ? st : fl_session_register_records(session, "orders", &records, false, &err);
    st = st != FL_OK ? st : fl_session_query(session, sql, &rows, &err);
    if (st == FL_OK && rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        printf("order %lld\n", (long long)((const int64_t *)batch.children[0]->buffers[1])[0]);
        batch.release(&batch);
    }
    st == FL_OK ? rows.release(&rows) : (void)fprintf(stderr, "%s\n", err.message);
    fl_session_close(session);
    fl_engine_close(engine);
    return st != FL_OK;
}
