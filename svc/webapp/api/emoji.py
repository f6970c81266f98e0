"""emoji.list and admin.emoji.*: the custom emoji of a workspace."""

from __future__ import annotations

from svc.kit.ids import ts_from_us
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.standard_emoji import standard_emoji
from svc.webapp.priority import Priority

NAME = Arg("name", required=True, missing="error_missing_name")


async def list_emoji(call: Call) -> Answer:
    """List all custom emoji: the address of a picture, or `alias:NAME`, by name; and Unicode's by category."""
    found = await call.services.emoji.all(call.caller.team_id)
    answer: Answer = {"emoji": found, "cache_ts": ts_from_us(call.services.clock.wall_us())}
    if call.args.flag("include_categories"):
        standard = standard_emoji()
        answer["categories"] = [
            {"name": name, "emoji_names": list(names)} for name, names in standard.categories.items()
        ]
        answer["categories_version"] = standard.version
    return answer


async def add(call: Call) -> Answer:
    """Add an emoji, or another name of one."""
    await call.services.emoji.add(call.caller, call.args.text("name"), call.args.text("url"))
    return {}


async def add_alias(call: Call) -> Answer:
    """Add another name of an emoji."""
    await call.services.emoji.add_alias(call.caller, call.args.text("name"), call.args.text("alias_for"))
    return {}


async def remove(call: Call) -> Answer:
    """Remove an emoji and its other names."""
    await call.services.emoji.remove(call.caller, call.args.text("name"))
    return {}


async def rename(call: Call) -> Answer:
    """Give an emoji another name."""
    await call.services.emoji.rename(call.caller, call.args.text("name"), call.args.text("new_name"))
    return {}


METHODS = (
    Method(
        "emoji.list",
        list_emoji,
        (Arg("include_categories", Kind.FLAG),),
        reads_as=Priority.BOOT,
        scopes=("emoji:read",),
        tier=Tier.T2,
    ),
    Method(
        "admin.emoji.add",
        add,
        (NAME, Arg("url", required=True, missing="error_no_image")),
        writes=True,
        scopes=("admin.teams:write",),
        tier=Tier.T2,
        partly="the picture stays at its address: it is not copied",
    ),
    Method(
        "admin.emoji.addAlias",
        add_alias,
        (NAME, Arg("alias_for", required=True, missing="no_alias_selected")),
        writes=True,
        scopes=("admin.teams:write",),
        tier=Tier.T2,
    ),
    Method(
        "admin.emoji.remove",
        remove,
        (Arg("name", required=True, missing="emoji_not_found"),),
        writes=True,
        scopes=("admin.teams:write",),
        tier=Tier.T2,
    ),
    Method(
        "admin.emoji.rename",
        rename,
        (NAME, Arg("new_name", required=True, missing="error_missing_name")),
        writes=True,
        scopes=("admin.teams:write",),
        tier=Tier.T2,
    ),
)
