"""Fetches from real servers, of which most mean no good."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from svc.webapp.unfurl.fetching import BODY_BYTES_MAX, FetchError, run_fetcher
from svc.webapp.unfurl.lookups import Lookups
from svc.webapp.unfurl.pages import Page
from svc.webapp.unfurl.previews import Picture
from tests.svc.webapp.unfurl.sites import Names, page, reach
from tests.svc.webapp.websites import Handler, site

HERE = Names(a_example=["127.0.0.1"])


async def fetched(handler: Handler, path: str = "/", names: Names = HERE, host: str = "a.example") -> Page | Picture:
    """Fetch one address of a site of that handler."""
    async with site(handler) as port, run_fetcher(reach(port), names.lookup) as fetcher:
        return await fetcher.fetch(f"http://{host}:{port}{path}")


async def refused(handler: Handler, path: str = "/", names: Names = HERE, host: str = "a.example") -> FetchError:
    """Fetch what must not be fetched."""
    with pytest.raises(FetchError) as raised:
        await fetched(handler, path, names, host)
    return raised.value


def redirecting(*targets: str) -> Handler:
    """Return a site whose `/0`, `/1`… redirect, and whose other paths are a page; `PORT` is its own."""

    async def answer(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        if name.isdigit():
            target = targets[int(name)].replace("PORT", str(request.url.port))
            return web.Response(status=302, headers={"Location": target})
        return page(f"{request.host.split(':')[0]}{request.path}")

    return answer


async def test_a_page_is_fetched_and_nothing_of_ours_is_told() -> None:
    """Who asks says that it is Parley, and nothing else: no cookies, no credentials, no referrer."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        told = page("tea")
        told.set_cookie("a", "b")
        told.enable_compression()
        return told

    found = await fetched(answer, "/x?y=1#part")
    assert isinstance(found, Page)
    assert (found.title, found.text) == ("tea", "about tea")
    [request] = seen
    assert (request.method, request.path_qs) == ("GET", "/x?y=1")
    assert "Parley" in request.headers["User-Agent"]
    assert not {"Cookie", "Authorization", "Referer"} & set(request.headers)


async def test_redirects_are_followed_a_few_times() -> None:
    """Relative ones too; the page's own address is the last."""
    found = await fetched(redirecting("/1", "http://a.example:PORT/2", "there"), "/0")
    assert isinstance(found, Page)
    assert found.title == "a.example/there"
    assert found.url.endswith("/there")
    error = await refused(redirecting("/1", "/2", "/3", "/there"), "/0")
    assert "redirects" in str(error)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "http://127.0.0.2:PORT/",
            "http://[::1]:PORT/",
            "http://169.254.169.254:PORT/",
            "http://inside.example:PORT/",
        ),
        *(
            "http://2130706434:PORT/",
            "http://127.2:PORT/",
            "http://0x7f000002:PORT/",
            "http://[::ffff:127.0.0.1]:PORT/",
        ),
        *("http://a.example:22/", "ftp://a.example:PORT/", "file:///etc/passwd", "http://me:pw@a.example:PORT/", ""),
    ],
)
async def test_no_redirect_leads_inside(target: str) -> None:
    """Whether it names an address or has a name that leads to one, however either is written."""
    names = _Numbers(a_example=["127.0.0.1"], inside_example=["127.0.0.2"])
    await refused(redirecting(target), "/0", names)


class _Numbers(Names):
    """Resolves numbers as the system does: 127.2 is an address to it."""

    async def lookup(self, host: str, port: int) -> list[str]:
        try:
            return [socket.inet_ntoa(socket.inet_aton(host))]
        except OSError:
            return await super().lookup(host, port)


async def test_a_name_that_leads_inside_is_not_asked() -> None:
    """Though it is one of several addresses; the good one of them is."""
    seen = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal seen
        seen += 1
        return page("inside")

    error = await refused(answer, names=Names(a_example=["127.0.0.2"]))
    assert (error.is_forbidden, seen) == (True, 0)

    async def both(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "::1", "127.0.0.1"]

    async with site(answer) as port, run_fetcher(reach(port), both) as fetcher:
        assert isinstance(await fetcher.fetch(f"http://a.example:{port}/"), Page)
    assert seen == 1


async def test_an_answer_that_changes_is_of_no_use() -> None:
    """What was checked is what is connected to: a name is asked once for each connection, each answer is checked."""
    names = Names(a_example=["127.0.0.1", "127.0.0.2"])
    found = await fetched(redirecting("/there"), "/there", names)
    assert isinstance(found, Page)
    assert names.asked == 1
    # The second hop is a connection of its own, to where the name leads by then.
    names = Names(a_example=["127.0.0.1", "127.0.0.2"])
    error = await refused(redirecting("/there"), "/0", names)
    assert (error.is_forbidden, names.asked) == (True, 2)


