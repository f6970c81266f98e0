"""usergroups.*: users that a message can name together."""

from __future__ import annotations

from typing import Any

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.people.usergroups import Change, ids_of, shape
from svc.webapp.store.rows import UserGroup

READ, WRITE = ("usergroups:read",), ("usergroups:write",)
GROUP = Arg("usergroup", required=True, missing="no_such_subteam", invalid="no_such_subteam")
INCLUDE_COUNT = Arg("include_count", Kind.FLAG)
CHANNELS = (
    Arg("channels", Kind.LIST, invalid="channel_not_found"),
    Arg("additional_channels", Kind.LIST, invalid="channel_not_found"),
    Arg("enable_section", Kind.FLAG),
)


async def list_groups(call: Call) -> Answer:
    """List the groups that are enabled, or all."""
    found = await call.services.usergroups.all(call.caller.team_id)
    has_disabled, has_users = call.args.flag("include_disabled"), call.args.flag("include_users")
    return {
        "usergroups": [_shape(call, each, has_users=has_users) for each in found if has_disabled or not each.deleted_s]
    }


async def create(call: Call) -> Answer:
    """Make a group, with nobody in it."""
    return {"usergroup": _shape(call, await call.services.usergroups.create(call.caller, _change(call)))}


async def update(call: Call) -> Answer:
    """Change what a group is called, what it is for, and the conversations that come with it."""
    return await _update(call, _change(call))


async def enable(call: Call) -> Answer:
    """Let a group be named again."""
    return await _update(call, Change(is_enabled=True))


async def disable(call: Call) -> Answer:
    """Let a group be named no longer; it keeps its users."""
    return await _update(call, Change(is_enabled=False))


async def list_users(call: Call) -> Answer:
    """Say who is in a group."""
    group = await call.services.usergroups.get(call.caller.team_id, call.args.text("usergroup"))
    is_shown = call.args.flag("include_disabled") or not group.deleted_s
    return {"users": list(ids_of(group.user_ids)) if is_shown else []}


async def update_users(call: Call) -> Answer:
    """Set who is in a group."""
    return await _update(call, Change(user_ids=call.args.names("users")))


async def _update(call: Call, change: Change) -> Answer:
    group = await call.services.usergroups.update(call.caller, call.args.text("usergroup"), change)
    return {"usergroup": _shape(call, group)}


def _change(call: Call) -> Change:
    args = call.args
    return Change(
        name=args.text("name") if args.has("name") else None,
        handle=args.text("handle") if args.has("handle") else None,
        description=args.text("description") if args.has("description") else None,
        channel_ids=args.names("channels") if args.has("channels") else None,
        additional_channel_ids=args.names("additional_channels") if args.has("additional_channels") else None,
        is_section=args.flag("enable_section") if args.has("enable_section") else None,
    )


def _shape(call: Call, group: UserGroup, *, has_users: bool = True) -> dict[str, Any]:
    shown = shape(group, has_users=has_users)
    if not call.args.flag("include_count"):
        # Slack says how many only where it was asked to, and as text.
        del shown["user_count"], shown["channel_count"]
    return shown


METHODS = (
    Method(
        "usergroups.list",
        list_groups,
        (Arg("include_disabled", Kind.FLAG), Arg("include_users", Kind.FLAG), INCLUDE_COUNT),
        scopes=READ,
        tier=Tier.T2,
    ),
    Method(
        "usergroups.create",
        create,
        (
            Arg("name", required=True, missing="invalid_name_required"),
            Arg("handle"),
            Arg("description", blank=True),
            *CHANNELS,
            INCLUDE_COUNT,
        ),
        writes=True,
        scopes=WRITE,
        tier=Tier.T2,
    ),
    Method(
        "usergroups.update",
        update,
        (GROUP, Arg("name"), Arg("handle"), Arg("description", blank=True), *CHANNELS, INCLUDE_COUNT),
        writes=True,
        scopes=WRITE,
        tier=Tier.T2,
    ),
    Method("usergroups.enable", enable, (GROUP, INCLUDE_COUNT), writes=True, scopes=WRITE, tier=Tier.T2),
    Method("usergroups.disable", disable, (GROUP, INCLUDE_COUNT), writes=True, scopes=WRITE, tier=Tier.T2),
    Method("usergroups.users.list", list_users, (GROUP, Arg("include_disabled", Kind.FLAG)), scopes=READ, tier=Tier.T2),
    Method(
        "usergroups.users.update",
        update_users,
        (GROUP, Arg("users", Kind.LIST, required=True, missing="no_users_provided"), INCLUDE_COUNT),
        writes=True,
        scopes=WRITE,
        tier=Tier.T2,
    ),
)
