"""Slack's own clients for Node.js as tests see them: a process each, spoken to in lines of JSON (node/client.js)."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCRIPT = Path(__file__).parent / "node" / "client.js"
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

    async def event(self, after: int = 0, **wanted: str) -> Json:
        """Return the first event with these fields."""
        line = await self.wait_for(
            lambda said: (
                said["is"] == "event" and wanted.items() <= {**said["event"], "type": said.get("type")}.items()
            ),
            after,
        )
        found: Json = line["event"]
        return found

    async def state(self, name: str, after: int = 0) -> None:
        """Wait until its connection is in a state."""
        await self.wait_for(lambda said: said.get("state") == name, after)

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a Web API method that must succeed, and return its answer."""
        return await self._order(call=method, arguments=arguments)

    async def send(self, text: str, channel: str) -> Json:
        """Send a message over the socket, and return its acknowledgement."""
        return await self._order(send=text, channel=channel)

    async def _order(self, **order: Any) -> Json:
        self._last_id += 1
        number = self._last_id
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, **order}).encode() + b"\n")
        await self._process.stdin.drain()
        line = await self.wait_for(lambda said: said.get("id") == number)
        assert line["is"] == "answer", line
        answer: Json = line["answer"]
        return answer


@asynccontextmanager
async def node_client(
    kind: str, package: str, web_url: str, *, token: str = "", app_token: str = ""
) -> AsyncIterator[NodeClient]:
    """Run `web`, `rtm`, `socket` or `bolt` from a package of package.json; it is connected when the block begins."""
    environ = os.environ | {"PARLEY_API": f"{web_url}/api/", "PARLEY_TOKEN": token, "PARLEY_APP_TOKEN": app_token}
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
