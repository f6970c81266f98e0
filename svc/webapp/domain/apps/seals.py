"""Seals of messages that nobody keeps: what an app showed to one person is believed when it comes back with its seal.

An ephemeral message is in no history, so whoever clicks in one brings it along; the seal says that we have sent it so,
to this person, and when. It is good for a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from svc.kit.clock import Clock
from svc.kit.tokens import Signer, TokenInvalid

__all__ = ["SEALED_S", "Seals"]

SEALED_S = 86_400.0
"""How long a seal is good: clients show such messages until they are reloaded."""
_NOTE = "app-note"


class Seals:
    """Makes and checks seals."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def seal(self, user_id: str, channel_id: str, ts: str, bot_id: str, blocks: Sequence[object]) -> str:
        """Return the seal of a message that is shown to a user."""
        claims = {"digest": _digest(user_id, channel_id, ts, bot_id, blocks)}
        return self._signer.sign(_NOTE, claims, SEALED_S, self._clock.wall_us() / 1_000_000)

    def is_sealed(
        self, seal: str, user_id: str, channel_id: str, ts: str, bot_id: str, blocks: Sequence[object]
    ) -> bool:
        """Tell whether a message is as we have sent it."""
        try:
            claims = self._signer.verify(_NOTE, seal, self._clock.wall_us() / 1_000_000)
        except TokenInvalid:
            return False
        return claims.get("digest") == _digest(user_id, channel_id, ts, bot_id, blocks)


def _digest(user_id: str, channel_id: str, ts: str, bot_id: str, blocks: Sequence[object]) -> str:
    # Clients may write the same object with its fields in another order.
    said = orjson.dumps([user_id, channel_id, ts, bot_id, list(blocks)], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()
