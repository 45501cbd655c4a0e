/* Pages of rows: what rows point at is put behind them, and pointers become offsets. */
#include "exec/spilled_rows.h"

#include "exec/spill.h"

#define PAGE_BYTES (256 << 10)        /* of rows and what they point at; a row that is larger has a page of its own */
#define DIVIDED_PAGE_BYTES (96 << 10) /* of those of all partitions at once, which are outside of any budget */

/* A page on the disk: this, the rows, what they point at, and for each row what its states are. */
typedef struct page_head {
    int64_t n_rows;
    int64_t heap_bytes;
    int64_t state_bytes;
} page_head;

fl_status fl_spill_bytes_add(fl_spill_bytes *bytes, const void *data, int64_t n, fl_err *err)
{
    fl_status st = fl_grow(NULL, (void **)&bytes->data, &bytes->capacity, bytes->n + n, 1, err);
    if (st != FL_OK)
        return st;
    if (n > 0)
        memcpy(bytes->data + bytes->n, data, (size_t)n);
    bytes->n += n;
    return FL_OK;
}

/* ---- nested values ------------------------------------------------------------------------------------------------- */

fl_status fl_spill_value_save(fl_spill_bytes *to, const fl_value *value, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t is_null = value->is_null;
    FL_TRY(fl_spill_bytes_add(to, &is_null, 1, err));
    if (is_null)
        return FL_OK;
    if (fl_type_is_string(value->type)) {
        FL_TRY(fl_spill_bytes_add(to, &value->s.len, 8, err));
        st = fl_spill_bytes_add(to, value->s.data, value->s.len, err);
    } else if (fl_type_is_nested(value->type)) {
        FL_TRY(fl_spill_bytes_add(to, &value->list.n, 8, err));
        for (int64_t i = 0; i < value->list.n && st == FL_OK; i++)
            st = fl_spill_value_save(to, &value->list.items[i], err);
    } else {
        st = fl_spill_bytes_add(to, &value->interval, 16, err); /* the widest of the union */
    }
cleanup:
    return st;
}

static const uint8_t *take(const uint8_t **at, int64_t n)
{
    const uint8_t *from = *at;
    *at += n;
    return from;
}

