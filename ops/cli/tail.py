"""`parley tail`: be a client of the Slack kind, and print what it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import click

from ops import demo_tokens
from ops.cli.output import CliError, emit_json, json_option, say
from ops.cli.target import running_mesh, var_option
from svc.kit.backoff import Backoff

HELP = """Connect as a user and print events as they arrive, until Ctrl-C.

Does what every RTM client does: rtm.connect over HTTP, then a WebSocket to the gateway that it names; reconnects when
the line breaks, and says how many events went by meanwhile. CHANNEL ('#general' or an id) leaves out all others.
The token is --token, else $PARLEY_TOKEN, else that of the demo user named by --as.

\b
Examples:
  parley tail                              everything that ada is told
  parley tail '#general' --as grace
  parley tail --json | jq .text
  parley tail --count 1 --timeout 10       wait for the next event, 10 s at the most
  parley tail --until deployed             stop after the message that says so
"""

TIMEOUT_S = 10.0
HEARTBEAT_S = 20.0
SETTLED_S = 5.0
"""A line that stood for this long starts the waits between tries anew."""

FATAL = {
    "invalid_auth": "parley token create USER makes a token.",
    "not_authed": "Give --token, or --as a demo user.",
    "token_revoked": "parley token create USER makes a new one.",
    "account_inactive": "This user is deactivated.",
    "not_allowed_token_type": "RTM wants a bot's or a user's token: xoxb-… or xoxp-….",
}


@dataclass
class Wanted:
    """Which events are shown, and when it is enough."""

    channel_id: str = ""
    count: int = 0
    until: str = ""
    shown: int = 0

    def shows(self, event: dict[str, Any]) -> bool:
        """Tell whether an event is to be shown."""
        channel = event.get("channel")
        channel_id = channel.get("id") if isinstance(channel, dict) else channel
        return event.get("type") not in ("hello", "goodbye", "pong") and self.channel_id in ("", channel_id)

    def is_enough(self, event: dict[str, Any]) -> bool:
        """Count a shown event; tell whether it was the last."""
        self.shown += 1
        return self.shown == self.count or bool(self.until and self.until in str(event.get("text", "")))


@dataclass
class Names:
    """Ids to what people call them."""

    users: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)

    def line(self, event: dict[str, Any]) -> str:
        """Return an event as a line for people."""
        channel = event.get("channel")
        channel_id = str(channel.get("id", "") if isinstance(channel, dict) else channel or "")
        where = self.channels.get(channel_id, channel_id)
        who = self.users.get(str(event.get("user", "")), str(event.get("user") or event.get("username") or ""))
        ts = str(event.get("ts") or event.get("event_ts") or time.time())
        when = time.strftime("%H:%M:%S", time.localtime(float(ts)))
        if event.get("type") == "message" and "subtype" not in event:
            return f"{when} {where:<12} {who}: {event.get('text', '')}"
        kind = event.get("subtype") or event.get("type")
        rest = {name: value for name, value in event.items() if name not in ("type", "subtype", "channel", "user")}
        what = event.get("text") or event.get("presence") or (json.dumps(rest) if rest else "")
        return f"{when} {where:<12} {who} [{kind}] {what}".rstrip()


@dataclass
class Positions:
    """The last offset seen of each channel: repeats are dropped, gaps counted."""

    last: dict[str, int] = field(default_factory=dict)

    def missed(self, event: dict[str, Any]) -> int | None:
        """Return how many events went by before this one; None when it was seen already."""
        channel_id, _, offset = str(event.get("position", "")).rpartition(":")
        if not offset.isdigit():
            return 0
        before = self.last.get(channel_id, int(offset) - 1)
        if int(offset) <= before:
            return None
        self.last[channel_id] = int(offset)
        return int(offset) - before - 1


class Api:
    """The Web API, as one user."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, **form: str) -> dict[str, Any]:
        """Call a method. Raises CliError when it is refused for good; OSError and aiohttp's errors to try again."""
        async with self._http.post(f"{self._url}/api/{method}", data=form, headers=self._headers) as answer:
            body: dict[str, Any] = await answer.json(content_type=None)
        if not body.get("ok"):
            code = str(body.get("error"))
            if code in FATAL:
                raise CliError(f"{method} was refused: {code}.", FATAL[code])
            raise aiohttp.ClientError(f"{method}: {code}")
        return body

    async def names(self) -> Names:
        """Return the names of users and channels, the first thousand of each."""
        users = await self.call("users.list", limit="1000")
        channels = await self.call("users.conversations", limit="1000", types="public_channel,private_channel,im,mpim")
        names = Names({user["id"]: user["name"] for user in users["members"]})
        for channel in channels["channels"]:
            is_direct = channel.get("is_im")
            shown = f"@{names.users.get(channel.get('user', ''), '?')}" if is_direct else f"#{channel.get('name', '')}"
            names.channels[channel["id"]] = shown
        return names


