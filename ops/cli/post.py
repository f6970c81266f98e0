"""`parley post`: one message, by the Web API as any client posts it."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import click

from ops import demo_tokens
from ops.cli.output import CliError, emit_json, json_option
from ops.cli.target import running_mesh, var_option

HELP = """Post TEXT to CHANNEL ('#general', a channel's id, or a user's id for a direct message).

Speaks HTTP to the first webapp of the mesh that runs here, or to --url. The token is --token, else $PARLEY_TOKEN, else
that of the demo user named by --as. TEXT of - is read from stdin.

\b
Examples:
  parley post '#general' 'hello'
  parley post '#random' 'from grace' --as grace
  uptime | parley post C0123456789 - --token xoxb-…
  parley post '#general' hi --url http://10.0.0.5:8080 --token xoxb-…
"""

TIMEOUT_S = 10.0

HINTS = {
    "invalid_auth": "parley token create USER makes a token.",
    "token_revoked": "parley token create USER makes a new one.",
    "channel_not_found": "Quote the name: '#general'. A private channel is found by its members alone.",
    "not_in_channel": "Join first: conversations.join.",
}


@click.command("post", help=HELP)
@click.argument("channel")
@click.argument("text")
@click.option("--as", "user", default="ada", show_default=True, help="Demo user who posts: ada, grace, linus, helper.")
@click.option("--token", envvar="PARLEY_TOKEN", help="Token to post with.")
@click.option("--thread", metavar="TS", help="Reply to the message with this ts.")
@click.option("--url", default="", help="Address of a webapp, http://host:port.")
@var_option
@json_option
def command(
    channel: str, text: str, user: str, token: str | None, thread: str | None, url: str, var: Path, *, as_json: bool
) -> None:
    """Post a message."""
    form = {"channel": channel, "text": sys.stdin.read() if text == "-" else text}
    if thread:
        form["thread_ts"] = thread
    answer = _call(url or running_mesh(var).web_url, "chat.postMessage", token or _demo_token(var, user), form)
    if as_json:
        emit_json(answer)
        raise SystemExit(0 if answer.get("ok") else 1)
    if not answer.get("ok"):
        code = str(answer.get("error"))
        raise CliError(f"The message was refused: {code}.", HINTS.get(code, ""))
    print(f"posted to {answer['channel']} at {answer['ts']}")


def _demo_token(var: Path, user: str) -> str:
    info = demo_tokens.load(var)
    tokens = {name: token for name, _, token in info.users} if info else {}
    if user not in tokens:
        known = ", ".join(tokens) or "none on this mesh"
        raise CliError(f"There is no demo user {user!r} ({known}).", "Give --token; parley token create makes one.")
    return tokens[user]


def _call(url: str, method: str, token: str, form: dict[str, str]) -> dict[str, Any]:
    """Call a method once. Raises CliError when nobody answers in JSON."""
    if not url.startswith(("http://", "https://")):
        raise CliError(f"{url or 'Nothing'} is not an address.", "It looks like http://127.0.0.1:8080.")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        f"{url.rstrip('/')}/api/{method}",
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Bearer {token}"},
    )
    # A proxy that this machine uses for the internet has no business with a mesh.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            body: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise CliError(f"{url} answered {error.code} {error.reason}.", "parley status shows what is wrong.") from error
    except (OSError, ValueError) as error:
        raise CliError(f"{url} does not answer: {error}.", "parley status shows what runs.") from error
    return body
