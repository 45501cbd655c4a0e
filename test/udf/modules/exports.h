/* What the modules of this folder share. Build them with ./build.sh. */
#define EXPORT(name) __attribute__((export_name(#name)))

typedef unsigned char byte;
typedef unsigned int pointer;
typedef unsigned long long text; /* pointer * 2^32 + length */

extern byte __heap_base;

/* Memory for texts: it only grows, as an instance lives for one query. */
static inline pointer take(pointer bytes)
{
    static pointer top;
    pointer begin = ((top == 0 ? (pointer)&__heap_base : top) + 15) & ~15u, pages = __builtin_wasm_memory_size(0);
    top = begin + bytes;
    if (top > pages * 65536u && __builtin_wasm_memory_grow(0, (top - pages * 65536u + 65535) / 65536) == ~0ul)
        __builtin_trap();
    return begin;
}

static inline text text_of(pointer at, pointer bytes)
{
    return (text)at << 32 | bytes;
}
