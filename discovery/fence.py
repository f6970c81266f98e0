"""How long ago Consul last said that we are there: the arithmetic behind refusing to act as an owner. Pure."""

import math


class Fence:
    """Closes when nothing was heard from Consul for `fence_s` seconds, and opens again at the next word.

    `fence_s` must be shorter than the time after which Consul would drop us (the check's interval and timeout), so that
    we stop acting as an owner before anybody else starts. Closed until the first word.
    """

    __slots__ = ("_fence_s", "_heard_at")

    def __init__(self, fence_s: float) -> None:
        """Take the patience in seconds; `math.inf` never closes once something was heard."""
        if fence_s <= 0:
            raise ValueError(f"fence_s must be positive, got {fence_s}")
        self._fence_s = fence_s
        self._heard_at = -math.inf

    def heard(self, now: float) -> None:
        """Note that at `now` (monotonic seconds) Consul held our registration. Older news than known is ignored."""
        self._heard_at = max(self._heard_at, now)

    def forget(self) -> None:
        """Close at once: Consul said that it does not hold our registration."""
        self._heard_at = -math.inf

    def silence_s(self, now: float) -> float:
        """Return the seconds since Consul last confirmed us; infinite before the first time."""
        return max(0.0, now - self._heard_at)

    def is_fenced(self, now: float) -> bool:
        """Return whether ownership must not be used at `now`."""
        return self.silence_s(now) > self._fence_s
