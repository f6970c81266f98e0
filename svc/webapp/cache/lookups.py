"""The look-ups that every request makes, through the cache: token, membership, conversation, user."""

from collections.abc import Iterator

from svc.webapp.cache.cache import Cache
from svc.webapp.cache.codec import FLAG, row_codec
from svc.webapp.log import PutUser, Write
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, Token, User
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Lookups", "keys_changed_by"]

TOKEN_TTL_S = 60
"""A revocation whose invalidation is lost takes effect within this."""
MEMBER_TTL_S = 60
CONVERSATION_TTL_S = 300
USER_TTL_S = 300

_TOKEN = row_codec(Token)
_CONVERSATION = row_codec(Conversation)
_USER = row_codec(User)


class Lookups:
    """Reads through the cache. Errors are those of the stores; the cache adds none."""

    def __init__(self, cache: Cache, workspaces: WorkspaceStore, channels: ChannelStore, users: UserStore) -> None:
        self._cache = cache
        self._workspaces = workspaces
        self._channels = channels
        self._users = users

    async def token(self, user_id: str, token_hash: bytes) -> Token | None:
        """Return a token's record, revoked or not; None when there is none."""
        return await self._cache.get_or_load(
            token_key(token_hash), TOKEN_TTL_S, lambda: self._users.token(user_id, token_hash), _TOKEN
        )

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Return whether the user is in the conversation."""
        found = await self._cache.get_or_load(
            member_key(channel_id, user_id), MEMBER_TTL_S, lambda: self._channels.is_member(channel_id, user_id), FLAG
        )
        return bool(found)

    async def conversation(self, channel_id: str) -> Conversation | None:
        """Return any conversation, a direct one too."""
        return await self._cache.get_or_load(
            conversation_key(channel_id),
            CONVERSATION_TTL_S,
            lambda: self._channels.conversation(channel_id),
            _CONVERSATION,
        )

    async def user(self, team_id: str, user_id: str) -> User | None:
        """Return a user of the workspace."""
        return await self._cache.get_or_load(
            user_key(team_id, user_id), USER_TTL_S, lambda: self._workspaces.user(team_id, user_id), _USER
        )

    async def forget_token(self, token_hash: bytes) -> None:
        """Call after a token was added or revoked."""
        await self._cache.invalidate(token_key(token_hash))

    async def forget(self, write: Write) -> None:
        """Drop everything that the write may have changed; svc.webapp.effects calls it for every write."""
        keys = list(keys_changed_by(write))
        if keys:
            await self._cache.invalidate(*keys)

    async def forget_member(self, channel_id: str, user_id: str) -> None:
        """Drop one membership."""
        await self._cache.invalidate(member_key(channel_id, user_id))

    async def forget_conversation(self, channel_id: str) -> None:
        """Drop one conversation."""
        await self._cache.invalidate(conversation_key(channel_id))

    async def forget_user(self, team_id: str, user_id: str) -> None:
        """Drop one user."""
        await self._cache.invalidate(user_key(team_id, user_id))


def keys_changed_by(write: Write) -> Iterator[str]:
    """Yield the keys whose rows a write on the log changes."""
    for user_id in (*write.members_added, *write.members_removed):
        yield member_key(write.channel_id, user_id)
    if write.create is not None or write.change:
        yield conversation_key(write.channel_id)
    for effect in write.effects:
        if isinstance(effect, PutUser):
            yield user_key(effect.user["team_id"], effect.user["id"])


def token_key(token_hash: bytes) -> str:
    """Key of a token's record; the hash is not a secret that opens anything."""
    return f"t1:{token_hash.hex()}"


def member_key(channel_id: str, user_id: str) -> str:
    """Key of a membership."""
    return f"m1:{channel_id}:{user_id}"


def conversation_key(channel_id: str) -> str:
    """Key of a conversation."""
    return f"c1:{channel_id}"


def user_key(team_id: str, user_id: str) -> str:
    """Key of a user."""
    return f"u1:{team_id}:{user_id}"
