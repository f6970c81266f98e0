"""User groups: users that a message can name together, as `<!subteam^S…>`. Admins and owners change them.

A handle shares the names of conversations, and nobody gets one that a user has. A group is changed over the version
that was read; of two who change one at the same instant the second looks again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, FailedPreconditionError, UnavailableError
from svc.kit.ids import IdMint, is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import ROUNDS_MAX, Writes
from svc.webapp.commit.log import PutUserGroup, Write
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.groups import GROUPS_MAX
from svc.webapp.store.rows import UserGroup
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["USERS_MAX", "Change", "UserGroups", "ids_of", "shape"]

Json = dict[str, Any]

USERS_MAX = 1_000
"""In one group: each is told when it comes or goes."""
CHANNELS_MAX = 100
"""That come with a group."""
NAME_CHARS_MAX = 80
HANDLE_CHARS_MAX = 21
"""Slack's."""
DESCRIPTION_CHARS_MAX = 140

_HANDLE = re.compile(r"[^\W_][\w.\-]*")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a group; what is None stays."""

    name: str | None = None
    handle: str | None = None
    description: str | None = None
    channel_ids: Sequence[str] | None = None
    additional_channel_ids: Sequence[str] | None = None
    is_section: bool | None = None
    user_ids: Sequence[str] | None = None
    is_enabled: bool | None = None


class UserGroups:
    """Lists and changes user groups. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, workspaces: WorkspaceStore, lookups: Lookups, writes: Writes, clock: Clock, mint: IdMint
    ) -> None:
        self._workspaces = workspaces
        self._lookups = lookups
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def all(self, team_id: str) -> Sequence[UserGroup]:
        """Return all groups of a workspace, disabled ones too, in order of id."""
        return await self._workspaces.groups.groups(team_id)

    async def get(self, team_id: str, group_id: str) -> UserGroup:
        """Return a group, a disabled one too. Refused `no_such_subteam`."""
        found = await self._workspaces.groups.group(team_id, group_id) if is_id(group_id, "S") else None
        if found is None:
            raise Refused("no_such_subteam")
        return found

    async def members_of_group(self, team_id: str, group_id: str) -> Sequence[str]:
        """Return whom a mention of a group is for: nobody for one that is disabled, or not there."""
        found = await self._lookups.group(team_id, group_id) if is_id(group_id, "S") else None
        return ids_of(found.user_ids) if found is not None and not found.deleted_s else ()

    async def members_of_groups(self, team_id: str, group_ids: Sequence[str]) -> frozenset[str]:
        """Return the users that are in any of these groups; unknown and disabled groups have none."""
        found = [await self.members_of_group(team_id, group_id) for group_id in group_ids]
        return frozenset(user_id for user_ids in found for user_id in user_ids)

    async def create(self, caller: Caller, change: Change) -> UserGroup:
        """Make a group; without a handle it is made of the name.

        Refused as `update` says, and `subteam_limit_reached`.
        """
        await self._check_rights(caller)
        if await self._workspaces.groups.count(caller.team_id) >= GROUPS_MAX:
            raise Refused("subteam_limit_reached")
        now_s = self._now_s()
        blank = UserGroup(self._mint.mint("S"), caller.team_id, "", "", created_s=now_s, created_by=caller.user_id)
        if not (change.name or "").strip():
            raise Refused("invalid_name_required")
        change = replace(change, handle=change.handle or _handle_of(change.name or ""))
        group = await self._changed(caller, blank, change)
        await self._put(blank, group, 0)
        return await self.get(caller.team_id, group.id)

    async def update(self, caller: Caller, group_id: str, change: Change) -> UserGroup:
        """Change a group, and return it as it is then.

        Refused `no_such_subteam`, `permission_denied`, `name_already_exists` (a handle that a user, a conversation or
        another group has), `invalid_name`, `handle_too_long`, `description_too_long`, `user_not_found`,
        `channel_not_found`, `too_many_users`, `subteam_max_users_reached`.
        """
        await self._check_rights(caller)
        for _ in range(ROUNDS_MAX):
            before = await self.get(caller.team_id, group_id)
            after = await self._changed(caller, before, change)
            if after == replace(before, updated_s=after.updated_s, updated_by=after.updated_by):
                return before
            try:
                await self._put(before, after, before.revision_us)
            except FailedPreconditionError:
                continue
            return await self.get(caller.team_id, group_id)
        raise UnavailableError(f"group {group_id} was changed {ROUNDS_MAX} times meanwhile")

    async def _put(self, before: UserGroup, after: UserGroup, over_us: int) -> None:
        was, now = ids_of(before.user_ids), ids_of(after.user_ids)
        added = tuple(sorted(set(now) - set(was)))
        removed = tuple(sorted(set(was) - set(now)))
        payloads: list[Json] = []
        if not over_us:
            payloads.append({"type": "subteam_created", "subteam": shape(after)})
        else:
            payloads.append({"type": "subteam_updated", "subteam": shape(after)})
            if added or removed:
                payloads.append(_members_changed(before, after, added, removed))
        step = PutUserGroup(asdict(after), over_us, tuple(payloads), added, removed)
        committed = await self._writes.commit(Write(after.team_id, effects=(step,)))
        stored = await self._workspaces.groups.group(after.team_id, after.id)
        if stored is None or stored.revision_us < committed.ts_us:
            raise UnavailableError(f"group {after.id} could not be changed just now")

    async def _changed(self, caller: Caller, group: UserGroup, change: Change) -> UserGroup:
        """Return the group with the change. Its handle, if it is a new one, is taken."""
        now_s = self._now_s()
        after = replace(group, updated_s=now_s, updated_by=caller.user_id)
        if change.name is not None:
            after = replace(after, name=_checked(change.name, NAME_CHARS_MAX, "invalid_name"))
        if change.description is not None:
            text = change.description.strip()
            if len(text) > DESCRIPTION_CHARS_MAX:
                raise Refused("description_too_long")
            after = replace(after, description=text)
        if change.channel_ids is not None:
            after = replace(after, channel_ids=await self._channels(caller, change.channel_ids))
        if change.additional_channel_ids is not None:
            further = await self._channels(caller, change.additional_channel_ids)
            after = replace(after, additional_channel_ids=further)
        if change.is_section is not None:
            after = replace(after, is_section=change.is_section)
        if change.user_ids is not None:
            after = replace(after, user_ids=await self._users(caller, change.user_ids))
        if change.is_enabled is not None and change.is_enabled == bool(group.deleted_s):
            gone = (0, "") if change.is_enabled else (now_s, caller.user_id)
            after = replace(after, deleted_s=gone[0], deleted_by=gone[1])
        if change.handle is not None and (handle := _handle(change.handle)) != group.handle:
            await self._take(group, handle)
            after = replace(after, handle=handle)
        return after

    async def _take(self, group: UserGroup, handle: str) -> None:
        if await self._workspaces.user_by_name(group.team_id, handle) is not None:
            raise Refused("name_already_exists")
        try:
            await self._workspaces.reserve_name(group.team_id, handle, group.id, self._now_s())
        except AlreadyExistsError:
            raise Refused("name_already_exists") from None

    async def _users(self, caller: Caller, user_ids: Sequence[str]) -> str:
        wanted = sorted(set(user_ids))
        if len(wanted) > USERS_MAX:
            raise Refused("subteam_max_users_reached")
        if not wanted or not all(is_id(each, "UW") for each in wanted):
            raise Refused("no_users_provided" if not wanted else "invalid_users")
        found = {user.id for user in await self._workspaces.users_by_id(caller.team_id, wanted) if not user.deleted}
        if found != set(wanted):
            raise Refused("invalid_users")
        return orjson.dumps(wanted).decode()

    async def _channels(self, caller: Caller, channel_ids: Sequence[str]) -> str:
        wanted = list(dict.fromkeys(channel_ids))
        if len(wanted) > CHANNELS_MAX:
            raise Refused("too_many_channels")
        if not all(is_id(each, "CG") for each in wanted):
            raise Refused("channel_not_found")
        found = {each.id for each in await self._workspaces.conversations_by_id(caller.team_id, wanted)}
        if found != set(wanted):
            raise Refused("channel_not_found")
        return orjson.dumps(wanted).decode()

    async def _check_rights(self, caller: Caller) -> None:
        # From the database: who was an admin a moment ago is none. An app may what its scopes allow.
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        if user is None or user.deleted or not (user.is_admin or user.is_owner or caller.is_bot):
            raise Refused("permission_denied")

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def ids_of(stored: str) -> tuple[str, ...]:
    """Return a list of ids as a row has it."""
    return tuple(orjson.loads(stored))


