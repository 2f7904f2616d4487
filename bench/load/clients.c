#define _GNU_SOURCE
#include "clients.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "response.h"

enum { BUFFER_SIZE = 65536, EVENTS_AT_ONCE = 256, SWEEP_MILLISECONDS = 10 };
static const uint64_t SECOND = 1000000000;

enum client_state { CLIENT_WAITING, CLIENT_CONNECTING, CLIENT_BUSY, CLIENT_FINISHED };

struct client {
    enum client_state state;
    int socket;
    bool wants_to_write;
    const struct request *request;
    size_t sent;
    uint64_t since; /* when the request, the connecting or the waiting began */
    struct response response;
};

struct run {
    const struct plan *plan;
    const struct requests *requests;
    struct tally *tally;
    struct client *clients;
    int epoll, unfinished;
    uint64_t issued, started, deadline, last_answer;
    bool connected_once;
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static bool may_send(const struct run *run)
{
    return now() < run->deadline && (run->plan->limit == 0 || run->issued < run->plan->limit);
}

static void hang_up(struct client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
}

static void finish(struct run *run, struct client *client)
{
    hang_up(client);
    client->state = CLIENT_FINISHED;
    run->unfinished--;
}

/* After a failure a client pauses for one sweep, so that a dead server does not make the loop spin. */
static void fail(struct client *client, uint64_t *counter)
{
    (*counter)++;
    hang_up(client);
    client->state = CLIENT_WAITING;
    client->since = now();
}

static void watch(struct run *run, struct client *client, bool write, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(run->epoll, operation, client->socket, &event);
    client->wants_to_write = write;
}

static void continue_sending(struct run *run, struct client *client)
{
    const struct request *request = client->request;
    while (client->sent < request->length) {
        ssize_t count = send(client->socket, request->data + client->sent, request->length - client->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            break; /* full, or broken: then reading tells */
        client->sent += (size_t)count;
    }
    bool write = client->sent < request->length;
    if (write != client->wants_to_write)
        watch(run, client, write, EPOLL_CTL_MOD);
}

static void send_next(struct run *run, struct client *client)
{
    if (!may_send(run)) {
        finish(run, client);
        return;
    }
    client->request = &run->requests->items[run->issued++ % run->requests->count];
    client->sent = 0;
    client->state = CLIENT_BUSY;
    client->since = now();
    response_start(&client->response, client->request->is_head);
    continue_sending(run, client);
}

static void dial(struct run *run, struct client *client)
{
    if (!may_send(run)) {
        finish(run, client);
        return;
    }
    const struct sockaddr *address = (const struct sockaddr *)&run->plan->address;
    client->socket = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int at_once = 1;
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    int result = client->socket < 0 ? -1 : connect(client->socket, address, run->plan->address_length);
    if (result < 0 && (client->socket < 0 || errno != EINPROGRESS)) {
        fail(client, &run->tally->connect_errors);
        return;
    }
    client->state = CLIENT_CONNECTING;
    client->since = now();
    watch(run, client, true, EPOLL_CTL_ADD);
}

static void connected(struct run *run, struct client *client)
{
    int problem = 0;
    socklen_t length = sizeof problem;
    getsockopt(client->socket, SOL_SOCKET, SO_ERROR, &problem, &length);
    if (problem != 0) {
        fail(client, &run->tally->connect_errors);
        return;
    }
    run->connected_once = true;
    run->tally->connections_opened++;
    send_next(run, client);
}

static void answered(struct run *run, struct client *client)
{
    uint64_t time = now();
    run->tally->statuses[client->response.status]++;
    if (time <= run->deadline) {
        tally_latency(run->tally, (time - client->since) / 1000);
        run->last_answer = time;
    } else {
        run->tally->drained++;
    }
    if (client->response.keep_alive && client->sent == client->request->length) {
        send_next(run, client);
        return;
    }
    hang_up(client);
    dial(run, client);
}

static void receive(struct run *run, struct client *client)
{
    static char buffer[BUFFER_SIZE];
    ssize_t count = recv(client->socket, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct response *response = &client->response;
    size_t used = 0;
    if (count > 0) {
        run->tally->bytes += (uint64_t)count;
        used = response_feed(response, buffer, (size_t)count);
    } else if (count == 0) {
        response_closed(response);
    }
    if (response->state == RESPONSE_DONE && (count <= 0 || used == (size_t)count))
        answered(run, client);
    else if (count <= 0)
        fail(client, &run->tally->closed);
    else if (response->state == RESPONSE_BROKEN || response->state == RESPONSE_DONE)
        fail(client, &run->tally->malformed); /* no HTTP, or more than was asked for */
}

static void serve_event(struct run *run, const struct epoll_event *event)
{
    struct client *client = event->data.ptr;
    if (client->state == CLIENT_CONNECTING) {
        connected(run, client);
        return;
    }
    if (client->state == CLIENT_BUSY && (event->events & EPOLLOUT))
        continue_sending(run, client);
    if (client->state == CLIENT_BUSY && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        receive(run, client);
}

/* Ends what takes too long and lets those dial again that paused. */
static void sweep(struct run *run, uint64_t time)
{
    uint64_t patience = (uint64_t)(run->plan->timeout * (double)SECOND);
    for (int i = 0; i < run->plan->connections; i++) {
        struct client *client = &run->clients[i];
        uint64_t waited = time > client->since ? time - client->since : 0;
        if (client->state == CLIENT_WAITING && waited >= SWEEP_MILLISECONDS * (SECOND / 1000))
            dial(run, client);
        else if (client->state == CLIENT_CONNECTING && waited > patience)
            fail(client, &run->tally->connect_errors);
        else if (client->state == CLIENT_BUSY && waited > patience)
            fail(client, &run->tally->timeouts);
    }
}

static bool nobody_there(const struct run *run)
{
    return !run->connected_once && run->tally->connect_errors >= 3 * (uint64_t)run->plan->connections;
}

static int loop(struct run *run)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t hard_end = run->deadline + (uint64_t)(run->plan->timeout * (double)SECOND);
    uint64_t swept = run->started;
    while (run->unfinished > 0 && !nobody_there(run)) {
        int count = epoll_wait(run->epoll, events, EVENTS_AT_ONCE, SWEEP_MILLISECONDS);
        if (count < 0 && errno != EINTR)
            return -1;
        for (int i = 0; i < count; i++)
            serve_event(run, &events[i]);
        uint64_t time = now();
        if (time - swept >= SWEEP_MILLISECONDS * (SECOND / 1000)) {
            sweep(run, time);
            swept = time;
        }
        if (time > hard_end)
            break;
    }
    for (int i = 0; i < run->plan->connections; i++)
        if (run->clients[i].state == CLIENT_BUSY)
            run->tally->timeouts++;
    return 0;
}

double clients_run(const struct plan *plan, const struct requests *requests, struct tally *tally)
{
    struct run run = {.plan = plan, .requests = requests, .tally = tally, .unfinished = plan->connections};
    run.clients = calloc((size_t)plan->connections, sizeof *run.clients);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run.clients == NULL || run.epoll < 0)
        return -1;
    run.started = run.last_answer = now();
    run.deadline = run.started + (uint64_t)(plan->seconds * (double)SECOND);
    for (int i = 0; i < plan->connections; i++) {
        run.clients[i].socket = -1;
        dial(&run, &run.clients[i]);
    }
    int result = loop(&run);
    for (int i = 0; i < plan->connections; i++)
        hang_up(&run.clients[i]);
    free(run.clients);
    close(run.epoll);
    if (result < 0)
        return -1;
    /* A run that ended by its number of requests lasted until its last answer, every other one until its deadline. */
    bool all_sent = plan->limit > 0 && run.issued == plan->limit && tally->drained == 0;
    return (double)((all_sent ? run.last_answer : run.deadline) - run.started) / (double)SECOND;
}
