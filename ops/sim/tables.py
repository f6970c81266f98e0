"""What is committed in the memory database: tables that are dictionaries, and how statements' arguments are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Args = Sequence[Any]
Found = list[Sequence[Any]]


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
    mentions: set[tuple[str, str, int]] = field(default_factory=set)
    """(user, channel, ts)."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id, the row's cells by name."""
    file_shares: dict[tuple[str, str, int], list[Any]] = field(default_factory=dict)
    """(file, channel, ts): the row."""
    apps: list[Sequence[Any]] = field(default_factory=list)
    """Rows; nobody changes them."""
    app_places: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(user, app): the row's cells by name."""
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


def rows_of(args: Args, width: int) -> Iterator[Args]:
    """Yield what sql.insert_rows was given."""
    return (args[i : i + width] for i in range(0, len(args), width))


def pairs(args: Args) -> Iterator[tuple[Any, Any]]:
    """Yield what sql.pairs_in was given; of several groups it names the first column once more at the end."""
    for i in range(0, len(args) - 1, 2):
        for each in args[i + 1]:
            yield args[i], each


def keys(args: Args, width: int) -> Iterator[tuple[Any, ...]]:
    """Yield what sql.keys_in was given; of several keys it names the first column once more at the end."""
    for i in range(0, len(args) - len(args) % width, width):
        yield tuple(args[i : i + width])
