/* Reads one HTTP/1.1 response out of a stream of bytes that arrives in pieces. */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_HEAD_LIMIT = 16384 };

enum response_state {
    RESPONSE_HEAD,
    RESPONSE_LENGTH,      /* a body of known length */
    RESPONSE_CHUNKED,
    RESPONSE_UNTIL_CLOSE, /* a body that ends with the connection */
    RESPONSE_DONE,
    RESPONSE_BROKEN,
};

enum chunk_state { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, CHUNK_TRAILER };

struct response {
    enum response_state state;
    enum chunk_state chunk;
    int status;
    bool keep_alive;
    bool without_body;     /* the request was a HEAD */
    uint64_t left;         /* bytes of the body, or of the chunk, still to come */
    unsigned digits;       /* hexadecimal digits read of a chunk's size */
    unsigned line_length;  /* of the trailer line being read */
    size_t head_length;
    char head[RESPONSE_HEAD_LIMIT];
};

void response_start(struct response *response, bool head_request);

/* Takes what belongs to this response and says how many bytes that was; look at `state` afterwards. */
size_t response_feed(struct response *response, const char *data, size_t length);

/* The peer closed the connection: finishes a body that ends so, and breaks every other one. */
void response_closed(struct response *response);

#endif
