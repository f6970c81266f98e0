"""What the stores' statements mean, on tables that are dictionaries.

Only those that a simulated mesh uses; any other raises, so that a changed statement is noticed at once.
"""

from __future__ import annotations

from collections.abc import Callable

from ops.sim import altered, served
from ops.sim.tables import Args, Found, Tables, pairs, rows_of
from svc.webapp.store.channel import Activity
from svc.webapp.store.decode import columns
from svc.webapp.store.rows import Membership


def read(tables: Tables, sql: str, args: Args) -> Found:
    """Answer a SELECT."""
    for prefix, reader in (*_READERS, *altered.READERS, *served.READERS):
        if sql.startswith(prefix):
            return reader(tables, args)
    raise NotImplementedError(f"the memory database does not know: {sql[:120]}")


def write(tables: Tables, sql: str, args: Args) -> int:
    """Do an INSERT, UPDATE or DELETE; return how many rows it changed, where that matters to anybody."""
    for prefix, writer in _WRITERS:
        if sql.startswith(prefix):
            writer(tables, args)
            return 1
    for prefix, by_text in altered.WRITERS:
        if sql.startswith(prefix):
            by_text(tables, sql, args)
            return 1
    for prefix, counting in served.WRITERS:
        if sql.startswith(prefix):
            return counting(tables, args)
    raise NotImplementedError(f"the memory database does not know: {sql[:120]}")


def _locked_heads(tables: Tables, args: Args) -> Found:
    return [(each, *tables.heads[each]) for each in sorted(args[0]) if each in tables.heads]


def _heads(tables: Tables, args: Args) -> Found:
    return [(each, tables.heads[each][0]) for each in args[0] if tables.heads.get(each, (0, 0, 0))[0]]


def _activity(tables: Tables, args: Args) -> Found:
    heads = ((each, tables.heads.get(each, (0, 0, 0))) for each in args[0])
    return [(each, offset, message_us) for each, (offset, _, message_us) in heads if offset]


def _requests(tables: Tables, args: Args) -> Found:
    return [(*key, *tables.requests[key]) for key in pairs(args) if key in tables.requests]


def _standings(tables: Tables, args: Args) -> Found:
    """Of members and of messages; a simulated mesh asks about nothing else."""
    found: Found = []
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


def _is_member(tables: Tables, args: Args) -> Found:
    return [(1,)] if (args[0], args[1]) in tables.members else []


def _members(tables: Tables, args: Args) -> Found:
    ids = sorted(user_id for channel_id, user_id in tables.members if channel_id == args[0] and user_id > args[1])
    return [(each,) for each in ids[: args[2]]]


def _due_events(tables: Tables, args: Args) -> Found:
    due = sorted((due_us, key) for key, due_us in tables.outbox.items() if due_us <= args[0])
    return [key for _, key in due[: args[1]]]


def _due_effects(tables: Tables, args: Args) -> Found:
    due = sorted((row[1], key) for key, row in tables.effects.items() if row[1] <= args[0])
    return [(*key, tables.effects[key][0], tables.effects[key][2]) for _, key in due[: args[1]]]


def _events(tables: Tables, args: Args) -> Found:
    return [(c, o, tables.log[c][o][1]) for c, o in pairs(args) if o in tables.log.get(c, ())]


def _log_union(tables: Tables, args: Args) -> Found:
    found: Found = []
    for channel_id, after, limit in rows_of(args, 3):
        log = tables.log.get(channel_id, {})
        offsets = sorted(offset for offset in log if offset > after)
        found.extend((channel_id, offset, log[offset][1]) for offset in offsets[:limit])
    return found


def _side(tables: Tables, args: Args) -> Found:
    row = tables.memberships.get((args[0], args[1]))
    return [row] if row is not None else []


