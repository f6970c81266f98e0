"""What the guards of a batch's writes ask about, and what there is of it. Pure; `plan` decides by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from svc.webapp.commit.changes import MessageKey
from svc.webapp.commit.log import Write
from svc.webapp.commit.plan import Version

__all__ = ["Asked", "Standings", "asked_of"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guards of a batch ask about."""

    members: Set[tuple[str, str]] = frozenset()
    """(channel, user)"""
    leaving: Mapping[str, int] = field(default_factory=dict)
    """Of channels in which somebody has to stay: how many leave."""
    conversations: Set[str] = frozenset()
    messages: Set[MessageKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Standings:
    """Those of them that there are."""

    members: Set[tuple[str, str]]
    conversations: Mapping[str, Version]
    messages: Set[MessageKey]


def asked_of(writes: Iterable[Write]) -> Asked:
    """Return what the guards of writes ask about."""
    leaving = Counter[str]()
    members, messages = set[tuple[str, str]](), set[MessageKey]()
    watched, conversations = set[str](), set[str]()
    for write in writes:
        channel_id = write.channel_id
        named = filter(None, (write.if_member, write.unless_member, *write.unless_members))
        members.update((channel_id, user_id) for user_id in named)
        leaving[channel_id] += len(write.members_removed)
        if write.unless_last:
            watched.add(channel_id)
        if write.if_revision_us or write.unless_archived:
            conversations.add(channel_id)
        if write.if_message_us:
            messages.add((channel_id, write.if_message_us))
    return Asked(members, {channel_id: leaving[channel_id] for channel_id in watched}, conversations, messages)
