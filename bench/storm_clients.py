"""A process full of clients for `bench.storm`: each boots, connects, takes what comes, and notes when.

Told by a line of JSON on stdin who its clients are and which gateways they do not go to, it answers `{"connected":n}`
once all of them are. Then a line `{"since":t}` makes it answer what became of each since that time, and end. Times are
monotonic seconds, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import uvloop

from parley_client import Booted, Client, Event, Status

AT_ONCE = 40
"""Clients that begin together: this is not yet the storm."""
ACK_S = 10.0
"""Longest that an acknowledgement comes after its event."""
LINE_BYTES_MAX = 256 * 1024 * 1024


@dataclass(slots=True)
class Life:
    """What one client went through."""

    user_id: str
    host_id: str = ""
    """The gateway that it is at."""
    hosts: list[tuple[float, str]] = field(default_factory=list)
    booted: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    arrivals: list[tuple[float, str, int]] = field(default_factory=list)
    """When which message came: (time, channel, offset)."""
    waits: dict[str, int] = field(default_factory=dict)
    """Why it was not connected, and how often."""

    def boot(self, boot: Booted) -> None:
        """Note a boot."""
        self.booted.append(time.monotonic())

    def status(self, status: Status, detail: str) -> None:
        """Note what became of the connection."""
        if status is Status.GREETED:
            self.host_id = detail
            self.hosts.append((time.monotonic(), detail))
        elif status is Status.READY:
            self.ready.append(time.monotonic())
        elif status is Status.WAITING:
            cause = detail[:60]
            self.waits[cause] = self.waits.get(cause, 0) + 1

    def since(self, since: float) -> dict[str, Any]:
        """Return what happened since a time; `hosts` whole, and arrivals of the moment before as well."""
        told = asdict(self)
        for name in ("booted", "ready"):
            told[name] = [at for at in told[name] if at >= since]
        # What was acknowledged after it may have arrived before: an answer has a longer way than its event.
        told["arrivals"] = [each for each in told["arrivals"] if each[0] >= since - ACK_S]
        return told


async def live(client: Client, life: Life) -> None:
    """Take events until cancelled."""
    async for event in client.events():
        if isinstance(event, Event) and event.type == "message" and event.offset:
            life.arrivals.append((time.monotonic(), event.channel_id, event.offset))


async def main() -> None:
    """Do what stdin says."""
    lines = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task = json.loads(await lines.readline())
    # A thousand clients are one large heap that lives: to look for cycles in it takes two tenths of a second of a
    # processor at a time, and would be what is measured. No machine with one of these clients would need that.
    gc.disable()
    lives = [Life(user_id) for user_id, _ in task["people"]]
    slots = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as up:
        http = await up.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        group = await up.enter_async_context(asyncio.TaskGroup())

        async def begin(life: Life, token: str, base_url: str) -> None:
            async with slots:
                client = Client(
                    token,
                    base_url,
                    http=http,
                    boots=True,
                    on_boot=life.boot,
                    on_status=life.status,
                    avoid=task["avoid"],
                )
                await up.enter_async_context(client)
            group.create_task(live(client, life))

        async with asyncio.TaskGroup() as beginning:
            for number, (life, (_, token)) in enumerate(zip(lives, task["people"], strict=True)):
                beginning.create_task(begin(life, token, task["base_urls"][number % len(task["base_urls"])]))
        _say({"connected": len(lives)})
        since = json.loads(await lines.readline())["since"]
        _say({"lives": [life.since(since) for life in lives]})
        # The process is done; thousands of orderly goodbyes would tell nothing.
        sys.stdout.flush()
        sys.exit(0)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