def _memberships(tables: Tables, args: Args) -> Found:
    found: Found = [row for (user_id, _), row in tables.memberships.items() if user_id == args[0]]
    return sorted((row for row in found if row[9]), key=lambda row: str(row[1]))[: args[3]]


_MEMBERSHIP = f"SELECT {columns(Membership)} FROM memberships WHERE user_id = %s"  # noqa: S608 - only compared

_READERS: tuple[tuple[str, Callable[[Tables, Args], Found]], ...] = (
    ("SELECT channel_id, last_offset, last_ts_us, last_message_us FROM heads FORCE", _locked_heads),
    ("SELECT channel_id, last_offset FROM heads WHERE channel_id IN", _heads),
    (f"SELECT {columns(Activity)} FROM heads WHERE channel_id IN", _activity),  # noqa: S608 - only compared
    ("SELECT channel_id, request_id, first_offset, drafts_count, ts_us FROM requests", _requests),
    ("(SELECT channel_id, 1, user_id, 0, 0 FROM members WHERE", _standings),
    ("SELECT 1 FROM members WHERE", _is_member),
    ("SELECT user_id FROM members WHERE channel_id = %s AND user_id >", _members),
    ("SELECT channel_id, `offset` FROM outbox WHERE due_us <=", _due_events),
    ("SELECT channel_id, ts_us, number, first_offset, effect FROM effects WHERE due_us <=", _due_effects),
    ("SELECT channel_id, `offset`, event FROM log WHERE", _events),
    ("(SELECT channel_id, `offset`, event FROM log WHERE channel_id = %s AND `offset` >", _log_union),
    (f"{_MEMBERSHIP} AND channel_id = %s", _side),
    (f"{_MEMBERSHIP} AND channel_id > %s AND active = 1", _memberships),
)


def _put_heads(tables: Tables, args: Args) -> None:
    for channel_id, offset, ts_us, message_us in rows_of(args, 4):
        if offset or channel_id not in tables.heads:
            tables.heads[channel_id] = (offset, ts_us, message_us)


def _put_requests(tables: Tables, args: Args) -> None:
    for channel_id, request_id, first, count, ts_us in rows_of(args, 5):
        tables.requests[channel_id, request_id] = (first, count, ts_us)


def _put_log(tables: Tables, args: Args) -> None:
    for channel_id, offset, commit_us, event in rows_of(args, 4):
        history = tables.history.setdefault(channel_id, [])
        if offset != len(history) + 1:
            tables.rewritten.append((channel_id, offset))
        history.append(event)
        tables.log.setdefault(channel_id, {})[offset] = (commit_us, event)


def _put_outbox(tables: Tables, args: Args) -> None:
    for channel_id, offset, due_us in rows_of(args, 3):
        tables.outbox[channel_id, offset] = due_us


def _lease_outbox(tables: Tables, args: Args) -> None:
    for key in pairs(args[1:]):
        if key in tables.outbox:
            tables.outbox[key] = args[0]


def _delete_outbox(tables: Tables, args: Args) -> None:
    for key in pairs(args):
        tables.outbox.pop(key, None)


def _put_effects(tables: Tables, args: Args) -> None:
    for channel_id, ts_us, number, first, due_us, effect in rows_of(args, 6):
        tables.effects[channel_id, ts_us, number] = [first, due_us, effect]


def _lease_effects(tables: Tables, args: Args) -> None:
    leased = set(pairs(args[1:]))
    for (channel_id, ts_us, _), row in tables.effects.items():
        if (channel_id, ts_us) in leased:
            row[1] = args[0]


def _delete_effects(tables: Tables, args: Args) -> None:
    for number in args[2]:
        tables.effects.pop((args[0], args[1], number), None)


def _put_members(tables: Tables, args: Args) -> None:
    for channel_id, user_id, joined_us in rows_of(args, 3):
        tables.members.setdefault((channel_id, user_id), joined_us)


def _delete_members(tables: Tables, args: Args) -> None:
    for key in pairs(args):
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
