"""An app's Socket Mode connections: events and what people wait for go down, acknowledgements come up."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import DeadlineError, ParleyError, UnavailableError
from svc.webapp.apps.items import Item
from svc.webapp.apps.lines import CONNECTIONS_MAX, Line
from svc.webapp.apps.ways import Done, Outcome
from svc.webapp.apps.window import Connections, Window, WindowRules
from svc.webapp.apps.wrapping import envelope

__all__ = ["REQUESTS_MAX", "SocketWay"]

REQUESTS_MAX = 200
"""Things that people wait for, of one app at a time."""

POLL_S = 0.02


class SocketWay:
    """Over Socket Mode (see ways.Way)."""

    def __init__(self, now: Callable[[], float], done: Done, rules: WindowRules | None = None) -> None:
        """`done` hears of each event once."""
        self.on_news: Callable[[], None] = lambda: None
        """Told when `turn` should be asked again."""
        self.repeated = 0
        """Envelopes that were sent again."""
        self._now = now
        self._done = done
        self._connections = Connections()
        self._window = Window(self._connections, rules or WindowRules())
        self._lines: dict[str, Line] = {}
        self._requests: dict[str, tuple[str, asyncio.Future[bytes]]] = {}

    def __len__(self) -> int:
        """See Way."""
        return len(self._window)

    @property
    def size(self) -> int:
        """See Way."""
        return self._window.size

    @property
    def under_way(self) -> int:
        """See Way."""
        return self._window.under_way + len(self._requests)

    @property
    def connection_count(self) -> int:
        """How many connections the app has."""
        return len(self._lines)

    def attach(self, opened: pb.AppOpen) -> Line | None:
        """Take in a connection; None when the app has as many as it may have. One that comes again replaces itself."""
        before = self._lines.get(opened.connection_id)
        if before is not None:
            self.detach(before)
            before.end()
        if len(self._lines) >= CONNECTIONS_MAX:
            return None
        line = Line(opened.connection_id, opened.token_hash_prefix)
        self._lines[line.connection_id] = line
        line.say(pb.AppStreamResponse(opened=pb.AppOpened(connection_count=len(self._lines))))
        self._connections.opened(line.connection_id)
        self.on_news()
        return line

    def detach(self, line: Line) -> None:
        """Forget a connection; what it had under way goes out again. Harmless when it is gone already."""
        if self._lines.get(line.connection_id) is not line:
            return
        del self._lines[line.connection_id]
        gone = self._connections.closed(line.connection_id)
        for item in self._window.lost(gone, self._now()):
            self._done(item, Outcome.GIVEN_UP)
        for id_ in gone & self._requests.keys():
            waiting = self._requests[id_][1]
            if not waiting.done():
                waiting.set_exception(UnavailableError("the app's connection went away"))
        self.on_news()

    def leaving(self, line: Line) -> None:
        """Give a connection nothing new any more."""
        if self._lines.get(line.connection_id) is line:
            self._connections.leaving(line.connection_id)

    def acked(self, id_: str, payload: bytes) -> None:
        """Take an acknowledgement; one for what is not under way, or was acknowledged before, means nothing."""
        request = self._requests.get(id_)
        if request is not None:
            if not request[1].done():
                request[1].set_result(payload)
            return
        item = self._window.acked(id_)
        if item is not None:
            self._done(item, Outcome.DELIVERED)
            self.on_news()

    def add(self, item: Item) -> None:
        """See Way."""
        self._window.add(item)

    def turn(self, now: float) -> float | None:
        """See Way."""
        for item in self._window.tick(now):
            self._done(item, Outcome.GIVEN_UP)
        clogged = []
        for connection_id, item in self._window.next(now):
            tries = item.attempts + item.losses
            self.repeated += tries > 0
            frame = envelope(
                "events_api", item.id, item.payload, accepts_payload=False, attempt=item.attempts, reason=item.reason
            )
            line = self._lines[connection_id]
            if not line.send(item.id, frame):
                self._connections.leaving(connection_id)
                clogged.append(line)
        for line in clogged:
            line.end(UnavailableError("this connection takes nothing any more"))
            self.detach(line)
        return self._window.next_due()

    def drop_older(self, before_us: int) -> None:
        """See Way."""
        for item in self._window.drop_older(before_us):
            self._done(item, Outcome.TOO_OLD)

    def clear(self) -> Sequence[Item]:
        """See Way."""
        return self._window.clear()

    async def request(self, kind: str, payload: bytes, timeout_s: float) -> bytes:
        """Send what a person waits for to one connection, and return the payload of its acknowledgement.

        Never repeated. Raises UnavailableError without a connection, or when it goes away; DeadlineError when the app
        does not answer in time.
        """
        deadline = self._now() + timeout_s
        connection_id = await self._connection(deadline)
        if len(self._requests) >= REQUESTS_MAX:
            raise UnavailableError("the app answers too slowly", subject="requests", limit=REQUESTS_MAX)
        id_ = str(uuid.uuid4())
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._requests[id_] = (connection_id, answer)
        self._connections.sent(connection_id, id_)
        try:
            if not self._lines[connection_id].send(id_, envelope(kind, id_, payload, accepts_payload=True)):
                raise UnavailableError("the app's connection takes nothing any more")
            async with asyncio.timeout(max(0.001, deadline - self._now())):
                return await answer
        except TimeoutError:
            raise DeadlineError(f"the app did not answer within {timeout_s:g} s") from None
        finally:
            del self._requests[id_]
            self._connections.settled(connection_id, id_)

    async def _connection(self, deadline: float) -> str:
        """Return the connection to use; an app that has just lost its only one comes back within a moment."""
        while (found := self._connections.pick()) is None:
            if self._now() + POLL_S >= deadline:
                raise UnavailableError("the app has no connection open")
            await asyncio.sleep(POLL_S)
        return found

    def revoked(self, prefixes: Sequence[bytes]) -> None:
        """End the connections that were opened with these tokens."""
        for line in tuple(self._lines.values()):
            if line.token_hash_prefix and line.token_hash_prefix in prefixes:
                self._disable(line)

    def disable(self) -> None:
        """End all connections: the app is gone, or wants none."""
        for line in tuple(self._lines.values()):
            self._disable(line)

    def end(self, ending: ParleyError) -> None:
        """End all streams; the connections stay, and their gateways look for the owner."""
        for line in tuple(self._lines.values()):
            line.end(ending)
            self.detach(line)

    def _disable(self, line: Line) -> None:
        line.disconnect(pb.DISCONNECT_REASON_LINK_DISABLED)
        self.detach(line)
