"""Slack's own clients for Node.js as tests see them: a process each, spoken to in lines of JSON (node/client.js)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

SCRIPT = Path(__file__).parent / "node" / "client.js"
PACKAGES = Path(__file__).parents[2] / "node_modules"
PATIENCE_S = 60.0
"""Longest that anything here is waited for: a Node.js process starts in a second, on a busy machine in ten."""


class NodeClient:
    """A running client, and all that it has said."""

    def __init__(self, label: str, process: asyncio.subprocess.Process) -> None:
        self.label = label
        self.said: list[Json] = []
        self._process = process
        self._last_id = 0
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        """Record what it says until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(json.loads(line))
            self._changed.set()
        self.said.append({"is": "end", "code": await self._process.wait()})
        self._changed.set()

    async def wait_for(self, wanted: Callable[[Json], bool], after: int = 0) -> Json:
        """Return the first thing said, from the `after`th on, that is wanted. Fails with what was said instead."""
        seen = after
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for line in self.said[seen:]:
                        if wanted(line):
                            return line
                        assert line["is"] != "end", f"{self.label} has ended: {self.said[-20:]}"
                    seen = len(self.said)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.label} did not say it; it said {self.said[-20:]}") from None

    async def event(self, after: int = 0, **wanted: Any) -> Json:
        """Return the first event with these fields; of an app, the payload in which it came."""

        def is_wanted(said: Json) -> bool:
            if said["is"] != "event":
                return False
            event = {"type": said.get("type"), **said["event"]}
            fields = event["event"] if said.get("type") == "events_api" else event
            return all(fields.get(name) == value for name, value in wanted.items())

        found: Json = (await self.wait_for(is_wanted, after))["event"]
        return found

    async def wait_texts(self, texts: set[str]) -> None:
        """Wait until all of these messages have been heard."""
        for text in texts - set(self.texts()):
            await self.event(type="message", text=text)

    def texts(self) -> list[str]:
        """Return the texts of the messages heard so far, in order, repeated ones too."""
        return [event["text"] for event in self.events("message") if "text" in event]

    def events(self, kind: str) -> list[Json]:
        """Return what it heard of a type so far; of an app, the event inside."""
        heard = [
            line["event"] for line in self.said if line["is"] == "event" and line.get("type") in (kind, "events_api")
        ]
        inner = [event.get("event", event) for event in heard]
        return [event for event in inner if event.get("type", kind) == kind]

    async def state(self, name: str, after: int = 0) -> Json:
        """Wait until its connection is in a state, and return what it said of it."""
        return await self.wait_for(lambda said: said.get("state") == name, after)

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a Web API method that must succeed, and return its answer."""
        answer: Json = await self._order(call=method, arguments=arguments)
        return answer

    async def pages(self, method: str, **arguments: Any) -> list[Json]:
        """Return the answers to all of a method's pages, as the client turns them."""
        answers = await self._order(pages=method, arguments=arguments)
        assert isinstance(answers, list)
        return answers

    async def failure(self, method: str, **arguments: Any) -> Json:
        """Call a Web API method that must fail; return what the client threw: `code`, and `data`, the answer."""
        line = await self._obeyed(call=method, arguments=arguments)
        assert line["is"] == "failure", line
        return line

    async def send(self, text: str, channel: str) -> Json:
        """Send a message over the socket, and return its acknowledgement."""
        answer: Json = await self._order(send=text, channel=channel)
        return answer

    async def rtm(self, method: str, *arguments: Any) -> None:
        """Call a method of an RTM client."""
        await self._order(rtm=method, arguments=arguments)

    async def be_deaf(self, is_so: bool) -> None:
        """Have a Socket Mode client acknowledge nothing, or everything again."""
        await self._order(deaf=is_so)

    async def _order(self, **order: Any) -> Any:
        line = await self._obeyed(**order)
        assert line["is"] == "answer", line
        return line["answer"]

    async def _obeyed(self, **order: Any) -> Json:
        self._last_id += 1
        number = self._last_id
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, **order}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.wait_for(lambda said: said.get("id") == number)


def check_node(package: str) -> None:
    """Skip a test of a package that wants a newer Node.js than there is."""
    wants = json.loads((PACKAGES / package / "package.json").read_text())["engines"]["node"]
    least = _version(wants)
    if node_version() < least:
        pytest.skip(f"{package} wants Node.js {wants}; here is {'.'.join(map(str, node_version()))}")


@cache
def node_version() -> tuple[int, ...]:
    """Return the version of Node.js that is installed."""
    return _version(subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout)


def _version(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)*", text)
    assert found is not None, text
    return tuple(map(int, found[0].split(".")))


@asynccontextmanager
async def node_client(
    kind: str, package: str, web_url: str, *, token: str = "", app_token: str = "", signing_secret: str = ""
) -> AsyncIterator[NodeClient]:
    """Run `web`, `rtm`, `socket`, `bolt` or `express` (Bolt over HTTP) from a package of package.json.

    It is connected, or listens, when the block begins.
    """
    check_node(package)
    secrets = {"PARLEY_TOKEN": token, "PARLEY_APP_TOKEN": app_token, "PARLEY_SIGNING_SECRET": signing_secret}
    environ = os.environ | secrets | {"PARLEY_API": f"{web_url}/api/"}
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), kind, package, stdin=PIPE, stdout=PIPE, env=environ, limit=1 << 24
    )
    client = NodeClient(package, process)
    listening = asyncio.create_task(client.listen())
    try:
        await client.state("connected")
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await listening
