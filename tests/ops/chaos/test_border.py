"""The border between processes: it lets through, it cuts, it heals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ops.chaos.border import Border
from ops.chaos.faults import Cut
from ops.chaos.peers import peers_of
from ops.local.ports import HOST, Ports

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # a cut line
    finally:
        writer.close()


@asynccontextmanager
async def border(admins: Collection[int] = ()) -> AsyncIterator[Border]:
    """Run an echo server behind a border. Callers with the ports `admins` are "admin"."""
    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    ports = Ports()
    try:
        async with Border(ports.claim_free(), lambda: (HOST, port), lambda _: dict.fromkeys(admins, "admin")) as made:
            yield made
    finally:
        server.close()
        ports.close()


async def dial(to: Border) -> Line:
    """Connect through a border."""
    return await asyncio.open_connection(HOST, to.port)


async def says(line: Line, text: bytes, within_s: float = 5.0) -> bytes:
    """Send something and return what comes back."""
    line[1].write(text)
    await line[1].drain()
    return await asyncio.wait_for(line[0].readexactly(len(text)), within_s)


async def is_silent(line: Line, text: bytes) -> bool:
    """Say whether nothing comes back for a while."""
    try:
        await says(line, text, within_s=0.2)
    except TimeoutError:
        return True
    return False


async def test_bytes_pass_in_both_directions_and_an_end_passes_too() -> None:
    """Without a cut nobody notices the border."""
    async with border() as there:
        line = await dial(there)
        assert await says(line, b"x" * 1_000_000) == b"x" * 1_000_000
        line[1].write_eof()
        assert await asyncio.wait_for(line[0].read(), 5) == b""


async def test_a_freeze_holds_bytes_and_new_connections_and_lets_both_go_on_when_healed() -> None:
    """Nothing is lost and nothing is refused, as when packets vanish for a time."""
    async with border() as there:
        old = await dial(there)
        assert await says(old, b"before") == b"before"
        there.cut("", Cut.FREEZE)
        assert await is_silent(old, b"during")
        new = await dial(there)
        assert await is_silent(new, b"fresh")
        there.heal()
        assert await asyncio.wait_for(old[0].readexactly(6), 5) == b"during"
        assert await asyncio.wait_for(new[0].readexactly(5), 5) == b"fresh"


async def test_a_reset_breaks_connections_and_new_ones_until_healed() -> None:
    """The kernel says so at once."""
    async with border() as there:
        old = await dial(there)
        assert await says(old, b"before") == b"before"
        there.cut("", Cut.RESET)
        with pytest.raises(OSError, match="reset"):
            await asyncio.wait_for(old[0].readexactly(1), 5)
        new = await dial(there)
        with pytest.raises(OSError, match="reset"):
            await asyncio.wait_for(new[0].readexactly(1), 5)
        there.heal()
        assert await says(await dial(there), b"after") == b"after"


async def test_only_the_peers_that_are_named_are_cut_off() -> None:
    """A partition has two sides."""
    admins: set[int] = set()
    async with border(admins) as there:
        gateway, admin = await dial(there), await dial(there)
        admins.add(admin[1].get_extra_info("sockname")[1])
        await says(gateway, b"1"), await says(admin, b"1")
        assert there.cut("admin", Cut.FREEZE) == 1
        assert await says(gateway, b"2") == b"2"
        assert await is_silent(admin, b"2")


async def test_the_process_at_the_other_end_is_found_by_its_port(tmp_path: Path) -> None:
    """Among several, whether it is this process or a child; a stranger has no name."""
    seen: asyncio.Queue[int] = asyncio.Queue()

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.put_nowait(writer.get_extra_info("peername")[1])

    server = await asyncio.start_server(accept, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    # As gRPC does: to an IPv4 address, by an IPv6 socket.
    dial = f"s=socket.socket(socket.AF_INET6); s.connect(('::ffff:{HOST}',{port}))"
    code = f"import socket,time; {dial}; time.sleep(60)"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    try:
        peer_port = await asyncio.wait_for(seen.get(), 10)
        assert peers_of(port, {"us": os.getpid(), "child": child.pid}) == {peer_port: "child"}
        assert peers_of(port, {"us": os.getpid()}) == {}
        own = await asyncio.open_connection(HOST, port)
        own_port = await asyncio.wait_for(seen.get(), 10)
        assert peers_of(port, {"child": child.pid, "us": os.getpid()}) == {peer_port: "child", own_port: "us"}
        own[1].close()
    finally:
        child.kill()
        await child.wait()
        server.close()
