"""The statements of a commit for what its writes alter: look what is there, write what becomes of it.

All take the commit's open transaction, after the heads are locked: whoever alters anything of a channel holds its head,
so what is found stays true until the end. A batch whose writes only post sends none of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from svc.webapp.commit.changes import Alterations, Asked, Known, MessageKey, Rewrite, Standing, Thread
from svc.webapp.commit.log import NOTHING_TO_READ
from svc.webapp.commit.plan import Head
from svc.webapp.store.decode import columns
from svc.webapp.store.pools import Transaction
from svc.webapp.store.rows import AnnotationRow, ItemRow
from svc.webapp.store.sql import insert_rows, keys_in, pairs_in

__all__ = ["look", "write_alterations"]

_ANNOTATION = ("channel_id", "ts_us", "kind", "name", "user_id")
_ITEM = ("channel_id", "kind", "id")
_REPLIES = (
    "(SELECT channel_id, thread_ts_us, ts_us FROM messages WHERE channel_id = %s AND thread_ts_us = %s"
    " ORDER BY ts_us DESC LIMIT %s)"
)
_TO_READ = (
    "(SELECT channel_id, ts_us FROM messages WHERE channel_id = %s AND in_history = 1 AND subtype NOT IN %s"
    " ORDER BY ts_us DESC LIMIT %s)"
)
_PARTS = ("text", "extra", "subtype", "reply_broadcast")
_REWRITTEN = "channel_id, ts_us, `offset`, user_id, bot_id, subtype, text, thread_ts_us, reply_broadcast, client_msg_id"


async def look(transaction: Transaction, asked: Asked, heads: Mapping[str, Head]) -> Known:
    """Return what a batch asks about: a statement each for messages, annotations, items, and three for removals."""
    messages: dict[MessageKey, Standing] = {}
    if asked.messages:
        where, args = pairs_in("channel_id", "ts_us", sorted(asked.messages))
        rows = await transaction.rows(
            f"SELECT channel_id, ts_us, revision, thread_ts_us FROM messages WHERE {where}", args
        )
        messages = {(row[0], row[1]): Standing(*row[2:]) for row in rows}
    annotations = frozenset[tuple[str, int, int, str, str]]()
    if asked.annotations:
        where, args = keys_in(_ANNOTATION, sorted(asked.annotations))
        rows = await transaction.rows(f"SELECT {', '.join(_ANNOTATION)} FROM annotations WHERE {where}", args)
        annotations = frozenset((row[0], row[1], row[2], row[3], row[4]) for row in rows)
    items = frozenset[tuple[str, int, str]]()
    if asked.items:
        where, args = keys_in(_ITEM, sorted(asked.items))
        rows = await transaction.rows(f"SELECT {', '.join(_ITEM)} FROM items WHERE {where}", args)
        items = frozenset((row[0], row[1], row[2]) for row in rows)
    threads = await _threads(transaction, asked, messages) if asked.removed else {}
    return Known(messages, annotations, items, threads, await _to_read(transaction, asked, heads))


async def _threads(
    transaction: Transaction, asked: Asked, messages: Mapping[MessageKey, Standing]
) -> dict[MessageKey, Thread]:
    leaving = Counter(
        (key[0], messages[key].thread_ts_us) for key in asked.removed if key in messages and messages[key].thread_ts_us
    )
    where, args = pairs_in("channel_id", "ts_us", sorted({*asked.removed, *leaving}))
    rows = await transaction.rows(f"SELECT channel_id, ts_us, reply_count FROM threads WHERE {where}", args)
    counts = {(row[0], row[1]): int(row[2]) for row in rows}
    newest: dict[MessageKey, list[int]] = {}
    if leaving:
        union = " UNION ALL ".join([_REPLIES] * len(leaving))
        cells = [cell for key in sorted(leaving) for cell in (*key, leaving[key] + 1)]
        for channel_id, thread_ts_us, ts_us in await transaction.rows(union, cells):
            newest.setdefault((channel_id, thread_ts_us), []).append(ts_us)
    return {
        key: Thread(counts.get(key, 0), sorted(newest.get(key, ()), reverse=True)) for key in counts.keys() | newest
    }


async def _to_read(transaction: Transaction, asked: Asked, heads: Mapping[str, Head]) -> dict[str, list[int]]:
    faded = Counter(channel_id for channel_id, _ in asked.faded)
    # Of all others what is the newest stays the newest.
    losing = sorted(c for c in faded if c in heads and (c, heads[c].message_us) in asked.faded)
    found: dict[str, list[int]] = {}
    if losing:
        unread = tuple(sorted(NOTHING_TO_READ))
        cells = [cell for channel_id in losing for cell in (channel_id, unread, faded[channel_id] + 1)]
        for channel_id, ts_us in await transaction.rows(" UNION ALL ".join([_TO_READ] * len(losing)), cells):
            found.setdefault(channel_id, []).append(ts_us)
    return {channel_id: sorted(stamps, reverse=True) for channel_id, stamps in found.items()}


def write_alterations(transaction: Transaction, altered: Alterations) -> None:
    """Queue what becomes of messages, their threads and annotations, and of items."""
    _write_messages(transaction, altered)
    _write_threads(transaction, altered)
    _write_annotations(transaction, altered)
    _write_items(transaction, altered)


def _write_messages(transaction: Transaction, altered: Alterations) -> None:
    kinds: dict[tuple[str, ...], list[tuple[MessageKey, Rewrite]]] = {}
    for key, rewrite in altered.messages.items():
        if rewrite is not None:
            parts = tuple(part for part in _PARTS if getattr(rewrite, part) is not None)
            kinds.setdefault(parts, []).append((key, rewrite))
    for parts, rewritten in kinds.items():
        # Rows are there: this never inserts, it is how MySQL changes many rows, each in its own way, in one statement.
        rows = [(*key, *_cells(each), "", each.extra or b"", each.revision) for key, each in rewritten]
        sql, args = insert_rows("messages", f"{_REWRITTEN}, extra, revision", rows)
        assignments = ", ".join(f"{part} = VALUES({part})" for part in (*parts, "revision"))
        transaction.queue(f"{sql} ON DUPLICATE KEY UPDATE {assignments}", args)
    _delete_messages(transaction, [key for key, rewrite in altered.messages.items() if rewrite is None])


def _cells(rewrite: Rewrite) -> tuple[int | str, ...]:
    """Return a rewritten message's columns from `offset` to reply_broadcast."""
    return (0, "", "", rewrite.subtype or "", rewrite.text or "", 0, int(rewrite.reply_broadcast or 0))


