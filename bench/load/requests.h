/* The file of raw requests to send: "LOAD1\n", a count, then each request after its length (32 bits, little endian). */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
    const char *data;
    size_t length;
    bool is_head;
};

struct requests {
    struct request *items;
    size_t count;
};

/* Reads the file; NULL, or what is wrong with it. The memory is kept until the process ends. */
const char *requests_read(const char *path, struct requests *requests);

#endif
