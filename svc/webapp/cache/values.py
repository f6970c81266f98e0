"""Cached values that are more than one row, and how they are written. Pure.

Each is a page with an end: what does not fit into it is read from the store, so a value has a size that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from svc.webapp.cache.codec import Codec, cells_codec, row_loader
from svc.webapp.store.decode import encode
from svc.webapp.store.rows import Membership, Prefs

__all__ = ["CHOICES", "MEMBERS", "MEMBERS_MAX", "NEWEST_MAX", "SIDES", "SIDES_MAX", "Choices", "MemberPage", "Sides"]

SIDES_MAX = 2_000
"""Conversations of a user that are cached: 200 KB. Who is in more is read from the store each time."""
MEMBERS_MAX = 201
"""Members of a conversation: two of the Web API's default pages, and one to know that there are more."""
NEWEST_MAX = 100
"""Messages of the newest page: the Web API's default."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What a user is in."""

    head: int
    """Offset of the user's own channel, read before the rows: whoever finds it there now has missed no change."""
    rows: tuple[Membership, ...]
    """In order of channel id; at most SIDES_MAX."""
    is_whole: bool
    """False: there are more, and `rows` is of no use."""


@dataclass(frozen=True, slots=True)
class MemberPage:
    """The first members of a conversation."""

    user_ids: tuple[str, ...]
    """In order of id; at most MEMBERS_MAX."""

    @property
    def is_whole(self) -> bool:
        """Whether there are no more."""
        return len(self.user_ids) < MEMBERS_MAX


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user chose."""

    head: int
    """As in Sides."""
    row: Prefs


_membership = row_loader(Membership)


def _load_sides(cells: list[Any]) -> Sides:
    head, is_whole, rows = cells
    return Sides(int(head), tuple(_membership(row) for row in rows), bool(is_whole))


SIDES: Codec[Sides] = cells_codec(
    Sides, lambda sides: (sides.head, sides.is_whole, [encode(row) for row in sides.rows]), _load_sides
)
CHOICES: Codec[Choices] = cells_codec(
    Choices,
    lambda value: (value.head, value.row.user_id, value.row.prefs.decode(), value.row.away, value.row.revision),
    lambda cells: Choices(int(cells[0]), Prefs(str(cells[1]), cells[2].encode(), bool(cells[3]), int(cells[4]))),
)
MEMBERS: Codec[MemberPage] = cells_codec(
    MemberPage, lambda page: page.user_ids, lambda cells: MemberPage(tuple(map(str, cells)))
)
