"""Opening sessions: reads what a user follows and lets the connection follow it; catches up whoever is behind.

Hello goes out as soon as the heads of the session's channels are known: whatever is committed after it is above them,
and reaches the client. A client whose webapp does not answer is greeted all the same (see sockets.HELLO_WAIT_S).
"""

from __future__ import annotations

import asyncio
import logging
from random import Random

from svc.gateway.close_codes import CloseCode
from svc.gateway.hub import Hub
from svc.gateway.sockets import Connection
from svc.gateway.webapp import Webapp
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import NotFoundError, ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks

OPENINGS_MAX = 64
"""Sessions being opened at once: a storm of reconnects must not become a storm on webapp."""

TRIES_MAX = 6
"""Tries to read what a user follows, before the client is asked to come back later: about 10 s."""

JOINS_AT_ONCE = 2_000
"""Channels joined before other work gets its turn: 5 ms."""

READ_CHANNELS_MAX = 64
READ_EVENTS_MAX = 100
"""Sizes of one log read; see feed.filler."""

PACE_BYTES = 256 * 1024
"""Unwritten bytes above which catching up waits for the client to read: well below what cuts it off."""

log = logging.getLogger(__name__)


class Openings:
    """Works for connections in tasks of its own; a connection that closes meanwhile costs nothing more."""

    def __init__(self, webapp: Webapp, tasks: Tasks, clock: Clock, rng: Random) -> None:
        """Run in `tasks`, whose limit should allow for two of them a connection."""
        self._webapp = webapp
        self._tasks = tasks
        self._clock = clock
        self._rng = rng
        self._slots = asyncio.Semaphore(OPENINGS_MAX)
        self._catching_up: set[Connection] = set()

    def open(self, connection: Connection, hub: Hub) -> None:
        """Let a new connection follow what its user follows, soon."""
        try:
            self._tasks.spawn(self._open(connection, hub), "opening")
        except ResourceExhaustedError:
            connection.close(CloseCode.NOT_READY, "too many connections are being opened")

    def catch_up(self, connection: Connection, hub: Hub) -> None:
        """Read what a connection misses, soon; once at a time."""
        if connection in self._catching_up or connection.is_closing:
            return
        try:
            self._tasks.spawn(self._catch_up(connection, hub), "catching up")
        except ResourceExhaustedError:
            connection.close(CloseCode.NOT_READY, "too many connections are catching up")
        else:
            self._catching_up.add(connection)

    async def _open(self, connection: Connection, hub: Hub) -> None:
        async with self._slots:
            heads = await self._heads(connection)
        if heads is None:
            return
        connection.greet()
        # The user's own channel comes last: changes made since `heads` was read are replayed from it, after all else.
        heads.sort(key=lambda head: head[0] == connection.user_id)
        for start in range(0, len(heads), JOINS_AT_ONCE):
            if connection.is_closing:
                return
            for channel_id, offset in heads[start : start + JOINS_AT_ONCE]:
                hub.join(connection, channel_id, offset)
            await asyncio.sleep(0)

    async def _heads(self, connection: Connection) -> list[tuple[str, int]] | None:
        """Return what the connection is to follow; None when it was closed instead."""
        backoff = Backoff(0.2, 3.0, self._rng)
        for _ in range(TRIES_MAX):
            if connection.is_closing:
                return None
            try:
                return list(await self._webapp.subscriptions(connection.ticket.team_id, connection.user_id))
            except NotFoundError:
                connection.close(CloseCode.USER_GONE, "there is no such user")
                return None
            except ParleyError as error:
                log.warning("subscriptions of %s could not be read: %s", connection.user_id, error)
                await self._clock.sleep(backoff.next_s())
        connection.close(CloseCode.NOT_READY, "the session could not be opened: come back later")
        return None

    async def _catch_up(self, connection: Connection, hub: Hub) -> None:
        backoff = Backoff(0.1, 2.0, self._rng)
        try:
            while not connection.is_closing and (asked := hub.missing(connection, READ_CHANNELS_MAX)):
                if await self._read(connection, hub, asked):
                    backoff.reset()
                else:
                    await self._clock.sleep(backoff.next_s())
                while connection.unwritten_bytes > PACE_BYTES and not connection.is_closing:
                    await self._clock.sleep(0.02)
        finally:
            self._catching_up.discard(connection)

    async def _read(self, connection: Connection, hub: Hub, asked: list[tuple[str, int]]) -> bool:
        """Read once; return whether it brought anything."""
        missing = {channel_id for channel_id, _ in asked}
        brought = 0
        try:
            for run in await self._webapp.read_log(asked, READ_EVENTS_MAX):
                missing.discard(run.channel_id)
                brought += hub.read(connection, run.channel_id, run.events, run.head, run.is_truncated)
        except ParleyError as error:
            log.warning("the log of %d channels could not be read: %s", len(asked), error)
        finally:
            hub.failed(connection, missing)
        return brought > 0
