"""A workspace as one user sees it, in which things happen, and a client that keeps what boots tell it of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.ids import id_from_number
from svc.shapes.positions import decode
from svc.shapes.vouching import Vouched
from svc.webapp.domain.boot.answers import Details, Scope, Seen
from svc.webapp.store.rows import ConversationKind, Membership

Json = dict[str, Any]
TEAM, ME = id_from_number("T", 1), id_from_number("U", 1)
NOW_S = 1_720_000_000
LETTERS = {
    ConversationKind.PUBLIC: "C",
    ConversationKind.PRIVATE: "C",
    ConversationKind.IM: "D",
    ConversationKind.MPIM: "G",
}


@dataclass
class Place:
    """A conversation as it is, and its member's side of it."""

    row: Membership
    channel: boot_pb2.Channel
    members: tuple[str, ...] = ()
    head: int = 1
    latest_us: int = 0
    last_read_us: int = 0
    mentions: int = 0


@dataclass
class World:
    """All that a boot tells of, and what happens to it."""

    rng: Random
    places: dict[str, Place] = field(default_factory=dict)
    users: dict[str, boot_pb2.User] = field(default_factory=dict)
    team: boot_pb2.Team = field(default_factory=lambda: boot_pb2.Team(id=TEAM, name="Acme", domain="acme"))
    team_offset: int = 1
    own_offset: int = 1
    prefs: Json = field(default_factory=dict)
    is_away: bool = False
    changes: list[tuple[int, str]] = field(default_factory=list)
    """Offset of the workspace's channel, and what changed there: an id, `team` or `emoji`."""
    clock_us: int = (NOW_S - 86_400) * 1_000_000
    vouched: Vouched | None = None
    """What was vouched for with the last boot."""

    def fill(self) -> World:
        for number in range(1, 60):
            user_id = id_from_number("U", number)
            self.users[user_id] = boot_pb2.User(id=user_id, team_id=TEAM, name=f"user{number}")
        for _ in range(70):
            self.join()
        for _ in range(150):
            self.step()
        return self

    def step(self) -> None:
        """Let one thing happen."""
        happen = (self.post, self.post, self.post, self.edit, self.mark, self.rename, self.profile, self.join)
        rare = (self.leave, self.choose, self.rebrand, self.draw)
        self.rng.choice(happen if self.rng.random() < 0.9 else rare)()

    def post(self) -> None:
        place = self._some()
        self.clock_us += self.rng.randrange(1, 60_000_000)
        place.head, place.latest_us = place.head + 1, self.clock_us
        is_direct = place.row.kind in (ConversationKind.IM, ConversationKind.MPIM)
        place.mentions += is_direct or self.rng.random() < 0.2

    def edit(self) -> None:
        self._some().head += 1

    def mark(self) -> None:
        place = self._some()
        place.last_read_us, place.mentions = place.latest_us, 0
        self.own_offset += 1

    def rename(self) -> None:
        place = self._some()
        if place.row.kind is ConversationKind.IM:
            return
        place.channel.name += "x"
        place.head += 1
        if place.row.kind is ConversationKind.PUBLIC:
            self._tell(place.channel.id)
            place.channel.version = self.team_offset

    def profile(self) -> None:
        user = self.users[self.rng.choice(list(self.users))]
        self._tell(user.id)
        user.real_name += "y"
        user.version = self.team_offset

    def join(self) -> None:
        kind = self.rng.choice([*ConversationKind, ConversationKind.IM])
        number = self.rng.randrange(10**6, 10**9)
        channel_id = id_from_number(LETTERS[kind], number)
        others = self.rng.sample(sorted(set(self.users) - {ME}), 3)
        peer = others[0] if kind is ConversationKind.IM else ""
        row = Membership(ME, channel_id, TEAM, kind, peer_user_id=peer)
        channel = boot_pb2.Channel(id=channel_id, team_id=TEAM, kind=int(kind), name=f"name{number}")  # type: ignore[arg-type]
        members = (ME, *others) if kind is ConversationKind.MPIM else ()
        self.places[channel_id] = Place(row, channel, members)
        self.own_offset += 1

    def leave(self) -> None:
        del self.places[self._some().channel.id]
        self.own_offset += 1

    def choose(self) -> None:
        self.prefs["theme"] = self.rng.choice(["dark", "light"])
        self.is_away = not self.is_away
        self.own_offset += 1

    def rebrand(self) -> None:
        self.team.name += "z"
        self._tell("team")

    def draw(self) -> None:
        self._tell("emoji")

    def _some(self) -> Place:
        return self.places[self.rng.choice(list(self.places))]

    def _tell(self, what: str) -> None:
        self.team_offset += 1
        self.changes.append((self.team_offset, what))

    def boot(self, token: Mapping[str, int], now_s: float = NOW_S) -> Json:
        """Return the answer to a client that has this."""
        rows = [_with_mark(place) for _, place in sorted(self.places.items())]
        seen = Seen(TEAM, ME, rows, self.own_offset, self._edge(token.get(TEAM) if ME in token else None), token)
        mentions = {each: place.mentions for each, place in self.places.items() if place.mentions}
        scope = Scope(seen, mentions, now_s)
        self.vouched = scope.vouched(self.is_away)
        members = {each: self.places[each].members for each in scope.group_ids}
        details = Details(
            mentions=mentions,
            channels={each: self.places[each].channel for each in scope.undescribed},
            members=members,
            users=[self.users[each] for each in scope.user_ids(members, ())],
            prefs=self.prefs,
            is_away=self.is_away,
        )
        answer: Json = orjson.loads(orjson.dumps(scope.answer(details)))
        return answer

    def _edge(self, since: int | None) -> edge.BootResponse:
        """Answer as an edge does."""
        changed = dict.fromkeys(what for offset, what in self.changes if since is not None and offset > since)
        public = [p.channel for p in self.places.values() if p.row.kind is ConversationKind.PUBLIC]
        response = edge.BootResponse(
            model_offset=self.team_offset, user_count=len(self.users), is_delta=since is not None
        )
        response.self.CopyFrom(self.users[ME])
        if since is None or "team" in changed:
            response.team.CopyFrom(self.team)
        response.channels.extend(each for each in public if since is None or each.id in changed)
        response.has_changed_emoji = "emoji" in changed
        response.changed_ids.extend(each for each in changed if each not in ("team", "emoji"))
        for channel_id, place in self.places.items():
            response.activities.add(channel_id=channel_id, head_offset=place.head, latest_message_ts_us=place.latest_us)
        response.activities.add(channel_id=ME, head_offset=self.own_offset)
        return response


def _with_mark(place: Place) -> Membership:
    row = place.row
    return Membership(ME, row.channel_id, TEAM, row.kind, row.peer_user_id, last_read_us=place.last_read_us)


@dataclass
class Kept:
    """What a client keeps: documented rules alone, no knowledge of how answers are made."""

    positions: dict[str, int] = field(default_factory=dict)
    channels: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)
    rest: Json = field(default_factory=dict)
    old: set[str] = field(default_factory=set)
    """Users held that are said to have changed: asked for by id when they are shown."""

    def take(self, answer: Json) -> Kept:
        told = {entry["id"]: entry for entry in answer["channels"]}
        whole = answer["complete"]
        self.channels = told if whole else self.channels | told
        positions = decode(answer["token"])
        self.positions = positions if whole else self.positions | positions
        if not answer["is_delta"]:
            self.users, self.rest = {}, {}
        for each in answer.get("changed", ()):
            self.old |= {each} if self.users.pop(each, None) else set()
        self.users |= {user["id"]: user for user in answer.get("users", ())}
        self.rest |= {name: answer[name] for name in ("self", "team", "prefs", "away", "model") if name in answer}
        return self
