"""What is left in the end against what the log amounts to, and every acknowledged change against the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.chaos.record import Outcome, Record, Shown
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
        if change.channel_id == channel and change.outcome is Outcome.ACKED and change.claim not in told:
            yield Violation(Wrong.LOST, "log", channel, 0, f"{change.claim!r} was acknowledged, and no event tells it")
