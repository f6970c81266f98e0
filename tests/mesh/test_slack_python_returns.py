"""Slack's own clients for Python lose their lines in every way, all at once: each comes back and hears what is said."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from ops.local.spec import counts
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import EVENTS, Made, make_app
from tests.mesh.lines import Line, Lines, lines
from tests.mesh.node_clients import PATIENCE_S, Json
from tests.mesh.pems import make_pems
from tests.mesh.python_clients import FIRST, PythonClient, python_client
from tests.mesh.towns import Town, town

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.timeout(300),  # ten processes and four breaks: 40 s, on a machine with ten other things to do 100
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make a certificate with"),
]

SOCKET = AppChange(is_socket_mode=True, event_types=EVENTS)
SOCKETS = ("builtin", "aiohttp", "websockets", "websocket_client")
"""The Socket Mode clients; an app each."""
APPS = (*SOCKETS, "bolt", "bolt_async")
"""With the framework on two of them."""
RTM = {"rtm_v2": "grace", "rtm_legacy": "linus", FIRST: "helper"}
"""The RTM clients, and who they are."""
NOTICE_SILENCE = ("rtm_v2", "rtm_legacy", "builtin", "aiohttp", "bolt", "bolt_async")
"""Those that miss pongs within seconds. `websockets` takes half a minute; the others never ask."""
OLD, NEW = "gateway-az1-1", "gateway-az1-2"


@dataclass(frozen=True)
class Scene:
    """Everybody in it: clients by kind, and the lines that they have (those of the first client are over TLS)."""

    there: Town
    plain: Lines
    secure: Lines
    clients: dict[str, PythonClient]
    quiet: PythonClient
    """One whose line is silent from the beginning."""
    quiet_line: Line

    @property
    def apps(self) -> list[PythonClient]:
        """The clients of apps."""
        return [self.clients[kind] for kind in APPS]

    def lines(self) -> list[Line]:
        """The lines that stand and are not silent."""
        return [line for line in self.plain.open if line is not self.quiet_line]

    async def gap(self, stage: str) -> list[str]:
        """Post a little, while clients may be away; return what."""
        texts = [f"{stage}, in between, {number}" for number in range(5)]
        for text in texts:
            await self.there["ada"].post(self.there.general, text)
            await asyncio.sleep(0.1)
        return texts

    async def all_hear(self, stage: str) -> None:
        """Post now and then until everybody has heard one of the posts: an RTM client misses what comes while it is
        away, and on a busy machine it may be away once more.
        """
        async with asyncio.timeout(PATIENCE_S):
            for number in count():
                await self.there["ada"].post(self.there.general, f"{stage}, {number}")
                missing = await self._deaf(stage)
                if not missing:
                    return
        raise AssertionError(f"nothing of {stage!r} heard by {missing}")

    async def _deaf(self, stage: str) -> list[str]:
        for _ in range(20):
            missing = [kind for kind, each in self.clients.items() if not _heard(each, stage)]
            if not missing:
                break
            await asyncio.sleep(0.1)
        return missing


def _heard(client: PythonClient, stage: str) -> bool:
    return any(text.startswith(f"{stage}, ") and "in between" not in text for text in client.texts())


async def returns(clients: Sequence[PythonClient], before: dict[PythonClient, int]) -> None:
    """Wait until all have been connected once more than before."""
    await asyncio.gather(*(client.connected_again(before[client] + 1) for client in clients))


@asynccontextmanager
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A town with one gateway, and everybody connected to it."""
    cert, key = make_pems(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with AsyncExitStack() as up:
        plain = await up.enter_async_context(lines())
        secure = await up.enter_async_context(lines(context))
        fronts = {"webapp-az1-1": plain.url, "webapp-az1-2": secure.url}
        told = {name: {"PARLEY_WS_PUBLIC_URL": url} for name, url in fronts.items()}
        there = await up.enter_async_context(
            town(tmp_path / "var", counts=counts(webapp=2, gateway=1), zones=("az1",), instance_environ=told)
        )
        plain.gateways = secure.gateways = there.mesh.ws_urls
        apps = {kind: await make_app(there, kind.replace("_", "-"), SOCKET, there.general) for kind in (*APPS, "quiet")}
        quiet = await up.enter_async_context(_app_client(there, "websockets", apps["quiet"]))
        (quiet_line,) = plain.open
        quiet_line.silence()
        contexts = {kind: _app_client(there, kind, apps[kind]) for kind in APPS}
        environ = {"WEBSOCKET_CLIENT_CA_BUNDLE": str(cert)}
        for kind, name in RTM.items():
            url = there.mesh.web_urls["webapp-az1-2" if kind == FIRST else "webapp-az1-1"]
            contexts[kind] = python_client(kind, f"{url}/api/", there[name].token, environ=environ)
        async with asyncio.TaskGroup() as group:
            starts = {kind: group.create_task(up.enter_async_context(each)) for kind, each in contexts.items()}
        clients = {kind: start.result() for kind, start in starts.items()}
        yield Scene(there, plain, secure, clients, quiet, quiet_line)


def _app_client(there: Town, kind: str, made: Made) -> AbstractAsyncContextManager[PythonClient]:
    return python_client(kind, f"{there.mesh.web_url}/api/", made.bot_token, made.app_token)


async def test_every_client_comes_back_however_its_line_ends(tmp_path: Path) -> None:
    """Goodbye and Close, a Close alone, silence, and the death of the gateway; then a token is revoked."""
    async with scene(tmp_path) as here:
        await here.all_hear("at first")
        await everybody_sends(here)
        await what_is_not_acknowledged_comes_again(here)
        await two_connections_share(here)
        await here.there.mesh.add("gateway", "az1")
        here.plain.gateways = here.secure.gateways = here.there.mesh.ws_urls
        for name, breaks in {"goodbye": drained, "close": closed, "silence": silenced, "death": killed}.items():
            before = {client: client.hellos for client in here.clients.values()}
            await breaks(here, before)
            await here.all_hear(f"after {name}")
        await here.quiet.connected_again(2)
        await here.quiet.hears("after death, 0")
        await revoked(here)


async def everybody_sends(here: Scene) -> None:
    """Over the socket where that is possible, and by a call; others get it."""
    async with here.there["ada"].connected() as ada:
        for kind in RTM:
            await here.clients[kind].send(f"sent by {kind}", here.there.general)
            await ada.wait_text(f"sent by {kind}", PATIENCE_S)
        for kind, client in here.clients.items():
            await client.call("chat.postMessage", channel=here.there.general, text=f"posted by {kind}")
            await ada.wait_text(f"posted by {kind}", PATIENCE_S)


async def what_is_not_acknowledged_comes_again(here: Scene) -> None:
    """With the number of the try, to the same client if there is no other."""
    await here.there["ada"].post(here.there.general, "again (unheard)")
    for kind in SOCKETS:
        for tries in (0, 1):
            await here.clients[kind].wait_for(partial(_is_unheard, tries))


def _is_unheard(tries: int, said: Json) -> bool:
    event = said.get("event", {})
    return bool(event.get("text") == "again (unheard)" and event["tries"] == tries)


async def two_connections_share(here: Scene) -> None:
    """An envelope goes to one of them; only what was not acknowledged in time, as on a busy machine, to another."""
    first = here.clients["builtin"]
    environ = first.environ
    async with python_client(
        "builtin", environ["PARLEY_API"], environ["PARLEY_TOKEN"], environ["PARLEY_APP_TOKEN"]
    ) as second:
        texts = [f"to one of two, {number}" for number in range(10)]
        for text in texts:
            await here.there["ada"].post(here.there.general, text)
        async with asyncio.timeout(PATIENCE_S):
            while not set(texts) <= {*first.texts(), *second.texts()}:
                await asyncio.sleep(0.05)
        assert sorted([*first.first_tries(texts), *second.first_tries(texts)]) == sorted(texts)


async def drained(here: Scene, before: dict[PythonClient, int]) -> None:
    """SIGTERM to the gateway; another one is there."""
    stopping = asyncio.create_task(here.there.mesh.stop(OLD))
    texts = await here.gap("draining")
    await stopping
    await returns([*here.clients.values()], before)
    for client in here.apps:
        await client.hears(*texts)
    for kind in ("rtm_v2", "rtm_legacy", FIRST):
        await here.clients[kind].wait_for(lambda said: said.get("type") == "goodbye")


async def closed(here: Scene, before: dict[PythonClient, int]) -> None:
    """Nothing but a Close frame, from something between."""
    for line in [*here.lines(), *here.secure.open]:
        line.close_alone()
    texts = await here.gap("closed")
    await returns([*here.clients.values()], before)
    for client in here.apps:
        await client.hears(*texts)


async def silenced(here: Scene, before: dict[PythonClient, int]) -> None:
    """Nothing passes any more, and nobody says so; who never notices is reset in the end."""
    silent = here.lines()
    for line in silent:
        line.silence()
    texts = await here.gap("silent")
    await returns([here.clients[kind] for kind in NOTICE_SILENCE], before)
    for line in silent:
        line.reset()
    await returns([client for kind, client in here.clients.items() if kind != FIRST], before)
    for client in here.apps:
        await client.hears(*texts)


async def killed(here: Scene, before: dict[PythonClient, int]) -> None:
    """SIGKILL: the sockets just end, and for a moment clients are still sent to what is dead."""
    await here.there.mesh.start(OLD)
    await here.there.mesh.kill(NEW)
    texts = await here.gap("killed")
    await returns([*here.clients.values()], before)
    for client in here.apps:
        await client.hears(*texts)


async def revoked(here: Scene) -> None:
    """The socket ends with the reason, and calls fail with it."""
    grace = here.clients["rtm_v2"]
    await here.there["grace"].ok("auth.revoke")
    await grace.wait_for(lambda said: said.get("event", {}).get("error", {}).get("msg") == "token_revoked")
    with pytest.raises(AssertionError, match="token_revoked"):
        await grace.call("auth.test")