async def test_a_socket_is_checked_though_the_resolver_lies() -> None:
    """The last door holds by itself."""
    async with site(redirecting()) as port, run_fetcher(reach(port)) as fetcher:
        connector = fetcher.http.connector
        assert connector is not None
        with pytest.raises(OSError, match="may not be connected to"):
            connector._socket_factory((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.2", port)))  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [204, 401, 403, 404, 418, 500, 503])
async def test_only_what_is_there_is_shown(status: int) -> None:
    """Error pages have titles, too."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<title>x</title>", content_type="text/html")

    assert str(status) in str(await refused(answer))


@pytest.mark.parametrize("kind", ["application/pdf", "text/plain", "application/json", "image/svg+xml", "video/mp4"])
async def test_only_pages_and_pictures_are_read(kind: str) -> None:
    """What is neither is not read at all."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<title>x</title>", content_type=kind)

    assert "neither" in str(await refused(answer))


async def test_a_picture_tells_its_size() -> None:
    """By its first bytes."""
    data = struct.pack(">II", 30, 20) + b"\x08\x02\0\0\0"
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + data + struct.pack(">I", zlib.crc32(b"IHDR" + data))

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=png + bytes(5_000), content_type="image/png")

    assert await fetched(answer) == Picture(5_000 + len(png), 30, 20)


async def test_of_a_body_without_end_the_beginning_is_read() -> None:
    """And no more than a bound of it, packed or not: the connection is closed then."""
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        told = web.StreamResponse(headers={"Content-Type": "text/html"})
        await told.prepare(request)
        await told.write(b"<title>endless</title>")
        while True:
            await told.write(b"x" * 65_536)
            sent += 65_536

    found = await fetched(endless)
    assert isinstance(found, Page)
    assert found.title == "endless"

    async def bomb(_: web.Request) -> web.Response:
        body = gzip.compress(b"<title>bomb</title>" + bytes(100 << 20), compresslevel=1)
        assert len(body) < BODY_BYTES_MAX
        return web.Response(body=body, headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})

    found = await fetched(bomb)
    assert isinstance(found, Page)
    assert found.title == "bomb"


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_a_body_that_cannot_be_unpacked_is_none(coding: str) -> None:
    """Of a coding that was not asked for, or damaged."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"<title>x</title>", headers={"Content-Type": "text/html", "Content-Encoding": coding})

    await refused(answer)


@pytest.mark.parametrize("dawdles", ["before", "within"])
async def test_a_slow_server_is_left(dawdles: str) -> None:
    """However it spends its time: the whole has one deadline."""

    async def answer(request: web.Request) -> web.StreamResponse:
        told = web.StreamResponse(headers={"Content-Type": "text/html"})
        if dawdles == "before":
            await asyncio.sleep(60)
        await told.prepare(request)
        while True:
            await told.write(b"<b>")
            await asyncio.sleep(0.05)

    async with asyncio.timeout(60), site(answer) as port, run_fetcher(reach(port), HERE.lookup, 0.5) as fetcher:
        with pytest.raises(FetchError, match="too long"):
            await fetcher.fetch(f"http://a.example:{port}/")


async def test_what_is_no_web_server_is_no_page() -> None:
    """Nobody there, a name that there is not, bytes that are no answer, an end in the middle of one."""
    async with site(redirecting()) as port:
        pass
    async with run_fetcher(reach(port), HERE.lookup) as fetcher:
        for host in ("a.example", "nobody.example", "127.0.0.1"):
            with pytest.raises(FetchError):
                await fetcher.fetch(f"http://{host}:{port}/")
    async for port in _raw(
        b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<titl"
    ):
        async with run_fetcher(reach(port), HERE.lookup) as fetcher:
            with pytest.raises(FetchError):
                await fetcher.fetch(f"http://a.example:{port}/")


async def _raw(*answers: bytes) -> AsyncIterator[int]:
    for answer in answers:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes = answer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            yield int(server.sockets[0].getsockname()[1])


async def test_the_systems_names_are_looked_up() -> None:
    """On threads; what is no name is an error like others."""
    lookups = Lookups()
    assert "127.0.0.1" in await lookups.addresses("localhost", 80)
    assert await lookups.addresses("127.2", 80) == ["127.0.0.2"]
    for host in ("a" * 80 + ".invalid", "x..y"):
        with pytest.raises(OSError):
            await lookups.addresses(host, 80)
