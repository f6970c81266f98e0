"""The reads that requests make over and over, through the cache. `keys` says what makes each of them wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from itertools import islice

from parley.event.v1 import event_pb2
from svc.webapp.cache import keys, values
from svc.webapp.cache.cache import Cache
from svc.webapp.cache.codec import FLAG, JSON, NUMBER, row_codec
from svc.webapp.cache.values import MEMBERS_MAX, SIDES_MAX, Choices, MemberPage, Sides
from svc.webapp.commit.log import Json, Write
from svc.webapp.gathering.reads import SharedReads
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation, ConversationKind, Membership, Prefs, Team, Token, User, UserGroup
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Lookups"]

_TOKEN = row_codec(Token)
_CONVERSATION = row_codec(Conversation)
_USER = row_codec(User)
_TEAM = row_codec(Team)
_MEMBERSHIP = row_codec(Membership)
_APP = row_codec(AppRow)
_GROUP = row_codec(UserGroup)

_ID_CHARS = 11
"""What the columns hold."""


class Lookups:
    """Reads through the cache. Errors are those of the stores; the cache adds none.

    Loads read the primary, never a replica: what a lagging one says would be kept long after it has caught up.
    """

    def __init__(self, cache: Cache, workspaces: WorkspaceStore, channels: ChannelStore, users: UserStore) -> None:
        self._cache = cache
        self._workspaces = workspaces
        self._channels = channels
        self._users = users
        self.shared = SharedReads(workspaces, channels, users)
        """What is read by many requests at once, whether it is cached or not."""

    async def token(self, user_id: str, token_hash: bytes) -> Token | None:
        """Return a token's record, revoked or not; None when there is none."""
        return await self._cache.get_or_load(
            keys.token_key(token_hash), lambda: self.shared.token(user_id, token_hash), _TOKEN
        )

    async def user(self, team_id: str, user_id: str) -> User | None:
        """Return a user of the workspace; nobody has an id that is none."""
        if not _is_like_id(user_id):
            return None
        return await self._cache.get_or_load(
            keys.user_key(team_id, user_id), lambda: self.shared.user(team_id, user_id), _USER
        )

    async def users(self, team_id: str, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those of the users that exist, by id; what is no id is nobody's. At most 1,000 ids."""
        ids = {keys.user_key(team_id, user_id): user_id for user_id in user_ids if _is_like_id(user_id)}

        async def load(missing: Sequence[str]) -> dict[str, User]:
            found = await self._workspaces.users_by_id(team_id, [ids[key] for key in missing])
            return {keys.user_key(team_id, user.id): user for user in found}

        found = await self._cache.get_or_load_many(tuple(ids), load, _USER)
        return {user.id: user for user in found.values()}

    async def team(self, team_id: str) -> Team | None:
        """Return a workspace."""
        return await self._cache.get_or_load(keys.team_key(team_id), lambda: self._workspaces.team(team_id), _TEAM)

    async def conversation(self, channel_id: str) -> Conversation | None:
        """Return any conversation, a direct one too."""
        if not _is_like_id(channel_id):
            return None
        return await self._cache.get_or_load(
            keys.conversation_key(channel_id), lambda: self._channels.conversation(channel_id), _CONVERSATION
        )

    async def conversations(self, channel_ids: Sequence[str]) -> dict[str, Conversation]:
        """Return those of the conversations that exist, by id."""
        ids = {keys.conversation_key(channel_id): channel_id for channel_id in channel_ids if _is_like_id(channel_id)}

        async def load(missing: Sequence[str]) -> dict[str, Conversation]:
            found = await self._channels.conversations([ids[key] for key in missing])
            return {keys.conversation_key(channel_id): row for channel_id, row in found.items()}

        found = await self._cache.get_or_load_many(tuple(ids), load, _CONVERSATION)
        return {row.id: row for row in found.values()}

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Return whether the user is in the conversation."""

        async def load() -> bool | None:
            # Who is not in it is "none", which is kept for a few seconds only.
            return True if await self._channels.is_member(channel_id, user_id) else None

        found: bool | None = await self._cache.get_or_load(keys.member_key(channel_id, user_id), load, FLAG)
        return found is True

    async def first_members(self, channel_id: str) -> MemberPage:
        """Return the first members of a conversation."""

        async def load() -> MemberPage:
            return MemberPage(tuple(await self._channels.members(channel_id, limit=MEMBERS_MAX)))

        return await self._cache.get_or_load(keys.members_key(channel_id), load, values.MEMBERS) or MemberPage(())

    async def first_members_of(self, channel_ids: Sequence[str]) -> dict[str, MemberPage]:
        """Return the first members of each conversation, by id; those without any are left out."""
        ids = {keys.members_key(channel_id): channel_id for channel_id in channel_ids}

        async def load(missing: Sequence[str]) -> dict[str, MemberPage]:
            pages = await self._channels.members_of([ids[key] for key in missing], MEMBERS_MAX)
            return {keys.members_key(channel_id): MemberPage(tuple(page)) for channel_id, page in pages.items()}

        found = await self._cache.get_or_load_many(tuple(ids), load, values.MEMBERS)
        return {ids[key]: page for key, page in found.items()}

    async def count_members(self, channel_ids: Sequence[str]) -> dict[str, int]:
        """Return how many members each conversation has."""
        ids = {keys.count_key(channel_id): channel_id for channel_id in channel_ids}

        async def load(missing: Sequence[str]) -> dict[str, int]:
            found = await self._channels.count_members([ids[key] for key in missing])
            return {keys.count_key(channel_id): count for channel_id, count in found.items()}

        found = await self._cache.get_or_load_many(tuple(ids), load, NUMBER)
        return {channel_id: found.get(key, 0) for key, channel_id in ids.items()}

    async def membership(self, user_id: str, channel_id: str) -> Membership | None:
        """Return the user's side of one conversation; None when the user is not in it."""
        return await self._cache.get_or_load(
            keys.side_key(user_id, channel_id), lambda: self._users.membership(user_id, channel_id), _MEMBERSHIP
        )

    async def sides(
        self, user_id: str, known_head: int | None = None, head: Callable[[], Awaitable[int]] | None = None
    ) -> Sides:
        """Return what a user is in, if that is not too much to be kept: see Sides.

        `known_head`: offset of the user's own channel, if the caller has just read it. `head`: another way to learn it
        than by a query; an offset that it once had is good enough.
        """

        async def load() -> Sides:
            read_head = head or (lambda: self._own_head(user_id))
            before = await read_head() if known_head is None else known_head
            rows = await self.shared.memberships(user_id)
            is_whole = len(rows) <= SIDES_MAX
            return Sides(before, tuple(rows) if is_whole else (), is_whole)

        return await self._cache.get_or_load(keys.sides_key(user_id), load, values.SIDES) or Sides(0, (), False)

    async def memberships(
        self, user_id: str, after_channel_id: str, limit: int, kinds: Collection[ConversationKind]
    ) -> Sequence[Membership]:
        """Return a page of what a user is in: of these kinds, with ids above `after_channel_id`, in order of id."""
        sides = await self.sides(user_id)
        if not sides.is_whole:
            return await self._users.memberships(user_id, after_channel_id, limit, tuple(kinds))
        page = (row for row in sides.rows if row.channel_id > after_channel_id and row.kind in kinds)
        return list(islice(page, limit))

    async def followed(self, user_id: str, head: int) -> Sequence[Membership]:
        """Return what a user is in, all of it, as of `head` of the user's own channel or later.

        For sessions, which go on from `head` and would never hear of what is missing here: no invalidation is trusted,
        but a change comes into the rows before it is told at a higher offset, so rows read at this offset have it.
        """
        sides = await self.sides(user_id, head)
        if sides.head < head:
            # Read between a change and the event that tells it, or its invalidation was lost.
            await self.forget((keys.sides_key(user_id),))
            sides = await self.sides(user_id, head)
        return sides.rows if sides.is_whole and sides.head >= head else await self._users.memberships(user_id)

    async def prefs(self, user_id: str, head: int = 0) -> Prefs:
        """Return what a user chose, as of `head` of the user's own channel or later; see `followed`. 0: as of now."""

        async def load() -> Choices:
            known = head or await self._own_head(user_id)
            return Choices(known, await self.shared.prefs(user_id))

        key = keys.prefs_key(user_id)
        found = await self._cache.get_or_load(key, load, values.CHOICES)
        if found is None or found.head < head:
            await self.forget((key,))
            found = await self._cache.get_or_load(key, load, values.CHOICES)
        return found.row if found is not None and found.head >= head else await self._users.prefs(user_id)

    async def _own_head(self, user_id: str) -> int:
        return (await self.shared.heads([user_id])).get(user_id, 0)

    async def newest(self, channel_id: str, load: Callable[[], Awaitable[Json]]) -> Json:
        """Return the newest page of a conversation's history, as `load` makes it."""
        return await self._cache.get_or_load(keys.newest_key(channel_id), load, JSON) or {}

    async def group(self, team_id: str, group_id: str) -> UserGroup | None:
        """Return a user group, a disabled one too."""
        return await self._cache.get_or_load(
            keys.group_key(team_id, group_id), lambda: self._workspaces.groups.group(team_id, group_id), _GROUP
        )

    async def app(self, team_id: str, app_id: str, load: Callable[[], Awaitable[AppRow | None]]) -> AppRow | None:
        """Return an app, a removed one too, as `load` finds it."""
        return await self._cache.get_or_load(keys.app_key(team_id, app_id), load, _APP)

    async def commands(self, team_id: str, load: Callable[[], Awaitable[Json]]) -> Json:
        """Return the app of each slash command of a workspace, as `load` finds them."""
        return await self._cache.get_or_load(keys.commands_key(team_id), load, JSON) or {}

    async def forget_writes(self, writes: Iterable[Write]) -> None:
        """Drop what the transactions of these writes changed; the committer calls it for every write."""
        await self.forget(key for write in writes for key in keys.changed_by(write))

    async def forget_events(self, events: Iterable[event_pb2.Event]) -> None:
        """Drop what the writes of these events may have changed, whose webapp did not get to it."""
        await self.forget(key for event in events for key in keys.behind_event(event))

    async def forget_side(self, user_id: str, channel_id: str) -> None:
        """Drop a membership from the user's side."""
        await self.forget((keys.side_key(user_id, channel_id), keys.sides_key(user_id)))

    async def forget_prefs(self, user_id: str) -> None:
        """Drop what a user chose."""
        await self.forget((keys.prefs_key(user_id),))

    async def forget_user(self, team_id: str, user_id: str) -> None:
        """Drop one user."""
        await self.forget((keys.user_key(team_id, user_id),))

    async def forget_team(self, team_id: str) -> None:
        """Drop one workspace."""
        await self.forget((keys.team_key(team_id),))

    async def forget_group(self, team_id: str, group_id: str) -> None:
        """Drop one user group."""
        await self.forget((keys.group_key(team_id, group_id),))

    async def forget_tokens(self, token_hashes: Iterable[bytes]) -> None:
        """Call after tokens were revoked."""
        await self.forget(map(keys.token_key, token_hashes))

    async def forget_token(self, token_hash: bytes) -> None:
        """Call after a token was added or revoked."""
        await self.forget((keys.token_key(token_hash),))

    async def forget(self, changed: Iterable[str]) -> None:
        """Drop values by key (`keys`), after their rows changed and before anybody is told so."""
        distinct = dict.fromkeys(changed)
        if distinct:
            await self._cache.invalidate(distinct)


def _is_like_id(text: str) -> bool:
    """Tell whether `text` might be an id. What clients send as one may be anything, and goes into keys and columns."""
    return len(text) <= _ID_CHARS and text.isascii() and text.isalnum()
