"""Over TLS: a mesh with a certificate of its own making, and a TLS proxy before one that has none."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from parley_client import Client, Event
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import PATIENCE_S, Inbox, make_app
from tests.mesh.pems import make_pems
from tests.mesh.tls_proxy import tls_proxy
from tests.mesh.towns import Town, town

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make a certificate with"),
]

TIERS = {"webapp": 1, "admin": 1, "channel": 1, "gateway": 2, "presence": 1, "edge": 1}


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    return make_pems(tmp_path_factory.mktemp("pems"))


async def test_clients_call_and_connect_over_tls(tmp_path: Path, pems: tuple[Path, Path]) -> None:
    """Our client boots, follows and posts; Slack's own opens Socket Mode: both over wss, to the gateway itself."""
    cert, key = pems
    async with town(tmp_path, counts=TIERS, zones=("az1",), tls_cert=cert, tls_key=key) as there:
        assert there.mesh.web_url.startswith("https://")
        url = (await there["ada"].ok("rtm.connect"))["url"]
        assert url.startswith("wss://")
        assert url.partition("/ws/")[0] in there.mesh.ws_urls.values()
        client = Client(there["ada"].token, f"{there.mesh.web_url}/api/", http=there.http, boots=True)
        async with client:
            await client.post(there.general, "over TLS")
            await _hear(client, "over TLS")
        await _slack_connects(there, ssl.create_default_context(cafile=str(cert)))
        for plain in (there.mesh.web_url.replace("https:", "http:"), url.replace("wss:", "http:")):
            with pytest.raises(aiohttp.ClientError):
                await there.http.get(plain)


async def test_behind_a_tls_proxy_the_path_names_the_gateway(tmp_path: Path, pems: tuple[Path, Path]) -> None:
    """All that clients see is one host and port: for calls, for sockets, and in every address that they are given."""
    async with town(tmp_path, counts=TIERS, zones=("az1",)) as there:
        gateways = {(await there.mesh.instance(name)).instance.id: url for name, url in there.mesh.ws_urls.items()}
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(pems[0])))
        async with (
            tls_proxy(there.mesh.web_url, gateways, *pems) as front,
            aiohttp.ClientSession(connector=trusting) as http,
        ):
            for avoided in gateways:
                token, base_url = there["ada"].token, f"https://{front.host}/api/"
                async with Client(token, base_url, http=http, avoid=(avoided,)) as client:
                    text = f"through the proxy, not by {avoided}"
                    posted = await client.post(there.general, text)
                    await _hear(client, text)
                    link = await client.call("chat.getPermalink", channel=there.general, message_ts=posted["ts"])
                    assert link["permalink"].startswith(f"https://{front.host}/archives/")
            assert set(front.seen) == set(gateways)


async def _hear(client: Client, text: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for event in client.events():
            if isinstance(event, Event) and event.json.get("text") == text:
                return


async def _slack_connects(there: Town, trusting: ssl.SSLContext) -> None:
    """Have an app on Slack's own client hear a message."""
    change = AppChange(is_socket_mode=True, event_types=("message.channels",))
    made, inbox = await make_app(there, "tls", change, there.general), Inbox()

    greeted = asyncio.Event()

    async def listen(_: Any, request: Any) -> None:
        inbox.add({"type": request.type, "payload": request.payload})

    async def look(_: Any, message: dict[str, Any], __: Any) -> None:
        if message.get("type") == "hello":
            greeted.set()

    web = AsyncWebClient(made.bot_token, base_url=f"{there.mesh.web_url}/api/", ssl=trusting)
    client = SocketModeClient(app_token=made.app_token, web_client=web)
    client.socket_mode_request_listeners.append(listen)
    client.message_listeners.append(look)
    await client.connect()  # type: ignore[no-untyped-call]
    try:
        # A new app hears what is said from its first greeting on.
        await asyncio.wait_for(greeted.wait(), PATIENCE_S)
        await there["grace"].post(there.general, "to the app")
        await inbox.wait_event(type="message", text="to the app")
    finally:
        await client.close()  # type: ignore[no-untyped-call]