def _delete_messages(transaction: Transaction, gone: Iterable[MessageKey]) -> None:
    keys = sorted(gone)
    if keys:
        where, args = pairs_in("channel_id", "ts_us", keys)
        transaction.queue(f"DELETE FROM messages WHERE {where}", args)
        transaction.queue(f"DELETE FROM annotations WHERE {where}", args)


def _write_threads(transaction: Transaction, altered: Alterations) -> None:
    rows = [(*key, count, latest_us) for key, (count, latest_us) in altered.threads.items() if count]
    if rows:
        sql, args = insert_rows("threads", "channel_id, ts_us, reply_count, latest_reply_us", rows)
        tail = " ON DUPLICATE KEY UPDATE reply_count = VALUES(reply_count), latest_reply_us = VALUES(latest_reply_us)"
        transaction.queue(sql + tail, args)
    empty = sorted(key for key, (count, _) in altered.threads.items() if not count)
    if empty:
        where, args = pairs_in("channel_id", "ts_us", empty)
        transaction.queue(f"DELETE FROM threads WHERE {where}", args)


def _write_annotations(transaction: Transaction, altered: Alterations) -> None:
    gone = sorted(key for key, cells in altered.annotations.items() if cells is None)
    if gone:
        where, args = keys_in(_ANNOTATION, gone)
        transaction.queue(f"DELETE FROM annotations WHERE {where}", args)
    rows = [(*key, *cells) for key, cells in altered.annotations.items() if cells is not None]
    if rows:
        sql, args = insert_rows("annotations", columns(AnnotationRow), rows)
        tail = " ON DUPLICATE KEY UPDATE by_id = VALUES(by_id), at_us = VALUES(at_us)"
        transaction.queue(sql + tail, args)


def _write_items(transaction: Transaction, altered: Alterations) -> None:
    gone = sorted(key for key, cells in altered.items.items() if cells is None)
    if gone:
        where, args = keys_in(_ITEM, gone)
        transaction.queue(f"DELETE FROM items WHERE {where}", args)
    rows = [(*key, *cells) for key, cells in altered.items.items() if cells is not None]
    if rows:
        sql, args = insert_rows("items", columns(ItemRow), rows)
        tail = " ON DUPLICATE KEY UPDATE due_us = VALUES(due_us), body = VALUES(body), at_us = VALUES(at_us)"
        transaction.queue(sql + tail, args)
