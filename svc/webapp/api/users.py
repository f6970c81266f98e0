"""users.*: the people and bots of a workspace, what they are in, and whether they are there."""

from __future__ import annotations

from svc.kit.ids import is_id
from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CURSOR, LIMIT, Answer, Call, Method
from svc.webapp.api.conversation_lists import TYPES, kinds_of, listed
from svc.webapp.domain import shapes
from svc.webapp.domain.prefs import typed
from svc.webapp.domain.presence import presence_or_away
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority
from svc.webapp.store.rows import User


async def list_users(call: Call) -> Answer:
    """List everybody of the workspace in order of id, deactivated ones and bots included."""
    after = pages.key_of("user", call.args.text("cursor"))
    limit = call.args.number("limit")
    team_id = call.caller.team_id
    is_quiet = bool(await call.services.channels.quiet([team_id]))
    found = await call.services.workspaces.users(team_id, after, limit + 1, is_quiet=is_quiet)
    page, now_s = found[:limit], call.services.clock.wall_us() / 1_000_000
    return {
        "members": [shapes.user(user, now_s=now_s) for user in page],
        "cache_ts": int(now_s),
        "response_metadata": pages.metadata("user", page[-1].id if len(found) > limit else ""),
    }


async def info(call: Call) -> Answer:
    """Describe one user."""
    user = await _user(call, call.args.text("user"))
    return {"user": shapes.user(user, now_s=call.services.clock.wall_us() / 1_000_000)}


async def conversations(call: Call) -> Answer:
    """List the conversations that a user is in: one's own, or those of another that the caller can see as well."""
    user_id = call.args.text("user") or call.caller.user_id
    if user_id != call.caller.user_id:
        await _user(call, user_id)
    return await listed(call, user_id, kinds_of(call.args.names("types")))


async def get_presence(call: Call) -> Answer:
    """Say whether a user is active or away; of oneself also since when and over how many connections."""
    user_id = call.args.text("user") or call.caller.user_id
    await _user(call, user_id)
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


async def get_prefs(call: Call) -> Answer:
    """Return the caller's preferences."""
    return {"prefs": await call.services.preferences.get(call.caller)}


async def set_prefs(call: Call) -> Answer:
    """Set one of the caller's preferences by name, or several as an object, in which null removes one."""
    change = call.args.mapping("prefs")
    if call.args.has("name"):
        change = {**change, call.args.text("name"): typed(call.args.raw.get("value", ""))}
    return {"prefs": await call.services.preferences.set(call.caller, change)}


async def _user(call: Call, user_id: str) -> User:
    user = await call.services.lookups.user(call.caller.team_id, user_id) if is_id(user_id, "UW") else None
    if user is None:
        raise Refused("user_not_found")
    return user


METHODS = (
    Method("users.list", list_users, (LIMIT, CURSOR), reads_as=Priority.BOOT),
    Method("users.info", info, (Arg("user", required=True),)),
    Method(
        "users.conversations", conversations, (Arg("user"), TYPES, Arg("exclude_archived", Kind.FLAG), LIMIT, CURSOR)
    ),
    Method(
        "users.setPresence",
        set_presence,
        (Arg("presence", required=True, missing="invalid_presence", invalid="invalid_presence"),),
        writes=True,
    ),
    Method("users.prefs.get", get_prefs),
    Method("users.prefs.set", set_prefs, (Arg("name"), Arg("prefs", Kind.OBJECT)), writes=True),
    Method("users.getPresence", get_presence, (Arg("user"),), reads_as=Priority.TRANSIENT),
)
