/* Dictionaries by open addressing; Bloom filters of blocks of 256 bits (Putze, Sanders & Singler 2007; parquet-format, BloomFilter.md). */
#include "format/parquet/write_dictionary.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "format/parquet/encode.h"
#include "format/parquet/write_thrift.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DICTIONARY_BYTES_MAX (1 << 20)
#define DICTIONARY_VALUES_MAX (1 << 18)
#define TRIED_EVERY 2048 /* values, between looks at whether it is worth while */
#define BLOCK_BYTES 32
#define BLOOM_BYTES_MAX (1 << 20)
#define BLOOM_BITS_PER_VALUE 10 /* 1 % of false answers at 10.6 */

typedef struct dictionary_maker {
    fl_arena *arena;
    const fl_pq_out_leaf *leaf;
    fl_pq_out_dictionary d;
    uint32_t *slots; /* code + 1; 0: free */
    int64_t n_slots, capacity;
} dictionary_maker;

static uint64_t hash_of(const dictionary_maker *m, const void *values, int64_t i)
{
    switch (m->leaf->lay) {
    case FL_PQ_LAY_4:
        return fl_hash_u64(((const uint32_t *)values)[i], 0);
    case FL_PQ_LAY_8:
        return fl_hash_u64(((const uint64_t *)values)[i], 0);
    default: {
        const fl_str *s = (const fl_str *)values + i;
        return fl_hash_str(s->data, s->len, 0);
    }
    }
}

/* As fl_str_is_equal, without a call for short ones. */
static bool is_same_text(fl_str a, fl_str b)
{
    if (a.len != b.len)
        return false;
    if (a.len > 16)
        return memcmp(a.data, b.data, (size_t)a.len) == 0;
    if (a.len <= 8)
        return fl_hash_load(a.data, a.len) == fl_hash_load(b.data, b.len);
    return fl_hash_load(a.data, 8) == fl_hash_load(b.data, 8) &&
           fl_hash_load(a.data + a.len - 8, 8) == fl_hash_load(b.data + b.len - 8, 8);
}

static bool is_equal(const dictionary_maker *m, const void *a, int64_t i, const void *b, int64_t k)
{
    switch (m->leaf->lay) {
    case FL_PQ_LAY_4:
        return ((const uint32_t *)a)[i] == ((const uint32_t *)b)[k];
    case FL_PQ_LAY_8:
        return ((const uint64_t *)a)[i] == ((const uint64_t *)b)[k];
    default:
        return is_same_text(((const fl_str *)a)[i], ((const fl_str *)b)[k]);
    }
}

static fl_status grow(dictionary_maker *m, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t width = fl_pq_lay_bytes(m->leaf->lay), capacity = m->capacity * 4 + 256;
    char *values = NULL;
    FL_TRY(fl_arena_get(m->arena, capacity * width, (void **)&values, err));
    if (m->d.n > 0)
        memcpy(values, m->d.values, (size_t)(m->d.n * width));
    m->d.values = values;
    m->capacity = capacity;
    m->n_slots = capacity * 2;
    FL_TRY(FL_NEW_ARRAY(m->arena, m->n_slots, &m->slots, err));
    for (int64_t i = 0; i < m->d.n; i++) {
        int64_t at = (int64_t)(((unsigned __int128)hash_of(m, values, i) * (uint64_t)m->n_slots) >> 64);
        while (m->slots[at] != 0)
            at = at + 1 == m->n_slots ? 0 : at + 1;
        m->slots[at] = (uint32_t)i + 1;
    }
cleanup:
    return st;
}

static fl_status find(dictionary_maker *m, const void *values, int64_t i, uint32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (m->d.n == m->capacity)
        FL_TRY(grow(m, err));
    int64_t at = (int64_t)(((unsigned __int128)hash_of(m, values, i) * (uint64_t)m->n_slots) >> 64);
    while (m->slots[at] != 0) {
        if (is_equal(m, values, i, m->d.values, m->slots[at] - 1)) {
            *ret = m->slots[at] - 1;
            return FL_OK;
        }
        at = at + 1 == m->n_slots ? 0 : at + 1;
    }
    int64_t width = fl_pq_lay_bytes(m->leaf->lay);
    memcpy((char *)m->d.values + m->d.n * width, (const char *)values + i * width, (size_t)width);
    m->d.bytes += m->leaf->lay != FL_PQ_LAY_BYTES ? width
                  : m->leaf->type_length > 0      ? m->leaf->type_length
                                                  : ((const fl_str *)values)[i].len + 4;
    *ret = (uint32_t)m->d.n++;
    m->slots[at] = *ret + 1;
cleanup:
    return st;
}