@click.command("tail", help=HELP)
@click.argument("channel", default="")
@click.option("--as", "user", default="ada", show_default=True, help="Demo user to be: ada, grace, linus, helper.")
@click.option("--token", envvar="PARLEY_TOKEN", help="Token to connect with.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--until", default="", metavar="TEXT", help="Stop after a message that contains TEXT.")
@click.option("--timeout", type=float, help="Give up after so many seconds (exit code 1).")
@click.option("--url", default="", help="Address of a webapp, http://host:port.")
@var_option
@json_option
def command(
    channel: str,
    user: str,
    token: str | None,
    count: int | None,
    until: str,
    timeout: float | None,
    url: str,
    var: Path,
    *,
    as_json: bool,
) -> None:
    """Print events."""
    base_url = url or running_mesh(var).web_url
    if not base_url.startswith(("http://", "https://")):
        raise CliError(f"{base_url or 'Nothing'} is not an address.", "It looks like http://127.0.0.1:8080.")
    wanted = Wanted(count=count or 0, until=until)
    work = _tail(base_url, token or _demo_token(var, user), channel, wanted, as_json=as_json)
    try:
        asyncio.run(asyncio.wait_for(work, timeout))
    except TimeoutError:
        raise CliError(f"{wanted.shown} events came in {timeout} s, and not the one waited for.") from None


def _demo_token(var: Path, user: str) -> str:
    info = demo_tokens.load(var)
    tokens = {name: token for name, _, token in info.users} if info else {}
    if user not in tokens:
        known = ", ".join(tokens) or "none on this mesh"
        raise CliError(f"There is no demo user {user!r} ({known}).", "Give --token; parley token create makes one.")
    return tokens[user]


async def _tail(url: str, token: str, channel: str, wanted: Wanted, *, as_json: bool) -> None:
    """Print events until enough were shown."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        api = Api(http, url, token)
        try:
            names = await api.names()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CliError(f"{url} does not answer: {error}.", "parley status shows what runs.") from error
        wanted.channel_id = _channel_id(channel, names)

        def show(event: dict[str, Any]) -> None:
            if as_json:
                emit_json(event)
            else:
                print(names.line(event), flush=True)

        await _follow(api, http, wanted, Positions(), show)


def _channel_id(channel: str, names: Names) -> str:
    by_name = {shown: channel_id for channel_id, shown in names.channels.items()}
    found = by_name.get(channel) or by_name.get(f"#{channel}") or channel
    if found and found not in names.channels:
        raise CliError(f"{channel} is no channel of this user.", f"There are: {', '.join(sorted(by_name))}.")
    return found


async def _follow(
    api: Api,
    http: aiohttp.ClientSession,
    wanted: Wanted,
    positions: Positions,
    show: Callable[[dict[str, Any]], None],
) -> None:
    """Connect, and again whenever the line ends, with growing waits while it does not stand."""
    backoff = Backoff(0.2, 5.0)
    while True:
        started = time.monotonic()
        try:
            if await _session(api, http, wanted, positions, show):
                return
            say("the line ended; reconnecting")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            say(f"not connected: {error}; trying again")
        if time.monotonic() - started > SETTLED_S:
            backoff.reset()
        await asyncio.sleep(backoff.next_s())


async def _session(
    api: Api,
    http: aiohttp.ClientSession,
    wanted: Wanted,
    positions: Positions,
    show: Callable[[dict[str, Any]], None],
) -> bool:
    """Show the events of one connection; return whether it was enough."""
    answer = await api.call("rtm.connect")
    async with http.ws_connect(answer["url"], heartbeat=HEARTBEAT_S, max_msg_size=0) as socket:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            event: dict[str, Any] = json.loads(frame.data)
            if event.get("type") == "hello":
                say(f"listening as {answer['self']['name']} at {event.get('host_id', 'a gateway')}")
            missed = positions.missed(event)
            if missed is None or not wanted.shows(event):
                continue
            if missed:
                say(f"{missed} events of {event.get('channel')} went by unseen")
            show(event)
            if wanted.is_enough(event):
                return True
    return False
