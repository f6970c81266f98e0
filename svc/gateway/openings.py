"""Opening sessions: reads what a user follows and lets the connection follow it, from the heads or from a resume token.

Hello goes out as soon as the heads of the session's channels are known: whatever is committed after it is above them,
and reaches the client. A client whose webapp does not answer is greeted all the same (see sockets.HELLO_WAIT_S), and
one that resumes is greeted at once, since it has something to say first.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from random import Random
from typing import Protocol

from svc.feed.filler import LogReader
from svc.gateway import resume as resuming
from svc.gateway.catching_up import catch_up
from svc.gateway.close_codes import CloseCode
from svc.gateway.hub import Hub
from svc.gateway.returning import Returning, returning_of
from svc.gateway.session import Resume
from svc.gateway.sockets import Connection
from svc.gateway.webapp import Subscriptions, Webapp
from svc.kit.backoff import Backoff
from svc.kit.bites import Bites
from svc.kit.clock import Clock
from svc.kit.errors import NotFoundError, ParleyError, ResourceExhaustedError, UnauthenticatedError
from svc.kit.lifecycle import Tasks

OPENINGS_MAX = 400
"""Sessions being opened at once: half of what a webapp has under way of beginnings. There they share what they read,
waiting a moment for one another, so more at once are not more work."""

BITE_S = 0.002
"""Of a turn of the loop, for opening sessions and catching up. A session that comes back is half a millisecond in
several steps; done as they fall due, those of a crowd make turns of tens of milliseconds, and an event passes some five
turns on its way to who is here already.
"""

BITES_ONE_TURN_IN = 4
"""Of so many turns one has such a bite: an event, with its five turns, meets one or two of them."""

TRIES_MAX = 6
"""Tries to read what a user follows, before the client is asked to come back later: about 10 s."""

JOINS_AT_ONCE = 2_000
"""Channels joined before other work gets its turn: 5 ms."""

RESUME_WAIT_S = 5.0
"""How long a client that announced a resume token has to send it."""

SETTLE_S = 5.0
"""How long a joined channel may stay without word in its user's own channel: what a dying webapp left to do is done by
another within two seconds. Then it is followed from the head that was listed.
"""

LEVEL_S = 5.0
"""Longest that a session that returns waits to hear all that its user's own channel has said: mostly some 10 ms, and
where the channel's owner is new, until the log was asked. Then its client has to come in the ordinary way.
"""

LEVEL_STEP_S = (0.01, 0.02, 0.04, 0.08)
"""Between looks at whether it has; the last one repeats."""

log = logging.getLogger(__name__)


class Words(Protocol):
    """Who is told what users said of themselves (see reports.Presence)."""

    def set_away(self, user_id: str, is_away: bool, offset: int) -> None:
        """Take a user's word of being away by hand, as of an offset of its channel."""
        ...


