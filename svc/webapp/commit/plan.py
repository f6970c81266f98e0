"""The rules of the log, pure: which offset, ts and rows each of a batch of writes gets.

Offsets of a channel are dense: 1, 2, 3… A ts is the time in microseconds, and above the channel's last.
A (channel, request id) is planned once; whoever brings it again gets the first one's places. Everything is a function
of the state under lock, the writes in order, and the time; a write that cannot be planned fails alone.
Knows neither MySQL nor asyncio.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from svc.kit.errors import InvalidArgumentError
from svc.webapp.commit import log
from svc.webapp.commit.changes import Alterations, Known, MessageKey, check_alterations
from svc.webapp.commit.consequences import encode_effect
from svc.webapp.commit.log import Committed, Draft, Guard, Json, MessageDraft, Place, Write
from svc.webapp.store.decode import encode
from svc.webapp.store.rows import Conversation, Message

__all__ = ["OUTBOX_DELAY_US", "Head", "Plan", "Request", "State", "Version", "plan"]

PAYLOAD_BYTES_MAX = 512 * 1024
"""Of one event's JSON; the contract of parley.event.v1."""
MENTIONS_MAX = 100
"""The contract of parley.event.v1; further mentions are only not named."""
OUTBOX_DELAY_US = 1_000_000
"""When the sweepers may take an event or effect over from the webapp that wrote it: both are done in a few ms."""
CHANGEABLE = frozenset(
    (
        "name",
        "previous_names",
        "topic",
        "topic_by",
        "topic_set_s",
        "purpose",
        "purpose_by",
        "purpose_set_s",
        "is_archived",
        "is_general",
    )
)
"""Columns of a conversation that `Write.change` may name."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last place given in a channel; (0, 0) before the first."""

    offset: int = 0
    ts_us: int = 0
    message_us: int = 0
    """ts of the newest message that is to be read; 0 before the first."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the first write with a request id got: `count` places, each one after the other in offset and ts."""

    first_offset: int
    count: int
    ts_us: int


