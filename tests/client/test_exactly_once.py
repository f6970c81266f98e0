"""The promise of resuming, with the rules of both sides: a hub and a client's session, joined by a wire that breaks.

What Hypothesis chooses: who posts where and when, how far the feed and the wire have come, when the connection or the
whole gateway dies, when the user joins and leaves, and in which order webapp's steps of a join become visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.event.v1 import event_pb2 as event_pb
from parley_client.actions import Answer, Event, Json, Leave, ResumeFailed, Say, Step
from parley_client.session import Session
from svc.gateway import resume
from svc.gateway.hub import Hub
from tests.svc.gateway.hub_twins import FakeMember, FakeOnlooker

ME, TEAM = "U0000000001", "T0000000001"
HOME, CLUB = "C0000000001", "C0000000002"
"""HOME is never left, CLUB is joined and left."""


@dataclass(eq=False)
class Line(FakeMember):
    """A connection at the gateway, and what was written to it and not read yet."""

    user_id: str = ME
    is_aware: bool = True
    wire: list[Json] = field(default_factory=list)

    def push(self, frame: bytes) -> None:
        self.wire.append(orjson.loads(frame[{126: 4, 127: 10}.get(frame[1], 2) :]))


class Gateway:
    """A hub over a feed that delivers when it is told to."""

    def __init__(self, logs: dict[str, list[event_pb.Event]]) -> None:
        self.logs = logs
        self.handed: dict[str, int] = {}
        self.hub = Hub(self, lambda: 0.0, lambda member: None, self.stale, FakeOnlooker())

    def stale(self, member: object) -> None:
        raise AssertionError("nothing of the user's own channel is ever cut off here")

    def follow(self, channel_id: str, after: int) -> None:
        self.handed[channel_id] = after

    def unfollow(self, channel_id: str) -> None:
        del self.handed[channel_id]

    def is_level(self, channel_id: str) -> bool:
        return True

    def deliver(self, channel_id: str) -> None:
        after = self.handed.get(channel_id)
        if after is not None and after < len(self.logs[channel_id]):
            self.handed[channel_id] = after + 1
            self.hub.deliver([self.logs[channel_id][after]])

    def read_for(self, line: Line, limit: int) -> None:
        for channel_id, after in self.hub.missing(line, 64):
            log = self.logs[channel_id]
            self.hub.read(line, channel_id, log[after : after + limit], len(log), False)


class World:
    """Webapp's truth, a gateway, and one user's client."""

    def __init__(self) -> None:
        self.logs: dict[str, list[event_pb.Event]] = {each: [] for each in (ME, TEAM, HOME, CLUB)}
        self.rows: set[str] = {HOME}
        self.effects: list[str] = []
        """Steps of joins and leaves that are still to be done: "row", then "tell"."""
        self.is_member = False
        self.epoch = 0
        """Where the user's latest time in CLUB began."""
        self.gateway = Gateway(self.logs)
        self.client = Session()
        self.line: Line | None = None
        self.lines = 0
        self.got: dict[str, list[int]] = {each: [] for each in self.logs}
        self.answers: list[Json] = []
        self.start: dict[str, int] = {}
        self.asked = 0

    def append(self, channel_id: str, **fields: object) -> int:
        offset = len(self.logs[channel_id]) + 1
        payload = orjson.dumps({"type": "message", "position": f"{channel_id}:{offset}"})
        fields.setdefault("payload", payload)
        event = event_pb.Event(channel_id=channel_id, offset=offset, **fields)  # type: ignore[arg-type]
        self.logs[channel_id].append(event)
        return offset

    # What may happen:

    def post(self, number: int) -> None:
        self.append((HOME, CLUB)[number % 2])

    def deliver(self, number: int) -> None:
        for _ in range(1 + number // 8):
            self.gateway.deliver((HOME, CLUB, ME, ME)[number % 4])

    def silent(self, _: int) -> None:
        """An event that has nothing for clients."""
        self.append(HOME, payload=b"")

    def membership(self, _: int) -> None:
        """Somebody has the user join or leave; what follows from it waits."""
        if self.effects:
            return
        self.is_member = not self.is_member
        self.epoch = len(self.logs[CLUB])
        self.append(CLUB)
        self.effects = ["row", "tell"]

    def effect(self, _: int) -> None:
        """Do the next step that a join or a leave brings about."""
        if not self.effects:
            return
        if self.effects.pop(0) == "row":
            (self.rows.add if self.is_member else self.rows.discard)(CLUB)
            return
        change = event_pb.SubscriptionChange()
        if self.is_member:
            change.added.add(channel_id=CLUB, offset=self.epoch)
        else:
            change.removed_channel_ids.append(CLUB)
        fields = {} if self.epoch % 2 else {"payload": b""}
        self.append(ME, kind=event_pb.EVENT_KIND_USER, subscription_change=change, **fields)

    def say(self, _: int) -> None:
        """The client posts over its socket."""
        if self.line is None or not self.client.is_ready:
            return
        self.asked += 1
        self.client.posting(self.asked, HOME)
        offset = self.append(HOME, origin_connection_id=self.line.id)
        self.answers.append({"ok": True, "reply_to": self.asked, "position": f"{HOME}:{offset}"})

    def answer(self, number: int) -> None:
        """Webapp's answer to a post comes by, or the gateway gives up on it."""
        if self.answers and self.line is not None:
            answer = self.answers.pop(0)
            if number % 4 == 0:
                answer = {"ok": False, "reply_to": answer["reply_to"], "error": {"code": 7, "msg": "unavailable"}}
            self.line.wire.append(answer)

    def read(self, number: int) -> None:
        """The gateway reads the log for whoever is behind."""
        if self.line is not None:
            self.gateway.read_for(self.line, 1 + number % 3)

    def settle(self, _: int) -> None:
        """The wait for word of joined channels is over; webapp has had time for all its steps."""
        if self.line is not None and not self.effects and not self.gateway.hub.is_replaying(self.line):
            self.gateway.hub.settle(self.line)

    def receive(self, number: int) -> None:
        """The client reads some frames."""
        for _ in range(1 + number):
            if self.line is None or not self.line.wire:
                return
            self.take(self.line.wire.pop(0))

    def take(self, frame: Json) -> None:
        for action in self.client.take(frame):
            match action:
                case Leave():
                    self.die(0)
                    return
                case Say(frame=said):
                    assert self.line is not None
                    self.open(self.line, said["token"])
                case Step(event=Event(channel_id=channel_id, offset=offset)):
                    self.got[channel_id].append(offset)
                case Step(event=ResumeFailed() as failed):
                    raise AssertionError(failed)
                case Answer(frame=answer) if "position" in answer:
                    channel_id, _, offset = answer["position"].rpartition(":")
                    self.got[channel_id].append(-int(offset))

    def connect(self, _: int) -> None:
        if self.line is not None:
            return
        resumes = "resume" in self.client.connecting()
        self.lines += 1
        self.line = Line(f"line-{self.lines}")
        self.gateway.hub.enter(self.line)
        self.line.wire.append({"type": "hello"})
        if not resumes:
            self.open(self.line, None)

    def open(self, line: Line, token: str | None) -> None:
        listed = [(each, len(self.logs[each])) for each in (ME, TEAM, *sorted(self.rows))]
        opening = resume.cold(ME, listed, True) if token is None else resume.resumed(ME, listed, token)
        if token is None and not self.client.positions:
            self.start = dict(listed)
            self.got = {each: [] for each in self.logs}
        for frame in opening.frames:
            line.push(frame)
        if opening.replay is not None:
            self.gateway.hub.replay(line, opening.replay)
        for start in opening.starts:
            self.gateway.hub.join(line, start.channel_id, start.after, start.head)

    def die(self, number: int) -> None:
        """The connection breaks, or the whole gateway; what was not read is gone."""
        if self.line is None:
            return
        self.gateway.hub.leave(self.line)
        self.line = None
        self.answers.clear()
        if number % 2:
            self.gateway = Gateway(self.logs)

    def finish(self) -> None:
        """Let everything come to rest."""
        for _ in range(6):
            self.effect(0)
            self.connect(0)
            for _ in range(sum(map(len, self.logs.values())) + 10):
                self.answer(1)
                self.receive(1_000)
                self.read(2)
                for number in range(4):
                    self.deliver(number)
                self.settle(0)


OFTEN = ("post", "deliver", "receive", "connect", "effect", "say", "answer")
VERBS = (*OFTEN, *OFTEN, "silent", "membership", "read", "settle", "die")
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 15)), max_size=120)