fl_status fl_spill_value_load(const uint8_t **at, fl_type type, fl_arena *heap, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (fl_value){.type = type, .is_null = *take(at, 1) != 0};
    if (ret->is_null)
        return FL_OK;
    if (fl_type_is_string(type)) {
        memcpy(&ret->s.len, take(at, 8), 8);
        ret->s.data = (const char *)take(at, ret->s.len);
        return fl_arena_copy_str(heap, ret->s, &ret->s, err);
    }
    if (!fl_type_is_nested(type)) {
        memcpy(&ret->interval, take(at, 16), 16);
        return FL_OK;
    }
    fl_value *items = NULL;
    memcpy(&ret->list.n, take(at, 8), 8);
    FL_TRY(FL_NEW_ARRAY(heap, ret->list.n + 1, &items, err));
    ret->list.items = items;
    for (int64_t i = 0; i < ret->list.n && st == FL_OK; i++)
        st = fl_spill_value_load(at, type.fields[type.id == FL_LIST ? 0 : i].type, heap, &items[i], err);
cleanup:
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static bool points(fl_type type)
{
    return fl_type_is_string(type) || fl_type_is_nested(type);
}

/* Puts what column `col` of a row points at behind the rows, and its offset into the copy of the row. */
static fl_status save_column(const fl_row_layout *layout, int32_t col, uint8_t *copy, fl_spill_bytes *heap, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = layout->types[col];
    uint8_t *at = copy + layout->offsets[col];
    if (fl_row_is_null(layout, copy, col)) {
        memset(at, 0, fl_type_is_string(type) ? 16 : 8);
        return FL_OK;
    }
    if (fl_type_is_string(type)) {
        fl_view view;
        memcpy(&view, at, 16);
        if (view.len <= FL_VIEW_INLINE_MAX)
            return FL_OK;
        const char *text = view.ptr;
        view.ptr = (const char *)(uintptr_t)heap->n;
        memcpy(at, &view, 16);
        return fl_spill_bytes_add(heap, text, view.len, err);
    }
    const fl_value *value = NULL;
    int64_t offset = heap->n + 1; /* 0: there is none */
    memcpy(&value, at, 8);
    if (value == NULL)
        return FL_OK;
    memcpy(at, &offset, 8);
    st = fl_spill_value_save(heap, value, err);
    return st;
}

/* A page under way. */
typedef struct page_maker {
    fl_spill_bytes rows; /* with the head */
    fl_spill_bytes heap;
    fl_spill_bytes states;
    int64_t n;
    int64_t page_bytes;
    bool has_pointers; /* rows of the layout may point at something */
} page_maker;

static bool has_pointers(const fl_row_layout *layout)
{
    bool any = false;
    for (int32_t c = 0; c < layout->n_cols; c++)
        any |= points(layout->types[c]);
    return any;
}

static page_maker begin_maker(fl_spilled_rows *spilled, fl_spill_file *file)
{
    FL_ASSERT(spilled->file == NULL || spilled->file == file);
    spilled->file = file;
    return (page_maker){.page_bytes = PAGE_BYTES, .has_pointers = has_pointers(spilled->layout)};
}

static void drop_maker(page_maker *maker)
{
    fl_free(maker->rows.data);
    fl_free(maker->heap.data);
    fl_free(maker->states.data);
}

static fl_status write_page(fl_spilled_rows *spilled, page_maker *maker, fl_err *err)
{
    fl_status st = FL_OK;
    page_head head = {maker->n, maker->heap.n, maker->states.n};
    if (maker->n == 0)
        return FL_OK;
    memcpy(maker->rows.data, &head, sizeof(head));
    FL_TRY(fl_spill_bytes_add(&maker->rows, maker->heap.data, maker->heap.n, err));
    FL_TRY(fl_spill_bytes_add(&maker->rows, maker->states.data, maker->states.n, err));
    FL_TRY(fl_grow(NULL, (void **)&spilled->pages, &spilled->capacity, spilled->n_pages + 1,
                   (int64_t)sizeof(*spilled->pages), err));
    fl_spilled_page *page = &spilled->pages[spilled->n_pages];
    FL_TRY(fl_spill_file_write(spilled->file, maker->rows.data, maker->rows.n, &page->block, err));
    page->rows = maker->n;
    page->head = fl_row_hash(maker->rows.data + sizeof(head));
    spilled->n_pages++;
    spilled->rows += maker->n;
    spilled->bytes += maker->rows.n + maker->n * 8;
    maker->rows.n = maker->heap.n = maker->states.n = maker->n = 0;
cleanup:
    return st;
}

static fl_status add_row(fl_spilled_rows *spilled, page_maker *maker, const uint8_t *row, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = spilled->layout;
    int64_t start = maker->n == 0 ? (int64_t)sizeof(page_head) : maker->rows.n;
    if (start + layout->bytes > maker->rows.capacity)
        FL_TRY(fl_grow(NULL, (void **)&maker->rows.data, &maker->rows.capacity, start + layout->bytes, 1, err));
    memcpy(maker->rows.data + start, row, (size_t)layout->bytes);
    maker->rows.n = start + layout->bytes;
    for (int32_t c = 0; c < layout->n_cols && maker->has_pointers; c++)
        if (points(layout->types[c]))
            FL_TRY(save_column(layout, c, maker->rows.data + start, &maker->heap, err));
    if (spilled->states != NULL) {
        int64_t bytes = 0, at = maker->states.n;
        FL_TRY(fl_spill_bytes_add(&maker->states, &bytes, 8, err));
        FL_TRY(spilled->states->save(spilled->states->ctx, row, &maker->states, err));
        bytes = maker->states.n - at - 8;
        memcpy(maker->states.data + at, &bytes, 8);
    }
    maker->n++;
    if (maker->rows.n + maker->heap.n + maker->states.n >= maker->page_bytes)
        st = write_page(spilled, maker, err);
cleanup:
    return st;
}

void fl_spilled_rows_init(fl_spilled_rows *spilled, const fl_row_layout *layout, const fl_row_states *states)
{
    *spilled = (fl_spilled_rows){.layout = layout, .states = states};
}

void fl_spilled_rows_drop(fl_spilled_rows *spilled)
{
    for (int64_t i = 0; i < spilled->n_pages; i++)
        fl_spill_file_forget(spilled->file, &spilled->pages[i].block);
    fl_free(spilled->pages);
    fl_spilled_rows_init(spilled, spilled->layout, spilled->states);
}

fl_status fl_spilled_rows_add(fl_spilled_rows *spilled, fl_spill_file *file, uint8_t *const *rows, int64_t n,
                              fl_err *err)
{
    fl_status st = FL_OK;
    page_maker maker = begin_maker(spilled, file);
    for (int64_t i = 0; i < n; i++)
        FL_TRY(add_row(spilled, &maker, rows[i], err));
    st = write_page(spilled, &maker, err);
cleanup:
    drop_maker(&maker);
    return st;
}

fl_status fl_spilled_rows_add_next(fl_spilled_rows *spilled, fl_spill_file *file, fl_row_cursor *at, int64_t n,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    page_maker maker = begin_maker(spilled, file);
    for (int64_t i = 0; i < n; i++)
        FL_TRY(add_row(spilled, &maker, fl_row_cursor_next(at), err));
    st = write_page(spilled, &maker, err);
cleanup:
    drop_maker(&maker);
    return st;
}

#if defined(FLETCH_SLOW_ASSERTS)
static int64_t rows_of(const fl_spilled_rows *partitions)
{
    int64_t rows = 0;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        rows += partitions[p].rows;
    return rows;
}
#endif

fl_status fl_spilled_rows_divide(fl_spilled_rows *partitions, int32_t level, fl_spill_file *file,
                                 const fl_row_store *store, fl_err *err)
{
    fl_status st = FL_OK;
    fl_row_cursor at = {.store = store, .block = store->first};
    page_maker makers[FL_SPILL_PARTITIONS];
    FL_ASSERT(level >= 0 && level < FL_SPILL_LEVELS);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        makers[p] = begin_maker(&partitions[p], file);
        makers[p].page_bytes = DIVIDED_PAGE_BYTES;
    }
#if defined(FLETCH_SLOW_ASSERTS)
    int64_t rows_before = rows_of(partitions);
#endif
    for (int64_t i = 0; i < store->rows; i++) {
        const uint8_t *row = fl_row_cursor_next(&at);
        int32_t p = fl_spill_partition(fl_row_hash(row), level);
        FL_TRY(add_row(&partitions[p], &makers[p], row, err));
    }
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        FL_TRY(write_page(&partitions[p], &makers[p], err));
    FL_ASSERT_SLOW(rows_of(partitions) - rows_before == store->rows);
cleanup:
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        drop_maker(&makers[p]);
    return st;
}

