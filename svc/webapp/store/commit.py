"""The statements of a commit in the channel keyspace: lock the heads, look what is true, write a plan's rows.

All take an open transaction and raise the driver's errors. Locks are taken in the order of channel ids, so that two
webapps never wait for each other in a circle; only the making of new heads may still deadlock, and is tried again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from svc.webapp.commit.guarded import Asked, Standings
from svc.webapp.commit.plan import Head, Plan, Request, Version
from svc.webapp.store.alter import write_alterations
from svc.webapp.store.decode import columns, encode
from svc.webapp.store.pools import Transaction
from svc.webapp.store.rows import Conversation, Message
from svc.webapp.store.sql import insert_rows, pairs_in

__all__ = ["insert_requests", "lock_heads", "standings", "used_requests", "write_plan"]

_COLUMNS = "channel_id, last_offset, last_ts_us, last_message_us"
_HEADS = f"SELECT {_COLUMNS} FROM heads FORCE INDEX (PRIMARY)"
_MEMBER, _CONVERSATION, _MESSAGE = 1, 2, 3
"""What a row of `standings` is about."""


async def lock_heads(transaction: Transaction, channel_ids: Collection[str]) -> dict[str, Head]:
    """Lock the heads of the channels until the transaction ends, making those that are missing."""
    heads = await _lock(transaction, sorted(channel_ids))
    missing = sorted(set(channel_ids) - set(heads))
    if missing:
        sql, args = insert_rows("heads", _COLUMNS, [(c, 0, 0, 0) for c in missing])
        await transaction.execute(f"{sql} ON DUPLICATE KEY UPDATE channel_id = VALUES(channel_id)", args)
        heads |= await _lock(transaction, missing)
    return heads


async def _lock(transaction: Transaction, channel_ids: Sequence[str]) -> dict[str, Head]:
    # The index is forced because a scan of a small table would wait for locks of channels that are not ours.
    rows = await transaction.rows(
        f"{_HEADS} WHERE channel_id IN %s ORDER BY channel_id FOR UPDATE", (tuple(channel_ids),)
    )
    return {channel_id: Head(*places) for channel_id, *places in rows}


async def used_requests(transaction: Transaction, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Request]:
    """Return what those of the (channel, request id) that were used before got."""
    where, args = pairs_in("channel_id", "request_id", ((c, r.encode()) for c, r in keys))
    rows = await transaction.rows(
        f"SELECT channel_id, request_id, first_offset, drafts_count, ts_us FROM requests WHERE {where}", args
    )
    return {(row[0], bytes(row[1]).decode()): Request(*row[2:]) for row in rows}


async def standings(transaction: Transaction, asked: Asked) -> Standings:
    """Look at what guards ask about: in one statement, since nearly every batch of posts asks about members and
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
    if not branches:
        return Standings(frozenset(), {}, frozenset())
    rows = await transaction.rows(" UNION ALL ".join(f"({branch})" for branch in branches), args)
    return Standings(
        frozenset((row[0], row[2]) for row in rows if row[1] == _MEMBER),
        {row[0]: Version(int(row[3]), bool(row[4])) for row in rows if row[1] == _CONVERSATION},
        frozenset((row[0], int(row[3])) for row in rows if row[1] == _MESSAGE),
    )


async def insert_requests(transaction: Transaction, requests: Mapping[tuple[str, str], Request]) -> None:
    """Note request ids as used. A duplicate key (nothing is written then) means that one was used before."""
    rows = [(c, r.encode(), got.first_offset, got.count, got.ts_us) for (c, r), got in requests.items()]
    if rows:
        await transaction.execute(
            *insert_rows("requests", "channel_id, request_id, first_offset, drafts_count, ts_us", rows)
        )


async def write_plan(transaction: Transaction, plan: Plan) -> None:
    """Write all rows of a plan but its requests."""
    await _insert(transaction, "log", "channel_id, `offset`, commit_us, event", plan.log)
    await _insert(transaction, "outbox", "channel_id, `offset`, due_us", plan.outbox)
    await _insert(transaction, "messages", columns(Message), plan.messages)
    await _insert(transaction, "effects", "channel_id, ts_us, number, first_offset, due_us, effect", plan.effects)
    await _write_threads(transaction, plan)
    await write_alterations(transaction, plan.altered)
    await _write_members(transaction, plan)
    await _write_conversations(transaction, plan)
    rows = [(channel_id, head.offset, head.ts_us, head.message_us) for channel_id, head in plan.heads.items()]
    await _insert(
        transaction,
        "heads",
        _COLUMNS,
        rows,
        " ON DUPLICATE KEY UPDATE last_offset = VALUES(last_offset), last_ts_us = VALUES(last_ts_us),"
        " last_message_us = VALUES(last_message_us)",
    )


async def _insert(
    transaction: Transaction, table: str, column_list: str, rows: Sequence[Sequence[Any]], tail: str = ""
) -> None:
    if rows:
        sql, args = insert_rows(table, column_list, rows)
        await transaction.execute(sql + tail, args)


async def _write_threads(transaction: Transaction, plan: Plan) -> None:
    rows = [(*parent, count, latest_us) for parent, (count, latest_us) in plan.threads.items()]
    tail = (
        " ON DUPLICATE KEY UPDATE reply_count = reply_count + VALUES(reply_count),"
        " latest_reply_us = GREATEST(latest_reply_us, VALUES(latest_reply_us))"
    )
    await _insert(transaction, "threads", "channel_id, ts_us, reply_count, latest_reply_us", rows, tail)


async def _write_members(transaction: Transaction, plan: Plan) -> None:
    joined = [(*key, joined_us) for key, joined_us in plan.members.items() if joined_us]
    # Who is in already keeps the time of the first join.
    tail = " ON DUPLICATE KEY UPDATE joined_us = joined_us"
    await _insert(transaction, "members", "channel_id, user_id, joined_us", joined, tail)
    left = [key for key, joined_us in plan.members.items() if not joined_us]
    if left:
        where, args = pairs_in("channel_id", "user_id", left)
        await transaction.execute(f"DELETE FROM members WHERE {where}", args)


async def _write_conversations(transaction: Transaction, plan: Plan) -> None:
    tail = " ON DUPLICATE KEY UPDATE id = VALUES(id)"
    rows = [encode(conversation) for conversation in plan.creates]
    await _insert(transaction, "conversations", columns(Conversation), rows, tail)
    for channel_id, change, ts_us in plan.changes:
        assignments = ", ".join(f"`{name}` = %s" for name in change)
        await transaction.execute(
            f"UPDATE conversations SET {assignments}, revision_us = %s, updated_ms = %s WHERE id = %s",
            (*change.values(), ts_us, ts_us // 1000, channel_id),
        )
