/* Many WebSocket clients in one process, which count events: the load generator of `bench.fanout`.
 *
 *     fanload PORT HELLO READY
 *
 * HELLO, when it is not empty, is sent as a text frame after the upgrade; a socket is ready once READY, when it is not
 * empty, has come. An event is known by its mark, `@` and ten digits, its offset, wherever frames and reads cut it;
 * each must be one more than the one before it at that socket. Anything else ends the program with `error ...`.
 *
 * Commands, a line each:                    Answers:
 *     open PATH    connect one more         ready N          nobody is connecting, N sockets are ready
 *                                           refused PATH     the server would not upgrade this one
 *     want N       events up to offset N    have N           every socket has them
 *
 * A new socket begins after the offset that was wanted last. Masks are all zero, which the protocol allows.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"

enum { SOCKETS_MAX = 60000, READ_BYTES = 256 * 1024, ANSWER_BYTES = 2048, CONTROL_BYTES = 125, MARK_DIGITS = 10 };
enum { CLOSED, UPGRADING, GREETED, READY_TO_COUNT };

struct client {
    int fd, state;
    char *path;   /* until it is upgraded */
    char *answer; /* what has come of the HTTP answer */
    size_t answer_bytes;
    uint8_t head[10], head_bytes, opcode, control_bytes;
    uint8_t control[CONTROL_BYTES];
    uint64_t left; /* of the frame's payload */
    int in_frame;
    int mark;        /* 0: outside; else bytes of the mark that have come */
    uint64_t number; /* what its digits say so far */
    uint64_t last;   /* offset of the last event */
};

static struct client *clients[SOCKETS_MAX];
static int client_count, ready_count, connecting, lacking, epoll;
static uint64_t wanted;
static const char *hello, *ready_mark;
static struct sockaddr_in server;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("error ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    exit(1);
}

static void say(const char *format, unsigned long long number) {
    printf(format, number);
    fflush(stdout);
}

static void is_settled(void) {
    if (--connecting == 0) say("ready %llu\n", ready_count);
}

static void become_ready(struct client *c) {
    c->state = READY_TO_COUNT;
    ready_count++;
    is_settled();
}

static void send_frame(struct client *c, int opcode, const void *payload, size_t bytes) {
    uint8_t frame[8 + 65536] = {0x80 | opcode};
    size_t head = 2;
    if (bytes > 65535) fail("a frame of %zu bytes", bytes);
    if (bytes < 126) {
        frame[1] = 0x80 | bytes;
    } else {
        frame[1] = 0x80 | 126, frame[2] = bytes >> 8, frame[3] = bytes & 255;
        head = 4;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, payload, bytes);
    if (send(c->fd, frame, head + 4 + bytes, MSG_NOSIGNAL) != (ssize_t)(head + 4 + bytes))
        fail("a frame was not taken: %s", strerror(errno));
}

static void count(struct client *c) {
    c->mark = 0;
    if (c->number != c->last + 1)
        fail("event %llu came after %llu", (unsigned long long)c->number, (unsigned long long)c->last);
    c->last = c->number;
    if (c->last == wanted && --lacking == 0) say("have %llu\n", wanted);
}

static void look_for_marks(struct client *c, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        if (c->mark == 0) {
            at = memchr(at, '@', end - at);
            if (at == NULL) return;
            c->mark = 1, c->number = 0, at++;
        } else if (*at < '0' || *at > '9') {
            c->mark = 0;
        } else {
            c->number = c->number * 10 + (*at++ - '0');
            if (++c->mark == 1 + MARK_DIGITS) count(c);
        }
    }
}

static void take_payload(struct client *c, const uint8_t *at, size_t bytes) {
    if (c->opcode >= 8) {
        memcpy(c->control + c->control_bytes, at, bytes);
        c->control_bytes += bytes;
        return;
    }
    if (c->state == GREETED && memmem(at, bytes, ready_mark, strlen(ready_mark))) become_ready(c);
    look_for_marks(c, at, at + bytes);
}

static void end_frame(struct client *c) {
    c->in_frame = c->head_bytes = 0;
    if (c->opcode == 9) send_frame(c, 10, c->control, c->control_bytes);
    if (c->opcode == 8)
        fail("the server closed: %d %.*s", c->control_bytes > 1 ? c->control[0] << 8 | c->control[1] : 0,
             c->control_bytes > 2 ? c->control_bytes - 2 : 0, c->control + 2);
}

