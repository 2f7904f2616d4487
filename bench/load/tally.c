#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_EXACT)
        return (unsigned)value;
    unsigned doubling = 63U - (unsigned)__builtin_clzll(value); /* 7 for 128 to 255 */
    unsigned step = (unsigned)(value >> (doubling - 6)) - HISTOGRAM_STEPS;
    return HISTOGRAM_EXACT + (doubling - 7) * HISTOGRAM_STEPS + step;
}

static uint64_t highest_in(unsigned bucket)
{
    if (bucket < HISTOGRAM_EXACT)
        return bucket;
    unsigned doubling = 7 + (bucket - HISTOGRAM_EXACT) / HISTOGRAM_STEPS;
    uint64_t step = (bucket - HISTOGRAM_EXACT) % HISTOGRAM_STEPS;
    uint64_t width = UINT64_C(1) << (doubling - 6);
    return (HISTOGRAM_STEPS + step) * width + (width - 1);
}

void tally_latency(struct tally *tally, uint64_t microseconds)
{
    if (tally->completed == 0 || microseconds < tally->latency_min)
        tally->latency_min = microseconds;
    if (microseconds > tally->latency_max)
        tally->latency_max = microseconds;
    tally->latency_sum += microseconds;
    tally->histogram[bucket_of(microseconds)]++;
    tally->completed++;
}

uint64_t tally_percentile(const struct tally *tally, double share)
{
    double exact = share * (double)tally->completed;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact || rank == 0)
        rank++;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_SIZE; bucket++) {
        seen += tally->histogram[bucket];
        if (seen >= rank) {
            uint64_t value = highest_in(bucket);
            return value < tally->latency_max ? value : tally->latency_max;
        }
    }
    return tally->latency_max;
}

static void print_statuses(const struct tally *tally)
{
    const char *comma = "";
    printf("\"statuses\": {");
    for (int status = 0; status < 600; status++) {
        if (tally->statuses[status] == 0)
            continue;
        printf("%s\"%d\": %" PRIu64, comma, status, tally->statuses[status]);
        comma = ", ";
    }
    printf("}, ");
}

void tally_print(const struct tally *tally, double seconds, double cpu_seconds, int connections)
{
    double completed = (double)tally->completed;
    printf("{\"connections\": %d, \"seconds\": %.6f, \"completed\": %" PRIu64 ", \"drained\": %" PRIu64 ", ", connections,
           seconds, tally->completed, tally->drained);
    printf("\"requests_per_second\": %.3f, ", seconds > 0 ? completed / seconds : 0.0);
    print_statuses(tally);
    printf("\"errors\": {\"connect\": %" PRIu64 ", \"timeout\": %" PRIu64 ", \"closed\": %" PRIu64 ", \"malformed\": %" PRIu64
           "}, ",
           tally->connect_errors, tally->timeouts, tally->closed, tally->malformed);
    printf("\"connections_opened\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"cpu_seconds\": %.6f, ", tally->connections_opened,
           tally->bytes, cpu_seconds);
    printf("\"latency_us\": {\"min\": %" PRIu64 ", \"mean\": %.1f, \"p50\": %" PRIu64 ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64
           ", \"max\": %" PRIu64 "}}\n",
           tally->latency_min, completed > 0 ? (double)tally->latency_sum / completed : 0.0, tally_percentile(tally, 0.5),
           tally_percentile(tally, 0.9), tally_percentile(tally, 0.99), tally->latency_max);
}
