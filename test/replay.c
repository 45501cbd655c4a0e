/* Runs a fuzz target over a corpus without libFuzzer, so that every build, sanitizers included, replays past findings.
 *
 * Linked with one file of fuzz/, which defines LLVMFuzzerTestOneInput. Arguments are files and folders (not entered
 * deeper than one level); none at all means nothing to replay, which is said and is no failure. Exit status 1 when an
 * input cannot be read; a crash is the target's own. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    /* exactly as long as the input, so that the address sanitizer sees a read past its end */
    uint8_t *data = malloc(size > 0 ? size : 1);
    size_t got = data != NULL ? fread(data, 1, size, file) : 0;
    fclose(file);
    if (data == NULL || got != size) {
        fprintf(stderr, "replay: %s: cannot read %zu bytes\n", path, size);
        free(data);
        return 1;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int replay(const char *path, int depth, int *inputs)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        if (depth == 0 && errno == ENOENT) {
            printf("replay: no corpus at %s\n", path);
            return 0;
        }
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (!S_ISDIR(info.st_mode)) {
        (*inputs)++;
        return replay_file(path, (size_t)info.st_size);
    }
    if (depth > 0)
        return 0;
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort); /* sorted: the same order on every machine */
    int failed = count < 0;
    for (int i = 0; i < count; i++) {
        char child[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
            failed |= replay(child, depth + 1, inputs);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0, inputs = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i], 0, &inputs);
    printf("replay: %d inputs\n", inputs);
    return failed;
}
