"""What the stores' statements mean, on tables that are dictionaries.

Only those that a simulated mesh uses; any other raises, so that a changed statement is noticed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.sim import altered
from ops.sim.altered import pairs as _pairs
from svc.webapp.store.channel import Activity
from svc.webapp.store.decode import columns
from svc.webapp.store.rows import Membership

Args = Sequence[Any]


@dataclass(slots=True)
class Tables:
    """What is committed."""

    heads: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Channel: (last offset, last ts, ts of the newest message to read)."""
    log: dict[str, dict[int, tuple[int, bytes]]] = field(default_factory=dict)
    """Channel, offset: (commit time, event). Retention takes from the beginning."""
    history: dict[str, list[bytes]] = field(default_factory=dict)
    """Every event that was ever committed, by offset - 1: what the judge goes by."""
    requests: dict[tuple[str, bytes], tuple[int, int, int]] = field(default_factory=dict)
    outbox: dict[tuple[str, int], int] = field(default_factory=dict)
    """(channel, offset): due time."""
    effects: dict[tuple[str, int, int], list[Any]] = field(default_factory=dict)
    """(channel, ts, number): [first offset, due time, effect]."""
    messages: dict[tuple[str, int], list[Any]] = field(default_factory=dict)
    """(channel, ts): the row."""
    threads: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """(channel, parent's ts): (replies, latest reply's ts)."""
    annotations: dict[tuple[str, int, int, str, str], tuple[str, int]] = field(default_factory=dict)
    """(channel, ts, kind, name, user): (who put it there, when)."""
    items: dict[tuple[str, int, str], tuple[int, bytes, int]] = field(default_factory=dict)
    """(channel, kind, id): (due time, body, when)."""
    members: dict[tuple[str, str], int] = field(default_factory=dict)
    memberships: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    """(user, channel): the row."""
    claimed: set[tuple[str, int]] = field(default_factory=set)
    """Rows that an open transaction holds: others pass over them."""
    rewritten: list[tuple[str, int]] = field(default_factory=list)
    """(channel, offset) that were written a second time, or with a hole before: never, unless something is broken."""

    def drop_log(self, channel_id: str, up_to: int) -> int:
        """Do what retention does: forget events of a channel up to an offset; return how many went."""
        log = self.log.get(channel_id, {})
        gone = [offset for offset in log if offset <= up_to]
        for offset in gone:
            del log[offset]
        return len(gone)


def read(tables: Tables, sql: str, args: Args) -> list[Sequence[Any]]:
    """Answer a SELECT."""
    for prefix, reader in (*_READERS, *altered.READERS):
        if sql.startswith(prefix):
            return reader(tables, args)
    raise NotImplementedError(f"the memory database does not know: {sql[:120]}")


def write(tables: Tables, sql: str, args: Args) -> int:
    """Do an INSERT, UPDATE or DELETE."""
    for prefix, writer in _WRITERS:
        if sql.startswith(prefix):
            writer(tables, args)
            return 1
    for prefix, by_text in altered.WRITERS:
        if sql.startswith(prefix):
            by_text(tables, sql, args)
            return 1
    raise NotImplementedError(f"the memory database does not know: {sql[:120]}")


def _rows(args: Args, width: int) -> Iterator[Args]:
    return (args[i : i + width] for i in range(0, len(args), width))


def _locked_heads(tables: Tables, args: Args) -> list[Sequence[Any]]:
    return [(each, *tables.heads[each]) for each in sorted(args[0]) if each in tables.heads]


def _heads(tables: Tables, args: Args) -> list[Sequence[Any]]:
    return [(each, tables.heads[each][0]) for each in args[0] if tables.heads.get(each, (0, 0, 0))[0]]


def _activity(tables: Tables, args: Args) -> list[Sequence[Any]]:
    heads = ((each, tables.heads.get(each, (0, 0, 0))) for each in args[0])
    return [(each, offset, message_us) for each, (offset, _, message_us) in heads if offset]


def _requests(tables: Tables, args: Args) -> list[Sequence[Any]]:
    return [(*key, *tables.requests[key]) for key in _pairs(args) if key in tables.requests]


def _standings(tables: Tables, args: Args) -> list[Sequence[Any]]:
    """Of members and of messages; a simulated mesh asks about nothing else."""
    found: list[Sequence[Any]] = []
    channel_id = ""
    for each in args:
        if isinstance(each, str):
            channel_id = each
            continue
        for name in each:  # of several channels these are named once more behind them: no user and no ts
            if (channel_id, name) in tables.members:
                found.append((channel_id, 1, name, 0, 0))
            elif (channel_id, name) in tables.messages:
                found.append((channel_id, 3, "", name, 0))
    return found


def _is_member(tables: Tables, args: Args) -> list[Sequence[Any]]:
    return [(1,)] if (args[0], args[1]) in tables.members else []


def _due_events(tables: Tables, args: Args) -> list[Sequence[Any]]:
    due = sorted((due_us, key) for key, due_us in tables.outbox.items() if due_us <= args[0])
    return [key for _, key in due[: args[1]]]


def _due_effects(tables: Tables, args: Args) -> list[Sequence[Any]]:
    due = sorted((row[1], key) for key, row in tables.effects.items() if row[1] <= args[0])
    return [(*key, tables.effects[key][0], tables.effects[key][2]) for _, key in due[: args[1]]]


def _events(tables: Tables, args: Args) -> list[Sequence[Any]]:
    return [(c, o, tables.log[c][o][1]) for c, o in _pairs(args) if o in tables.log.get(c, ())]