@settings(max_examples=600, deadline=None)
@given(STEPS)
def test_over_any_number_of_connections_every_event_comes_once_and_in_order(steps: Sequence[tuple[str, int]]) -> None:
    """Of a channel that is never left: all from the start on, each as an event or as the answer to the post."""
    world = World()
    for verb, number in steps:
        getattr(world, verb)(number)
    world.finish()
    assert world.line is not None
    assert world.client.holes == 0, "the gateway never lets one be seen"
    start = world.start[HOME]
    told = [offset for offset in world.got[HOME] if offset > 0]
    assert told == sorted(told)
    silent = {event.offset for event in world.logs[HOME] if not event.payload}
    assert sorted(map(abs, world.got[HOME])) == [
        offset for offset in range(start + 1, len(world.logs[HOME]) + 1) if offset not in silent
    ]


@settings(max_examples=600, deadline=None)
@given(STEPS)
def test_joins_and_leaves_while_away_are_right_in_the_end(steps: Sequence[tuple[str, int]]) -> None:
    """Nothing twice, nothing out of order, and all of it since the user joined for the last time."""
    world = World()
    for verb, number in steps:
        getattr(world, verb)(number)
    world.finish()
    got = world.got[CLUB]
    assert got == sorted(set(got))
    if world.is_member:
        since = max(world.epoch, world.start.get(CLUB, 0))
        assert [offset for offset in got if offset > since] == list(range(since + 1, len(world.logs[CLUB]) + 1))
    else:
        assert world.line is not None
        assert CLUB not in world.line.channels
        assert CLUB not in world.client.positions
        before = len(got)
        world.post(1)
        world.finish()
        assert len(world.got[CLUB]) == before
