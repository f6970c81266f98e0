"""`parley tail`: be a client that loses nothing, and print what it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any

import aiohttp
import click

from ops import demo_tokens
from ops.cli.output import CliError, emit_json, json_option, say
from ops.cli.target import running_mesh, var_option
from parley_client import Client, Refused, ResumeFailed, Status, TokenMalformed, Unreachable
from parley_client.webapi import WebApi

HELP = """Connect as a user and print events as they arrive, until Ctrl-C.

Every persisted event comes once and in order, over any number of broken connections; where some are gone for good, it
says so. CHANNEL ('#general' or an id) leaves out all others. With --state FILE it begins where the last one with
that file ended. The token is --token, else $PARLEY_TOKEN, else that of the demo user named by --as.

\b
Examples:
  parley tail                              everything that ada is told
  parley tail '#general' --as grace
  parley tail --json | jq .text
  parley tail --count 1 --timeout 10       wait for the next event, 10 s at the most
  parley tail --until deployed             stop after the message that says so
  parley tail --state seen                 and what happened since the last time
"""

NAMES_S = 3.0
"""Longest that a server may take to tell the names of users and channels."""

HINTS = {
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

    def shows(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event is to be shown."""
        channel = event.get("channel")
        channel_id = channel.get("id") if isinstance(channel, dict) else channel
        return self.channel_id in ("", channel_id)

    def is_enough(self, event: Mapping[str, Any]) -> bool:
        """Count a shown event; tell whether it was the last."""
        self.shown += 1
        return self.shown == self.count or bool(self.until and self.until in str(event.get("text", "")))


@dataclass
class Names:
    """Ids to what people call them."""

    users: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)

    def line(self, event: Mapping[str, Any]) -> str:
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


async def _names(api: WebApi) -> Names:
    """Return the names of users and channels, the first thousand of each."""
    users = await _read(api, "users.list", limit=1_000)
    kinds = "public_channel,private_channel,im,mpim"
    channels = await _read(api, "users.conversations", limit=1_000, types=kinds)
    names = Names({user["id"]: user["name"] for user in users["members"]})
    for channel in channels["channels"]:
        is_direct = channel.get("is_im")
        shown = f"@{names.users.get(channel.get('user', ''), '?')}" if is_direct else f"#{channel.get('name', '')}"
        names.channels[channel["id"]] = shown
    return names


async def _read(api: WebApi, method: str, **arguments: Any) -> dict[str, Any]:
    return await api.call(method, arguments, deadline_s=NAMES_S, is_repeatable=True)


@click.command("tail", help=HELP)
@click.argument("channel", default="")
@click.option("--as", "user", default="ada", show_default=True, help="Demo user to be: ada, grace, linus, helper.")
@click.option("--token", envvar="PARLEY_TOKEN", help="Token to connect with.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--until", default="", metavar="TEXT", help="Stop after a message that contains TEXT.")
@click.option("--timeout", type=float, help="Give up after so many seconds (exit code 1).")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="Begin where FILE says, and keep it.")
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
    state: Path | None,
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
    work = _tail(base_url, token or _demo_token(var, user), channel, wanted, state, as_json=as_json)
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


async def _tail(url: str, token: str, channel: str, wanted: Wanted, state: Path | None, *, as_json: bool) -> None:
    """Print events until enough were shown."""
    base_url = f"{url.rstrip('/')}/api/"
    async with aiohttp.ClientSession() as http:
        try:
            names = await _names(WebApi(http, base_url, token, SystemRandom()))
            wanted.channel_id = _channel_id(channel, names)

            def show(event: Mapping[str, Any]) -> None:
                if as_json:
                    emit_json(event)
                else:
                    print(names.line(event), flush=True)

            client = Client(token, base_url, resume_token=_kept(state), http=http, on_status=_say_status)
            try:
                await _follow(client, wanted, show)
            finally:
                _keep(state, client.resume_token())
        except Unreachable as error:
            raise CliError(f"{url} does not answer: {error}.", "parley status shows what runs.") from error
        except Refused as refusal:
            raise CliError(f"{refusal}.", HINTS.get(refusal.code, "")) from refusal
        except TokenMalformed as error:
            raise CliError(f"{state} has no resume token: {error}.", "Delete it to begin anew.") from error


def _channel_id(channel: str, names: Names) -> str:
    by_name = {shown: channel_id for channel_id, shown in names.channels.items()}
    found = by_name.get(channel) or by_name.get(f"#{channel}") or channel
    if found and found not in names.channels:
        raise CliError(f"{channel} is no channel of this user.", f"There are: {', '.join(sorted(by_name))}.")
    return found


def _kept(state: Path | None) -> str:
    return state.read_text().strip() if state is not None and state.exists() else ""


def _keep(state: Path | None, resume_token: str) -> None:
    if state is not None:
        state.write_text(f"{resume_token}\n")


async def _follow(client: Client, wanted: Wanted, show: Callable[[Mapping[str, Any]], None]) -> None:
    """Show events, and what was missed for good, until it is enough."""
    async with client:
        async for event in client.events():
            if isinstance(event, ResumeFailed):
                say(f"missed for good: events of {', '.join(event.channels)}")
            elif wanted.shows(event.json):
                show(event.json)
                if wanted.is_enough(event.json):
                    return


def _say_status(status: Status, detail: str) -> None:
    if status is Status.GREETED:
        say(f"listening at {detail or 'a gateway'}")
    elif status is Status.ENDED:
        say(f"the connection ended ({detail}); reconnecting")
    elif status is Status.WAITING:
        say(f"not connected: {detail}; trying again")
