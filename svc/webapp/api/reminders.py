"""reminders.*: what somebody wants to be reminded of."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.messages.reminders import Wanted
from svc.webapp.store.rows import TokenKind

_PEOPLE = frozenset({TokenKind.USER})
_READ, _WRITE = ("reminders:read",), ("reminders:write",)
_ID = Arg("reminder", required=True)


async def add(call: Call) -> Answer:
    """Remind the caller, or somebody else, at a time."""
    args = call.args
    recurrence = args.mapping("recurrence") if args.has("recurrence") else None
    wanted = Wanted(args.text("text"), args.text("time"), args.text("user"), recurrence)
    reminder = await call.services.reminders.add(call.caller, wanted)
    return {"reminder": reminder.shape}


async def list_reminders(call: Call) -> Answer:
    """List the caller's reminders, and those that it has set for others, the soonest first."""
    return {"reminders": [each.shape for each in await call.services.reminders.list(call.caller)]}


async def info(call: Call) -> Answer:
    """Describe one reminder."""
    return {"reminder": (await call.services.reminders.get(call.caller, call.args.text("reminder"))).shape}


async def complete(call: Call) -> Answer:
    """Mark a reminder as done."""
    await call.services.reminders.complete(call.caller, call.args.text("reminder"))
    return {}


async def delete(call: Call) -> Answer:
    """Forget a reminder."""
    await call.services.reminders.delete(call.caller, call.args.text("reminder"))
    return {}


METHODS = (
    Method(
        "reminders.add",
        add,
        (Arg("text", required=True), Arg("time", required=True), Arg("user"), Arg("recurrence", Kind.OBJECT)),
        writes=True,
        scopes=_WRITE,
        tier=Tier.T2,
        tokens=_PEOPLE,
    ),
    Method("reminders.list", list_reminders, scopes=_READ, tier=Tier.T2, tokens=_PEOPLE),
    Method("reminders.info", info, (_ID,), scopes=_READ, tier=Tier.T2, tokens=_PEOPLE),
    Method("reminders.complete", complete, (_ID,), writes=True, scopes=_WRITE, tier=Tier.T2, tokens=_PEOPLE),
    Method("reminders.delete", delete, (_ID,), writes=True, scopes=_WRITE, tier=Tier.T2, tokens=_PEOPLE),
)