fl_status fl_spilled_rows_move(fl_spilled_rows *into, fl_spilled_rows *from, fl_err *err)
{
    if (from->n_pages == 0)
        return FL_OK;
    FL_ASSERT(into->layout == from->layout && (into->file == NULL || into->file == from->file));
    fl_status st = fl_grow(NULL, (void **)&into->pages, &into->capacity, into->n_pages + from->n_pages,
                           (int64_t)sizeof(*into->pages), err);
    if (st != FL_OK)
        return st;
    memcpy(into->pages + into->n_pages, from->pages, (size_t)from->n_pages * sizeof(*from->pages));
    into->file = from->file;
    into->n_pages += from->n_pages;
    into->rows += from->rows;
    into->bytes += from->bytes;
    from->n_pages = 0; /* they are given back with the others */
    fl_spilled_rows_drop(from);
    return FL_OK;
}

int64_t fl_spilled_rows_bytes(const fl_spilled_rows *spilled, int32_t n)
{
    int64_t bytes = 0;
    for (int32_t i = 0; i < n; i++)
        bytes += spilled[i].bytes;
    return bytes;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static fl_status load_columns(const fl_row_layout *layout, uint8_t *row, const uint8_t *behind, fl_arena *heap,
                              fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < layout->n_cols; c++) {
        uint8_t *at = row + layout->offsets[c];
        if (!points(layout->types[c]) || fl_row_is_null(layout, row, c))
            continue;
        if (fl_type_is_string(layout->types[c])) {
            fl_view view;
            memcpy(&view, at, 16);
            if (view.len > FL_VIEW_INLINE_MAX)
                view.ptr = (const char *)behind + (uintptr_t)view.ptr;
            memcpy(at, &view, 16);
            continue;
        }
        int64_t offset = 0;
        fl_value *value = NULL;
        memcpy(&offset, at, 8);
        if (offset == 0)
            continue;
        const uint8_t *from = behind + offset - 1;
        FL_TRY(FL_NEW(heap, &value, err));
        FL_TRY(fl_spill_value_load(&from, layout->types[c], heap, value, err));
        memcpy(at, &value, 8);
    }
cleanup:
    return st;
}

fl_status fl_spilled_rows_read(const fl_spilled_rows *spilled, int64_t i, fl_arena *heap, fl_row_page *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = spilled->layout;
    fl_row_page page = {0};
    page_head head;
    FL_ASSERT(i >= 0 && i < spilled->n_pages);
    const fl_spill_block *block = &spilled->pages[i].block;
    FL_TRY(fl_alloc(heap->memory, block->raw_bytes + 8, (void **)&page.data, err));
    FL_TRY(fl_spill_file_read(spilled->file, block, page.data, err));
    memcpy(&head, page.data, sizeof(head));
    FL_ASSERT((int64_t)sizeof(head) + head.n_rows * layout->bytes + head.heap_bytes + head.state_bytes ==
              block->raw_bytes);
    FL_ASSERT(head.n_rows == spilled->pages[i].rows && fl_row_hash(page.data + sizeof(head)) == spilled->pages[i].head);
    page.n = head.n_rows;
    page.bytes = block->raw_bytes + head.n_rows * 8;
    FL_TRY(fl_alloc(heap->memory, head.n_rows * 8 + 8, (void **)&page.rows, err));
    uint8_t *row = page.data + sizeof(head);
    const uint8_t *behind = row + head.n_rows * layout->bytes, *states = behind + head.heap_bytes;
    bool points_at_any = has_pointers(layout);
    for (int64_t r = 0; r < head.n_rows; r++, row += layout->bytes) {
        int64_t bytes = 0;
        page.rows[r] = row;
        if (points_at_any)
            FL_TRY(load_columns(layout, row, behind, heap, err));
        if (spilled->states == NULL)
            continue;
        memcpy(&bytes, states, 8);
        FL_TRY(spilled->states->load(spilled->states->ctx, row, states + 8, bytes, heap, err));
        states += 8 + bytes;
    }
    FL_ASSERT(states == behind + head.heap_bytes + head.state_bytes); /* each row took its own */
    *ret = page;
    page = (fl_row_page){0};
cleanup:
    fl_row_page_drop(&page);
    return st;
}

void fl_row_page_drop(fl_row_page *page)
{
    fl_free(page->data);
    fl_free(page->rows);
    *page = (fl_row_page){0};
}
