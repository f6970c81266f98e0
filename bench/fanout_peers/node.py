"""Servers for Node.js: ws and socket.io, as node/package-lock.json pins them, installed when they are first run."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from bench.fanout_load import Endpoint
from bench.fanout_peers.peer import LinePeer, Peer, PeerMissing, Place, line_to, said_ports, server
from ops.setup import stamps
from ops.setup.binaries import ROOT
from ops.setup.console import CommandFailed, Console
from ops.setup.node import Node, find_node

SOURCES = Path(__file__).parent / "node"
FOLDER = ROOT / ".local" / "bench" / "node"
PINNED = ("package.json", "package-lock.json")
PROGRAMS = ("ws.mjs", "socketio.mjs", "events.mjs")


def ws(place: Place) -> AbstractAsyncContextManager[Peer]:
    """Run a server made of `ws`, which sends each client a frame of its own, as its manual shows it."""
    return _node(place, "ws.mjs", Endpoint(0, lambda number: "/"))


def socketio(place: Place) -> AbstractAsyncContextManager[Peer]:
    """Run a server made of `socket.io`, with WebSocket alone; it encodes a broadcast once."""
    path = "/socket.io/?EIO=4&transport=websocket"
    return _node(place, "socketio.mjs", Endpoint(0, lambda number: path, hello="40", ready="40{"))


def versions() -> dict[str, str]:
    """Return the versions of the packages that are compared with."""
    return dict(json.loads((SOURCES / "package.json").read_text())["dependencies"])


@asynccontextmanager
async def _node(place: Place, program: str, endpoint: Endpoint) -> AsyncIterator[Peer]:
    node = _installed()
    async with server(place, [node.program, FOLDER / program], says=True) as process:
        port, control = await said_ports(process)
        async with line_to(control) as line:
            yield LinePeer(Endpoint(port, endpoint.path, endpoint.hello, endpoint.ready), [process.pid], line)


def _installed() -> Node:
    """Return the Node.js to run, with the packages beside our programs. Raises PeerMissing."""
    node = find_node(ROOT)
    if node is None:
        raise PeerMissing("there is no Node.js with npm; by hand: apt-get install nodejs npm")
    inputs = {name: (SOURCES / name).read_bytes() for name in PINNED}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in (*PINNED, *PROGRAMS):
        shutil.copy2(SOURCES / name, FOLDER / name)
    if stamps.is_fresh(FOLDER / "node_modules" / ".parley", inputs):
        return node
    console = Console(FOLDER.parent / "setup.log")
    console.begin("ws and socket.io")
    try:
        console.run([*node.npm, "ci", "--ignore-scripts", "--no-progress"], cwd=FOLDER, env=node.environ)
    except CommandFailed as failed:
        raise PeerMissing(
            f"npm could not install it ({failed.output[-200:]}); by hand: cd {FOLDER} && npm ci"
        ) from failed
    stamps.write(FOLDER / "node_modules" / ".parley", inputs)
    console.done(f"in {FOLDER.relative_to(ROOT)}")
    return node
