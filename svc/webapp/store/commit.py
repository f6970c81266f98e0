"""The statements of a commit in the channel keyspace: lock the heads, look what is true, write a plan's rows.

All take an open transaction and raise the driver's errors. Locks are taken in the order of channel ids, so that two
webapps never wait for each other in a circle; only the making of new heads may still deadlock, and is tried again.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from svc.webapp.commit.guarded import Asked, Standings
from svc.webapp.commit.plan import Head, Plan, Request, Version
from svc.webapp.store.alter import write_alterations
from svc.webapp.store.decode import columns, encode
from svc.webapp.store.pools import Rows, Transaction
from svc.webapp.store.rows import Conversation, Message
from svc.webapp.store.sql import insert_rows, pairs_in
from svc.webapp.store.statements import Statement

__all__ = ["lock", "used_requests", "write_plan"]

_COLUMNS = "channel_id, last_offset, last_ts_us, last_message_us"
_HEADS = f"SELECT {_COLUMNS} FROM heads FORCE INDEX (PRIMARY)"
_MEMBER, _CONVERSATION, _MESSAGE = 1, 2, 3
"""What a row of standings is about."""


async def lock(
    transaction: Transaction, channel_ids: Collection[str], asked: Asked
) -> tuple[dict[str, Head], Standings]:
    """Lock the heads of the channels until the transaction ends, making those that are missing; look what guards ask
    about while they are locked.
    """
    look = _standings_statement(asked)
    answers = await transaction.rows_of([_lock_statement(sorted(channel_ids)), *([look] if look else ())])
    heads, standings = _heads_of(answers[0]), _standings_of(answers[1] if look else ())
    missing = sorted(set(channel_ids) - set(heads))
    if missing:
        sql, args = insert_rows("heads", _COLUMNS, [(c, 0, 0, 0) for c in missing])
        transaction.queue(f"{sql} ON DUPLICATE KEY UPDATE channel_id = VALUES(channel_id)", args)
        heads |= _heads_of(await transaction.rows(*_lock_statement(missing)))
        # What was looked at before all were locked may have changed.
        standings = _standings_of(await transaction.rows(*look) if look else ())
    return heads, standings


def _lock_statement(channel_ids: Sequence[str]) -> Statement:
    # The index is forced because a scan of a small table would wait for locks of channels that are not ours.
    return f"{_HEADS} WHERE channel_id IN %s ORDER BY channel_id FOR UPDATE", (tuple(channel_ids),)


def _heads_of(rows: Rows) -> dict[str, Head]:
    return {channel_id: Head(*places) for channel_id, *places in rows}


async def used_requests(transaction: Transaction, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Request]:
    """Return what those of the (channel, request id) that were used before got."""
    where, args = pairs_in("channel_id", "request_id", ((c, r.encode()) for c, r in keys))
    rows = await transaction.rows(
        f"SELECT channel_id, request_id, first_offset, drafts_count, ts_us FROM requests WHERE {where}", args
    )
    return {(row[0], bytes(row[1]).decode()): Request(*row[2:]) for row in rows}


def _standings_statement(asked: Asked) -> Statement | None:
    """Return what looks at all that guards ask about: nearly every batch of posts asks about members and
    conversations, and a reply about its parent.
    """
    branches = []
    args: list[Any] = []
    if asked.members:
        where, pairs = pairs_in("channel_id", "user_id", sorted(asked.members))
        branches.append(f"SELECT channel_id, {_MEMBER}, user_id, 0, 0 FROM members WHERE {where}")
        args += pairs
    for channel_id, count in sorted(asked.leaving.items()):
        branches.append(f"SELECT channel_id, {_MEMBER}, user_id, 0, 0 FROM members WHERE channel_id = %s LIMIT %s")
        args += (channel_id, count + 1)
    if asked.conversations:
        branches.append(f"SELECT id, {_CONVERSATION}, '', revision_us, is_archived FROM conversations WHERE id IN %s")
        args.append(tuple(sorted(asked.conversations)))
    if asked.messages:
        where, pairs = pairs_in("channel_id", "ts_us", sorted(asked.messages))
        branches.append(f"SELECT channel_id, {_MESSAGE}, '', ts_us, 0 FROM messages WHERE {where}")
        args += pairs
    return (" UNION ALL ".join(f"({branch})" for branch in branches), args) if branches else None


def _standings_of(rows: Rows) -> Standings:
    return Standings(
        frozenset((row[0], row[2]) for row in rows if row[1] == _MEMBER),
        {row[0]: Version(int(row[3]), bool(row[4])) for row in rows if row[1] == _CONVERSATION},
        frozenset((row[0], int(row[3])) for row in rows if row[1] == _MESSAGE),
    )


async def write_plan(transaction: Transaction, plan: Plan) -> None:
    """Write all rows of a plan, in one packet.

    Requests are first: a duplicate key there means that a request id was used before, and nothing else was written.
    """
    requests = [(c, r.encode(), got.first_offset, got.count, got.ts_us) for (c, r), got in plan.requests.items()]
    _insert(transaction, "requests", "channel_id, request_id, first_offset, drafts_count, ts_us", requests)
    _insert(transaction, "log", "channel_id, `offset`, commit_us, event", plan.log)
    _insert(transaction, "outbox", "channel_id, `offset`, due_us", plan.outbox)
    _insert(transaction, "messages", columns(Message), plan.messages)
    _insert(transaction, "effects", "channel_id, ts_us, number, first_offset, due_us, effect", plan.effects)
    _write_threads(transaction, plan)
    write_alterations(transaction, plan.altered)
    _write_members(transaction, plan)
    _write_conversations(transaction, plan)
    rows = [(channel_id, head.offset, head.ts_us, head.message_us) for channel_id, head in plan.heads.items()]
    _insert(
        transaction,
        "heads",
        _COLUMNS,
        rows,
        " ON DUPLICATE KEY UPDATE last_offset = VALUES(last_offset), last_ts_us = VALUES(last_ts_us),"
        " last_message_us = VALUES(last_message_us)",
    )
    await transaction.flush()


def _insert(
    transaction: Transaction, table: str, column_list: str, rows: Sequence[Sequence[Any]], tail: str = ""
) -> None:
    if rows:
        sql, args = insert_rows(table, column_list, rows)
        transaction.queue(sql + tail, args)


def _write_threads(transaction: Transaction, plan: Plan) -> None:
    rows = [(*parent, count, latest_us) for parent, (count, latest_us) in plan.threads.items()]
    tail = (
        " ON DUPLICATE KEY UPDATE reply_count = reply_count + VALUES(reply_count),"
        " latest_reply_us = GREATEST(latest_reply_us, VALUES(latest_reply_us))"
    )
    _insert(transaction, "threads", "channel_id, ts_us, reply_count, latest_reply_us", rows, tail)


def _write_members(transaction: Transaction, plan: Plan) -> None:
    joined = [(*key, joined_us) for key, joined_us in plan.members.items() if joined_us]
    # Who is in already keeps the time of the first join.
    tail = " ON DUPLICATE KEY UPDATE joined_us = joined_us"
    _insert(transaction, "members", "channel_id, user_id, joined_us", joined, tail)
    left = [key for key, joined_us in plan.members.items() if not joined_us]
    if left:
        where, args = pairs_in("channel_id", "user_id", left)
        transaction.queue(f"DELETE FROM members WHERE {where}", args)


def _write_conversations(transaction: Transaction, plan: Plan) -> None:
    tail = " ON DUPLICATE KEY UPDATE id = VALUES(id)"
    rows = [encode(conversation) for conversation in plan.creates]
    _insert(transaction, "conversations", columns(Conversation), rows, tail)
    for channel_id, change, ts_us in plan.changes:
        assignments = ", ".join(f"`{name}` = %s" for name in change)
        transaction.queue(
            f"UPDATE conversations SET {assignments}, revision_us = %s, updated_ms = %s WHERE id = %s",
            (*change.values(), ts_us, ts_us // 1000, channel_id),
        )
