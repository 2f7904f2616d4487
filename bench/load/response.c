#define _GNU_SOURCE
#include "response.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void response_start(struct response *response, bool head_request)
{
    response->state = RESPONSE_HEAD;
    response->chunk = CHUNK_SIZE;
    response->status = 0;
    response->keep_alive = true;
    response->without_body = head_request;
    response->left = 0;
    response->digits = 0;
    response->line_length = 0;
    response->head_length = 0;
}

void response_closed(struct response *response)
{
    response->keep_alive = false;
    response->state = response->state == RESPONSE_UNTIL_CLOSE ? RESPONSE_DONE : RESPONSE_BROKEN;
}

static bool parse_length(const char *value, size_t length, uint64_t *result)
{
    if (length == 0 || length > 18)
        return false;
    *result = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)value[i]))
            return false;
        *result = *result * 10 + (uint64_t)(value[i] - '0');
    }
    return true;
}

static bool is_text(const char *value, size_t length, const char *text)
{
    return length == strlen(text) && strncasecmp(value, text, length) == 0;
}

/* Everything the head says about the body, before any of it is believed. */
struct framing {
    bool chunked, has_length;
    uint64_t length;
};

static bool read_header(struct response *response, const char *line, size_t length, struct framing *framing)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return false;
    size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1;
    const char *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t value_length = (size_t)(end - value);
    if (is_text(line, name_length, "content-length")) {
        framing->has_length = true;
        return parse_length(value, value_length, &framing->length);
    }
    if (is_text(line, name_length, "transfer-encoding")) {
        framing->chunked = is_text(value, value_length, "chunked");
        return framing->chunked;
    }
    if (is_text(line, name_length, "connection")) {
        if (is_text(value, value_length, "close"))
            response->keep_alive = false;
        else if (is_text(value, value_length, "keep-alive"))
            response->keep_alive = true;
    }
    return true;
}

static bool read_status_line(struct response *response, const char *line, size_t length)
{
    if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
        return false;
    for (int i = 9; i < 12; i++)
        if (!isdigit((unsigned char)line[i]))
            return false;
    response->keep_alive = line[7] != '0';
    response->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    return response->status >= 100 && response->status < 600;
}

static void choose_body(struct response *response, const struct framing *framing)
{
    if (response->without_body || response->status == 204 || response->status == 304) {
        response->state = RESPONSE_DONE;
    } else if (framing->chunked) {
        response->state = RESPONSE_CHUNKED;
    } else if (framing->has_length) {
        response->left = framing->length;
        response->state = framing->length > 0 ? RESPONSE_LENGTH : RESPONSE_DONE;
    } else {
        response->keep_alive = false;
        response->state = RESPONSE_UNTIL_CLOSE;
    }
}

/* Parses the complete head in `response->head`, blank line included. */
static void read_head(struct response *response)
{
    const char *line = response->head;
    const char *end = response->head + response->head_length - 2;
    struct framing framing = {0};
    bool first = true;
    while (line < end) {
        const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        size_t length = (size_t)(stop - line);
        bool good = first ? read_status_line(response, line, length) : read_header(response, line, length, &framing);
        if (!good) {
            response->state = RESPONSE_BROKEN;
            return;
        }
        first = false;
        line = stop + 2;
    }
    if (response->status == 101)
        response->state = RESPONSE_BROKEN;
    else if (response->status < 200) /* 100 Continue and its like: the real one follows */
        response_start(response, response->without_body);
    else
        choose_body(response, &framing);
}

static size_t feed_head(struct response *response, const char *data, size_t length)
{
    size_t before = response->head_length;
    size_t room = RESPONSE_HEAD_LIMIT - before;
    size_t taken = length < room ? length : room;
    memcpy(response->head + before, data, taken);
    size_t from = before > 3 ? before - 3 : 0;
    const char *blank = memmem(response->head + from, before + taken - from, "\r\n\r\n", 4);
    if (blank == NULL) {
        response->head_length = before + taken;
        if (response->head_length == RESPONSE_HEAD_LIMIT)
            response->state = RESPONSE_BROKEN;
        return taken;
    }
    response->head_length = (size_t)(blank - response->head) + 4;
    size_t used = response->head_length - before;
    read_head(response);
    return used;
}

static size_t take(struct response *response, size_t length)
{
    size_t taken = response->left < length ? (size_t)response->left : length;
    response->left -= taken;
    return taken;
}

static bool add_size_digit(struct response *response, char byte)
{
    int digit = isdigit((unsigned char)byte) ? byte - '0' : tolower((unsigned char)byte) - 'a' + 10;
    if (!isxdigit((unsigned char)byte) || ++response->digits > 15)
        return false;
    response->left = response->left * 16 + (uint64_t)digit;
    return true;
}

static enum chunk_state after_size_line(struct response *response)
{
    response->line_length = 0;
    return response->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
}

/* One byte of a chunked body's framing; false when it does not belong there. */
static bool feed_framing(struct response *response, char byte)
{
    switch (response->chunk) {
    case CHUNK_SIZE:
        if (byte != '\r' && byte != ';' && byte != ' ' && byte != '\t')
            return add_size_digit(response, byte);
        response->chunk = CHUNK_EXTENSION;
        return response->digits > 0;
    case CHUNK_EXTENSION:
        if (byte == '\n')
            response->chunk = after_size_line(response);
        return true;
    case CHUNK_DATA_CR:
        response->chunk = CHUNK_DATA_LF;
        return byte == '\r';
    case CHUNK_DATA_LF:
        response->chunk = CHUNK_SIZE;
        response->digits = 0;
        return byte == '\n';
    case CHUNK_TRAILER:
        if (byte == '\n' && response->line_length == 0)
            response->state = RESPONSE_DONE;
        else if (byte == '\n')
            response->line_length = 0;
        else if (byte != '\r')
            response->line_length++;
        return true;
    default:
        return false;
    }
}

static size_t feed_chunked(struct response *response, const char *data, size_t length)
{
    size_t used = 0;
    while (used < length && response->state == RESPONSE_CHUNKED) {
        if (response->chunk == CHUNK_DATA) {
            used += take(response, length - used);
            if (response->left == 0)
                response->chunk = CHUNK_DATA_CR;
        } else if (!feed_framing(response, data[used++])) {
            response->state = RESPONSE_BROKEN;
        }
    }
    return used;
}

size_t response_feed(struct response *response, const char *data, size_t length)
{
    size_t used = 0;
    while (used < length && response->state == RESPONSE_HEAD)
        used += feed_head(response, data + used, length - used);
    if (response->state == RESPONSE_LENGTH) {
        used += take(response, length - used);
        if (response->left == 0)
            response->state = RESPONSE_DONE;
    } else if (response->state == RESPONSE_CHUNKED) {
        used += feed_chunked(response, data + used, length - used);
    } else if (response->state == RESPONSE_UNTIL_CLOSE) {
        used = length;
    }
    return used;
}
