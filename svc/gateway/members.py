"""Pure: what the hub knows of those around it: the connections above, and the feed below."""

from __future__ import annotations

from typing import Protocol


class Member(Protocol):
    """What the hub needs to know of a connection."""

    @property
    def id(self) -> str:
        """Unique over all gateways and starts; events name it as their origin."""
        ...

    @property
    def user_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def is_aware(self) -> bool:
        """Whether it keeps positions, and is told of them."""
        ...

    @property
    def channels(self) -> set[str]:
        """The channels that it follows; kept by the hub."""
        ...

    def push(self, frame: bytes) -> None:
        """Write an encoded frame soon. Must not raise."""
        ...


class Follows(Protocol):
    """The feed below (see feed.Feed)."""

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel from `after`."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Follow it no longer."""
        ...
