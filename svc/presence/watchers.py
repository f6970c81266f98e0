"""Pure: who wants to see whom, and what each gateway has still to be told.

A gateway watches the union of what its clients look at. Changes wait in one batch a gateway, in which the latest state
of a user replaces the earlier one: what is pending is never more than what is watched, however slow the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView
from itertools import islice

from svc.presence.roster import UserState


class Watchers:
    """Interest sets by gateway, and by user the gateways interested. `wake` is told of gateways that got news."""

    def __init__(self, watched_max: int, wake: Callable[[str], None]) -> None:
        """Let each gateway watch at most `watched_max` users."""
        self._watched_max = watched_max
        self.left_out = 0
        """Users that a gateway wanted to watch in vain."""
        self._wake = wake
        self._watched: dict[str, set[str]] = {}
        self._watching: dict[str, set[str]] = {}
        self._pending: dict[str, dict[str, UserState]] = {}

    @property
    def users(self) -> KeysView[str]:
        """Every user that some gateway watches."""
        return self._watching.keys()

    def attach(self, gateway_id: str) -> None:
        """Begin with no interests and nothing pending; what an earlier line of the gateway wanted is forgotten."""
        self.detach(gateway_id)
        self._watched[gateway_id] = set()
        self._pending[gateway_id] = {}

    def detach(self, gateway_id: str) -> None:
        """Forget a gateway; nothing happens when it is not attached."""
        for user_id in self._watched.pop(gateway_id, ()):
            self._forget(gateway_id, user_id)
        self._pending.pop(gateway_id, None)

    def watch(self, gateway_id: str, added: Iterable[str], removed: Iterable[str]) -> None:
        """Change what an attached gateway watches: first what is removed, then what is added; twice is harmless.

        Beyond `watched_max` users, added ones are left out, and `left_out` counts them: their state is not told. To end
        the line instead would have the gateway come back with the same, and nobody there would be told anything.
        """
        watched, pending = self._watched[gateway_id], self._pending[gateway_id]
        for user_id in removed:
            if user_id in watched:
                watched.discard(user_id)
                pending.pop(user_id, None)
                self._forget(gateway_id, user_id)
        for user_id in added:
            if user_id not in watched and len(watched) >= self._watched_max:
                self.left_out += 1
                continue
            watched.add(user_id)
            self._watching.setdefault(user_id, set()).add(gateway_id)

    def tell(self, states: Iterable[UserState]) -> None:
        """Let every gateway that watches one of these users know its state."""
        for state in states:
            for gateway_id in self._watching.get(state.user_id, ()):
                self.tell_one(gateway_id, state)

    def tell_one(self, gateway_id: str, state: UserState) -> None:
        """Let one attached gateway know a state; ignored when it does not watch the user (any more)."""
        if state.user_id in self._watched.get(gateway_id, ()):
            pending = self._pending[gateway_id]
            pending[state.user_id] = state
            if len(pending) == 1:
                self._wake(gateway_id)

    def take(self, gateway_id: str, users_max: int) -> list[UserState]:
        """Return what is pending for a gateway, the longest waiting user first, at most `users_max`."""
        pending = self._pending.get(gateway_id)
        if not pending:
            return []
        taken = [pending.pop(user_id) for user_id in list(islice(pending, users_max))]
        if pending:
            self._wake(gateway_id)
        return taken

    def watched_count(self, gateway_id: str) -> int:
        """Return how many users a gateway watches."""
        return len(self._watched.get(gateway_id, ()))

    def _forget(self, gateway_id: str, user_id: str) -> None:
        watching = self._watching[user_id]
        watching.discard(gateway_id)
        if not watching:
            del self._watching[user_id]