@dataclass(frozen=True, slots=True)
class Version:
    """What of a conversation decides on writes to it."""

    revision_us: int
    is_archived: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is true under the locks that the caller holds: heads of all channels written, and what was asked about."""

    heads: Mapping[str, Head] = field(default_factory=dict)
    requests: Mapping[tuple[str, str], Request] = field(default_factory=dict)
    """Of those request ids that were used before."""
    members: Set[tuple[str, str]] = frozenset()
    """(channel, user) pairs that are members: of those that are asked about by name, and of channels with an
    `unless_last` some more than the batch takes away, if there are more.
    """
    known: Known = field(default_factory=Known)
    """Of what writes alter, see `changes.asked`."""
    conversations: Mapping[str, Version] = field(default_factory=dict)
    """Those that `if_revision_us` and `unless_archived` ask about, and that there are."""
    messages: Set[MessageKey] = frozenset()
    """Those that `if_message_us` asks about, and that there are."""


@dataclass(slots=True)
class Plan:
    """Rows to write, by table and in the order of its columns, and what to tell each writer."""

    heads: dict[str, Head] = field(default_factory=dict)
    log: list[tuple[str, int, int, bytes]] = field(default_factory=list)
    messages: list[list[Any]] = field(default_factory=list)
    threads: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """(channel, parent's ts): (new replies, latest reply's ts); but for those in `altered`."""
    members: dict[tuple[str, str], int] = field(default_factory=dict)
    """(channel, user): when the user joined; 0 has left."""
    requests: dict[tuple[str, str], Request] = field(default_factory=dict)
    outbox: list[tuple[str, int, int]] = field(default_factory=list)
    effects: list[tuple[str, int, int, int, int, bytes]] = field(default_factory=list)
    creates: list[Conversation] = field(default_factory=list)
    changes: list[tuple[str, Mapping[str, str | int | bool], int]] = field(default_factory=list)
    """(channel, columns, ts of the write), in order."""
    conversations: dict[str, Version] = field(default_factory=dict)
    """What becomes of those that are changed."""
    altered: Alterations = field(default_factory=Alterations)
    """What becomes of what was there before."""
    results: list[Committed | Exception] = field(default_factory=list)
    """One for each write, in order."""


def plan(state: State, writes: Sequence[Write], now_us: int) -> Plan:
    """Give each write its places, in order, and return the rows that make them true.

    Pure: calling it again with the same state, writes and time gives the same plan.
    """
    planned = Plan()
    for write in writes:
        try:
            result: Committed | Exception = _plan_one(state, planned, write, now_us)
        except Exception as error:  # a payload function may raise anything; it concerns its own writer alone
            result = error
        planned.results.append(result)
    return planned


def _plan_one(state: State, planned: Plan, write: Write, now_us: int) -> Committed:
    """Plan one write on top of those before it. Changes `planned` only after everything that may fail."""
    check_write(write)
    key = (write.channel_id, write.request_id)
    used = planned.requests.get(key) or state.requests.get(key) if write.request_id else None
    if used is not None:
        return Committed(write.channel_id, tuple(_places(write.channel_id, used)), used.ts_us, duplicate=True)
    refused_by = _refusal(state, planned, write)
    if refused_by is not None:
        return Committed(write.channel_id, (), 0, refused=True, refused_by=refused_by)
    head = planned.heads.get(write.channel_id) or state.heads.get(write.channel_id, Head())
    got = Request(head.offset + 1, len(write.drafts), max(now_us, head.ts_us + 1))
    places = tuple(_places(write.channel_id, got))
    events = tuple(_event(draft, place, now_us) for draft, place in zip(write.drafts, places, strict=True))
    if events and (write.members_added or write.members_removed):
        events[0].membership_change.joined_user_ids.extend(write.members_added)
        events[0].membership_change.left_user_ids.extend(write.members_removed)
    for change in write.changed:
        if change.reply_broadcast:
            # There is something more to read, though it is not new.
            events[0].message_ts_us = max(events[0].message_ts_us, change.ts_us)
    effects = [encode_effect(effect) for effect in write.effects]
    newest_us = planned.altered.newest_left(state.known, write, head.message_us) if write.alters else None
    if newest_us is None:
        newest_us = head.message_us
    else:
        events[0].latest_message_ts_us = newest_us
    planned.heads[write.channel_id] = Head(
        got.first_offset + got.count - 1,
        got.ts_us + max(0, got.count - 1),
        max([newest_us, *(event.message_ts_us for event in events)]),
    )
    if write.alters:
        planned.altered.apply(state.known, planned.threads, write, got.first_offset, got.ts_us)
    if write.change:
        before = planned.conversations.get(write.channel_id) or state.conversations.get(write.channel_id)
        is_archived = write.change.get("is_archived", before is not None and before.is_archived)
        planned.conversations[write.channel_id] = Version(got.ts_us, bool(is_archived))
    _add(planned, write, got, events, effects, now_us)
    return Committed(write.channel_id, places, got.ts_us, events=events, next_offset=got.first_offset)


def _add(
    planned: Plan, write: Write, got: Request, events: Sequence[event_pb2.Event], effects: Sequence[bytes], now_us: int
) -> None:
    """Add a write's rows, its head apart."""
    channel_id = write.channel_id
    if write.request_id:
        planned.requests[channel_id, write.request_id] = got
    due_us = now_us + OUTBOX_DELAY_US
    for event in events:
        planned.log.append((channel_id, event.offset, now_us, event.SerializeToString()))
        planned.outbox.append((channel_id, event.offset, due_us))
    for draft, place in zip(write.drafts, _places(channel_id, got), strict=True):
        if draft.message is not None:
            _add_message(planned, draft.message, place)
    planned.members.update(((channel_id, user_id), got.ts_us) for user_id in write.members_added)
    planned.members.update(((channel_id, user_id), 0) for user_id in write.members_removed)
    for number, blob in enumerate(effects):
        planned.effects.append((channel_id, got.ts_us, number, got.first_offset, due_us, blob))
    if write.create is not None:
        planned.creates.append(replace(write.create, revision_us=got.ts_us, updated_ms=got.ts_us // 1000))
    if write.change:
        planned.changes.append((channel_id, write.change, got.ts_us))


def _add_message(planned: Plan, draft: MessageDraft, place: Place) -> None:
    """Add a message's row, and count it with its parent."""
    row = Message(
        channel_id=place.channel_id,
        ts_us=place.ts_us,
        offset=place.offset,
        user_id=draft.user_id,
        bot_id=draft.bot_id,
        subtype=draft.subtype,
        text=draft.text,
        thread_ts_us=draft.thread_ts_us,
        reply_broadcast=draft.reply_broadcast,
        client_msg_id=draft.client_msg_id,
        extra=draft.extra,
        revision=place.offset,
    )
    planned.messages.append(encode(row))
    if draft.thread_ts_us:
        parent = (place.channel_id, draft.thread_ts_us)
        counts = planned.altered.threads if parent in planned.altered.threads else planned.threads
        counts[parent] = (counts.get(parent, (0, 0))[0] + 1, place.ts_us)


def check_write(write: Write) -> None:
    """Raise InvalidArgumentError for a write over its limits."""
    sizes = (
        ("drafts", log.DRAFTS_MAX, len(write.drafts)),
        ("effects", log.EFFECTS_MAX, len(write.effects)),
        ("request_id", log.REQUEST_ID_BYTES_MAX, len(write.request_id.encode())),
    )
    for subject, limit, actual in sizes:
        if actual > limit:
            message = f"{subject} of one write: {actual}, at most {limit}"
            raise InvalidArgumentError(message, subject=subject, limit=limit, actual=actual)
    unknown = set(write.change) - CHANGEABLE
    if unknown:
        raise InvalidArgumentError(f"a conversation has no {', '.join(sorted(unknown))} to change", subject="change")
    if write.alters:
        check_alterations(write)


def _refusal(state: State, planned: Plan, write: Write) -> Guard | None:
    """Return what is not as the write requires, counting what is earlier in the batch."""
    if not _members_fit(state, planned, write):
        return Guard.MEMBER
    version = planned.conversations.get(write.channel_id) or state.conversations.get(write.channel_id)
    if write.unless_archived and version is not None and version.is_archived:
        return Guard.ARCHIVED
    if write.if_revision_us and (version is None or version.revision_us != write.if_revision_us):
        return Guard.CHANGED
    if write.if_message_us:
        message = (write.channel_id, write.if_message_us)
        if message not in state.messages or planned.altered.is_gone(message):
            return Guard.MESSAGE
    if write.unless_last and not _is_anybody_left(state, planned, write):
        return Guard.LAST
    return planned.altered.refusal(state.known, planned.threads, write) if write.alters else None


def _members_fit(state: State, planned: Plan, write: Write) -> bool:
    """Tell whether the members are as the write requires, counting joins and leaves earlier in the batch."""

    def is_member(user_id: str) -> bool:
        key = (write.channel_id, user_id)
        return planned.members[key] > 0 if key in planned.members else key in state.members

    if write.if_member and not is_member(write.if_member):
        return False
    return not any(map(is_member, filter(None, (write.unless_member, *write.unless_members))))


def _is_anybody_left(state: State, planned: Plan, write: Write) -> bool:
    """Tell whether somebody is a member who does not leave with this write or one before it in the batch."""
    here = {user_id for channel_id, user_id in state.members if channel_id == write.channel_id}
    for (channel_id, user_id), joined_us in planned.members.items():
        if channel_id == write.channel_id:
            here.add(user_id) if joined_us else here.discard(user_id)
    return not here <= set(write.members_removed)


def _places(channel_id: str, got: Request) -> Iterator[Place]:
    """Yield the places of a write: after the first, time never outruns the counter, so both grow by one."""
    return (Place(channel_id, got.first_offset + i, got.ts_us + i) for i in range(got.count))


def _event(draft: Draft, place: Place, now_us: int) -> event_pb2.Event:
    """Return what is stored and fanned out."""
    shown = draft.payload(place)
    payload = b"" if shown is None else orjson.dumps(_placed(shown, draft, place))
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise InvalidArgumentError(
            "the event is too large", subject="payload", limit=PAYLOAD_BYTES_MAX, actual=len(payload)
        )
    event = event_pb2.Event(
        channel_id=place.channel_id,
        offset=place.offset,
        kind=draft.kind,
        sender_id=draft.sender_id,
        mentioned_user_ids=draft.mentions[:MENTIONS_MAX],
        payload=payload,
        commit_unix_us=now_us,
        origin_connection_id=draft.origin_connection_id,
        traceparent=draft.traceparent,
        subscription_change=draft.subscription_change,
        away_change=draft.away_change,
        revocation=draft.revocation,
        message_ts_us=place.ts_us if draft.message is not None and draft.message.is_to_read else 0,
    )
    if draft.model_change is not None:
        event.model_change.CopyFrom(_versioned(draft.model_change, place.offset))
    return event


def _placed(payload: Json, draft: Draft, place: Place) -> Json:
    """Return the payload with its place in it."""
    placed = {**payload, "position": place.position}
    placed.setdefault("event_ts", place.ts)
    if draft.message is not None:
        placed.setdefault("ts", place.ts)
    return placed


def _versioned(change: boot_pb2.ModelChange, version: int) -> boot_pb2.ModelChange:
    """Return a copy whose objects are of this version."""
    copy = boot_pb2.ModelChange()
    copy.CopyFrom(change)
    for user in copy.users:
        user.version = version
    for channel in copy.channels:
        channel.version = version
    return copy
