"""A workspace as it is after years of use: who is where, what was said last, and who has read it. Pure.

| | |
|---|---|
| channels of a user | log-normal, median 25, one in forty more than 80; everybody is in the general one |
| members of a channel | Zipf-Mandelbrot: of 10,000 and 32,000 people the first has a third, half have up to 26 |
| private channels | one for every ten public ones, besides them |
| direct messages of a user | log-normal, median 4; and one group of three to six for every six people |
| profiles | a title, a picture and a time zone for all, a status for 15 % |
| topics, purposes | 60 %, 40 % of channels |
| custom emoji | 200 at 1,500 people, 2,000 at 15,000 and more; one in 20 an alias |
| last messages | one to three in a channel, one in a direct conversation; a minute to a month ago |
| read marks | three in four at the newest message, one in five before it, one in 20 nowhere |
| mentions | one in ten unread messages of channels, all unread ones of direct conversations |
| preferences | 300 bytes of half of the people |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import orjson

from ops import invention
from parley.event.v1 import event_pb2
from svc.kit.ids import IdMint
from svc.webapp.commit.log import Draft, MessageDraft, Write
from svc.webapp.commit.plan import Plan, State, plan
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations import names
from svc.webapp.store.rows import Conversation, ConversationKind, Emoji, Membership, Prefs, User

CHANNELS_MEDIAN = 25
CHANNELS_MAX = 400
PRIVATE_SHARE = 0.1
DIRECT_MEDIAN = 4
DIRECT_MAX = 60
PEOPLE_HEAD = 300
"""People are more alike than channels: the best known of 32,000 writes with some 100 others, not with thousands."""
PEOPLE_PER_GROUP = 6
GROUP_SIZES = (3, 6)
MESSAGES_MAX = 3
READ_SHARE, NEVER_READ_SHARE = 0.75, 0.05
MENTION_SHARE = 0.1
PREFS_SHARE = 0.5

_DIRECT = (ConversationKind.IM, ConversationKind.MPIM)


@dataclass(slots=True)
class _Room:
    """A conversation while it is made up: its people as places in the list of users, its messages' times."""

    row: Conversation
    people: list[int]
    said: list[tuple[int, int]] = field(default_factory=list)
    """(time in microseconds, who), the oldest first."""


