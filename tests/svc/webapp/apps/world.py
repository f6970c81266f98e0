"""What a pump stands on, in memory: logs and memberships, a feed that delivers at once, and the table of places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson

from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.kit.lifecycle import Tasks
from svc.kit.mailbox import MailboxClosed
from svc.webapp.apps.audience import Audience, Told
from svc.webapp.apps.lines import Line
from svc.webapp.apps.place_keeper import PlaceKeeper
from svc.webapp.apps.poster import Posted
from svc.webapp.apps.pump import Pump, PumpRules
from svc.webapp.apps.sources import Listed, LogRun
from svc.webapp.apps.tally import Tally
from svc.webapp.domain.apps.model import App
from svc.webapp.store.app_places import AppPlace
from svc.webapp.store.rows import ConversationKind

Json = dict[str, Any]
BOT = "U0000000B07"
TEAM = "T0000000001"
GENERAL = "C0000000001"
PATIENCE_S = 10.0

APP = App(
    TEAM,
    "A0000000001",
    "talker",
    BOT,
    "B0000000001",
    "",
    bytes(32),
    "secret",
    "vt",
    event_types=("message.channels", "team_join"),
    is_socket_mode=True,
)


class TwinWorld:
    """Sources, feed and store of places in one (see sources.Sources, audience.FollowedFeed, AppPlaceStore)."""

    def __init__(self) -> None:
        self.logs_: dict[str, list[event_pb.Event]] = {}
        self.gone: dict[str, int] = {}
        """Up to where retention took the log of a channel."""
        self.memberships: dict[str, int] = {GENERAL: 0}
        self.followed: dict[str, int] = {}
        self.places: dict[str, AppPlace] = {}
        self.audience = Audience(self)
        self.is_deaf = False
        """Whether nothing is delivered live."""
        self.is_down = False
        self.saves = 0
        self.clock = SystemClock()

    def post(self, text: str, channel_id: str = GENERAL, age_s: float = 0.0) -> int:
        """Commit and deliver a message; return its offset."""
        payload = {"type": "message", "channel": channel_id, "user": "U1", "text": text, "ts": "1.000001"}
        return self.happen(channel_id, orjson.dumps(payload), age_s=age_s)

    def happen(self, channel_id: str, payload: bytes = b"", age_s: float = 0.0, **more: Any) -> int:
        """Commit and deliver an event."""
        log = self.logs_.setdefault(channel_id, [])
        at_us = self.clock.wall_us() - int(age_s * 1_000_000)
        event = event_pb.Event(
            channel_id=channel_id, offset=len(log) + 1, payload=payload, commit_unix_us=at_us, **more
        )
        log.append(event)
        if not self.is_deaf and channel_id in self.followed:
            self.followed[channel_id] = event.offset
            self.audience.deliver([event])
        return event.offset

    def join(self, channel_id: str) -> None:
        """Have the bot in another conversation from now on."""
        after = len(self.logs_.get(channel_id, ()))
        self.memberships[channel_id] = after
        change = event_pb.SubscriptionChange()
        change.added.add(channel_id=channel_id, offset=after)
        self.happen(BOT, subscription_change=change)

    def leave(self, channel_id: str) -> None:
        """Have it there no longer."""
        del self.memberships[channel_id]
        self.happen(BOT, subscription_change=event_pb.SubscriptionChange(removed_channel_ids=[channel_id]))

    def follow(self, channel_id: str, after: int) -> None:
        """See FollowedFeed."""
        self.followed[channel_id] = after
        asyncio.get_running_loop().call_soon(self._replay, channel_id, after)

    def _replay(self, channel_id: str, after: int) -> None:
        if channel_id in self.followed and not self.is_deaf:
            self.audience.deliver(self.logs_.get(channel_id, [])[after:])

    def unfollow(self, channel_id: str) -> None:
        """See FollowedFeed."""
        del self.followed[channel_id]

    def position(self, channel_id: str) -> int | None:
        """See FollowedFeed."""
        return self.followed.get(channel_id)

    async def listed(self, app: App) -> Listed:
        """See Sources."""
        self._check()
        heads = {channel_id: len(log) for channel_id, log in self.logs_.items()}
        kinds = dict.fromkeys(self.memberships, ConversationKind.PUBLIC)
        return Listed({BOT: None, TEAM: None, **self.memberships}, kinds, heads)

    async def head(self, channel_id: str) -> int:
        """See Sources."""
        self._check()
        return len(self.logs_.get(channel_id, ()))

    async def kind(self, channel_id: str) -> ConversationKind | None:
        """See Sources."""
        return ConversationKind.PUBLIC

    async def logs(self, after: Mapping[str, int], limit: int) -> Sequence[LogRun]:
        """See Sources."""
        self._check()
        await asyncio.sleep(0)
        runs = []
        for channel_id, offset in after.items():
            log = self.logs_.get(channel_id, [])
            if offset < self.gone.get(channel_id, 0):
                runs.append(LogRun(channel_id, (), len(log), True, self.gone[channel_id] + 1))
            else:
                runs.append(LogRun(channel_id, [Told(e) for e in log[offset : offset + limit]], len(log), False))
        return runs

    async def app_place(self, user_id: str, app_id: str) -> AppPlace:
        """See AppPlaceStore."""
        self._check()
        return self.places.get(app_id, AppPlace(user_id, app_id))

    async def take_app_place(self, user_id: str, app_id: str, owner: str) -> AppPlace:
        """See AppPlaceStore."""
        before = await self.app_place(user_id, app_id)
        self.places[app_id] = replace(before, revision=before.revision + 1, owner=owner, released=False)
        return self.places[app_id]

    async def save_app_place(
        self, user_id: str, app_id: str, revision: int, place: bytes, *, is_released: bool = False
    ) -> bool:
        """See AppPlaceStore."""
        self._check()
        if self.places[app_id].revision != revision:
            return False
        self.saves += 1
        self.places[app_id] = replace(self.places[app_id], place=place, released=is_released)
        return True

    async def verify_app_url(self, user_id: str, app_id: str, revision: int, url: str) -> bool:
        """See AppPlaceStore."""
        self.places[app_id] = replace(self.places[app_id], verified_url=url)
        return True

    def _check(self) -> None:
        if self.is_down:
            raise UnavailableError("down")


@dataclass
class TwinPoster:
    """Takes requests (see poster.Poster)."""

    bodies: list[Json] = field(default_factory=list)
    challenges: int = 0
    is_right: bool = True

    async def post_json(self, url: str, secret: str, body: bytes, more: Mapping[str, str]) -> Posted:
        """See Poster."""
        self.bodies.append(orjson.loads(body))
        return Posted(200)

    async def challenge(self, url: str, secret: str, token: str, challenge: str) -> bool:
        """See Poster."""
        self.challenges += 1
        return self.is_right


class Client:
    """One Socket Mode connection of the app, which acknowledges what it gets unless it is told not to."""

    def __init__(self, pump: Pump, name: str, *, answers: bool = True) -> None:
        self._pump = pump
        self._answers = answers
        self.frames: list[Json] = []
        self.others: list[pb.AppStreamResponse] = []
        line = pump.sockets.attach(pb.AppOpen(app_id=pump.app.id, connection_id=name, token_hash_prefix=b"tok"))
        assert line is not None
        self.line: Line = line

    async def run(self) -> None:
        """Take frames until the line ends."""
        while True:
            try:
                frames = await self.line.frames.take()
            except MailboxClosed:
                return
            for frame in frames:
                if frame.HasField("envelope"):
                    self.frames.append(orjson.loads(frame.envelope.frame))
                    if self._answers:
                        self._pump.sockets.acked(frame.envelope.envelope_id, b"")
                else:
                    self.others.append(frame)

    @property
    def texts(self) -> list[str]:
        """What was said in the messages that came."""
        return [frame["payload"]["event"].get("text", "") for frame in self.frames]


@dataclass
class Owner:
    """One owner of the app."""

    pump: Pump
    running: asyncio.Task[None]
    tasks: Tasks
    tally: Tally
    poster: TwinPoster

    def connect(self, name: str = "c1", *, answers: bool = True) -> Client:
        """Open a connection."""
        client = Client(self.pump, name, answers=answers)
        self.tasks.spawn(client.run(), "client")
        return client

    async def die(self) -> None:
        """End without a word."""
        self.running.cancel()
        await asyncio.wait({self.running})


@asynccontextmanager
async def owning(
    world: TwinWorld, app: App = APP, me: str = "w1", living: Sequence[str] = (), rules: PumpRules | None = None
) -> AsyncIterator[Owner]:
    """Own the app for the length of a block; everything that happens from its beginning on is heard."""
    tally, poster = Tally(), TwinPoster()
    async with Tasks("test", 1_000) as tasks:
        keeper = PlaceKeeper(app, me, lambda: living, cast(Any, world), world.clock, tally)
        pump = Pump(app, world, world.audience, keeper, cast(Any, poster), tasks, world.clock, tally, rules)
        running = tasks.spawn(pump.run(), "pump")
        await pump.begun(PATIENCE_S)
        yield Owner(pump, running, tasks, tally, poster)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.005)