fl_status fl_pq_dictionary_make(fl_arena *arena, const fl_pq_out_leaf *leaf, const fl_pq_shred *shred,
                                int64_t bytes_most, fl_pq_out_dictionary *ret, bool *ret_is_made, fl_err *err)
{
    fl_status st = FL_OK;
    dictionary_maker m = {.arena = arena, .leaf = leaf};
    fl_work work = fl_work_of(arena->memory);
    int64_t n = shred->n_values;
    FL_ASSERT(leaf->lay != FL_PQ_LAY_1);
    *ret_is_made = false;
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(arena, (n + 16) * (int64_t)sizeof(*m.d.codes), (void **)&m.d.codes, err));
    for (int64_t i = 0; i < n; i++) {
        if (i % TRIED_EVERY == 0) {
            bool is_dear = i > 0 && m.d.n > i / 4 * 3;
            int64_t codes = n * fl_pq_bits_of((uint64_t)m.d.n) / 8;
            if (is_dear || m.d.bytes + codes >= bytes_most || m.d.bytes > DICTIONARY_BYTES_MAX ||
                m.d.n > DICTIONARY_VALUES_MAX)
                return FL_OK;
            FL_TRY(fl_work_add(&work, TRIED_EVERY, err));
        }
        if (i > 0 && is_equal(&m, shred->values, i, shred->values, i - 1))
            m.d.codes[i] = m.d.codes[i - 1];
        else
            FL_TRY(find(&m, shred->values, i, &m.d.codes[i], err));
    }
    *ret_is_made = m.d.bytes + n * fl_pq_bits_of((uint64_t)m.d.n) / 8 < bytes_most;
    *ret = m.d;
cleanup:
    return st;
}

/* ---- Bloom filters ------------------------------------------------------------------------------------------------- */

static void insert(uint32_t *block, uint32_t key)
{
    static const uint32_t salt[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                     0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
    for (int32_t i = 0; i < 8; i++)
        block[i] |= 1U << ((key * salt[i]) >> 27);
}

static uint64_t bloom_hash(const fl_pq_out_leaf *leaf, const void *values, int64_t i)
{
    if (leaf->lay == FL_PQ_LAY_BYTES) {
        const fl_str *s = (const fl_str *)values + i;
        return XXH64(s->data, (size_t)s->len, 0);
    }
    int64_t width = fl_pq_lay_bytes(leaf->lay);
    return XXH64((const char *)values + i * width, (size_t)width, 0);
}

void fl_pq_bloom_write(fl_text *to, const fl_pq_out_leaf *leaf, const fl_pq_out_dictionary *dictionary)
{
    fl_pq_thrift_out w;
    int64_t wanted = dictionary->n * BLOOM_BITS_PER_VALUE / 8, bytes = BLOCK_BYTES;
    while (bytes < wanted && bytes < BLOOM_BYTES_MAX)
        bytes *= 2;
    fl_pq_thrift_out_init(&w, to);
    fl_pq_write_struct(&w);
    fl_pq_write_i32(&w, 1, (int32_t)bytes);
    for (int32_t id = 2; id <= 4; id++) { /* blocks, XXH64, not compressed */
        fl_pq_write_struct_field(&w, id);
        fl_pq_write_struct_field(&w, 1);
        fl_pq_write_end(&w);
        fl_pq_write_end(&w);
    }
    fl_pq_write_end(&w);
    char *room = fl_text_room(to, bytes);
    if (room == NULL)
        return;
    memset(room, 0, (size_t)bytes);
    for (int64_t i = 0; i < dictionary->n; i++) {
        uint64_t hash = bloom_hash(leaf, dictionary->values, i);
        uint64_t block = ((hash >> 32) * (uint64_t)(bytes / BLOCK_BYTES)) >> 32;
        uint32_t words[8];
        memcpy(words, room + block * BLOCK_BYTES, BLOCK_BYTES);
        insert(words, (uint32_t)hash);
        memcpy(room + block * BLOCK_BYTES, words, BLOCK_BYTES);
    }
    to->len += bytes;
}
