/* Texts in and out. */
#include "exports.h"

EXPORT(alloc) pointer alloc(pointer bytes)
{
    return take(bytes);
}

EXPORT(shout) text shout(pointer at, pointer bytes)
{
    pointer to = take(bytes + 1);
    for (pointer i = 0; i < bytes; i++) {
        byte c = ((byte *)at)[i];
        ((byte *)to)[i] = c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    ((byte *)to)[bytes] = '!';
    return text_of(to, bytes + 1);
}

EXPORT(vowels) int vowels(pointer at, pointer bytes)
{
    int n = 0;
    for (pointer i = 0; i < bytes; i++) {
        byte c = ((byte *)at)[i] | 32;
        n += c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
    }
    return n;
}

EXPORT(glue) text glue(pointer a, pointer a_bytes, pointer b, pointer b_bytes)
{
    pointer to = take(a_bytes + b_bytes);
    for (pointer i = 0; i < a_bytes; i++)
        ((byte *)to)[i] = ((byte *)a)[i];
    for (pointer i = 0; i < b_bytes; i++)
        ((byte *)to)[a_bytes + i] = ((byte *)b)[i];
    return text_of(to, a_bytes + b_bytes);
}

/* Null for a text without letters. */
EXPORT(first_letter) text first_letter(pointer at, pointer bytes)
{
    for (pointer i = 0; i < bytes; i++) {
        byte c = ((byte *)at)[i] | 32;
        if (c >= 'a' && c <= 'z')
            return text_of(at + i, 1);
    }
    return ~0ull;
}
