"""users.*: the people and bots of a workspace, what they are in, and whether they are there."""

from __future__ import annotations

from typing import Any

from svc.kit.ids import is_id
from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CURSOR, INCLUDE_LOCALE, LIMIT, Answer, Call, Method, Tier
from svc.webapp.api.conversation_lists import TYPES, kinds_of, listed
from svc.webapp.domain import shapes
from svc.webapp.domain.people.prefs import typed
from svc.webapp.domain.people.presence import presence_or_away
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority
from svc.webapp.store.rows import TokenKind, User

CROP = ("crop_x", "crop_y", "crop_w")
"""What of a picture a client wants to be seen."""


async def list_users(call: Call) -> Answer:
    """List everybody of the workspace in order of id, deactivated ones and bots included."""
    after = pages.key_of("user", call.args.text("cursor"))
    limit = call.args.number("limit")
    team_id = call.caller.team_id
    is_quiet = bool(await call.services.channels.quiet([team_id]))
    found = await call.services.workspaces.users(team_id, after, limit + 1, is_quiet=is_quiet)
    page = found[:limit]
    return {
        "members": [_shape(call, user) for user in page],
        "cache_ts": int(_now_s(call)),
        "response_metadata": pages.metadata("user", page[-1].id if len(found) > limit else ""),
    }


async def info(call: Call) -> Answer:
    """Describe one user."""
    return {"user": _shape(call, await known_user(call, call.args.text("user")))}


async def identity(call: Call) -> Answer:
    """Say who the caller is, for signing in."""
    user = await known_user(call, call.caller.user_id)
    team = await call.services.lookups.team(call.caller.team_id)
    profile = shapes.user(user, now_s=_now_s(call))["profile"]
    images = {name: url for name, url in profile.items() if name.startswith("image_")}
    shown: Answer = {"id": user.id, "name": user.real_name or user.name, "email": user.email, **images}
    return {"user": shown, "team": {"id": user.team_id, "name": team.name if team else ""}}


async def lookup_by_email(call: Call) -> Answer:
    """Find who has an address; deactivated users have none any more."""
    wanted = call.args.text("email").strip()
    workspaces, team_id = call.services.workspaces, call.caller.team_id
    found = await workspaces.user_by_email(team_id, wanted)
    if found is None and wanted != wanted.lower():
        # People write capitals in addresses that have none.
        found = await workspaces.user_by_email(team_id, wanted.lower())
    if found is None or found.deleted:
        raise Refused("users_not_found")
    return {"user": _shape(call, found)}


async def conversations(call: Call) -> Answer:
    """List the conversations that a user is in: one's own, or those of another that the caller can see as well."""
    user_id = call.args.text("user") or call.caller.user_id
    if user_id != call.caller.user_id:
        await known_user(call, user_id)
    return await listed(call, user_id, kinds_of(call.args.names("types")))


async def get_presence(call: Call) -> Answer:
    """Say whether a user is active or away; of oneself also since when and over how many connections."""
    user_id = call.args.text("user") or call.caller.user_id
    await known_user(call, user_id)
    found = await presence_or_away(call.services.presence, user_id)
    answer: Answer = {"presence": "active" if found.is_active else "away"}
    if user_id == call.caller.user_id:
        is_away = (await call.services.lookups.prefs(user_id)).away
        answer |= {
            # The presence tier hears of it a moment later.
            "presence": "active" if found.is_active and not is_away else "away",
            "online": found.connection_count > 0,
            "auto_away": not found.is_active and not is_away,
            "manual_away": is_away,
            "connection_count": found.connection_count,
            "last_activity": found.last_activity_s,
        }
    return answer


async def set_presence(call: Call) -> Answer:
    """Be away by hand, or as one's connections are."""
    presence = call.args.text("presence")
    if presence not in ("auto", "away"):
        raise Refused("invalid_presence")
    await call.services.preferences.set_away(call.caller, is_away=presence == "away")
    return {}


async def set_active(call: Call) -> Answer:
    """Do nothing, as at Slack: a user is active by its connections."""
    return {}


async def get_profile(call: Call) -> Answer:
    """Return what a user says of itself."""
    user = await known_user(call, call.args.text("user") or call.caller.user_id)
    shown = shapes.profile(user)
    if call.args.flag("include_labels"):
        # No workspace prescribes fields (team.profile.get): they are called what their users call them.
        shown["fields"] = {name: {**each, "label": name} for name, each in shown["fields"].items()}
    return {"profile": shown}


async def set_profile(call: Call) -> Answer:
    """Set what one says of oneself: an object, or one value by name. Admins set that of others."""
    change = dict(call.args.mapping("profile"))
    if call.args.has("name"):
        change[call.args.text("name")] = call.args.raw.get("value", "")
    user_id = call.args.text("user") or call.caller.user_id
    user = await call.services.people.set_profile(call.caller, user_id, change)
    return {"username": user.name, "profile": shapes.profile(user)}


