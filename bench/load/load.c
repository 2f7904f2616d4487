/*
 * load: HTTP/1.1 keep-alive load on a server of this machine, from one thread.
 *
 *   load [--connections N] [--seconds S] [--requests N] [--timeout S] [--cpu N] ADDRESS PORT FILE
 *
 * Sends the raw requests of FILE (see requests.h) in turn and prints one JSON object (see tally.c). Only loopback
 * addresses are taken: this is an instrument, not a weapon. Exit status: 0, 1 when nothing was answered, 2 for a wrong call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clients.h"

static const char USAGE[] =
    "usage: load [--connections N] [--seconds S] [--requests N] [--timeout S] [--cpu N] ADDRESS PORT FILE";

enum { MOST_CONNECTIONS = 4096, MOST_SECONDS = 3600, MOST_REQUESTS = 1000000000 };

static _Noreturn void refuse(const char *why)
{
    fprintf(stderr, "load: %s\n", why);
    exit(2);
}

static double number(const char *text, double least, double most)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        refuse(USAGE);
    return value;
}

/* The address must be written in digits, so that no name server can point the load at somebody else. */
static void set_address(struct plan *plan, const char *address, unsigned port)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&plan->address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&plan->address;
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        if (ntohl(four->sin_addr.s_addr) >> 24 != 127)
            refuse("only loopback addresses are allowed (127.0.0.0/8, ::1)");
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        plan->address_length = sizeof *four;
    } else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
        if (!IN6_IS_ADDR_LOOPBACK(&six->sin6_addr))
            refuse("only loopback addresses are allowed (127.0.0.0/8, ::1)");
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        plan->address_length = sizeof *six;
    } else {
        refuse("the address must be a loopback address in digits (127.0.0.1 or ::1)");
    }
}

static void pin(int cpu)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
        refuse("cannot run on that CPU");
}

static void read_arguments(int count, char **values, struct plan *plan)
{
    static const struct option OPTIONS[] = {
        {"connections", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
        {"requests", required_argument, NULL, 'r'},    {"timeout", required_argument, NULL, 't'},
        {"cpu", required_argument, NULL, 'p'},         {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(count, values, "", OPTIONS, NULL)) != -1) {
        switch (option) {
        case 'c': plan->connections = (int)number(optarg, 1, MOST_CONNECTIONS); break;
        case 's': plan->seconds = number(optarg, 0.001, MOST_SECONDS); break;
        case 'r': plan->limit = (uint64_t)number(optarg, 1, MOST_REQUESTS); break;
        case 't': plan->timeout = number(optarg, 0.001, MOST_SECONDS); break;
        case 'p': pin((int)number(optarg, 0, CPU_SETSIZE - 1)); break;
        default: refuse(USAGE);
        }
    }
    if (count - optind != 3)
        refuse(USAGE);
    set_address(plan, values[optind], (unsigned)number(values[optind + 1], 1, 65535));
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **values)
{
    static struct tally tally;
    struct plan plan = {.connections = 16, .seconds = 10, .timeout = 10};
    struct requests requests;
    read_arguments(count, values, &plan);
    const char *problem = requests_read(values[optind + 2], &requests);
    if (problem != NULL)
        refuse(problem);
    double seconds = clients_run(&plan, &requests, &tally);
    if (seconds < 0) {
        fprintf(stderr, "load: %s\n", strerror(errno));
        return 2;
    }
    tally_print(&tally, seconds, cpu_seconds(), plan.connections);
    return tally.completed + tally.drained > 0 ? 0 : 1;
}