class LivedIn:
    """Makes up one workspace around its users; `general` is the channel that everybody is in."""

    def __init__(
        self, users: Sequence[User], general: Conversation, channels: int, rng: Random, mint: IdMint, now_us: int
    ) -> None:
        """`users`: in order of id. `channels`: public ones, the general one among them."""
        self._users = users
        self._rng = rng
        self._mint = mint
        self._now_us = now_us
        self._rooms = [_Room(general, list(range(len(users)))), *self._channels(channels)]
        self._rooms += [*self._pairs(), *self._groups()]
        self._by_user: list[list[int]] = [[] for _ in users]
        for number, room in enumerate(self._rooms):
            for person in room.people:
                self._by_user[person].append(number)
        self.mentions: list[tuple[str, str, int]] = []
        """(user, channel, time) of unread mentions; complete after `memberships`."""

    @property
    def conversations(self) -> list[Conversation]:
        """All conversations, the general channel first."""
        return [room.row for room in self._rooms]

    @property
    def memberships_count(self) -> int:
        """How many people in how many conversations there are."""
        return sum(len(room.people) for room in self._rooms)

    def emoji(self) -> Iterator[Emoji]:
        """Yield custom emoji."""
        for name, value in invention.custom_emoji(len(self._users), self._rng):
            yield Emoji(self._users[0].team_id, name, value)

    def prefs(self) -> Iterator[Prefs]:
        """Yield what some of the people have set."""
        for user in self._users:
            if self._rng.random() < PREFS_SHARE:
                yield Prefs(user.id, orjson.dumps(invention.preferences(self._rng)), revision=1)

    def members(self) -> Iterator[tuple[str, str, int]]:
        """Yield (channel, user, joined), by channel and user."""
        for room in self._rooms:
            for person in sorted(room.people):
                yield room.row.id, self._users[person].id, room.row.created_s * 1_000_000

    def messages(self) -> Iterator[Plan]:
        """Yield the rows of what was said last, conversation by conversation, as the log's own rules make them.

        Call it before `memberships`, which say who has read it.
        """
        for room in self._rooms:
            count = 1 if room.row.kind in _DIRECT else self._rng.randint(1, MESSAGES_MAX)
            state = State()
            for age_us in sorted((invention.age_us(self._rng) for _ in range(count)), reverse=True):
                person = self._rng.choice(room.people)
                planned = plan(state, [_message(room.row, self._users[person], self._rng)], self._now_us - age_us)
                room.said.append((planned.heads[room.row.id].ts_us, person))
                state = State(heads=planned.heads)
                yield planned

    def memberships(self) -> Iterator[Membership]:
        """Yield every user's side, by user and conversation, with its read mark."""
        for person, user in enumerate(self._users):
            for number in sorted(self._by_user[person], key=lambda number: self._rooms[number].row.id):
                room = self._rooms[number]
                read_us = self._read(room, user, person)
                yield Membership(
                    user.id,
                    room.row.id,
                    room.row.team_id,
                    room.row.kind,
                    peer_user_id=self._peer(room, person) if room.row.kind is ConversationKind.IM else "",
                    joined_us=room.row.created_s * 1_000_000,
                    last_read_us=read_us,
                )

    def _peer(self, room: _Room, person: int) -> str:
        return self._users[room.people[1] if room.people[0] == person else room.people[0]].id

    def _read(self, room: _Room, user: User, person: int) -> int:
        """Return up to where somebody has read a conversation, and note the mentions above that."""
        luck = self._rng.random()
        if luck < READ_SHARE:
            return room.said[-1][0]
        read_us = 0 if luck > 1 - NEVER_READ_SHARE or len(room.said) == 1 else room.said[-2][0]
        is_direct = room.row.kind in _DIRECT
        for ts_us, sender in room.said:
            if ts_us > read_us and sender != person and (is_direct or self._rng.random() < MENTION_SHARE):
                self.mentions.append((user.id, room.row.id, ts_us))
        return read_us

    def _channels(self, count: int) -> list[_Room]:
        """Return all channels but the general one; public ones first, each in order of popularity."""
        rng, weights = self._rng, invention.popularity(count - 1)
        private = round(count * PRIVATE_SHARE) if count > 1 else 0
        people: list[list[int]] = [[] for _ in range(count - 1 + private)]
        hidden = [count - 1 + place for place in range(private)]
        for person in range(len(self._users) if count > 1 else 0):
            wanted = invention.skewed(CHANNELS_MEDIAN, min(CHANNELS_MAX, count), rng) - 1
            for place in invention.favourites(wanted, weights, rng):
                is_private = private and rng.random() < PRIVATE_SHARE
                people[hidden[place * private // (count - 1)] if is_private else place].append(person)
        invented = invention.channels(len(people), rng)
        return [
            _Room(self._conversation(name, chosen, is_private=place >= count - 1), chosen)
            for place, (name, found) in enumerate(zip(invented, people, strict=True))
            if (chosen := sorted(set(found)) or [rng.randrange(len(self._users))])
        ]

    def _conversation(self, name: str, people: Sequence[int], *, is_private: bool) -> Conversation:
        creator = self._users[people[0]]
        created_s = self._now_us // 1_000_000 - 40 * 86_400 - self._rng.randrange(1_000 * 86_400)
        topic, purpose = invention.topic(self._rng), invention.purpose(self._rng)
        return Conversation(
            self._mint.mint("C"),
            creator.team_id,
            ConversationKind.PRIVATE if is_private else ConversationKind.PUBLIC,
            name,
            creator.id,
            created_s,
            topic=topic,
            topic_by=creator.id if topic else "",
            topic_set_s=created_s if topic else 0,
            purpose=purpose,
            purpose_by=creator.id if purpose else "",
            purpose_set_s=created_s if purpose else 0,
            updated_ms=created_s * 1_000,
        )

    def _pairs(self) -> list[_Room]:
        weights = invention.popularity(len(self._users), PEOPLE_HEAD)
        pairs: dict[tuple[int, int], None] = {}
        for person in range(len(self._users)):
            # Half of everybody's are begun by the others.
            wanted = invention.skewed(DIRECT_MEDIAN / 2, DIRECT_MAX, self._rng)
            for other in invention.favourites(min(wanted, len(self._users) - 1), weights, self._rng):
                if other != person:
                    pairs[min(person, other), max(person, other)] = None
        return [self._direct(ConversationKind.IM, list(pair)) for pair in pairs]

    def _groups(self) -> list[_Room]:
        size = min(GROUP_SIZES[1], len(self._users))
        if size < GROUP_SIZES[0]:
            return []
        sizes = [self._rng.randint(GROUP_SIZES[0], size) for _ in range(len(self._users) // PEOPLE_PER_GROUP)]
        everybody = range(len(self._users))
        groups = dict.fromkeys(tuple(sorted(self._rng.sample(everybody, size))) for size in sizes)
        return [self._direct(ConversationKind.MPIM, list(people)) for people in groups]

    def _direct(self, kind: ConversationKind, people: list[int]) -> _Room:
        creator = self._users[people[0]]
        created_s = self._now_us // 1_000_000 - 40 * 86_400 - self._rng.randrange(300 * 86_400)
        is_im = kind is ConversationKind.IM
        name = "" if is_im else names.mpim_name(self._users[person].name for person in people)
        # The id under which naming the same people finds it again.
        channel_id = names.direct_id(creator.team_id, sorted(self._users[person].id for person in people), 0)
        return _Room(Conversation(channel_id, creator.team_id, kind, name, creator.id, created_s), people)


def _message(conversation: Conversation, sender: User, rng: Random) -> Write:
    text = invention.sentence(rng)
    fields = shapes.message_fields(sender.team_id, user_id=sender.id, text=text)
    draft = Draft(
        event_pb2.EVENT_KIND_MESSAGE,
        lambda place: {**fields, "channel": conversation.id, "ts": place.ts, "event_ts": place.ts},
        sender_id=sender.id,
        message=MessageDraft(sender.id, text),
    )
    return Write(conversation.id, drafts=(draft,))
