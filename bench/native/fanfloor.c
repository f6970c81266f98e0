/* The least that fan-out over WebSockets costs, when nothing is joined: one send() a socket an event, in a C loop.
 *
 * Prints `PORT CONTROL`. Whoever upgrades at PORT gets every event; events come over one connection to CONTROL, each as
 * four bytes of length, most significant first, and its bytes. Nothing that a client sends is looked at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS_MAX = 60000, EVENT_BYTES_MAX = 65535, CONTROL_BYTES = 1 << 20 };

static int sockets[SOCKETS_MAX], socket_count, epoll;
static char is_upgraded[SOCKETS_MAX * 2];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_anywhere(int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 4096)) die("listen");
    getsockname(fd, (struct sockaddr *)&at, &size);
    *port = ntohs(at.sin_port);
    return fd;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static int take_in(int listener) {
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0) die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd);
    return fd;
}

static void fan_out(const uint8_t *event, size_t bytes) {
    static uint8_t frame[4 + EVENT_BYTES_MAX];
    size_t head = bytes < 126 ? 2 : 4;
    frame[0] = 0x81;
    if (bytes < 126)
        frame[1] = bytes;
    else
        frame[1] = 126, frame[2] = bytes >> 8, frame[3] = bytes & 255;
    memcpy(frame + head, event, bytes);
    for (int i = 0; i < socket_count; i++) {
        size_t sent = 0;
        while (sent < head + bytes) { /* once, but for a socket that is full: then it waits */
            ssize_t some = send(sockets[i], frame + sent, head + bytes - sent, MSG_NOSIGNAL);
            if (some < 0) break; /* gone: the load generator has ended */
            sent += some;
        }
    }
}

static void take_events(int control) {
    static uint8_t pending[CONTROL_BYTES];
    static size_t bytes;
    ssize_t got = read(control, pending + bytes, sizeof pending - bytes);
    if (got <= 0) exit(0);
    bytes += got;
    size_t at = 0;
    while (bytes - at >= 4) {
        uint32_t size;
        memcpy(&size, pending + at, 4);
        size = ntohl(size);
        if (size > EVENT_BYTES_MAX) exit(1);
        if (bytes - at < 4 + size) break;
        fan_out(pending + at + 4, size);
        at += 4 + size;
    }
    bytes -= at;
    memmove(pending, pending + at, bytes);
}

static void take_client(int fd) {
    static char ignored[65536];
    static const char upgrade[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    ssize_t got = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        for (int i = 0; i < socket_count; i++)
            if (sockets[i] == fd) sockets[i] = sockets[--socket_count];
        is_upgraded[fd] = 0;
        close(fd);
    } else if (got > 0 && !is_upgraded[fd]) {
        if (socket_count == SOCKETS_MAX || send(fd, upgrade, sizeof upgrade - 1, MSG_NOSIGNAL) < 0) die("upgrade");
        is_upgraded[fd] = 1;
        sockets[socket_count++] = fd;
    }
}

int main(void) {
    struct epoll_event events[512];
    int port, control_port, control = -1, clients = listen_anywhere(&port), controls = listen_anywhere(&control_port);
    epoll = epoll_create1(0);
    watch(clients), watch(controls);
    printf("%d %d\n", port, control_port);
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == clients)
                take_in(clients);
            else if (fd == controls)
                control = take_in(controls);
            else if (fd == control)
                take_events(control);
            else
                take_client(fd);
        }
    }
}
