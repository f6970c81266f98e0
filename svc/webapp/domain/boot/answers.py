"""What a slim boot says, and what of it is left out for who has most of it already. Pure.

A boot is made in two steps, because what is worth describing is known only when it is known how far the conversations
have come: `Scope` decides what is told, and `Scope.answer` tells it.

What decides is offsets. A client names the position up to which it has each channel; what is below an offset of

    the workspace (T…)        users and public channels: the edge says which changed since
    the user (U…)             what it is in, read marks, preferences: unchanged, or all entries are told
    a conversation            messages, topic, name of a private one: unchanged, or its entry is told

is had. An entry is told whole, so that applying a delta is replacing. So for every state and every token, what the
client had, with the delta applied, is what a fresh boot says; `tests` hold it to that. One thing has no offset: how
often a user was named in what it has not read is written a moment after the message is told. So entries with fresh
mentions are told in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from typing import Any

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc import shapes
from svc.kit.ids import ts_from_us
from svc.shapes.lazy import encoded_user
from svc.shapes.positions import CHANNELS_MAX, encode
from svc.shapes.recency import newest
from svc.shapes.vouching import SHARED_REPLAY_MAX, Vouched, digest
from svc.webapp.store.rows import ConversationKind, Membership

__all__ = ["IMS_MAX", "MPIMS_MAX", "NEAR_MAX", "Details", "Scope", "Seen", "likely_groups", "near_ids"]

Json = dict[str, Any]

IMS_MAX = 30
"""Direct messages whose people are described: more than a sidebar shows before it is scrolled."""
MPIMS_MAX = 5
"""Group messages whose people are described: eight more people each."""
USERS_MAX = 500
"""People in one boot; the edge's limit for one request."""
NEAR_MAX = 200
"""Whom a user deals with, told to the edge for its searches; the contract's limit."""
FRESH_MENTION_S = 600
"""How long after a message the mentions of its conversation are told again: 300 times what the slowest sweep takes."""

_CONVERSATIONS = "CDG"
"""Letters of their ids."""

KINDS = {
    ConversationKind.PUBLIC: "public",
    ConversationKind.PRIVATE: "private",
    ConversationKind.IM: "im",
    ConversationKind.MPIM: "mpim",
}


def near_ids(rows: Iterable[Membership]) -> list[str]:
    """Return whom a user deals with, by what it read last: the people of its direct messages, and its conversations."""
    read = nlargest(NEAR_MAX, (row for row in rows if row.last_read_us), key=lambda row: row.last_read_us)
    return [row.peer_user_id or row.channel_id for row in read]


