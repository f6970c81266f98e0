/* People who post over HTTP, and sockets that wait for what they post: the load generator of `bench.post` and
 * `bench.latency`.
 *
 *     postload HTTP_PORT
 *
 * A post's text begins with its mark, `@` and ten digits, its number. Sockets look for marks in what they get, wherever
 * frames and reads cut it, and for nothing else: events come as text, unmasked and not compressed. Pings are not
 * answered; an unasked pong every PONG_S says that a socket is there.
 *
 * Commands, a line each:                       Answers:
 *     socket PORT PATH                         connect one more WebSocket
 *     ready                                    ready N       N sockets were greeted
 *     targets                                  forget all targets
 *     target TOKEN CHANNEL SOCKETS             who posts where, and how many of our sockets get it; used in turn
 *     run METHOD WORD LINES RATE MS UNTIL      one JSON object
 *     times                                    a JSON list: of the last run's posts, microseconds until they were seen
 *
 * `run` posts for MS milliseconds. RATE 0 is a closed loop: each of LINES connections posts again when its post is
 * answered, or, with UNTIL `seen` in place of `acked`, when it is at all its sockets as well. Another RATE is an open
 * loop: a post is due every 1/RATE seconds, whatever became of those before it, and its times count from when it was
 * due; it waits while all LINES connections are busy. An answer that has not WORD in it is a failure. What cannot go on
 * ends the program with `error ...`.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

enum { SOCKETS_MAX = 20000, LINES_MAX = 1024, TARGETS_MAX = 4096, POSTS_MAX = 1 << 20, READ_BYTES = 256 * 1024 };
enum { ANSWER_BYTES = 16 * 1024, MARK_DIGITS = 10, PONG_S = 10, STRAGGLERS_S = 20, TEXT_BYTES = 200 };
enum { CONTROL, TIMER, SOCKET, LINE };
enum { UPGRADING, GREETING, READY };

struct any { int kind, fd; };
struct ws { struct any any; int state, mark; uint64_t number; uint8_t *had; };
struct line { struct any any; int busy; long post; size_t bytes; char answer[ANSWER_BYTES]; };
struct target { char *token, *channel; int sockets; };
struct post { int64_t due, acked, seen; int lacking; struct line *line; };

static struct ws *sockets[SOCKETS_MAX];
static struct line *lines[LINES_MAX];
static struct target targets[TARGETS_MAX];
static struct post *posts;
static int socket_count, ready_count, line_count, target_count, epoll, timer_fd, http_port;
static long first_post, next_post, repeats;

static struct {
    char method[64], word[64], failure[256];
    int lines, until_seen;
    double interval_ns;
    int64_t began, ends, last_acked, last_seen;
    long sent, acked, failed, seen, awaited;
} run;

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

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int dial(int port) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server)) fail("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void watch(struct any *any) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = any};
    fcntl(any->fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(epoll, EPOLL_CTL_ADD, any->fd, &event);
}

static void tell(int fd, const char *text, size_t bytes) {
    if (send(fd, text, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) fail("not taken: %s", strerror(errno));
}

/* ---- posting ---- */

static void give(struct line *line, long number) {
    char body[1024], request[2048], text[TEXT_BYTES + 1];
    struct target *target = &targets[number % target_count];
    int size = snprintf(text, sizeof text, "@%0*ld ", MARK_DIGITS, number);
    memset(text + size, 'x', TEXT_BYTES - size), text[TEXT_BYTES] = 0;
    size = snprintf(body, sizeof body, "{\"channel\":\"%s\",\"text\":\"%s\",\"client_msg_id\":\"bench-%d-%ld\"}",
                    target->channel, text, getpid(), number);
    size = snprintf(request, sizeof request,
                    "POST /api/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
                    "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
                    run.method, http_port, target->token, size, body);
    line->busy = 1, line->post = number, line->bytes = 0;
    run.sent++;
    tell(line->any.fd, request, size);
}

static struct post *post_of(long number) { return &posts[number - first_post]; }

