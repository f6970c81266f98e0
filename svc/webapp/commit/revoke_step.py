"""What becomes of tokens that a write revokes: rows, then caches, then the sessions that were begun with them.

A step like those in `effects`. Whoever hears of the revocation, on the user's own channel, and then reads the tokens
finds them revoked: so a session that begins meanwhile is either told, or refused when it asks what it follows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley.event.v1 import event_pb2
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Committed, Draft, Revoke, Write
from svc.webapp.store.user import UserStore

__all__ = ["TOKEN_PREFIX_BYTES", "revoke"]

TOKEN_PREFIX_BYTES = 16
"""Of a token's hash, by which tickets and events name it: nobody finds two tokens with the same."""


async def revoke(
    commit: Callable[[Write], Awaitable[Committed]],
    users: UserStore,
    lookups: Lookups,
    effect: Revoke,
    ts_us: int,
    key: str,
) -> None:
    """Revoke tokens of a user and end its sessions. `ts_us` and `key`: of the cause. Idempotent.

    Raises the kit's errors; then it may be done again.
    """
    hashes = [bytes.fromhex(each) for each in effect.token_hashes]
    if not hashes:
        hashes = [token.token_hash for token in await users.tokens(effect.user_id)]
    for token_hash in hashes:
        await users.revoke_token(effect.user_id, token_hash, ts_us // 1_000_000)
    await lookups.forget_tokens(hashes)
    # Also those that were revoked before: whoever did may have died before the sessions heard of it.
    revocation = event_pb2.Revocation(token_prefixes=[each[:TOKEN_PREFIX_BYTES] for each in hashes])
    draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: None, revocation=revocation)
    await commit(Write(effect.user_id, (draft,), request_id=key))
