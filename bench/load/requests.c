#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char MAGIC[] = "LOAD1\n";
enum { MAGIC_LENGTH = sizeof MAGIC - 1, WORD = 4 };

static uint32_t word_at(const unsigned char *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    struct stat facts;
    char *data = NULL;
    if (fstat(fileno(file), &facts) == 0 && S_ISREG(facts.st_mode)) {
        *length = (size_t)facts.st_size;
        data = malloc(*length + 1);
        if (data != NULL && fread(data, 1, *length, file) != *length) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

const char *requests_read(const char *path, struct requests *requests)
{
    size_t length = 0;
    char *data = read_whole(path, &length);
    if (data == NULL)
        return "cannot read the file of requests";
    if (length < MAGIC_LENGTH + WORD || memcmp(data, MAGIC, MAGIC_LENGTH) != 0)
        return "this is not a file of requests";
    size_t count = word_at((unsigned char *)data + MAGIC_LENGTH);
    size_t position = MAGIC_LENGTH + WORD;
    if (count == 0 || count > (length - position) / WORD)
        return "the file of requests is empty or cut short";
    requests->items = calloc(count, sizeof *requests->items);
    if (requests->items == NULL)
        return "not enough memory for the requests";
    for (size_t i = 0; i < count; i++) {
        if (length - position < WORD)
            return "the file of requests is cut short";
        size_t size = word_at((unsigned char *)data + position);
        position += WORD;
        if (size == 0 || size > length - position)
            return "the file of requests is cut short";
        requests->items[i] = (struct request){data + position, size, size > 5 && memcmp(data + position, "HEAD ", 5) == 0};
        position += size;
    }
    if (position != length)
        return "the file of requests has something behind its end";
    requests->count = count;
    return NULL;
}
