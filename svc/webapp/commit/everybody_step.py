"""A message that is meant for everybody in a large conversation: its mentions are noted a page of members at a time.

Idempotent, like every step. The author does not wait for it, and no list of members is ever held or stored: who is in
the conversation by then is read page by page. At 100,000 members it takes some seconds; it may be repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

__all__ = ["MEMBERS_A_PAGE", "for_everybody"]

MEMBERS_A_PAGE = 1_000
"""A statement of 40 KB, and 10 ms."""

Rows = Sequence[tuple[str, str, int]]
"""(user, channel, ts of the message)"""


class Members(Protocol):
    """What knows who is in a conversation."""

    async def members(self, channel_id: str, after_user_id: str = "", limit: int = 100) -> Sequence[str]:
        """Return ids of members above one, in order of id."""
        ...


async def for_everybody(
    members: Members, note: Callable[[Rows], Awaitable[None]], channel_id: str, ts_us: int, but: str = ""
) -> None:
    """Have `note` told of every member and the message, in pages; `but` leaves one out. Raises what they raise."""
    async for page in _pages(members, channel_id):
        rows = [(user_id, channel_id, ts_us) for user_id in page if user_id != but]
        if rows:
            await note(rows)


async def _pages(members: Members, channel_id: str) -> AsyncIterator[Sequence[str]]:
    after = ""
    while page := await members.members(channel_id, after, MEMBERS_A_PAGE):
        yield page
        after = page[-1]
