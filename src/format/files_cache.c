/* Keeping tables of files: a hash table of entries, which a list has in the order of their use. */
#include "format/files_cache.h"

#include "base/hash.h"
#include "base/interrupt.h"

#define BUCKETS 1024 /* about as many as tables */

typedef struct entry {
    fl_files_table *table; /* a reference */
    uint64_t hash;
    int64_t bytes;
    struct entry *next; /* in its bucket */
    struct entry *newer, *older;
} entry;

struct fl_files_cache {
    fl_memory memory;     /* what the tables are charged to */
    pthread_mutex_t lock; /* of all below; nothing is charged and no file is looked at under it */
    entry *buckets[BUCKETS];
    entry *newest, *oldest;
    fl_files_cache_figures figures;
};

/* What a table is known by. */
typedef struct key {
    const fl_format_desc *format;
    const fl_str *paths;
    int64_t n_paths;
    const fl_option *options;
    int32_t n_options;
    uint64_t hash;
} key;

fl_status fl_files_cache_new(fl_memory *memory, fl_files_cache **ret, fl_err *err)
{
    fl_status st = fl_alloc_zero(NULL, (int64_t)sizeof(**ret), (void **)ret, err);
    if (st != FL_OK)
        return st;
    fl_memory_init(&(*ret)->memory, memory, "memory of kept tables", 0);
    pthread_mutex_init(&(*ret)->lock, NULL);
    return FL_OK;
}

/* ---- entries: under the lock ---- */

static void link_newest(fl_files_cache *cache, entry *e)
{
    e->newer = NULL;
    e->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void unlink_from_order(fl_files_cache *cache, entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &cache->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &cache->oldest) = e->newer;
}

static entry *find(fl_files_cache *cache, const key *k)
{
    entry *e = cache->buckets[k->hash % BUCKETS];
    while (e != NULL && !(e->hash == k->hash &&
                          fl_files_table_is_of(e->table, k->format, k->paths, k->n_paths, k->options, k->n_options)))
        e = e->next;
    return e;
}

static void remove_entry(fl_files_cache *cache, entry *e)
{
    entry **at = &cache->buckets[e->hash % BUCKETS];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlink_from_order(cache, e);
    cache->figures.tables--;
    cache->figures.bytes -= e->bytes;
    fl_table_unref(&e->table->table);
    fl_free(e);
}

static void add_entry(fl_files_cache *cache, entry *e)
{
    while (cache->oldest != NULL && (cache->figures.tables >= FL_FILES_CACHE_TABLES_MAX ||
                                     cache->figures.bytes + e->bytes > FL_FILES_CACHE_BYTES_MAX))
        remove_entry(cache, cache->oldest);
    e->next = cache->buckets[e->hash % BUCKETS];
    cache->buckets[e->hash % BUCKETS] = e;
    link_newest(cache, e);
    cache->figures.tables++;
    cache->figures.bytes += e->bytes;
}

/* A table grows while it waits: statistics and samples are found when a plan asks for them. */
static void note_bytes(fl_files_cache *cache, entry *e)
{
    int64_t bytes = atomic_load(&e->table->memory.used_bytes);
    cache->figures.bytes += bytes - e->bytes;
    e->bytes = bytes;
}

void fl_files_cache_free(fl_files_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        remove_entry(cache, cache->oldest);
    pthread_mutex_destroy(&cache->lock);
    fl_free(cache);
}

bool fl_files_cache_give_up(void *kept, int64_t bytes)
{
    fl_files_cache *cache = kept;
    int64_t freed = 0;
    pthread_mutex_lock(&cache->lock);
    for (entry *e = cache->oldest, *newer = NULL; e != NULL && freed < bytes; e = newer) {
        newer = e->newer;
        if (atomic_load(&e->table->table.refs) > 1) /* freed by who uses it, some time */
            continue;
        note_bytes(cache, e);
        freed += e->bytes;
        remove_entry(cache, e);
    }
    pthread_mutex_unlock(&cache->lock);
    return freed > 0;
}

fl_files_cache_figures fl_files_cache_look(fl_files_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    fl_files_cache_figures figures = cache->figures;
    pthread_mutex_unlock(&cache->lock);
    return figures;
}

/* ---- what a statement uses ---- */

static void let_go(fl_files_table *table, int32_t n_kept)
{
    for (int32_t i = 0; i < n_kept; i++)
        fl_file_let_go(table->files[i]);
}

/* Whether all files are as they were; the first *ret_n_kept are kept open then, as many as the process may. A statement
 * that shall stop learns that from opening them. */
static bool keep(fl_files_table *table, fl_interrupt *interrupt, int32_t *ret_n_kept)
{
    int32_t n_kept = 0;
    for (int32_t i = 0; i < table->n_files; i++) {
        bool is_kept = false;
        if (fl_interrupt_check(interrupt, NULL) != FL_OK || !fl_file_keep(table->files[i], &is_kept)) {
            let_go(table, n_kept);
            return false;
        }
        if (is_kept && n_kept < i) /* another thread's were let go in between: the first ones are all that is noted */
            fl_file_let_go(table->files[i]);
        else
            n_kept += is_kept;
    }
    *ret_n_kept = n_kept;
    return true;
}

/* Of a table that was just opened, and that nobody else has. */
static int32_t keep_first(fl_files_table *table)
{
    int32_t n_kept = 0;
    while (n_kept < table->n_files && table->files[n_kept]->n_keeps > 0)
        n_kept++;
    for (int32_t i = n_kept; i < table->n_files; i++)
        if (table->files[i]->n_keeps > 0)
            fl_file_let_go(table->files[i]);
    return n_kept;
}

