"""Our client library as a reader: what it hands to its application, over any number of connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import aiohttp

from ops.chaos.record import Kind
from ops.chaos.stage import Json, Person
from ops.chaos.streams import NotConnected, StreamLog
from parley_client import Client, ConnectionLost, Event, Refused, ResumeFailed, Status
from parley_client import NotConnected as ClientNotConnected
from svc.kit.lifecycle import background


class ResumingReader:
    """One client; `log` is what its application was handed. Its webapp is one of several, as behind a load balancer."""

    def __init__(self, person: Person, name: str, base_url: str, http: aiohttp.ClientSession, rng: Random) -> None:
        self.person = person
        self.log = StreamLog(name, person.user_id, Kind.RESUMING)
        self._client = Client(person.token, f"{base_url}/api/", http=http, on_status=self._status, rng=rng)

    @property
    def duplicates(self) -> int:
        """How many events the library dropped because it had them."""
        return self._client.session.duplicates

    @property
    def holes(self) -> int:
        """How often the library came back because it saw a hole: each is a fault of the gateway that it healed."""
        return self._client.session.holes

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ResumingReader]:
        """Be connected, as far as possible, for the block."""
        async with background(f"reader {self.log.name}", self._run()):
            yield self

    async def post(self, channel: str, text: str, client_msg_id: str, timeout_s: float) -> Json:
        """Post over the socket and return the answer. Raises NotConnected, or TimeoutError without an answer."""
        try:
            return await self._client.send(channel=channel, text=text, client_msg_id=client_msg_id, timeout_s=timeout_s)
        except Refused as refusal:
            return dict(refusal.body)
        except (ClientNotConnected, ConnectionLost) as error:
            raise NotConnected(str(error)) from error

    async def _run(self) -> None:
        async with self._client as client:
            async for happened in client.events():
                match happened:
                    case Event(json=frame):
                        self.log.arrived(frame)
                    case ResumeFailed(starts=starts):
                        for channel, offset in starts.items():
                            self.log.reset(channel, offset)

    def _status(self, status: Status, _: str) -> None:
        if status is Status.GREETED:
            self.log.greeted()
        elif status is Status.ENDED:
            self.log.ended()
