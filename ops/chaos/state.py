"""What is left in the end against what the log amounts to, and every acknowledged change against the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.chaos.record import Outcome, Record, Shown, Standing
from ops.chaos.verdict import Violation, Wrong
from ops.folding import Contradiction, Folded

Payload = Mapping[str, Any]


def diverged(record: Record) -> Iterator[Violation]:
    """Yield what the Web API shows otherwise than the log has it, and acknowledged changes that no event tells."""
    for channel, payloads in record.payloads.items():
        folded = Folded()
        try:
            for offset, payload in enumerate(payloads, start=1):
                folded.take(offset, payload)
        except Contradiction as contradiction:
            yield Violation(Wrong.DIVERGED, "log", channel, offset, str(contradiction))
            continue
        yield from _compared(channel, folded, record.shown.get(channel, ()))
        yield from _claimed(record, channel, payloads)
        if channel in record.standing:
            yield from _stands(channel, folded, record.standing[channel])
    yield from _untimely(record)


def removed(payloads: Iterable[Payload]) -> frozenset[str]:
    """Return the ts of messages that a log says were removed."""
    return frozenset(str(each["deleted_ts"]) for each in payloads if each.get("subtype") == "message_deleted")


def claims(payload: Payload) -> Iterator[str]:
    """Yield what an event says in the words of `Change.claim`."""
    match payload.get("type"), payload.get("subtype"):
        case "message", "message_changed":
            yield f"edit {payload['message']['ts']} {payload['message']['text']}"
        case "message", "message_deleted":
            yield f"removed {payload['deleted_ts']}"
        case "reaction_added" | "reaction_removed" as kind, _:
            yield f"{kind.removeprefix('reaction_')} {payload['item']['ts']} {payload['reaction']} {payload['user']}"
        case "member_joined_channel" | "member_left_channel" as kind, _:
            yield f"{kind.removeprefix('member_').removesuffix('_channel')} {payload['user']}"
        case "message", "channel_topic" | "channel_name" as subtype:
            what = subtype.removeprefix("channel_")
            yield f"{what} {payload[what]}"


def _compared(channel: str, folded: Folded, shown: Iterable[Shown]) -> Iterator[Violation]:
    expected = {ts: Shown(ts, said.text, _reactions(folded, ts)) for ts, said in folded.messages.items()}
    seen = set()
    for each in shown:
        seen.add(each.ts)
        if expected.get(each.ts) != each:
            detail = f"shown {each}, by the log {expected.get(each.ts, 'removed')}"
            yield Violation(Wrong.DIVERGED, "history", channel, 0, detail)
    for ts in sorted(ts for ts, said in folded.messages.items() if not said.thread_ts and ts not in seen):
        yield Violation(Wrong.DIVERGED, "history", channel, 0, f"{ts} is there by the log, and not shown")


def _reactions(folded: Folded, ts: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    users: dict[str, list[str]] = {}
    mine = sorted((at, name, user) for (of, name, user), at in folded.reactions.items() if of == ts)
    for _, name, user in mine:
        users.setdefault(name, []).append(user)
    return tuple((name, tuple(who)) for name, who in users.items())


def _claimed(record: Record, channel: str, payloads: Iterable[Payload]) -> Iterator[Violation]:
    told = {claim for payload in payloads for claim in claims(payload)}
    for change in record.changes:
        is_owed = change.claim and change.outcome is Outcome.ACKED
        if change.channel_id == channel and is_owed and change.claim not in told:
            yield Violation(Wrong.LOST, "log", channel, 0, f"{change.claim!r} was acknowledged, and no event tells it")


def _stands(channel: str, folded: Folded, standing: Standing) -> Iterator[Violation]:
    """Compare who is in a conversation, and what it is called, with what its events told. Direct ones tell nothing."""
    told = {user_id for user_id, is_in in folded.members.items() if is_in}
    if folded.members and told != standing.members:
        odd = sorted(told ^ standing.members)
        yield Violation(Wrong.DIVERGED, "members", channel, 0, f"told otherwise than listed: {odd}")
    for what, said in (("topic", folded.topic), ("name", folded.name)):
        if said and said != getattr(standing, what):
            detail = f"the {what} is {getattr(standing, what)!r}, by the log {said!r}"
            yield Violation(Wrong.DIVERGED, "info", channel, 0, detail)


def _untimely(record: Record) -> Iterator[Violation]:
    """Check scheduled messages: posted, none before its time; none that was taken back. Twice is seen elsewhere."""
    posted = {(channel, entry.key): entry.ts for channel, log in record.log.items() for entry in log if entry.key}
    for each in record.scheduled:
        ts = posted.get((each.channel_id, each.key))
        if ts is not None and float(ts) < each.post_at:
            detail = f"{each.key} is posted at {ts}, before its time {each.post_at}"
            yield Violation(Wrong.INVENTED, "log", each.channel_id, 0, detail)
        if each.outcome is Outcome.ACKED and (ts is not None) is not each.is_wanted:
            wrong = Wrong.LOST if each.is_wanted else Wrong.INVENTED
            detail = f"{each.key} was {'scheduled and not' if each.is_wanted else 'taken back and'} posted"
            yield Violation(wrong, "log", each.channel_id, 0, detail)