def _log_union(tables: Tables, args: Args) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = []
    for channel_id, after, limit in _rows(args, 3):
        log = tables.log.get(channel_id, {})
        offsets = sorted(offset for offset in log if offset > after)
        found.extend((channel_id, offset, log[offset][1]) for offset in offsets[:limit])
    return found


def _side(tables: Tables, args: Args) -> list[Sequence[Any]]:
    row = tables.memberships.get((args[0], args[1]))
    return [row] if row is not None else []


def _memberships(tables: Tables, args: Args) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = [row for (user_id, _), row in tables.memberships.items() if user_id == args[0]]
    return sorted((row for row in found if row[9]), key=lambda row: str(row[1]))[: args[3]]


_MEMBERSHIP = f"SELECT {columns(Membership)} FROM memberships WHERE user_id = %s"  # noqa: S608 - only compared

_READERS: tuple[tuple[str, Callable[[Tables, Args], list[Sequence[Any]]]], ...] = (
    ("SELECT channel_id, last_offset, last_ts_us, last_message_us FROM heads FORCE", _locked_heads),
    ("SELECT channel_id, last_offset FROM heads WHERE channel_id IN", _heads),
    (f"SELECT {columns(Activity)} FROM heads WHERE channel_id IN", _activity),  # noqa: S608 - only compared
    ("SELECT channel_id, request_id, first_offset, drafts_count, ts_us FROM requests", _requests),
    ("(SELECT channel_id, 1, user_id, 0, 0 FROM members WHERE", _standings),
    ("SELECT 1 FROM members WHERE", _is_member),
    ("SELECT channel_id, `offset` FROM outbox WHERE due_us <=", _due_events),
    ("SELECT channel_id, ts_us, number, first_offset, effect FROM effects WHERE due_us <=", _due_effects),
    ("SELECT channel_id, `offset`, event FROM log WHERE", _events),
    ("(SELECT channel_id, `offset`, event FROM log WHERE channel_id = %s AND `offset` >", _log_union),
    (f"{_MEMBERSHIP} AND channel_id = %s", _side),
    (f"{_MEMBERSHIP} AND channel_id > %s AND active = 1", _memberships),
)


def _put_heads(tables: Tables, args: Args) -> None:
    for channel_id, offset, ts_us, message_us in _rows(args, 4):
        if offset or channel_id not in tables.heads:
            tables.heads[channel_id] = (offset, ts_us, message_us)


def _put_requests(tables: Tables, args: Args) -> None:
    for channel_id, request_id, first, count, ts_us in _rows(args, 5):
        tables.requests[channel_id, request_id] = (first, count, ts_us)


def _put_log(tables: Tables, args: Args) -> None:
    for channel_id, offset, commit_us, event in _rows(args, 4):
        history = tables.history.setdefault(channel_id, [])
        if offset != len(history) + 1:
            tables.rewritten.append((channel_id, offset))
        history.append(event)
        tables.log.setdefault(channel_id, {})[offset] = (commit_us, event)


def _put_outbox(tables: Tables, args: Args) -> None:
    for channel_id, offset, due_us in _rows(args, 3):
        tables.outbox[channel_id, offset] = due_us


def _lease_outbox(tables: Tables, args: Args) -> None:
    for key in _pairs(args[1:]):
        if key in tables.outbox:
            tables.outbox[key] = args[0]


def _delete_outbox(tables: Tables, args: Args) -> None:
    for key in _pairs(args):
        tables.outbox.pop(key, None)


def _put_effects(tables: Tables, args: Args) -> None:
    for channel_id, ts_us, number, first, due_us, effect in _rows(args, 6):
        tables.effects[channel_id, ts_us, number] = [first, due_us, effect]


def _lease_effects(tables: Tables, args: Args) -> None:
    leased = set(_pairs(args[1:]))
    for (channel_id, ts_us, _), row in tables.effects.items():
        if (channel_id, ts_us) in leased:
            row[1] = args[0]


def _delete_effects(tables: Tables, args: Args) -> None:
    for number in args[2]:
        tables.effects.pop((args[0], args[1], number), None)


def _put_members(tables: Tables, args: Args) -> None:
    for channel_id, user_id, joined_us in _rows(args, 3):
        tables.members.setdefault((channel_id, user_id), joined_us)


def _delete_members(tables: Tables, args: Args) -> None:
    for key in _pairs(args):
        tables.members.pop(key, None)


def _put_membership(tables: Tables, args: Args) -> None:
    row = list(args)
    known = tables.memberships.get((row[0], row[1]))
    if known is None or known[8] <= row[8]:
        tables.memberships[row[0], row[1]] = row


_WRITERS: tuple[tuple[str, Callable[[Tables, Args], None]], ...] = (
    ("INSERT INTO heads (channel_id, last_offset, last_ts_us, last_message_us)", _put_heads),
    ("INSERT INTO requests (channel_id, request_id, first_offset, drafts_count, ts_us)", _put_requests),
    ("INSERT INTO log (channel_id, `offset`, commit_us, event)", _put_log),
    ("INSERT INTO outbox (channel_id, `offset`, due_us)", _put_outbox),
    ("UPDATE outbox SET due_us = %s WHERE", _lease_outbox),
    ("DELETE FROM outbox WHERE", _delete_outbox),
    ("INSERT INTO effects (channel_id, ts_us, number, first_offset, due_us, effect)", _put_effects),
    ("UPDATE effects SET due_us = %s WHERE", _lease_effects),
    ("DELETE FROM effects WHERE channel_id = %s AND ts_us = %s AND number IN", _delete_effects),
    ("INSERT INTO members (channel_id, user_id, joined_us)", _put_members),
    ("DELETE FROM members WHERE", _delete_members),
    ("INSERT INTO memberships (`user_id`, `channel_id`,", _put_membership),
)