/* Post what is due, as far as there are connections for it. */
static void post_due(void) {
    static int turn;
    int64_t now = now_ns();
    for (int tried = 0; tried < run.lines; tried++) {
        struct line *line = lines[turn++ % run.lines];
        if (line->busy) continue;
        int64_t due = run.interval_ns ? run.began + (next_post - first_post) * run.interval_ns : now;
        if (due > now || due >= run.ends) break;
        if (next_post - first_post == POSTS_MAX) fail("more than %d posts in one run", POSTS_MAX);
        struct post *post = post_of(next_post);
        *post = (struct post){.due = due, .lacking = targets[next_post % target_count].sockets, .line = line};
        run.awaited += post->lacking > 0;
        give(line, next_post++);
    }
    if (!run.interval_ns || run.began + (next_post - first_post) * run.interval_ns >= run.ends) return;
    int64_t due = run.began + (next_post - first_post) * run.interval_ns;
    struct itimerspec at = {.it_value = {due / 1000000000, due % 1000000000 + 1}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void free_line(struct line *line) {
    line->busy = 0;
    post_due();
}

static void see(struct ws *socket, long number) {
    if (number < first_post || number >= next_post) return;
    long index = number - first_post;
    if (socket->had[index / 8] & 1 << index % 8) {
        repeats++;
        return;
    }
    socket->had[index / 8] |= 1 << index % 8;
    struct post *post = &posts[index];
    if (--post->lacking) return;
    post->seen = run.last_seen = now_ns();
    run.seen++;
    if (run.until_seen && post->acked) free_line(post->line);
}

static void take_reply(struct line *line) {
    char *end = memmem(line->answer, line->bytes, "\r\n\r\n", 4), *length;
    if (end == NULL || (length = strcasestr(line->answer, "content-length:")) == NULL || length > end) return;
    size_t whole = end + 4 - line->answer + strtoul(length + 15, NULL, 10);
    if (line->bytes < whole) return;
    struct post *post = post_of(line->post);
    post->acked = run.last_acked = now_ns();
    if (strstr(end, run.word)) {
        run.acked++;
    } else {
        run.failed++;
        snprintf(run.failure, sizeof run.failure, "%.100s", end + 4);
        for (char *at = run.failure; *at; at++)
            if (*at == '"' || *at == '\\' || *at < ' ') *at = '\'';
        if (post->lacking > 0) run.awaited--, post->lacking = 0;
    }
    if (!run.until_seen || post->lacking <= 0) free_line(line);
}

static void take_line(struct line *line) {
    ssize_t got = recv(line->any.fd, line->answer + line->bytes, ANSWER_BYTES - 1 - line->bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("webapp closed a connection");
    line->bytes += got;
    line->answer[line->bytes] = 0;
    take_reply(line);
}

static void dial_lines(int wanted) {
    if (wanted > LINES_MAX) fail("at most %d connections", LINES_MAX);
    for (; line_count < wanted; line_count++) {
        struct line *line = lines[line_count] = calloc(1, sizeof *line);
        line->any = (struct any){LINE, dial(http_port)};
        watch(&line->any);
    }
}

/* ---- sockets ---- */

static void open_socket(const char *arguments) {
    char path[4000], request[4400];
    int port;
    if (sscanf(arguments, "%d %3999s", &port, path) != 2 || socket_count == SOCKETS_MAX) fail("socket %s", arguments);
    struct ws *socket = sockets[socket_count++] = calloc(1, sizeof *socket);
    socket->any = (struct any){SOCKET, dial(port)};
    socket->had = calloc(1, POSTS_MAX / 8);
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        path, port);
    tell(socket->any.fd, request, size);
    watch(&socket->any);
}

static void look_for_marks(struct ws *socket, const char *at, const char *end) {
    while (at < end) {
        if (socket->mark == 0) {
            at = memchr(at, '@', end - at);
            if (at == NULL) return;
            socket->mark = 1, socket->number = 0, at++;
        } else if (*at < '0' || *at > '9') {
            socket->mark = 0;
        } else {
            socket->number = socket->number * 10 + (*at++ - '0');
            if (++socket->mark > MARK_DIGITS) see(socket, socket->number), socket->mark = 0;
        }
    }
}

static void take_socket(struct ws *socket) {
    static char buffer[READ_BYTES];
    ssize_t got = recv(socket->any.fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("a socket was closed by the server");
    if (socket->state == UPGRADING) {
        if (memmem(buffer, got, " 101 ", 5) == NULL) fail("no upgrade: %.*s", got < 40 ? (int)got : 40, buffer);
        socket->state = GREETING;
    }
    if (socket->state == GREETING && memmem(buffer, got, "\"hello\"", 7)) socket->state = READY, ready_count++;
    look_for_marks(socket, buffer, buffer + got);
}

static void pong(void) {
    static const char frame[] = {(char)0x8A, (char)0x80, 0, 0, 0, 0};
    for (int i = 0; i < socket_count; i++)
        if (sockets[i]->state == READY) tell(sockets[i]->any.fd, frame, sizeof frame);
}

/* ---- what was measured ---- */

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *name, int64_t *times, long count) {
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    static const char *const names[] = {"p50", "p90", "p99", "p999"};
    qsort(times, count, sizeof *times, ascending);
    printf(",\"%s\":{", name);
    for (int i = 0; i < 4 && count; i++) {
        long rank = shares[i] * count;
        printf("\"%s\":%.3f,", names[i], times[rank < count ? rank : count - 1] / 1e6);
    }
    printf("\"max\":%.3f}", count ? times[count - 1] / 1e6 : 0.0);
}

static void print_result(void) {
    int64_t *times = malloc(sizeof *times * (next_post - first_post + 1));
    long count = 0;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"sent\":%ld,\"acked\":%ld,\"failed\":%ld,\"awaited\":%ld,\"seen\":%ld,\"repeats\":%ld,\"failure\":\"%s\"",
           run.sent, run.acked, run.failed, run.awaited, run.seen, repeats, run.failure);
    printf(",\"acked_s\":%.4f,\"seen_s\":%.4f", (run.last_acked - run.began) / 1e9,
           run.last_seen ? (run.last_seen - run.began) / 1e9 : 0.0);
    printf(",\"cpu_s\":%.3f", used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                                  (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    for (long i = first_post; i < next_post; i++)
        if (post_of(i)->acked) times[count++] = post_of(i)->acked - post_of(i)->due;
    print_times("acked_ms", times, count);
    count = 0;
    for (long i = first_post; i < next_post; i++)
        if (post_of(i)->seen) times[count++] = post_of(i)->seen - post_of(i)->due;
    print_times("seen_ms", times, count);
    printf("}\n");
    fflush(stdout);
    free(times);
}

static void print_times_seen(void) {
    const char *comma = "";
    printf("[");
    for (long i = first_post; i < next_post; i++) {
        if (!post_of(i)->seen) continue;
        printf("%s%ld", comma, (long)((post_of(i)->seen - post_of(i)->due) / 1000));
        comma = ",";
    }
    printf("]\n");
    fflush(stdout);
}

/* ---- commands ---- */

static void take(struct any *any);

static void turn_once(int timeout_ms) {
    static int64_t ponged;
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, timeout_ms);
    for (int i = 0; i < count; i++) take(events[i].data.ptr);
    if (now_ns() - ponged > PONG_S * 1000000000LL) ponged = now_ns(), pong();
}

static int is_lacking(void) {
    int is_due = run.interval_ns && run.began + (next_post - first_post) * run.interval_ns < run.ends;
    return is_due || run.acked + run.failed < run.sent || run.seen < run.awaited;
}

static void begin_run(const char *arguments) {
    double rate;
    long ms;
    char until[16];
    memset(&run, 0, sizeof run);
    if (sscanf(arguments, "%63s %63s %d %lf %ld %15s", run.method, run.word, &run.lines, &rate, &ms, until) != 6 ||
        target_count == 0)
        fail("run %s", arguments);
    dial_lines(run.lines);
    for (int i = 0; i < socket_count; i++) memset(sockets[i]->had, 0, (next_post - first_post) / 8 + 1);
    first_post = next_post, repeats = 0;
    run.until_seen = !strcmp(until, "seen");
    run.interval_ns = rate > 0 ? 1e9 / rate : 0;
    run.began = now_ns();
    run.ends = run.began + ms * 1000000LL;
    post_due();
    int64_t patience = run.ends + STRAGGLERS_S * 1000000000LL;
    while (now_ns() < run.ends || (is_lacking() && now_ns() < patience)) turn_once(50);
    if (run.acked + run.failed < run.sent)
        fail("%ld posts were not answered in %d s", run.sent - run.acked - run.failed, STRAGGLERS_S);
    for (int i = 0; i < line_count; i++) lines[i]->busy = 0;
    print_result();
}

static void command(const char *line) {
    struct target *target = &targets[target_count];
    if (!strncmp(line, "socket ", 7)) {
        open_socket(line + 7);
    } else if (!strcmp(line, "ready")) {
        while (ready_count < socket_count) turn_once(1000);
        printf("ready %d\n", ready_count);
        fflush(stdout);
    } else if (!strcmp(line, "targets")) {
        target_count = 0;
    } else if (!strncmp(line, "target ", 7)) {
        if (target_count == TARGETS_MAX ||
            sscanf(line + 7, "%ms %ms %d", &target->token, &target->channel, &target->sockets) != 3)
            fail("%s", line);
        target_count++;
    } else if (!strcmp(line, "times")) {
        print_times_seen();
    } else if (!strncmp(line, "run ", 4)) {
        begin_run(line + 4);
    } else {
        fail("no such command: %s", line);
    }
}

static void take(struct any *any) {
    uint64_t ticks;
    switch (any->kind) {
    case CONTROL: take_commands(command); break;
    case TIMER:
        if (read(timer_fd, &ticks, sizeof ticks) > 0) post_due();
        break;
    case SOCKET: take_socket((struct ws *)any); break;
    case LINE: take_line((struct line *)any); break;
    }
}

int main(int argc, char **argv) {
    if (argc != 2) fail("usage: postload HTTP_PORT");
    signal(SIGPIPE, SIG_IGN);
    http_port = atoi(argv[1]);
    posts = malloc(sizeof *posts * POSTS_MAX);
    epoll = epoll_create1(0);
    static struct any control = {CONTROL, 0}, timer = {TIMER, -1};
    timer_fd = timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event events[] = {{.events = EPOLLIN, .data.ptr = &control}, {.events = EPOLLIN, .data.ptr = &timer}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &events[0]);
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer_fd, &events[1]);
    for (;;) {
        turn_once(1000);
    }
}
