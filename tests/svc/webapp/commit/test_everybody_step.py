"""Noting a message for everybody, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from svc.webapp.commit.everybody_step import MEMBERS_A_PAGE, for_everybody


class Town:
    """A conversation of many, who remembers how it was asked."""

    def __init__(self, count: int) -> None:
        self.people = [f"U{n:010d}" for n in range(count)]
        self.limits: list[int] = []

    async def members(self, channel_id: str, after_user_id: str = "", limit: int = 100) -> Sequence[str]:
        self.limits.append(limit)
        return [each for each in self.people if each > after_user_id][:limit]


async def test_each_member_is_told_once_but_one() -> None:
    """Pages meet without overlap, and none is larger than a statement may be."""
    town, noted = Town(2 * MEMBERS_A_PAGE + 1), list[Sequence[tuple[str, str, int]]]()

    async def note(rows: Sequence[tuple[str, str, int]]) -> None:
        noted.append(rows)

    await for_everybody(town, note, "C1", 7, but=town.people[5])
    told = [row for rows in noted for row in rows]
    assert told == [(each, "C1", 7) for each in town.people if each != town.people[5]]
    assert max(map(len, noted)) <= MEMBERS_A_PAGE
    assert set(town.limits) == {MEMBERS_A_PAGE}


async def test_a_conversation_of_nobody_is_no_work() -> None:
    """Nothing is noted."""

    async def note(rows: Sequence[tuple[str, str, int]]) -> None:
        raise AssertionError(rows)

    await for_everybody(Town(0), note, "C1", 7)
