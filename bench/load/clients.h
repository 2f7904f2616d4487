/* A closed loop of HTTP clients: each connection sends its next request as soon as the last one is answered. */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <netinet/in.h>
#include <stdint.h>

#include "requests.h"
#include "tally.h"

struct plan {
    struct sockaddr_storage address;
    socklen_t address_length;
    int connections;
    double seconds;   /* how long requests are sent, at most */
    uint64_t limit;   /* how many are sent, or 0 for as many as fit */
    double timeout;   /* seconds one answer may take */
};

/*
 * Runs the plan and fills the tally; returns the measured seconds, or -1 when the system refused (see errno).
 * It ends `seconds + timeout` after its start at the latest.
 */
double clients_run(const struct plan *plan, const struct requests *requests, struct tally *tally);

#endif
