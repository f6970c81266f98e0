"""Slack's own clients for Python as tests see them: a process each, spoken to as those for Node.js are (python/)."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ops.setup.binaries import ROOT
from ops.setup.old_clients import FOLDER
from tests.mesh.node_clients import NodeClient

SCRIPTS = Path(__file__).parent / "python"
FIRST = "slackclient"
"""Slack's first client, which has a script of its own and libraries of its time."""


class PythonClient(NodeClient):
    """A running client, and all that it has said."""

    environ: Mapping[str, str] = {}
    """What it was started with."""

    @property
    def hellos(self) -> int:
        """How often it has been connected."""
        return sum(line.get("state") == "connected" for line in self.said)

    def texts(self) -> list[str]:
        """Return what it heard said, in order, what came again included."""
        events = [line["event"] for line in self.said if line["is"] == "event"]
        return [event["text"] for event in events if "text" in event and "reply_to" not in event]

    def first_tries(self, texts: Collection[str]) -> list[str]:
        """Return which of these came to it in Socket Mode, those left out that were tried before."""
        events = [line["event"] for line in self.said if line["is"] == "event"]
        return [each["text"] for each in events if each.get("text") in texts and each["tries"] == 0]

    async def connected_again(self, times: int) -> None:
        """Wait until it has been connected so often."""
        await self.wait_for(lambda _: self.hellos >= times)

    async def hears(self, *texts: str) -> None:
        """Wait until it has heard all of these."""
        await self.wait_for(lambda _: set(texts) <= set(self.texts()))


@asynccontextmanager
async def python_client(
    kind: str, api: str, token: str, app_token: str = "", environ: Mapping[str, str] | None = None
) -> AsyncIterator[PythonClient]:
    """Run a client of the kinds that python/client.py knows, or FIRST; it is connected when the block begins."""
    told = {"PARLEY_API": api, "PARLEY_TOKEN": token, "PARLEY_APP_TOKEN": app_token, **(environ or {})}
    script = [str(SCRIPTS / "client.py"), kind]
    if kind == FIRST:
        told["PYTHONPATH"] = str(ROOT / FOLDER)
        script = [str(SCRIPTS / "first_client.py")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *script, stdin=PIPE, stdout=PIPE, env={**os.environ, **told}, limit=1 << 24
    )
    client = PythonClient(kind, process)
    client.environ = told
    listening = asyncio.create_task(client.listen())
    try:
        await client.state("connected")
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await listening
