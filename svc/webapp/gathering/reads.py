"""The reads that every session begins with: who it is, what it is in, and how far that has come.

Each for itself is a look-up or two in an index; of two thousand clients that come back within a second they are ten
thousand statements, or some tens when those who ask meanwhile share them (`gatherer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from svc.kit.ids import is_id
from svc.webapp.cache.values import SIDES_MAX
from svc.webapp.gathering.asks import AskRules
from svc.webapp.gathering.gatherer import Gatherer
from svc.webapp.store.channel import Activity, ChannelStore
from svc.webapp.store.rows import Membership, Prefs, Token, User
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["SharedReads"]

USERS_A_READ = 100
"""Whose conversations one read takes: each may be in two thousand, so that may be 200,000 rows; usually it is 5,000."""
PREFS_A_READ = 250
"""Users whose preferences one read takes: each has at most 64 KiB, and usually one or two, or none."""
ROWS_A_READ = 500
"""Users or tokens that one read takes: one statement."""

_TeamUser = tuple[str, str]
_UserHash = tuple[str, bytes]


class SharedReads:
    """Reads that the requests of a process share, of what is true now or later. Errors are those of the stores."""

    def __init__(self, workspaces: WorkspaceStore, channels: ChannelStore, users: UserStore) -> None:
        """Make objects only; there is nothing to close."""
        self._workspaces = workspaces
        self._users = users
        rows, many = AskRules(keys_a_read=ROWS_A_READ), AskRules(keys_a_read=USERS_A_READ)
        self._user_rows: Gatherer[_TeamUser, User] = Gatherer("users", self._read_users, rows)
        self._tokens: Gatherer[_UserHash, Token] = Gatherer("tokens", users.tokens_among, rows)
        self._tickets: Gatherer[_UserHash, Token] = Gatherer("tickets", users.tokens_by_prefix, rows)
        self._memberships: Gatherer[str, list[Membership]] = Gatherer("memberships", self._read_memberships, many)
        self._prefs: Gatherer[str, Prefs] = Gatherer("prefs", users.prefs_of, AskRules(keys_a_read=PREFS_A_READ))
        self._mentions: Gatherer[str, dict[str, int]] = Gatherer("mentions", users.unread_mentions, many)
        self._whole: Gatherer[str, tuple[dict[str, int], Prefs]] = Gatherer(
            "mentions and prefs", users.unread_and_prefs, many
        )
        self._activity: Gatherer[str, Activity] = Gatherer("activity", channels.activity)

    async def user(self, team_id: str, user_id: str) -> User | None:
        """Return a user of the workspace, deactivated ones too."""
        key = (team_id, user_id)
        return (await self._user_rows.ask([key])).get(key) if is_id(team_id) and is_id(user_id) else None

    async def token(self, user_id: str, token_hash: bytes) -> Token | None:
        """Return the record of a token (32-byte hash), revoked or not."""
        key = (user_id, token_hash)
        return (await self._tokens.ask([key])).get(key) if is_id(user_id) else None

    async def token_by_prefix(self, user_id: str, prefix: bytes) -> Token | None:
        """Return the record of a token by the first 16 bytes of its hash, revoked or not."""
        key = (user_id, prefix)
        return (await self._tickets.ask([key])).get(key) if is_id(user_id) else None

    async def memberships(self, user_id: str) -> Sequence[Membership]:
        """Return what a user is in, in order of id: the first SIDES_MAX + 1, by which one knows that there are more."""
        return (await self._memberships.ask([user_id])).get(user_id, ()) if is_id(user_id) else ()

    async def prefs(self, user_id: str) -> Prefs:
        """Return what a user chose."""
        none = Prefs(user_id)
        return (await self._prefs.ask([user_id])).get(user_id, none) if is_id(user_id) else none

    async def unread_mentions(self, user_id: str) -> Mapping[str, int]:
        """Return by conversation how many messages a user has not read that are meant for it; none is left out."""
        return (await self._mentions.ask([user_id])).get(user_id, {}) if is_id(user_id) else {}

    async def unread_and_prefs(self, user_id: str) -> tuple[Mapping[str, int], Prefs]:
        """Return `unread_mentions` and `prefs`, which are one read."""
        none: tuple[dict[str, int], Prefs] = {}, Prefs(user_id)
        return (await self._whole.ask([user_id])).get(user_id, none) if is_id(user_id) else none

    async def activity(self, channel_ids: Iterable[str]) -> dict[str, Activity]:
        """Return how far channels have come; those without events are left out, and whatever is no id."""
        # One odd key could spoil everybody's read: text that fits no index is compared with every row.
        return await self._activity.ask(channel_id for channel_id in channel_ids if is_id(channel_id))

    async def heads(self, channel_ids: Iterable[str]) -> dict[str, int]:
        """Return the highest offset of each channel, as `activity` does: they are one read."""
        return {channel_id: each.last_offset for channel_id, each in (await self.activity(channel_ids)).items()}

    async def _read_users(self, keys: Sequence[_TeamUser]) -> dict[_TeamUser, User]:
        by_team: dict[str, list[str]] = {}
        for team_id, user_id in keys:
            by_team.setdefault(team_id, []).append(user_id)
        found: dict[_TeamUser, User] = {}
        for team_id, user_ids in by_team.items():
            rows = await self._workspaces.users_by_id(team_id, user_ids)
            found.update(((team_id, user.id), user) for user in rows)
        return found

    async def _read_memberships(self, user_ids: Sequence[str]) -> dict[str, list[Membership]]:
        return await self._users.memberships_of(user_ids, SIDES_MAX + 1)
