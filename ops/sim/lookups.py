"""Look-ups without a cache, in a workspace whose users all exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.values import MEMBERS_MAX, MemberPage
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind, Membership, Prefs, User
from svc.webapp.store.user import UserStore

TEAM = "T0000000001"

_KINDS = {"C": ConversationKind.PUBLIC, "D": ConversationKind.IM}


class NoCache(Lookups):
    """See the module. Conversations are all there from the beginning."""

    def __init__(self, users: UserStore, channels: ChannelStore) -> None:
        """Remember nothing."""
        self._users = users
        self._channels = channels

    async def user(self, team_id: str, user_id: str) -> User | None:
        """See Lookups."""
        return User(user_id, team_id, user_id.lower())

    async def users(self, team_id: str, user_ids: Sequence[str]) -> dict[str, User]:
        """See Lookups."""
        return {user_id: User(user_id, team_id, user_id.lower()) for user_id in user_ids}

    async def conversation(self, channel_id: str) -> Conversation | None:
        """See Lookups."""
        return Conversation(channel_id, TEAM, _KINDS[channel_id[0]])

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """See Lookups."""
        return await self._channels.is_member(channel_id, user_id)

    async def first_members(self, channel_id: str) -> MemberPage:
        """See Lookups."""
        return MemberPage(tuple(await self._channels.members(channel_id, limit=MEMBERS_MAX)))

    async def memberships(
        self, user_id: str, after_channel_id: str, limit: int, kinds: Collection[ConversationKind]
    ) -> Sequence[Membership]:
        """See Lookups."""
        return await self._users.memberships(user_id)

    async def followed(self, user_id: str, head: int) -> Sequence[Membership]:
        """See Lookups."""
        return await self._users.memberships(user_id)

    async def prefs(self, user_id: str, head: int = 0) -> Prefs:
        """See Lookups. Nobody chooses anything here."""
        return Prefs(user_id)

    async def forget(self, changed: Iterable[str]) -> None:
        """See Lookups."""