static fl_status make_room(fl_files_in_use *in_use, fl_err *err)
{
    return fl_grow(NULL, (void **)&in_use->items, &in_use->capacity, in_use->n + 1, (int64_t)sizeof(*in_use->items),
                   err);
}

static void note_use(fl_files_in_use *in_use, fl_files_table *table, const key *k, int32_t n_kept)
{
    fl_table_ref(&table->table);
    in_use->items[in_use->n++] = (fl_file_use){.table = table, .hash = k->hash, .n_kept = n_kept};
}

void fl_files_in_use_end(fl_files_in_use *in_use)
{
    for (int64_t i = 0; i < in_use->n; i++) {
        let_go(in_use->items[i].table, in_use->items[i].n_kept);
        fl_table_unref(&in_use->items[i].table->table);
    }
    in_use->n = 0;
}

void fl_files_in_use_drop(fl_files_in_use *in_use)
{
    fl_files_in_use_end(in_use);
    fl_free(in_use->items);
    *in_use = (fl_files_in_use){0};
}

/* ---- opening ---- */

static uint64_t hash_of(const key *k)
{
    uint64_t hash = fl_hash_bytes(k->format->name, (int64_t)strlen(k->format->name));
    for (int64_t i = 0; i < k->n_paths; i++)
        hash = fl_hash_combine(hash, fl_hash_bytes(k->paths[i].data, k->paths[i].len));
    for (int32_t i = 0; i < k->n_options; i++)
        hash = fl_hash_combine(hash, fl_value_hash(&k->options[i].value));
    return hash;
}

static fl_table *find_in_use(const fl_files_in_use *in_use, const key *k)
{
    for (int64_t i = 0; i < in_use->n; i++) {
        const fl_file_use *use = &in_use->items[i];
        if (use->hash == k->hash &&
            fl_files_table_is_of(use->table, k->format, k->paths, k->n_paths, k->options, k->n_options))
            return fl_table_ref(&use->table->table);
    }
    return NULL;
}

/* A kept table whose files are as they were. One whose files are not is forgotten. */
static fl_table *take(fl_files_cache *cache, fl_files_in_use *in_use, const key *k, fl_interrupt *interrupt)
{
    int32_t n_kept = 0;
    pthread_mutex_lock(&cache->lock);
    entry *e = find(cache, k);
    fl_files_table *table = e != NULL ? (fl_files_table *)fl_table_ref(&e->table->table) : NULL;
    pthread_mutex_unlock(&cache->lock);
    if (table == NULL)
        return NULL;
    bool is_same = make_room(in_use, NULL) == FL_OK && keep(table, interrupt, &n_kept);
    if (is_same)
        note_use(in_use, table, k, n_kept);
    pthread_mutex_lock(&cache->lock);
    e = find(cache, k);
    if (e != NULL && e->table == table) {
        unlink_from_order(cache, e);
        link_newest(cache, e);
        note_bytes(cache, e);
        if (!is_same)
            remove_entry(cache, e);
        while (cache->figures.bytes > FL_FILES_CACHE_BYTES_MAX && cache->oldest != cache->newest)
            remove_entry(cache, cache->oldest);
    }
    cache->figures.hits += is_same;
    pthread_mutex_unlock(&cache->lock);
    if (is_same)
        return &table->table;
    fl_table_unref(&table->table);
    return NULL;
}

/* Keeps a table that was just opened, if it may be and there is room; a statement goes on without, if not. */
static void add(fl_files_cache *cache, fl_files_in_use *in_use, const key *k, fl_files_table *table)
{
    entry *e = NULL;
    int64_t bytes = atomic_load(&table->memory.used_bytes);
    for (int32_t i = 0; i < table->n_files; i++)
        if (!table->files[i]->is_settled)
            return;
    if (bytes > FL_FILES_CACHE_BYTES_MAX || make_room(in_use, NULL) != FL_OK ||
        fl_alloc(NULL, (int64_t)sizeof(*e), (void **)&e, NULL) != FL_OK)
        return;
    if (fl_memory_move(&table->memory, &cache->memory, NULL) != FL_OK) {
        fl_free(e);
        return;
    }
    note_use(in_use, table, k, keep_first(table));
    *e = (entry){.table = (fl_files_table *)fl_table_ref(&table->table), .hash = k->hash, .bytes = bytes};
    pthread_mutex_lock(&cache->lock);
    entry *other = find(cache, k); /* another thread opened it meanwhile */
    if (other != NULL)
        remove_entry(cache, other);
    add_entry(cache, e);
    pthread_mutex_unlock(&cache->lock);
}

fl_status fl_files_cache_open(fl_files_cache *cache, fl_files_in_use *in_use, const fl_format_desc *format,
                              fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *options,
                              int32_t n_options, fl_table **ret, fl_err *err)
{
    key k = {format, paths, n_paths, options, n_options, 0};
    k.hash = hash_of(&k);
    fl_table *table = find_in_use(in_use, &k);
    if (table == NULL)
        table = take(cache, in_use, &k, memory->interrupt);
    if (table != NULL) {
        *ret = table;
        return FL_OK;
    }
    pthread_mutex_lock(&cache->lock);
    cache->figures.misses++;
    pthread_mutex_unlock(&cache->lock);
    fl_status st = format->open(memory, paths, n_paths, options, n_options, ret, err);
    if (st == FL_OK)
        add(cache, in_use, &k, (fl_files_table *)*ret);
    return st;
}
