"""Being connected, over and over: asks where to connect, lives through the connection, waits before the next one.

Who was connected a moment ago asks nobody: the gateway has said where else to go (see returning.py). Only when that
leads nowhere it asks, and boots, as at the beginning.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from time import monotonic
from typing import Protocol

import aiohttp

from parley_client import tokens
from parley_client.actions import Action, Answer, Json, Leave, Say, Step
from parley_client.errors import ConnectionLost, Refused, Unreachable
from parley_client.link import Link
from parley_client.retrying import FATAL, Backoff
from parley_client.returning import Returning
from parley_client.session import Return, Session
from parley_client.webapi import WebApi

BACKOFF_BASE_S, BACKOFF_CAP_S = 0.1, 5.0
"""Waits between connections."""

SETTLED_S = 5.0
"""A connection that stood for this long begins the waits anew."""

NOT_READY = 4003
"""Close code of a gateway that could not learn what the session follows."""

LATER_S = 1.0
"""The least wait where coming back at once is of no use."""

HERD_S = 1.0
"""After a connection broke, perhaps with a gateway and thousands of others, all come back within this time: those who
come together are mostly refused, and then wait for longer than this."""

DEAD_MAX = 4
"""Gateways that we ask not to be sent to again, since they did not answer."""

BOOT_S = 20.0
"""Longest that a boot may take: the first one of a large workspace waits until it is loaded."""

TICKET_S = 25.0
"""For how long a gateway that was too busy is asked again with the same ticket, which lives for 30 seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Door:
    """Where to connect, and since when (monotonic seconds) that is known."""

    url: str
    gateway_id: str
    given_at: float
    starts: str = ""
    """What the resume frame repeats, when it is a way back."""


class Status(Enum):
    """What became of the connection; for people and for tests."""

    GREETED = "connected"
    READY = "delivering"
    ENDED = "the connection ended"
    WAITING = "not connected"


OnStatus = Callable[[Status, str], None]


class Owner(Protocol):
    """Whom a connection is for."""

    async def deliver(self, step: Step) -> None:
        """Take the next thing for the application; waits while there is no room, and nothing is read meanwhile."""
        ...

    def answered(self, number: int, frame: Json) -> None:
        """Take the answer to a frame."""
        ...

    def boot_arguments(self) -> Json | None:
        """Return what to boot with before a connection; None: no boot is wanted."""
        ...

    async def booted(self, answer: Json) -> None:
        """Take the answer of a boot, whose token is a good one."""
        ...

    async def began(self, link: Link) -> None:
        """A connection delivers from now on."""
        ...

    def broke(self) -> None:
        """It does no longer; what was not answered will not be."""
        ...