async def delete_photo(call: Call) -> Answer:
    """Have no picture."""
    await call.services.pictures.remove(call.caller)
    return {}


async def set_photo(call: Call) -> Answer:
    """Have a picture: the file of a form, which is kept before the call (api.file_routes) and comes as `upload`."""
    user = await call.services.pictures.set(call.caller, call.args.text("upload"), call.origin.base_url)
    shown = shapes.profile(user)
    return {"profile": {name: shown[name] for name in shown if name.startswith("image_") or name == "avatar_hash"}}


async def get_prefs(call: Call) -> Answer:
    """Return the caller's preferences."""
    return {"prefs": await call.services.preferences.get(call.caller)}


async def set_prefs(call: Call) -> Answer:
    """Set one of the caller's preferences by name, or several as an object, in which null removes one."""
    change = call.args.mapping("prefs")
    if call.args.has("name"):
        change = {**change, call.args.text("name"): typed(call.args.raw.get("value", ""))}
    return {"prefs": await call.services.preferences.set(call.caller, change)}


async def known_user(call: Call, user_id: str) -> User:
    """Return a user of the caller's workspace, or the server itself, which says things. Refused `user_not_found`."""
    if user_id == shapes.SLACKBOT:
        return User(user_id, call.caller.team_id, "slackbot", real_name="Slackbot", display_name="Slackbot")
    user = await call.services.lookups.user(call.caller.team_id, user_id) if is_id(user_id, "UW") else None
    if user is None:
        raise Refused("user_not_found")
    return user


def _shape(call: Call, user: User) -> dict[str, Any]:
    shown = shapes.user(user, now_s=_now_s(call))
    return shown | {"locale": shapes.LOCALE} if call.args.flag("include_locale") else shown


def _now_s(call: Call) -> float:
    return call.services.clock.wall_us() / 1_000_000


METHODS = (
    Method(
        "users.list",
        list_users,
        (LIMIT, CURSOR, INCLUDE_LOCALE),
        reads_as=Priority.BOOT,
        scopes=("users:read",),
        tier=Tier.T2,
    ),
    Method("users.info", info, (Arg("user", required=True), INCLUDE_LOCALE), scopes=("users:read",), tier=Tier.T4),
    Method("users.identity", identity, scopes=("identity.basic",), tier=Tier.T3),
    Method(
        "users.lookupByEmail",
        lookup_by_email,
        (Arg("email", required=True, missing="users_not_found"), INCLUDE_LOCALE),
        scopes=("users:read.email",),
        tier=Tier.T3,
    ),
    Method(
        "users.conversations",
        conversations,
        (Arg("user"), TYPES, Arg("exclude_archived", Kind.FLAG), LIMIT, CURSOR),
        scopes=("channels:read", "groups:read", "im:read", "mpim:read"),
        tier=Tier.T3,
    ),
    Method(
        "users.setPresence",
        set_presence,
        (Arg("presence", required=True, missing="invalid_presence", invalid="invalid_presence"),),
        writes=True,
        scopes=("users:write",),
        tier=Tier.T2,
    ),
    Method("users.setActive", set_active, scopes=("users:write",), tier=Tier.T2),
    Method(
        "users.profile.get",
        get_profile,
        (Arg("user"), Arg("include_labels", Kind.FLAG)),
        scopes=("users.profile:read",),
        tier=Tier.T4,
    ),
    Method(
        "users.profile.set",
        set_profile,
        (Arg("user"), Arg("profile", Kind.OBJECT, invalid="invalid_profile"), Arg("name")),
        writes=True,
        scopes=("users.profile:write",),
        tier=Tier.T3,
    ),
    Method("users.deletePhoto", delete_photo, writes=True, scopes=("users.profile:write",), tier=Tier.T2),
    Method(
        "users.setPhoto",
        set_photo,
        (Arg("upload", required=True, missing="bad_image"), *(Arg(name, Kind.NUMBER) for name in CROP)),
        writes=True,
        oversize="too_large",
        scopes=("users.profile:write",),
        tier=Tier.T2,
        tokens=frozenset({TokenKind.USER}),
        partly="the picture is kept as it is: crop_x, crop_y and crop_w change nothing",
    ),
    Method("users.prefs.get", get_prefs, scopes=("client",)),
    Method("users.prefs.set", set_prefs, (Arg("name"), Arg("prefs", Kind.OBJECT)), writes=True, scopes=("client",)),
    Method(
        "users.getPresence",
        get_presence,
        (Arg("user"),),
        reads_as=Priority.TRANSIENT,
        scopes=("users:read",),
        tier=Tier.T3,
    ),
)
