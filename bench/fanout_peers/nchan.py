"""nginx with nchan: clients subscribe a channel over WebSocket, a publisher POSTs to it, requests pipelined."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.fanout_load import Endpoint
from bench.fanout_peers.debian import FOLDER, MODULES, fetch, program
from bench.fanout_peers.peer import LinePeer, Peer, PeerMissing, Place, line_to, server
from ops.local.ports import HOST

PACKAGES = ("nginx", "libnginx-mod-nchan", "libhiredis0.14")
MODULE = "ngx_nchan_module.so"

HOME = Path("/var/lib/nginx")
NEW_HOME = f'mount -t tmpfs none {HOME.parent} && mkdir {HOME} && exec "$@"'
"""With this module nginx wants folders there, whatever its settings say. Where it is not installed it gets them in a
view of the file system of its own, and nothing on the machine changes."""
# The publisher's line is silent while the sockets of all servers connect: without client_header_timeout nginx ends it
# after a minute.
SETTINGS = """
load_module {module};
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_header_timeout 1h;
    nchan_shared_memory_size 128M;
    server {{
        listen {host}:{port} backlog=4096;
        tcp_nodelay on;
        location = /pub {{
            nchan_publisher http;
            nchan_channel_id room;
            nchan_message_buffer_length 256;
            nchan_message_timeout 60s;
        }}
        location = /sub {{
            nchan_subscriber websocket;
            nchan_channel_id room;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"""


class _Nchan(LinePeer):
    def encode(self, bodies: Sequence[bytes]) -> bytes:
        head = (
            b"POST /pub HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        )
        return b"".join(head % (len(body), body) for body in bodies)


@asynccontextmanager
async def nchan(place: Place) -> AsyncIterator[Peer]:
    """Run it, with one worker."""
    binary = program("nginx", PACKAGES)
    port = place.ports.claim_free()
    settings = place.folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    settings.write_text(
        SETTINGS.format(module=_module(), folder=place.folder, files=place.files_max, host=HOST, port=port, user=user)
    )
    environ = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, FOLDER.glob("usr/lib/*-linux-*")))}
    argv: list[str | Path] = [*_at_home(), binary, "-c", settings, "-e", place.folder / "nginx.log"]
    async with server(place, argv, environ) as process, line_to(port) as line:
        yield _Nchan(Endpoint(port, lambda number: "/sub"), [process.pid], line)


def _at_home() -> Sequence[str]:
    """Return what to run nginx by, if it does not find its folders here."""
    if HOME.is_dir():
        return ()
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--mount", *as_root, "sh", "-c", NEW_HOME, "sh")


def _module() -> Path:
    found = [folder / MODULE for folder in MODULES if (folder / MODULE).is_file()]
    if not found:
        fetch(PACKAGES)
        found = [folder / MODULE for folder in MODULES if (folder / MODULE).is_file()]
    if not found:
        raise PeerMissing("there is no nchan module; by hand: apt-get install libnginx-mod-nchan")
    return found[0]