def shape(group: UserGroup, *, has_users: bool = True) -> Json:
    """Return the usergroup object; `users` is left out where it was not asked for."""
    user_ids, channel_ids = ids_of(group.user_ids), ids_of(group.channel_ids)
    shown: Json = {
        "id": group.id,
        "team_id": group.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": group.description,
        "handle": group.handle,
        "is_external": False,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "date_create": group.created_s,
        "date_update": group.updated_s,
        "date_delete": group.deleted_s,
        "created_by": group.created_by,
        "updated_by": group.updated_by,
        "deleted_by": group.deleted_by or None,
        "prefs": {"channels": list(channel_ids), "groups": []},
        "additional_channels": list(ids_of(group.additional_channel_ids)),
        # Without conversations there is nothing to show in a section.
        "is_section": group.is_section and bool(channel_ids),
        "user_count": len(user_ids),
        "channel_count": len(channel_ids),
    }
    return shown | ({"users": list(user_ids)} if has_users else {})


def _members_changed(before: UserGroup, after: UserGroup, added: Sequence[str], removed: Sequence[str]) -> Json:
    return {
        "type": "subteam_members_changed",
        "subteam_id": after.id,
        "team_id": after.team_id,
        "date_previous_update": before.updated_s,
        "date_update": after.updated_s,
        "added_users": list(added),
        "added_users_count": len(added),
        "removed_users": list(removed),
        "removed_users_count": len(removed),
    }


def _checked(text: str, chars_max: int, code: str) -> str:
    text = unicodedata.normalize("NFC", text.strip())
    if not text or len(text) > chars_max:
        raise Refused(code)
    return text


def _handle(wanted: str) -> str:
    handle = unicodedata.normalize("NFC", wanted.strip().removeprefix("@"))
    if len(handle) > HANDLE_CHARS_MAX:
        raise Refused("handle_too_long")
    if handle != handle.lower() or not _HANDLE.fullmatch(handle):
        raise Refused("invalid_handle")
    return handle


def _handle_of(name: str) -> str:
    """Return the handle that a name makes: `Site Reliability` is `site-reliability`."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name.lower()))
    return "-".join(words)[:HANDLE_CHARS_MAX].strip("-")
