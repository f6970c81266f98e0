"""What statements mean for messages and what is kept beside them: the part of `statements` that changes use."""

from __future__ import annotations

from collections.abc import Callable

from ops.sim.tables import Args, Found, Tables, keys, pairs, rows_of
from svc.webapp.commit.log import NOTHING_TO_READ
from svc.webapp.store.decode import columns
from svc.webapp.store.rows import AnnotationRow, ItemRow, Message

Reader = Callable[[Tables, Args], Found]
Writer = Callable[[Tables, str, Args], None]

MESSAGE_COLUMNS = [name.strip("`") for name in columns(Message).split(", ")]
_AT = {name: MESSAGE_COLUMNS.index(name) for name in MESSAGE_COLUMNS}


def _standings(tables: Tables, args: Args) -> Found:
    found = ((key, tables.messages.get(key)) for key in pairs(args))
    return [(*key, row[_AT["revision"]], row[_AT["thread_ts_us"]]) for key, row in found if row is not None]


def _message(tables: Tables, args: Args) -> Found:
    row = tables.messages.get((args[0], args[1]))
    return [row] if row is not None else []


def _annotations(tables: Tables, args: Args) -> Found:
    return [key for key in keys(args, 5) if key in tables.annotations]


def _items(tables: Tables, args: Args) -> Found:
    return [key for key in keys(args, 3) if key in tables.items]


def _threads(tables: Tables, args: Args) -> Found:
    return [(*key, tables.threads[key][0]) for key in pairs(args) if key in tables.threads]


def _replies(tables: Tables, args: Args) -> Found:
    found: Found = []
    for i in range(0, len(args), 3):
        channel_id, parent_us, limit = args[i : i + 3]
        stamps = [
            ts_us
            for (channel, ts_us), row in tables.messages.items()
            if channel == channel_id and row[_AT["thread_ts_us"]] == parent_us
        ]
        found.extend((channel_id, parent_us, ts_us) for ts_us in sorted(stamps, reverse=True)[:limit])
    return found


def _to_read(tables: Tables, args: Args) -> Found:
    found: Found = []
    for i in range(0, len(args), 3):
        channel_id, _, limit = args[i : i + 3]
        stamps = [
            ts_us for (channel, ts_us), row in tables.messages.items() if channel == channel_id and is_to_read(row)
        ]
        found.extend((channel_id, ts_us) for ts_us in sorted(stamps, reverse=True)[:limit])
    return found


def is_to_read(row: Args) -> bool:
    """Tell whether a message is in history and something to read."""
    is_shown = not row[_AT["thread_ts_us"]] or row[_AT["reply_broadcast"]]
    return bool(is_shown) and row[_AT["subtype"]] not in NOTHING_TO_READ


READERS: tuple[tuple[str, Reader], ...] = (
    ("SELECT channel_id, ts_us, revision, thread_ts_us FROM messages WHERE", _standings),
    (f"SELECT {columns(Message)} FROM messages WHERE channel_id = %s AND ts_us = %s", _message),  # noqa: S608 - compared
    ("SELECT channel_id, ts_us, kind, name, user_id FROM annotations WHERE", _annotations),
    ("SELECT channel_id, kind, id FROM items WHERE", _items),
    ("SELECT channel_id, ts_us, reply_count FROM threads WHERE", _threads),
    ("(SELECT channel_id, thread_ts_us, ts_us FROM messages WHERE", _replies),
    ("(SELECT channel_id, ts_us FROM messages WHERE channel_id = %s AND in_history = 1", _to_read),
)


def _put_messages(tables: Tables, _: str, args: Args) -> None:
    for row in rows_of(args, len(MESSAGE_COLUMNS)):
        tables.messages[row[0], row[1]] = list(row)


def _rewrite_messages(tables: Tables, sql: str, args: Args) -> None:
    changed = [part.partition(" = ")[0] for part in sql.partition(" ON DUPLICATE KEY UPDATE ")[2].split(", ")]
    named = sql[sql.index("(") + 1 : sql.index(")")].replace("`", "").split(", ")
    for row in rows_of(args, len(named)):
        for name in changed:
            tables.messages[row[0], row[1]][_AT[name]] = row[named.index(name)]


def _delete_messages(tables: Tables, _: str, args: Args) -> None:
    for key in pairs(args):
        tables.messages.pop(key, None)


def _put_threads(tables: Tables, sql: str, args: Args) -> None:
    adds = "reply_count + VALUES" in sql
    for channel_id, ts_us, count, latest_us in rows_of(args, 4):
        had = tables.threads.get((channel_id, ts_us), (0, 0)) if adds else (0, 0)
        tables.threads[channel_id, ts_us] = (had[0] + count, max(had[1], latest_us))


def _delete_threads(tables: Tables, _: str, args: Args) -> None:
    for key in pairs(args):
        tables.threads.pop(key, None)


def _put_annotations(tables: Tables, _: str, args: Args) -> None:
    for row in rows_of(args, 7):
        tables.annotations[row[0], row[1], row[2], row[3], row[4]] = (row[5], row[6])


def _delete_annotations(tables: Tables, sql: str, args: Args) -> None:
    if "kind = %s" in sql:
        for key in keys(args, 5):
            tables.annotations.pop(key, None)
        return
    gone = set(pairs(args))
    for key in [each for each in tables.annotations if each[:2] in gone]:
        del tables.annotations[key]


def _put_items(tables: Tables, _: str, args: Args) -> None:
    for row in rows_of(args, 6):
        tables.items[row[0], row[1], row[2]] = (row[3], row[4], row[5])


def _delete_items(tables: Tables, _: str, args: Args) -> None:
    for key in keys(args, 3):
        tables.items.pop(key, None)


WRITERS: tuple[tuple[str, Writer], ...] = (
    (f"INSERT INTO messages ({columns(Message)})", _put_messages),
    ("INSERT INTO messages (channel_id, ts_us, `offset`,", _rewrite_messages),
    ("DELETE FROM messages WHERE", _delete_messages),
    ("INSERT INTO threads (channel_id, ts_us, reply_count, latest_reply_us)", _put_threads),
    ("DELETE FROM threads WHERE", _delete_threads),
    (f"INSERT INTO annotations ({columns(AnnotationRow)})", _put_annotations),
    ("DELETE FROM annotations WHERE", _delete_annotations),
    (f"INSERT INTO items ({columns(ItemRow)})", _put_items),
    ("DELETE FROM items WHERE", _delete_items),
)
