"""What apps heard against what the log holds: all of it, in order, and repeated only as the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ops.chaos.noting import subject_of
from ops.chaos.record import App, Record
from ops.chaos.verdict import Violation, Wrong


def misheard(record: Record) -> Iterator[Violation]:
    """Yield what is wrong with what the apps heard."""
    for app in record.apps:
        for channel_id in sorted(app.channels):
            yield from _in_channel(record, app, channel_id)
        for heard in app.heard:
            if heard.channel_id not in app.channels:
                detail = f"{heard.subject} is of a conversation it is not in"
                yield Violation(Wrong.LEAKED, app.name, heard.channel_id, 0, detail)


def _in_channel(record: Record, app: App, channel_id: str) -> Iterator[Violation]:
    payloads = enumerate(record.payloads.get(channel_id, ()), start=1)
    offsets = {subject: offset for offset, payload in payloads if (subject := subject_of(payload))}
    ids: dict[str, str] = {}
    last: dict[int, int] = {}
    for heard in (each for each in app.heard if each.channel_id == channel_id):
        offset = offsets.get(heard.subject)
        if offset is None:
            yield Violation(Wrong.INVENTED, app.name, channel_id, 0, f"{heard.subject} is not in the log")
            continue
        if heard.subject in ids:
            if ids[heard.subject] != heard.event_id:
                detail = f"{heard.subject} came as {ids[heard.subject]} and as {heard.event_id}"
                yield Violation(Wrong.DUPLICATED, app.name, channel_id, offset, detail)
            continue
        ids[heard.subject] = heard.event_id
        if offset < last.get(heard.session, 0):
            detail = f"{heard.subject} came after offset {last[heard.session]}"
            yield Violation(Wrong.REORDERED, app.name, channel_id, offset, detail)
        last[heard.session] = max(offset, last.get(heard.session, 0))
    for subject, offset in offsets.items():
        if offset > record.base.get(channel_id, 0) and subject not in ids:
            yield Violation(Wrong.LOST, app.name, channel_id, offset, f"{subject} never reached it")
