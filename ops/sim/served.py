"""What statements mean for what is due, mentions, files and apps: the part of `statements` that those use."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ops.sim.altered import MESSAGE_COLUMNS
from ops.sim.tables import Args, Found, Tables, keys, pairs, rows_of
from svc.webapp.store.app_places import AppPlace
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.decode import columns
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.rows import ItemRow
from svc.webapp.store.sql import insert_rows

Reader = Callable[[Tables, Args], Found]
Writer = Callable[[Tables, Args], int]
"""Returns how many rows it changed."""


def _names(row: type) -> list[str]:
    return [name.strip("`") for name in columns(row).split(", ")]


_FILE, _SHARE, _PLACE = _names(File), _names(FileShare), _names(AppPlace)
_SUBTYPE = MESSAGE_COLUMNS.index("subtype")
_CREATED = _SHARE.index("created_s")


# What is due


def _items(tables: Tables, found: Iterable[tuple[str, int, str]]) -> Found:
    return [(*key, *tables.items[key]) for key in found]


def _items_after(tables: Tables, args: Args) -> Found:
    channel_id, kind, after, limit = args
    ids = sorted(key[2] for key in tables.items if key[:2] == (channel_id, kind) and key[2] > after)
    return _items(tables, ((channel_id, kind, each) for each in ids[:limit]))


def _item(tables: Tables, args: Args) -> Found:
    key = (args[0], args[1], args[2])
    return _items(tables, [key] if key in tables.items else [])


def _due_items(tables: Tables, args: Args) -> Found:
    due = sorted((row[0], key) for key, row in tables.items.items() if 0 < row[0] <= args[0])
    return _items(tables, (key for _, key in due[: args[1]]))


# Mentions


def _to_read(tables: Tables, args: Args) -> Found:
    found = ((key, tables.messages.get(key)) for key in pairs(args[:-1]))
    return [key for key, row in found if row is not None and row[_SUBTYPE] not in args[-1]]


def _mention(tables: Tables, args: Args) -> int:
    tables.mentions.update((row[0], row[1], row[2]) for row in rows_of(args, 3))
    return 1


def _unmention(tables: Tables, args: Args) -> int:
    tables.mentions.difference_update((key[0], key[1], key[2]) for key in keys(args, 3))
    return 1


def _delete_writes_effects(tables: Tables, args: Args) -> int:
    gone = set(pairs(args))
    for key in [each for each in tables.effects if each[:2] in gone]:
        del tables.effects[key]
    return 1


# Files


def _files(tables: Tables, args: Args) -> Found:
    found = (tables.files.get(each) for each in args[1])
    return [tuple(row[name] for name in _FILE) for row in found if row is not None]


def _shares(tables: Tables, args: Args) -> Found:
    wanted = sorted(key for key in tables.file_shares if key[0] in args[1])
    return [tables.file_shares[key] for key in wanted[: args[2]]]


def _listed(tables: Tables, args: Args) -> Found:
    _, seen_in, limit, offset = args
    found = {(row[_CREATED], key[0]) for key, row in tables.file_shares.items() if key[1] in seen_in}
    return list(sorted(found, reverse=True)[offset : offset + limit])


def _count_listed(tables: Tables, args: Args) -> Found:
    return [(len({key[0] for key in tables.file_shares if key[1] in args[1]}),)]


def _bytes_used(tables: Tables, args: Args) -> Found:
    return [(sum(row["size"] for row in tables.files.values() if row["state"] < args[1]),)]


def _reserve(tables: Tables, args: Args) -> int:
    row = dict(zip(_FILE, args, strict=True))
    had = tables.files.setdefault(row["id"], row)
    if had["state"] == FileState.PENDING and had["user_id"] == row["user_id"]:
        had["size"] = row["size"]
    return 1


def _put_file(tables: Tables, args: Args) -> int:
    row = dict(zip(_FILE, args, strict=True))
    had = tables.files.setdefault(row["id"], row)
    if (had["state"], had["revision_us"]) <= (row["state"], row["revision_us"]):
        had.update(row)
    return 1


def _put_shares(tables: Tables, args: Args) -> int:
    for row in rows_of(args, len(_SHARE)):
        tables.file_shares[row[1], row[2], row[3]] = list(row)
    return 1


def _drop_share(tables: Tables, args: Args) -> int:
    for file_id in args[1]:
        tables.file_shares.pop((file_id, args[2], args[3]), None)
    return 1


def _drop_shares(tables: Tables, args: Args) -> int:
    for key in [each for each in tables.file_shares if each[0] == args[1]]:
        del tables.file_shares[key]
    return 1


def _note_gone(tables: Tables, args: Args) -> int:
    row = tables.files.get(args[2])
    if row is not None and row["state"] == args[3]:
        row["state"] = args[0]
    return 1


# Apps


def _all_apps(tables: Tables, args: Args) -> Found:
    after = (args[1], args[2])
    return [row for row in tables.apps if (row[0], row[1]) > after][: args[3]]


def _changed_apps(tables: Tables, args: Args) -> Found:
    return [row for row in tables.apps if row[-1] > args[0]][: args[1]]


def _app_place(tables: Tables, args: Args) -> Found:
    row = tables.app_places.get((args[0], args[1]))
    return [tuple(row[name] for name in _PLACE)] if row is not None else []


def _is_mine(tables: Tables, args: Args) -> Found:
    row = tables.app_places.get((args[0], args[1]))
    return [(1,)] if row is not None and row["revision"] == args[2] else []


def _begin_place(tables: Tables, args: Args) -> int:
    fresh = dict(zip(_PLACE, (*args, 0, "", 1, "", b""), strict=True))
    tables.app_places.setdefault((args[0], args[1]), fresh)
    return 1


def _take_place(tables: Tables, args: Args) -> int:
    row = tables.app_places[args[1], args[2]]
    row |= {"revision": row["revision"] + 1, "owner": args[0], "released": 0}
    return 1


def _save_place(tables: Tables, args: Args) -> int:
    place, released, user_id, app_id, revision = args
    return _set_place(tables, (user_id, app_id, revision), {"place": place, "released": released})


def _verify_url(tables: Tables, args: Args) -> int:
    return _set_place(tables, (args[1], args[2], args[3]), {"verified_url": args[0]})


def _set_place(tables: Tables, mine: tuple[str, str, int], cells: dict[str, object]) -> int:
    row = tables.app_places.get(mine[:2])
    if row is None or row["revision"] != mine[2]:
        return 0
    row |= cells
    return 1


READERS: tuple[tuple[str, Reader], ...] = (
    (f"SELECT {columns(ItemRow)} FROM items WHERE due_us > 0", _due_items),  # noqa: S608 - only compared
    (f"SELECT {columns(ItemRow)} FROM items WHERE channel_id = %s AND kind = %s AND id >", _items_after),  # noqa: S608
    (f"SELECT {columns(ItemRow)} FROM items WHERE channel_id = %s AND kind = %s AND id =", _item),  # noqa: S608
    ("SELECT channel_id, ts_us FROM messages WHERE (", _to_read),
    (f"SELECT {columns(File)} FROM files WHERE team_id = %s AND id IN", _files),  # noqa: S608
    (f"SELECT {columns(FileShare)} FROM file_shares WHERE team_id = %s AND file_id IN", _shares),  # noqa: S608
    ("SELECT DISTINCT created_s, file_id FROM file_shares WHERE team_id = %s AND channel_id IN %s ORDER", _listed),
    ("SELECT COUNT(DISTINCT file_id) FROM file_shares WHERE team_id = %s AND channel_id IN %s", _count_listed),
    ("SELECT COALESCE(SUM(size), 0) FROM files WHERE", _bytes_used),
    (f"SELECT {columns(AppRow)} FROM apps WHERE (team_id >", _all_apps),  # noqa: S608
    (f"SELECT {columns(AppRow)} FROM apps WHERE revision_us >", _changed_apps),  # noqa: S608
    (f"SELECT {columns(AppPlace)} FROM app_places WHERE", _app_place),  # noqa: S608
    ("SELECT 1 FROM app_places WHERE", _is_mine),
)

_PUT_FILE = insert_rows("files", columns(File), [_FILE])[0] + " ON DUPLICATE KEY UPDATE "
WRITERS: tuple[tuple[str, Writer], ...] = (
    ("INSERT INTO mentions (user_id, channel_id, ts_us)", _mention),
    ("DELETE FROM mentions WHERE", _unmention),
    (f"{_PUT_FILE}size = IF(state =", _reserve),
    (f"{_PUT_FILE}user_id = IF((state <", _put_file),
    (f"INSERT INTO file_shares ({columns(FileShare)})", _put_shares),
    ("DELETE FROM file_shares WHERE team_id = %s AND file_id IN", _drop_share),
    ("DELETE FROM file_shares WHERE team_id = %s AND file_id =", _drop_shares),
    ("UPDATE files SET state = %s WHERE", _note_gone),
    (f"INSERT INTO app_places ({columns(AppPlace)})", _begin_place),
    ("UPDATE app_places SET revision = revision + 1, owner =", _take_place),
    ("UPDATE app_places SET place = %s, released = %s WHERE", _save_place),
    ("UPDATE app_places SET verified_url = %s WHERE", _verify_url),
    # Behind the one of `statements` that names numbers.
    ("DELETE FROM effects WHERE", _delete_writes_effects),
)
