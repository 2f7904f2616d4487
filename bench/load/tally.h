/* What is counted during a run, and the one JSON object that tells it. */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

/* Latencies in microseconds: exact below 128, then 64 steps for each doubling, so no reading is off by more than 1.6 %. */
enum { HISTOGRAM_EXACT = 128, HISTOGRAM_STEPS = 64, HISTOGRAM_SIZE = HISTOGRAM_EXACT + 57 * HISTOGRAM_STEPS };

struct tally {
    uint64_t completed;        /* answers inside the measured time */
    uint64_t drained;          /* answers to requests under way when it ended */
    uint64_t statuses[600];    /* of both */
    uint64_t connect_errors, timeouts, closed, malformed;
    uint64_t connections_opened;
    uint64_t bytes;            /* received, heads included */
    uint64_t latency_sum, latency_min, latency_max;
    uint64_t histogram[HISTOGRAM_SIZE];
};

void tally_latency(struct tally *tally, uint64_t microseconds);

/* The latency that `share` (0 to 1) of the answers did not exceed; 0 when there are none. */
uint64_t tally_percentile(const struct tally *tally, double share);

void tally_print(const struct tally *tally, double seconds, double cpu_seconds, int connections);

#endif
