/* Feeds every file of a folder to a fuzz target: the corpus as an ordinary test. Fails when the
 * folder holds nothing, so that a lost corpus is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    size_t cap = 1u << 20, len;
    uint8_t *data = xmalloc(cap);
    len = fread(data, 1, cap, f);
    (void)fclose(f);
    uint8_t *exact = xmalloc(len + (len == 0)); /* so that ASan sees a read past the end */
    memcpy(exact, data, len);
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

int main(int argc, char **argv)
{
    size_t files = 0;
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        (void)fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        replay_file(path);
        files++;
    }
    (void)closedir(dir);
    printf("%zu inputs replayed\n", files);
    return files == 0;
}
