// Commands of whoever measures: lines on the standard input, the end of which is the end of the program.

#pragma once

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Reads what there is and gives each whole line, without its end, to `command`.
static void take_commands(void (*command)(const char *line)) {
    static char pending[1 << 16];
    static size_t bytes;
    ssize_t got = read(0, pending + bytes, sizeof pending - bytes);
    if (got <= 0) exit(0);
    bytes += got;
    char *line = pending, *end;
    while ((end = memchr(line, '\n', pending + bytes - line))) {
        *end = 0;
        command(line);
        line = end + 1;
    }
    bytes -= line - pending;
    memmove(pending, line, bytes);
}
