"""Who is signed in; the demo workspace, which anybody may enter; leaving."""

from __future__ import annotations

from typing import Any

from svc.kit.ids import is_id
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Team, User
from svc.webapp.web.call import Answer, WebCall, signed_in

__all__ = ["DEMO_USERS_MAX", "TEAMS_MAX", "enter_demo", "leave", "session"]

DEMO_USERS_MAX = 50
TEAMS_MAX = 50
"""Workspaces that a page of signing in offers; who wants another names its domain."""
_PAGES_MAX = 3
"""Of users, that are looked through for people of a demo workspace: bots and those who left are none."""


async def session(call: WebCall) -> Answer:
    """Say who is signed in, and what a page of signing in may offer. `team`: the domain of a workspace among several.

    A session that is used does not end: when half of its life is over, it begins anew.

    `team` is None when there are several and none was named.
    """
    caller = await call.caller()
    if caller is not None:
        team = await call.services.lookups.team(caller.team_id)
        user = await call.services.lookups.user(caller.team_id, caller.user_id)
        if team is not None and user is not None:
            mine = {"signed_in": True, "team": _team(team), "user": {"id": user.id, "name": user.name}}
            mine |= {"demo": call.config.is_demo(team.domain), "demo_users": []}
            is_longer = await call.services.accounts.prolong(caller, call.config.session_s)
            return Answer(mine, call.cookie, call.config.session_s) if is_longer else Answer(mine)
    teams = await call.services.workspaces.teams()
    named = [team for team in teams if team.domain == call.text("team")]
    chosen = (named or teams)[0] if named or len(teams) == 1 else None
    demos = [team for team in ([chosen] if chosen else teams) if call.config.is_demo(team.domain)]
    body: dict[str, Any] = {
        "signed_in": False,
        "team": _team(chosen) if chosen else None,
        "user": None,
        "demo": bool(demos),
        "demo_users": [_person(each) for each in await _people(call, demos)],
    }
    if len(teams) > 1:
        body["teams"] = [_team(team) for team in teams[:TEAMS_MAX]]
    return Answer(body)


async def enter_demo(call: WebCall) -> Answer:
    """Sign in as anybody of a demo workspace. Refused `user_not_found`, also where there is no such workspace."""
    user_id = call.text("user")
    for team in await call.services.workspaces.teams() if is_id(user_id, "UW") else ():
        if call.config.is_demo(team.domain):
            user = await call.services.workspaces.user(team.id, user_id)
            if user is not None and _is_person(user):
                return await signed_in(call, user)
    raise Refused("user_not_found")


async def leave(call: WebCall) -> Answer:
    """End the browser's session, if there is one: its token, and every socket that was opened with it."""
    caller = await call.caller()
    if caller is not None:
        await call.services.accounts.revoke(caller.user_id, caller.token_hash)
    return Answer(cookie="")


async def _people(call: WebCall, teams: list[Team]) -> list[User]:
    found: list[User] = []
    for team in teams:
        last = ""
        for _ in range(_PAGES_MAX):
            page = await call.services.workspaces.users(team.id, last, DEMO_USERS_MAX)
            found += [user for user in page if _is_person(user)]
            if len(found) >= DEMO_USERS_MAX:
                return found[:DEMO_USERS_MAX]
            if len(page) < DEMO_USERS_MAX:
                break
            last = page[-1].id
    return found


def _is_person(user: User) -> bool:
    return not (user.is_bot or user.deleted)


def _team(team: Team) -> dict[str, str]:
    return {"id": team.id, "name": team.name, "domain": team.domain}


def _person(user: User) -> dict[str, str]:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "title": user.title,
        "team_id": user.team_id,
    }