class Connecting:
    """The connections of one client, one at a time."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api: WebApi,
        session: Session,
        owner: Owner,
        on_status: OnStatus,
        rng: Random,
        avoid: Sequence[str] = (),
    ) -> None:
        """`run` is what does it."""
        self._http = http
        self._api = api
        self._session = session
        self._owner = owner
        self._on_status = on_status
        self._rng = rng
        self._backoff = Backoff(BACKOFF_BASE_S, BACKOFF_CAP_S, rng)
        self._dead: dict[str, None] = dict.fromkeys(avoid)
        self._door: _Door | None = None
        self._starts = ""
        self.returning = Returning(rng)
        """The way back without asking anybody."""
        self.link: Link | None = None
        """The connection that stands."""
        self.count = 0
        """How many connections were greeted so far."""
        self.returns = 0
        """How many of these nobody was asked for."""

    async def run(self) -> None:
        """Connect, and again whenever a connection ends. Raises Refused when there is no point any more."""
        while True:
            started = monotonic()
            wait_s = await self._connection()
            if monotonic() - started > SETTLED_S:
                self._backoff.reset()
            await asyncio.sleep(max(wait_s, self._backoff.next_s()))

    async def _connection(self) -> float:
        """Live through one connection; return the least wait before the next one, in seconds."""
        try:
            door = await self._found_door()
            gateway_id, self._starts = door.gateway_id, door.starts
            try:
                async with Link.opened(self._http, door.url, self._rng) as link:
                    reason, code = await self._live(link)
            except Unreachable as error:
                self._keep(door, error.retry_after_s)
                raise
        except Unreachable as error:
            self._on_status(Status.WAITING, str(error))
            # While there is another way back it is tried at once: it may have room.
            return 0.0 if self.returning.is_there else error.retry_after_s
        except Refused as error:
            if error.code in FATAL:
                raise
            self._on_status(Status.WAITING, str(error))
            return LATER_S
        self._on_status(Status.ENDED, reason)
        log.info("connection ended: %s", reason)
        self.returning.left(monotonic())
        is_broken = code in (None, 1006)
        if is_broken:
            self._doubt(gateway_id)
        if code == NOT_READY and door.starts:
            self.returning.forget()  # it could not be continued: nor could it be elsewhere
        match self._session.closed(code):
            case Return.NEVER:
                raise Refused("the connection", "account_inactive", {"code": code})
            case Return.LATER:
                return LATER_S
            case Return.AT_ONCE:
                return self._rng.uniform(0.0, self._herd_s(link.is_ours)) if is_broken else 0.0

    async def _found_door(self) -> _Door:
        """Return where to connect, booting first if that is wanted. Raises Refused or Unreachable."""
        door, self._door = self._door, None
        door = door or self._way_back()
        if door is not None:
            return door
        avoid: Json = {"avoid": ",".join(self._dead)} if self._dead else {}
        boot = self._owner.boot_arguments()
        if boot is None:
            answer = await self._api.once("rtm.connect", {**self._session.connecting(), **avoid})
        else:
            arguments = {**self._session.connecting(has_boot=True), **avoid, **boot}
            answer = await self._booted(await self._api.once("client.boot", arguments, BOOT_S))
        door = _Door(str(answer["url"]), str(answer.get("host_id", "")), monotonic())
        self._doubt(door.gateway_id)
        return door

    def _keep(self, door: _Door, retry_after_s: float) -> None:
        """Keep a door that was too busy and has said when to come back: neither asking nor booting again would make
        that sooner.
        """
        is_good = retry_after_s and door.given_at + TICKET_S > monotonic() + retry_after_s
        self._door = door if is_good and not self.returning.is_there else None

    def _herd_s(self, is_ours: bool) -> float:
        """Return within what time all come back who may have been left alone with us."""
        spread_s = self.returning.spread_s
        if spread_s is None or not self.returning.is_there:
            return HERD_S
        return 0.0 if is_ours else spread_s  # who leaves is alone, or was told to leave when it was its turn

    def _way_back(self) -> _Door | None:
        """Return a gateway that takes us as we are, if we know of any and have something to go on from."""
        now = monotonic()
        way = self.returning.way(now, self._dead)
        if way is None or "resume" not in self._session.connecting():
            self.returning.forget()
            return None
        self._doubt(way.gateway_id)
        return _Door(way.url, way.gateway_id, now, way.starts)

    async def _booted(self, answer: Json) -> Json:
        try:
            positions = tokens.decode(str(answer.get("token", "")))
        except tokens.TokenMalformed as error:
            raise Unreachable(f"client.boot: {error}") from error
        await self._owner.booted(answer)
        if (step := self._session.booted(positions)) is not None:
            await self._owner.deliver(step)
        return answer

    async def _live(self, link: Link) -> tuple[str, int | None]:
        """Take frames until the connection ends; return why, and its close code."""
        self.link = link
        try:
            async for frame in link.frames():
                await self._take(link, frame)
            return link.reason, link.code
        except ConnectionLost as error:
            return str(error), None
        finally:
            self.link = None
            self._owner.broke()

    async def _take(self, link: Link, frame: Json) -> None:
        if frame.get("type") == "return":
            self.returning.take(frame, monotonic())
            return
        if frame.get("type") == "hello":
            self.count += 1
            self.returns += bool(self._starts)
            self._on_status(Status.GREETED, str(frame.get("host_id", "")))
        was_ready = self._session.is_ready
        for action in self._session.take(frame):
            if isinstance(action, Leave):
                link.leave(action.reason)
                return
            await self._do(link, action)
        if self._session.is_ready and not was_ready:
            self._dead.clear()
            await self._owner.began(link)
            self._on_status(Status.READY, "")

    async def _do(self, link: Link, action: Action) -> None:
        if isinstance(action, Step):
            await self._owner.deliver(action)
        elif isinstance(action, Say):
            is_back = self._starts and action.frame.get("type") == "resume"
            await link.send({**action.frame, "starts": self._starts} if is_back else action.frame)
        elif isinstance(action, Answer):
            self._owner.answered(action.number, action.frame)

    def _doubt(self, gateway_id: str) -> None:
        """Ask for another gateway next time, until one delivers."""
        self._dead.pop(gateway_id, None)
        self._dead[gateway_id] = None
        if len(self._dead) > DEAD_MAX:
            del self._dead[next(iter(self._dead))]
