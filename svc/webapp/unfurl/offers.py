"""What a post says to who makes previews: that there is a message with links, and what its author wants. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Offer", "Offered", "Wish", "to_nobody", "wish_of"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Of which links a preview is wanted."""

    links: bool
    """Of pages with words."""
    media: bool
    """Of pictures, films and music."""

    @property
    def is_any(self) -> bool:
        """Whether there is anything to be looked for: what a link leads to is known only once it was fetched."""
        return self.links or self.media


def wish_of(*, is_bot: bool, links: bool | None, media: bool | None) -> Wish:
    """Return the wish behind `unfurl_links` and `unfurl_media` (None: not given), by Slack's defaults: what people
    link is shown, of what bots link only media.
    """
    return Wish(not is_bot if links is None else links, True if media is None else media)


@dataclass(frozen=True, slots=True)
class Offered:
    """A message that was just stored. Its text is read again when its turn comes, so that little is held."""

    channel_id: str
    ts_us: int
    wish: Wish
    known: frozenset[str] = field(default_factory=frozenset)
    """Addresses that it had before: a preview of one of them that is not there was taken away."""


Offer = Callable[[Offered], None]
"""Takes a message; returns at once and never raises."""


def to_nobody(_: Offered) -> None:
    """Take no message: for commands, which are gone before a page is there."""
