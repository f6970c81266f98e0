"""Random changes while edges die and hang: what boots, deltas and lazy queries say is true, or was a second ago."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ops.local.spec import counts
from svc.shapes.positions import decode, encode
from tests.mesh.people import Json, Person, Socket
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(180)]

PROMISE_S = 1.0
"""How long an acknowledged change may be missing from what is said."""

RUN_S = 16.0
DEAD_S = 2.0
HUNG_S = 1.8
"""Longest pauses; an edge that hangs for longer is cut off (PARLEY_CHANNEL_ACK_TIMEOUT_S)."""
PAUSE_S = 0.01
CHANNELS_MAX = 12
SEED = 20_261_122

ANYTHING = object()
"""A value that nobody knows: of a change under way, or what a state is before somebody set it."""


@dataclass(slots=True)
class Version:
    """What was true from some moment on: at the earliest when the change was asked for, surely when it was acked."""

    begun: float
    acked: float
    value: Any


@dataclass(slots=True)
class Truth:
    """Everything that was true, and when."""

    versions: dict[Hashable, list[Version]] = field(default_factory=dict)
    checks: int = 0

    def now(self, key: Hashable) -> Any:
        """Return what is so."""
        return self.versions[key][-1].value

    def begin(self, key: Hashable, value: Any = ANYTHING) -> Version:
        """Note that something is about to change; the caller sets `acked` and `value`."""
        version = Version(time.monotonic(), math.inf, value)
        self.versions.setdefault(key, [Version(-math.inf, -math.inf, ANYTHING)]).append(version)
        return version

    def known(self, key: Hashable, value: Any) -> None:
        """Note what is so and has been for long."""
        self.versions[key] = [Version(-math.inf, -math.inf, value)]

    def check(self, key: Hashable, said: Any, asked: float) -> None:
        """Fail unless it was so at some time since a promise before it was asked."""
        answered = time.monotonic()
        versions = self.versions.get(key)
        if versions is None:
            return
        self.checks += 1
        ends = [later.acked for later in versions[1:]] + [math.inf]
        for version, end in zip(versions, ends, strict=True):
            is_then = version.begun <= answered and end + PROMISE_S >= asked
            if is_then and (version.value is ANYTHING or version.value == said):
                return
        late = [(round(asked - each.acked, 3), each.value) for each in versions[-4:]]
        raise AssertionError(f"{key}: said {said}; true for so many seconds when it was asked: {late}")


class Writer:
    """Changes things, one after the other, and notes what is true."""

    def __init__(self, there: Town, truth: Truth, rng: Random) -> None:
        self.there = there
        self.truth = truth
        self.rng = rng
        self.people = [there[name] for name in ("ada", "grace", "linus")]
        self.channels: list[str] = []
        self.numbers = 0
        self.changes = 0

    async def settle(self) -> None:
        """Begin: who is in general, and nothing else is known."""
        self.channels = [self.there.general]
        everybody = [*self.people, self.there["helper"]]
        self.truth.known(("members", self.there.general), frozenset(each.user_id for each in everybody))
        for person in self.people:
            self.truth.known(("in", person.name, self.there.general), True)
            self._unknown(person, self.there.general)
        self.truth.known("emoji", (await self.people[0].ok("emoji.list"))["emoji"])

    async def step(self) -> None:
        """Change something."""
        acts = (self.post, self.post, self.mark, self.move, self.create, self.emoji, self.prefer, self.away)
        await self.rng.choice(acts)(self.rng.choice(self.people))
        self.changes += 1

    def own(self, person: Person) -> list[str]:
        """Return what somebody is in."""
        return [each for each in self.channels if self.truth.now(("in", person.name, each))]

    async def change(self, values: Mapping[Any, Any], act: Awaitable[Json]) -> Json:
        """Do something that makes these things so."""
        versions = [self.truth.begin(key, value) for key, value in values.items()]
        answer = await act
        for version in versions:
            version.acked = time.monotonic()
        return answer

    async def post(self, person: Person) -> None:
        """Say something in a conversation, and maybe name somebody in it."""
        channel = self.rng.choice(self.own(person))
        others = [each for each in self.people if each is not person and self.truth.now(("in", each.name, channel))]
        named = [each for each in others if self.rng.random() < 0.5]
        latest = self.truth.begin(("latest", channel))
        before = {each.name: self.truth.now(("mentions", each.name, channel)) for each in named}
        mentions = {name: self.truth.begin(("mentions", name, channel)) for name in before}
        post = await person.post(channel, " ".join(["well", *(f"<@{each.user_id}>" for each in named)]))
        latest.value, latest.acked = post["ts"], time.monotonic()
        for name, version in mentions.items():
            version.acked = latest.acked
            version.value = ANYTHING if before[name] is ANYTHING else before[name] + 1

    async def mark(self, person: Person) -> None:
        """Read all of a conversation."""
        channel = self.rng.choice(self.own(person))
        latest = self.truth.versions.get(("latest", channel))
        if latest is not None:
            ts = latest[-1].value
            read = {("last_read", person.name, channel): ts, ("mentions", person.name, channel): 0}
            await self.change(read, person.ok("conversations.mark", channel=channel, ts=ts))

    async def move(self, person: Person) -> None:
        """Join a conversation, or leave it."""
        if len(self.channels) == 1:
            return
        channel = self.rng.choice(self.channels[1:])
        members, name = self.truth.now(("members", channel)), person.name
        joins = person.user_id not in members
        now = {
            ("members", channel): members | {person.user_id} if joins else members - {person.user_id},
            ("in", name, channel): joins,
            ("last_read", name, channel): ANYTHING,
            ("mentions", name, channel): ANYTHING,
        }
        await self.change(now, person.ok(f"conversations.{'join' if joins else 'leave'}", channel=channel))

    async def create(self, person: Person) -> None:
        """Make a public conversation."""
        if len(self.channels) >= CHANNELS_MAX:
            return
        self.numbers += 1
        made = (await person.ok("conversations.create", name=f"topic-{self.numbers}"))["channel"]
        channel, now = made["id"], time.monotonic()
        self.truth.versions["name", channel] = [Version(-math.inf, now, None), Version(now, now, made["name"])]
        for each in self.people:
            is_in = each is person
            versions = [Version(-math.inf, now, False), Version(now, now, is_in)]
            self.truth.versions["in", each.name, channel] = versions
            self._unknown(each, channel)
        self.truth.known(("members", channel), frozenset({person.user_id}))
        self.channels.append(channel)

    async def emoji(self, person: Person) -> None:
        """Make an emoji, or take one away."""
        now = dict(self.truth.now("emoji"))
        mine = [name for name in now if name.startswith("odd-")]
        ada = self.people[0]
        if mine and self.rng.random() < 0.5:
            gone = self.rng.choice(mine)
            del now[gone]
            await self.change({"emoji": now}, ada.ok("admin.emoji.remove", name=gone))
        else:
            self.numbers += 1
            name, url = f"odd-{self.numbers}", f"https://example.org/{self.numbers}.gif"
            await self.change({"emoji": {**now, name: url}}, ada.ok("admin.emoji.add", name=name, url=url))

    async def prefer(self, person: Person) -> None:
        """Set a preference."""
        self.numbers += 1
        value = f"theme {self.numbers}"
        await self.change({("theme", person.name): value}, person.ok("users.prefs.set", name="theme", value=value))

    async def away(self, person: Person) -> None:
        """Be away, or not."""
        presence = self.rng.choice(["auto", "away"])
        now = {("away", person.name): presence == "away"}
        await self.change(now, person.ok("users.setPresence", presence=presence))

    def _unknown(self, person: Person, channel: str) -> None:
        for what in ("last_read", "mentions"):
            self.truth.known((what, person.name, channel), ANYTHING)


class Reader:
    """What one person is told, over HTTP and over a socket, held against what is true."""

    def __init__(self, person: Person, writer: Writer, rng: Random) -> None:
        self.person = person
        self.writer = writer
        self.truth = writer.truth
        self.rng = rng
        self.held: dict[str, Json] = {}
        self.other: Json = {}
        self.positions: dict[str, int] = {}
        self.boots = self.deltas = self.refused = self.answered = 0

    async def boot(self) -> None:
        """Boot, from nothing or from what is held."""
        since = encode(list(self.positions.items())) if self.positions and self.rng.random() < 0.7 else ""
        asked = time.monotonic()
        answer = await self.person.call("client.boot", **({"since": since} if since else {}))
        if not answer["ok"]:
            assert answer["error"] in ("ratelimited", "service_unavailable"), answer
            self.refused += 1
            return
        entries = {each["id"]: each for each in answer["channels"]}
        self.held = entries if answer["complete"] else self.held | entries
        positions = dict(decode(answer["token"])) if answer.get("token") else {}
        self.positions = positions if answer["complete"] else self.positions | positions
        self.other = (self.other if answer["is_delta"] else {}) | {
            name: answer[name] for name in ("prefs", "away") if name in answer
        }
        self.boots += 1
        self.deltas += answer["is_delta"]
        self.compare(asked)

    def compare(self, asked: float) -> None:
        """Hold what is held against what is true."""
        name = self.person.name
        self.truth.check(("theme", name), self.other["prefs"].get("theme"), asked)
        self.truth.check(("away", name), self.other["away"], asked)
        for channel in list(self.writer.channels):
            entry = self.held.get(channel)
            self.truth.check(("in", name, channel), entry is not None, asked)
            if entry is not None:
                self.truth.check(("latest", channel), entry.get("latest"), asked)
                self.truth.check(("last_read", name, channel), entry.get("last_read"), asked)
                self.truth.check(("mentions", name, channel), entry.get("mentions", 0), asked)
                assert entry.get("unread", False) is (entry.get("latest", "") > entry.get("last_read", ""))
                self.truth.check(("name", channel), entry["name"], asked)

    async def lazily(self, ask: Callable[..., Awaitable[Json]]) -> None:
        """Ask for objects, members and emoji."""
        channel = self.rng.choice(self.writer.channels)
        asked = time.monotonic()
        found = await ask(type="objects", ids={channel: None, self.person.user_id: None})
        if self.is_answer(found):
            names = {each["id"]: each["name"] for each in found["channels"]}
            self.truth.check(("name", channel), names.get(channel), asked)
            assert (channel in names) is (channel not in found["unknown"])
            assert [each["id"] for each in found["users"]] == [self.person.user_id]
        asked = time.monotonic()
        found = await ask(type="members", channel=channel)
        if self.is_answer(found):
            self.truth.check(("members", channel), frozenset(found["members"]), asked)
        asked = time.monotonic()
        found = await ask(type="emoji")
        if self.is_answer(found):
            self.truth.check("emoji", found["emoji"], asked)

    def is_answer(self, found: Json) -> bool:
        """Tell an answer from the words that nobody can answer just now, or that a channel is too new."""
        self.answered += found["ok"]
        self.refused += not found["ok"]
        passing = ("ratelimited", "service_unavailable", "channel_not_found", 4, 6, 7)
        error = found.get("error")
        assert found["ok"] or (error["code"] if isinstance(error, dict) else error) in passing, found
        return bool(found["ok"])

    async def over_http(self, **query: Any) -> Json:
        """Ask the twin of a lazy query."""
        return await self.person.call(f"client.{query.pop('type')}", **query)

    def over(self, socket: Socket) -> Callable[..., Awaitable[Json]]:
        """Ask over a socket."""
        numbers = iter(range(1, 1_000_000))

        async def ask(**query: Any) -> Json:
            number = next(numbers)
            await socket.send(id=number, **query)
            answer = await socket.wait_for(lambda event: event.get("reply_to") == number)
            socket.events.clear()
            return answer

        return ask


async def trouble(there: Town, rng: Random, ends: float) -> None:
    """Kill edges and bring them back, cold; hang them and let them go on. One at a time, and both at times."""
    edges = there.mesh.names("edge")
    while time.monotonic() < ends:
        hit = rng.sample(edges, rng.choice([1, 1, 2]))
        number = rng.choice([signal.SIGKILL, signal.SIGSTOP])
        for name in hit:
            await there.mesh.kill(name, number)
        await asyncio.sleep(rng.uniform(0.1, DEAD_S if number == signal.SIGKILL else HUNG_S))
        for name in hit:
            await (there.mesh.start(name) if number == signal.SIGKILL else there.mesh.kill(name, signal.SIGCONT))
        await asyncio.sleep(rng.uniform(0.2, 1.5))


async def test_whatever_happens_to_edges_nothing_is_wrong_for_longer_than_a_second(tmp_path: Path) -> None:
    """Posts, mentions, marks, joins, leaves, new conversations, emoji, preferences, being away."""
    rng, truth = Random(SEED), Truth()
    async with town(tmp_path, counts=counts(edge=2, gateway=1), zones=("az1",), supervise=False) as there:
        writer = Writer(there, truth, rng)
        await writer.settle()
        readers = [Reader(person, writer, Random(SEED + number)) for number, person in enumerate(writer.people)]
        ends = time.monotonic() + RUN_S

        async def write() -> None:
            while time.monotonic() < ends:
                await writer.step()
                await asyncio.sleep(PAUSE_S)

        async def read(reader: Reader) -> None:
            async with reader.person.connected() as socket:
                over_socket = reader.over(socket)
                while time.monotonic() < ends:
                    await reader.boot()
                    await reader.lazily(reader.rng.choice([over_socket, reader.over_http]))
                    await asyncio.sleep(4 * PAUSE_S)

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            group.create_task(trouble(there, Random(SEED), ends))
            for reader in readers:
                group.create_task(read(reader))
        assert writer.changes > 100
        assert truth.checks > 1_000
        for reader in readers:
            assert reader.boots > 20
            assert reader.deltas > 5
            assert reader.answered > 20
