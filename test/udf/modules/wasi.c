/* A program of wasi-libc: its start, its allocator, its stdio. Nothing that it asks the system for is granted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(malloc_sum) long long malloc_sum(int n)
{
    long long *numbers = malloc((size_t)n * sizeof(*numbers)), sum = 0;
    for (int i = 0; i < n; i++)
        numbers[i] = i;
    for (int i = 0; i < n; i++)
        sum += numbers[i];
    free(numbers);
    return sum;
}

EXPORT(open_file) int open_file(int unused)
{
    FILE *file = fopen("/etc/passwd", "r");
    printf("not to be seen\n");
    return file != NULL || unused * 0;
}

int main(void)
{
    return 0;
}
