"""views.*: what apps show people in windows of their own, and what people fill in there."""

from __future__ import annotations

from svc.webapp.api.apps import OURS, PEOPLE
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused

VIEW = Arg("view", Kind.OBJECT, required=True)
VIEW_ID = Arg("view_id", required=True, missing="view_not_found")
TRIGGER = (Arg("trigger_id"), Arg("interactivity_pointer"))
"""Two names of what an app was given a moment ago, because somebody did something."""
STATE = Arg("state", Kind.OBJECT)


async def open_view(call: Call) -> Answer:
    """Open a modal for the person who did something a moment ago."""
    return {"view": await call.services.apps.views.open(call.caller, _trigger(call), call.args.mapping("view"))}


async def push(call: Call) -> Answer:
    """Put a modal upon another."""
    return {"view": await call.services.apps.views.push(call.caller, _trigger(call), call.args.mapping("view"))}


def _trigger(call: Call) -> str:
    """Refused `invalid_trigger_id`, where there is none."""
    found = call.args.text("trigger_id") or call.args.text("interactivity_pointer")
    if not found:
        raise Refused("invalid_trigger_id")
    return found


async def update(call: Call) -> Answer:
    """Replace what a view shows."""
    args = call.args
    view = await call.services.apps.views.update(
        call.caller, args.mapping("view"), args.text("view_id"), args.text("external_id"), args.text("hash")
    )
    return {"view": view}


async def publish(call: Call) -> Answer:
    """Show a person something at the app's home."""
    args = call.args
    view = await call.services.apps.views.publish(
        call.caller, args.text("user_id"), args.mapping("view"), args.text("hash")
    )
    return {"view": view}


async def home(call: Call) -> Answer:
    """Return what an app shows the caller at home, null when nothing, and tell the app that it was opened."""
    args = call.args
    return {"view": await call.services.apps.homes.open(call.caller, args.text("app_id"), args.text("tab") or "home")}


async def submit(call: Call) -> Answer:
    """Give the app what was filled in, and say what becomes of the modal."""
    args = call.args
    return await call.services.apps.views.submit(call.caller, args.text("view_id"), args.mapping("state"))


async def close(call: Call) -> Answer:
    """Close a modal, or all of its stack."""
    args = call.args
    await call.services.apps.views.close(
        call.caller, args.text("view_id"), args.mapping("state"), is_cleared=args.flag("is_cleared")
    )
    return {}


METHODS = (
    Method("views.open", open_view, (*TRIGGER, VIEW), writes=True, tier=Tier.T4),
    Method("views.push", push, (*TRIGGER, VIEW), writes=True, tier=Tier.T4),
    Method(
        "views.update",
        update,
        (Arg("view_id"), Arg("external_id"), VIEW, Arg("hash")),
        writes=True,
        tier=Tier.T4,
    ),
    Method(
        "views.publish",
        publish,
        (Arg("user_id", required=True, missing="user_not_found"), VIEW, Arg("hash")),
        writes=True,
        tier=Tier.T4,
    ),
    Method(
        "views.home",
        home,
        (Arg("app_id", required=True, missing="app_not_found"), Arg("tab")),
        writes=True,
        scopes=OURS,
        tokens=PEOPLE,
    ),
    Method("views.submit", submit, (VIEW_ID, STATE), writes=True, scopes=OURS, tokens=PEOPLE),
    Method(
        "views.close", close, (VIEW_ID, STATE, Arg("is_cleared", Kind.FLAG)), writes=True, scopes=OURS, tokens=PEOPLE
    ),
)