class Openings:
    """Works for connections in tasks of its own; a connection that closes meanwhile costs nothing more."""

    def __init__(
        self, webapp: Webapp, events: LogReader, words: Words, tasks: Tasks, clock: Clock, rng: Random
    ) -> None:
        """Run in `tasks`, whose limit should allow for two of them a connection.

        What connections miss is read from `events`; `words` hears who is away by hand.
        """
        self.on_listed: Callable[[float], object] | None = None
        """Told how many seconds it took to learn what a session follows, also when that failed."""
        self.on_known: Callable[[Connection], object] = lambda connection: None
        """Told of each session whose token is known to be valid, and what it follows."""
        self._webapp = webapp
        self._events = events
        self._words = words
        self._tasks = tasks
        self._clock = clock
        self._rng = rng
        self._bites = Bites(BITE_S, clock.now, BITES_ONE_TURN_IN)
        self._slots = asyncio.Semaphore(OPENINGS_MAX)
        self._catching_up: set[Connection] = set()
        self._awaited: dict[Connection, asyncio.Future[Resume]] = {}
        self.resumed = 0
        """Sessions that began with a token."""
        self.resume_failures = 0
        """Of these, how many had to begin anew with all or some of their channels."""
        self.vouched = 0
        """Of these, for how many webapp was not asked what they follow, since their tickets said it."""
        self.returned = 0
        """Of these, how many came with a ticket of another gateway."""

    def open(self, connection: Connection, hub: Hub) -> None:
        """Let a new connection follow what its user follows, soon."""
        if connection.ticket.resumes:
            connection.greet()
            self._awaited[connection] = asyncio.get_running_loop().create_future()
        try:
            self._tasks.spawn(self._open(connection, hub), "opening")
        except ResourceExhaustedError:
            connection.close(CloseCode.NOT_READY, "too many connections are being opened")

    def resume(self, connection: Connection, resume: Resume) -> None:
        """Take the token that a connection sent."""
        awaited = self._awaited.get(connection)
        if awaited is not None and not awaited.done():
            awaited.set_result(resume)

    def closed(self, connection: Connection) -> None:
        """Wait no longer for the token of a connection that is gone."""
        awaited = self._awaited.pop(connection, None)
        if awaited is not None:
            awaited.cancel()

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
        await self._bites.take(self._begin(connection, hub))

    async def _begin(self, connection: Connection, hub: Hub) -> None:
        resume = await self._resume(connection) if connection.ticket.resumes else None
        token = resume.token if resume is not None else None
        if resume is not None and (returning := _returning(connection, resume)) is not None:
            await self._return(connection, hub, returning)
            return
        subscriptions = _vouched(connection, token)
        self.vouched += subscriptions is not None
        subscriptions = subscriptions or await self._listed(connection)
        if subscriptions is None:
            return
        self._known(connection)
        connection.greet()
        user_id = connection.user_id
        self._words.set_away(user_id, subscriptions.is_away_by_hand, subscriptions.head(user_id))
        opening = self._opening(connection, list(subscriptions.heads), token)
        for frame in opening.frames:
            connection.push(frame)
        if opening.replay is not None:
            hub.replay(connection, opening.replay)
        for start in range(0, len(opening.starts), JOINS_AT_ONCE):
            if connection.is_closing:
                return
            for each in opening.starts[start : start + JOINS_AT_ONCE]:
                hub.join(connection, each.channel_id, each.after, each.head)
            await asyncio.sleep(0)
        if opening.replay is not None and opening.replay.waiting:
            await self._settle(connection, hub)

    async def _return(self, connection: Connection, hub: Hub, returning: Returning) -> None:
        """Let a session go on of which its ticket says what it followed, once its user's own channel is level."""
        self.resumed += 1
        self.vouched += 1
        self.returned += 1
        is_away = connection.ticket.returned is not None and connection.ticket.returned.is_away_by_hand
        self._words.set_away(connection.user_id, is_away, returning.own_start)
        connection.push(returning.resumed_frame)
        hub.come_back(connection, returning)
        deadline = self._clock.now() + LEVEL_S
        for look in itertools.count():
            if connection.is_closing:
                return
            if hub.is_level(connection):
                break
            if self._clock.now() >= deadline:
                connection.close(CloseCode.NOT_READY, "the session could not be continued: come back later")
                return
            await self._clock.sleep(LEVEL_STEP_S[min(look, len(LEVEL_STEP_S) - 1)])
        hub.settle_return(connection)
        self._known(connection)

    def _known(self, connection: Connection) -> None:
        connection.is_known = True
        self.on_known(connection)

    async def _listed(self, connection: Connection) -> Subscriptions | None:
        """Ask what the connection is to follow, when it is its turn; None when it was closed instead."""
        began = self._clock.now()
        async with self._slots:
            subscriptions = await self._subscriptions(connection)
        if self.on_listed is not None:
            self.on_listed(self._clock.now() - began)
        return subscriptions

    def _opening(self, connection: Connection, heads: list[tuple[str, int]], token: str | None) -> resuming.Opening:
        if token is None:
            return resuming.cold(connection.user_id, heads, connection.is_aware)
        opening = resuming.resumed(connection.user_id, heads, token)
        self.resumed += 1
        self.resume_failures += opening.is_failed
        return opening

    async def _resume(self, connection: Connection) -> Resume:
        """Return what a resuming client sends, with no token when it does not come."""
        awaited = self._awaited[connection]
        try:
            await asyncio.wait({awaited}, timeout=RESUME_WAIT_S)
            if not awaited.done():
                # After a stall of our own the time is over although the frame lies in the socket, unread.
                await asyncio.wait({awaited}, timeout=0.1)
            return awaited.result() if awaited.done() and not awaited.cancelled() else Resume("")
        finally:
            self._awaited.pop(connection, None)
            connection.resume_by_now()

    async def _settle(self, connection: Connection, hub: Hub) -> None:
        """Wait for word of channels that the token does not know, then follow the rest from the heads listed."""
        while hub.is_replaying(connection) and not connection.is_closing:
            await self._clock.sleep(0.05)
        await self._clock.sleep(SETTLE_S)
        hub.settle(connection)

    async def _subscriptions(self, connection: Connection) -> Subscriptions | None:
        """Return what the connection is to follow; None when it was closed instead."""
        backoff = Backoff(0.2, 3.0, self._rng)
        for _ in range(TRIES_MAX):
            if connection.is_closing:
                return None
            try:
                ticket = connection.ticket
                return await self._webapp.subscriptions(ticket.team_id, ticket.user_id, ticket.token_prefix)
            except UnauthenticatedError:
                connection.revoke((connection.ticket.token_prefix,))
                return None
            except NotFoundError:
                connection.close(CloseCode.USER_GONE, "there is no such user")
                return None
            except ParleyError as error:
                log.warning("subscriptions of %s could not be read: %s", connection.user_id, error)
                await self._clock.sleep(backoff.next_s())
        connection.close(CloseCode.NOT_READY, "the session could not be opened: come back later")
        return None

    async def _catch_up(self, connection: Connection, hub: Hub) -> None:
        try:
            await self._bites.take(catch_up(connection, hub, self._events, self._clock, self._rng))
        finally:
            self._catching_up.discard(connection)


def _returning(connection: Connection, resume: Resume) -> Returning | None:
    """Return how a session comes back with what its ticket vouches for; None when it does not."""
    return returning_of(connection.user_id, connection.ticket.returned, resume.token, resume.starts)


def _vouched(connection: Connection, token: str | None) -> Subscriptions | None:
    """Return what the ticket says that the connection is to follow, if it says so."""
    vouched = connection.ticket.vouched
    if vouched is None or token is None:
        return None
    heads = resuming.vouched_for(connection.user_id, vouched, token)
    return Subscriptions(heads, vouched.is_away_by_hand) if heads is not None else None