/* Take one byte of a frame's head; it is whole when `in_frame` is set. */
static void take_head(struct client *c, uint8_t byte) {
    c->head[c->head_bytes++] = byte;
    if (c->head_bytes < 2) return;
    if (c->head[1] & 0x80) fail("a masked frame from the server");
    int size = c->head[1], needed = size == 127 ? 10 : size == 126 ? 4 : 2;
    if (c->head_bytes < needed) return;
    c->left = size < 126 ? size : 0;
    for (int i = 2; i < needed; i++) c->left = c->left << 8 | c->head[i];
    c->opcode = c->head[0] & 15;
    c->control_bytes = 0;
    if (c->opcode >= 8 && c->left > CONTROL_BYTES) fail("a control frame of %llu bytes", (unsigned long long)c->left);
    c->in_frame = 1;
    if (c->left == 0) end_frame(c);
}

static void take_frames(struct client *c, const uint8_t *at, size_t bytes) {
    while (bytes) {
        if (!c->in_frame) {
            take_head(c, *at++), bytes--;
            continue;
        }
        size_t some = bytes < c->left ? bytes : c->left;
        take_payload(c, at, some);
        at += some, bytes -= some;
        if ((c->left -= some) == 0) end_frame(c);
    }
}

static void refuse(struct client *c) {
    printf("refused %s\n", c->path);
    close(c->fd);
    free(c->path), free(c->answer);
    client_count--;
    for (int i = 0; i < client_count; i++)
        if (clients[i] == c) clients[i] = clients[client_count];
    free(c);
    is_settled();
}

static void take_answer(struct client *c, const uint8_t *at, size_t bytes) {
    if (c->answer_bytes + bytes > ANSWER_BYTES) fail("an HTTP answer of more than %d bytes", ANSWER_BYTES);
    memcpy(c->answer + c->answer_bytes, at, bytes);
    c->answer_bytes += bytes;
    char *end = memmem(c->answer, c->answer_bytes, "\r\n\r\n", 4);
    if (end == NULL) return;
    if (c->answer_bytes < 12 || memcmp(c->answer + 9, "101", 3)) {
        refuse(c);
        return;
    }
    c->state = GREETED;
    if (*hello) send_frame(c, 1, hello, strlen(hello));
    if (!*ready_mark) become_ready(c);
    char *rest = end + 4;
    char *answer = c->answer;
    free(c->path);
    c->answer = c->path = NULL;
    take_frames(c, (uint8_t *)rest, c->answer_bytes - (rest - answer));
    free(answer);
}

static void open_client(const char *path) {
    char request[4096];
    if (client_count == SOCKETS_MAX) fail("too many sockets");
    struct client *c = calloc(1, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->state = UPGRADING;
    c->path = strdup(path);
    c->answer = malloc(ANSWER_BYTES);
    c->last = wanted;
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server)) fail("connect: %s", strerror(errno));
    int one = 1, size = snprintf(request, sizeof request,
                                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                                 path, ntohs(server.sin_port));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (send(c->fd, request, size, MSG_NOSIGNAL) != size) fail("the request was not taken");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    clients[client_count++] = c;
    connecting++;
}

static void want(uint64_t number) {
    wanted = number;
    lacking = 0;
    for (int i = 0; i < client_count; i++) lacking += clients[i]->last < wanted;
    if (lacking == 0) say("have %llu\n", wanted);
}

static void command(const char *line) {
    if (!strncmp(line, "open ", 5))
        open_client(line + 5);
    else if (!strncmp(line, "want ", 5))
        want(strtoull(line + 5, NULL, 10));
    else
        fail("no such command: %s", line);
}

static void take(struct client *c) {
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("a socket ended: %s", got ? strerror(errno) : "closed by the server");
    if (c->state == UPGRADING)
        take_answer(c, buffer, got);
    else
        take_frames(c, buffer, got);
}

int main(int argc, char **argv) {
    struct epoll_event events[512], commands = {.events = EPOLLIN, .data.ptr = NULL};
    if (argc != 4) fail("usage: fanload PORT HELLO READY");
    signal(SIGPIPE, SIG_IGN);
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    hello = argv[2], ready_mark = argv[3];
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
    for (;;) {
        int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                take(events[i].data.ptr);
            else
                take_commands(command);
        }
    }
}