def likely_groups(rows: Iterable[Membership]) -> list[str]:
    """Return the group messages that are likely to have the newest messages, before it is known which do: those that
    the user read last.
    """
    groups = (row for row in rows if row.kind is ConversationKind.MPIM)
    return [row.channel_id for row in nlargest(2 * MPIMS_MAX, groups, key=lambda row: row.last_read_us)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known before it is decided what to tell."""

    team_id: str
    user_id: str
    rows: Sequence[Membership]
    """What the user is in, as of `own_head` or later."""
    own_head: int
    """Offset of the user's own channel."""
    model: edge.BootResponse
    """The workspace, and how far each conversation has come."""
    since: Mapping[str, int] = field(default_factory=dict)
    """What the client has; empty for one that has nothing."""


@dataclass(frozen=True, slots=True)
class Details:
    """What is read once it is known what to tell."""

    mentions: Mapping[str, int]
    """Unread mentions by conversation; none are 0."""
    channels: Mapping[str, boot.Channel] = field(default_factory=dict)
    """Those of `Scope.undescribed`."""
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Those of `Scope.group_ids`."""
    users: Sequence[boot.User] = ()
    prefs: Mapping[str, object] = field(default_factory=dict)
    is_away: bool = False


class Scope:
    """What is told of a state to a client that has some of it."""

    def __init__(self, seen: Seen, mentions: Mapping[str, int], now_s: float) -> None:
        """`now_s`: unix seconds."""
        self._seen = seen
        self._now_s = now_s
        self._activities = {each.channel_id: each for each in seen.model.activities}
        self._public = {each.id: each for each in seen.model.channels}
        self._changed = frozenset(seen.model.changed_ids)
        since = seen.since
        self.is_delta = seen.model.is_delta and seen.user_id in since and seen.team_id in since
        """Whether the client keeps what it has and is told the rest."""
        self.is_complete = not self.is_delta or self._has_own_change
        """Whether every conversation is told, so that one that is not is one that was left."""
        self.told = [row for row in seen.rows if self.is_complete or self._is_news(row, mentions)]
        """What entries are made of."""

    @cached_property
    def undescribed(self) -> list[str]:
        """Conversations told whose names are asked for: a direct message has none, the edge gave some already."""
        named = (row.channel_id for row in self.told if row.kind is not ConversationKind.IM)
        return [channel_id for channel_id in named if channel_id not in self._public]

    @cached_property
    def group_ids(self) -> list[str]:
        """Group messages told whose members are asked for: recent ones."""
        told = {row.channel_id for row in self.told}
        return [each for each in self._recent(ConversationKind.MPIM, MPIMS_MAX) if each in told]

    def user_ids(self, members: Mapping[str, Sequence[str]], authors: Iterable[str]) -> list[str]:
        """Return the users to describe: the people of recent direct messages, and `authors`.

        In a delta: of what is told, and those of the others who changed.
        """
        peers = {row.channel_id: row.peer_user_id for row in self._seen.rows if row.kind is ConversationKind.IM}
        has_left = any(each not in self._activities for each in self._seen.since if each[0] in _CONVERSATIONS)
        # Where one was left, another is among the newest that was not before, though nothing happened in it.
        told = {row.channel_id for row in self.told if has_left or self._is_new(row)}
        people: dict[str, None] = dict.fromkeys(authors)
        for channel_id in self._recent(ConversationKind.IM, IMS_MAX):
            if channel_id in told or peers[channel_id] in self._changed:
                people[peers[channel_id]] = None
        for user_ids in members.values():
            people.update(dict.fromkeys(user_ids))
        people.pop(self._seen.user_id, None)
        return list(people)[:USERS_MAX]

    def answer(self, details: Details) -> Json:
        """Return the boot, without the ways to a socket and without history."""
        seen, model = self._seen, self._seen.model
        answer: Json = {
            "is_delta": self.is_delta,
            "complete": self.is_complete,
            "channels": [self._entry(row, details) for row in self.told],
        }
        answer["token"] = encode(self._positions()[:CHANNELS_MAX])
        if details.users or not self.is_delta:
            answer["users"] = [encoded_user(each, now_s=self._now_s) for each in details.users]
        if not self.is_delta or seen.user_id in self._changed:
            answer["self"] = encoded_user(model.self, now_s=self._now_s)
        if not self.is_delta or model.HasField("team"):
            answer["team"] = shapes.team(model.team)
        if self.is_complete:
            answer |= {"prefs": details.prefs, "away": details.is_away}
        if not self.is_delta or model.model_offset > seen.since[seen.team_id]:
            users, channels = model.user_count, model.channel_count
            answer["model"] = {"version": model.model_offset, "users": users, "channels": channels}
        if model.changed_ids:
            answer["changed"] = list(model.changed_ids)
        if model.has_changed_emoji:
            answer["emoji_version"] = model.model_offset
        return answer

    def vouched(self, is_away_by_hand: bool) -> Vouched | None:
        """Return what a gateway may take as known of a session that begins with this boot; None for too little.

        The client goes on from what this tells it, or from what it had before if that is of the same conversations. It
        may have events that the edge has yet to hear of, or lie: then it is looked up how far these have come.
        """
        seen, now = self._seen, self._now
        since = {each: seen.since[each] for each in now if each in seen.since}
        if len(now) > CHANNELS_MAX or any(offset > now[each] for each, offset in since.items()):
            return None
        digests = [digest(now)]
        is_close = sum(now.values()) - sum(since.values()) <= SHARED_REPLAY_MAX
        if is_close and len(since) == len(now) == len(seen.since) and since != now:
            digests.append(digest(since))
        return Vouched(seen.own_head, is_away_by_hand, tuple(digests))

    @cached_property
    def _now(self) -> dict[str, int]:
        """How far everything has come that the user follows."""
        seen = self._seen
        heads = {row.channel_id: self._head(row.channel_id) for row in seen.rows}
        return {seen.team_id: seen.model.model_offset, seen.user_id: seen.own_head} | heads

    @property
    def _has_own_change(self) -> bool:
        """Whether what the user is in, or has read, may not be what the client has."""
        return self._seen.since[self._seen.user_id] != self._seen.own_head

    def _is_news(self, row: Membership, mentions: Mapping[str, int]) -> bool:
        if row.channel_id in self._public or self._is_new(row):
            return True
        is_fresh = self._latest_us(row.channel_id) > (self._now_s - FRESH_MENTION_S) * 1_000_000
        return is_fresh and row.channel_id in mentions

    def _is_new(self, row: Membership) -> bool:
        """Tell whether something happened in a conversation that the client has not got."""
        return not self.is_delta or self._head(row.channel_id) > self._seen.since.get(row.channel_id, -1)

    def _head(self, channel_id: str) -> int:
        activity = self._activities.get(channel_id)
        return activity.head_offset if activity else 0

    def _latest_us(self, channel_id: str) -> int:
        activity = self._activities.get(channel_id)
        return activity.latest_message_ts_us if activity else 0

    def _recent(self, kind: ConversationKind, limit: int) -> list[str]:
        """Return the conversations of a kind with the newest messages, the newest first."""
        ids = (row.channel_id for row in self._seen.rows if row.kind is kind)
        return newest(((self._latest_us(channel_id), channel_id) for channel_id in ids), limit)

    def _positions(self) -> list[tuple[str, int]]:
        """Return what the client has with this answer; in a delta that is not complete, where that is news to it.

        It may have events that the edge has yet to hear of: then what it said stands.
        """
        seen = self._seen
        since = seen.since if self.is_delta else {}
        now = self._now
        latest = {each: max(offset, since.get(each, 0)) for each, offset in now.items()} | {seen.user_id: seen.own_head}
        return [each for each in latest.items() if self.is_complete or each[1] != since.get(each[0])]

    def _entry(self, row: Membership, details: Details) -> Json:
        """Return one conversation, without what is zero or false."""
        channel_id, latest_us = row.channel_id, self._latest_us(row.channel_id)
        entry: Json = {"id": channel_id, "kind": KINDS[row.kind]}
        channel = self._public.get(channel_id) or details.channels.get(channel_id)
        if channel is not None:
            _describe(entry, channel)
        if row.peer_user_id:
            entry["user"] = row.peer_user_id
        if channel_id in details.members:
            entry["members"] = list(details.members[channel_id])
        if row.last_read_us:
            entry["last_read"] = ts_from_us(row.last_read_us)
        if latest_us:
            entry["latest"] = ts_from_us(latest_us)
        if latest_us > row.last_read_us:
            entry["unread"] = True
        if details.mentions.get(channel_id):
            entry["mentions"] = details.mentions[channel_id]
        return entry


def _describe(entry: Json, channel: boot.Channel) -> None:
    if channel.name:
        entry["name"] = channel.name
    if channel.version:
        entry["v"] = channel.version
    if channel.is_archived:
        entry["archived"] = True
    if channel.is_general:
        entry["general"] = True
