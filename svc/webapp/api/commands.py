"""chat.command: what people type after a slash. A few mean the same everywhere; the rest are apps'."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from svc.webapp.api import chat, conversation_changes, conversations, reminders, users
from svc.webapp.api.apps import OURS, PEOPLE
from svc.webapp.api.arguments import Arg, Kind, parse
from svc.webapp.api.call import CHANNEL, Answer, Call, Method, Tier
from svc.webapp.domain.apps.settings import BUILT_IN
from svc.webapp.domain.messages.when import is_time
from svc.webapp.domain.refusal import Refused

Arguments = dict[str, object]

SHRUG = "¯\\_(ツ)_/¯"
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#([CDG][A-Z0-9]+)(?:\|[^<>]*)?>")
_REMINDED = re.compile(r"(?:(?P<who>me|@\S+|<@\S+>)\s+)?(?:to\s+)?(?P<text>.+)", re.DOTALL)
TIME_CHARS_MAX = 80
"""Of the words at the end of a /remind that say when."""
PEOPLE_NAMED_MAX = 50
"""Of one /invite."""


async def run(call: Call) -> Answer:
    """Carry out a command: one of ours as the method that it stands for, or an app's, whose answer is said at once."""
    args = call.args
    name = args.text("command").strip().lower()
    name = name if name.startswith("/") else f"/{name}"
    if name in BUILT_IN:
        method, arguments = await _meaning(call, name, args.text("text").strip())
        found = _METHODS.get(method)
        if found is None:
            raise Refused("command_not_found")
        # Also where the command goes elsewhere: it is given in a conversation.
        await call.services.directory.find(call.caller, args.text("channel"))
        parsed = parse(found.args, {key: value for key, value in arguments.items() if value is not None})
        return await found.handler(Call(call.caller, parsed, call.services, call.origin))
    await call.services.apps.commands.run(
        call.caller, call.origin, args.text("channel"), name, args.text("text"), args.stamp("thread_ts") or 0
    )
    return {}


async def _meaning(call: Call, name: str, text: str) -> tuple[str, Arguments]:
    """Return the method that a command stands for, and its arguments."""
    method, arguments_of = _MEANINGS[name]
    return method, await arguments_of(call, text)


async def _here(call: Call, text: str) -> Arguments:
    return {"channel": call.args.text("channel")}


async def _there(call: Call, text: str) -> Arguments:
    found = _CHANNEL.match(text)
    return {"channel": found[1] if found else text.split(maxsplit=1)[0].removeprefix("#") if text else None}


def _saying(field: str, ending: str = "") -> Callable[[Call, str], Awaitable[Arguments]]:
    async def arguments(call: Call, text: str) -> Arguments:
        said = f"{text} {ending}".strip() if ending else text
        return {"channel": call.args.text("channel"), field: said, "thread_ts": call.args.raw.get("thread_ts")}

    return arguments


def _being(presence: str) -> Callable[[Call, str], Awaitable[Arguments]]:
    async def arguments(call: Call, text: str) -> Arguments:
        return {"presence": presence}

    return arguments


async def _people(call: Call, text: str) -> Arguments:
    words = text.split()
    place = next((found[1] for word in words if (found := _CHANNEL.match(word))), call.args.text("channel"))
    named = [word for word in words if not _CHANNEL.match(word)][:PEOPLE_NAMED_MAX]
    ids = ",".join([await _user_id(call, word) for word in named])
    return {"channel": place, "users": ids, "user": ids}


async def _message(call: Call, text: str) -> Arguments:
    who, _, said = text.partition(" ")
    return {"channel": await _user_id(call, who) if who else None, "text": said.strip()}


async def _reminder(call: Call, text: str) -> Arguments:
    """Take it apart: who, what, and when; as much of the end as can be read as a time."""
    found = _REMINDED.fullmatch(text)
    if found is None:
        return {"text": text}
    who, what = found["who"], found["text"]
    user_id = await _user_id(call, who) if who and who != "me" else None
    for gap in re.finditer(r"\s+", what):
        if len(what) - gap.end() <= TIME_CHARS_MAX and is_time(what[gap.end() :]):
            return {"text": what[: gap.start()], "time": what[gap.end() :], "user": user_id}
    return {"text": what, "user": user_id}


async def _user_id(call: Call, word: str) -> str:
    found = _USER.match(word)
    if found:
        return found[1]
    user = await call.services.workspaces.user_by_name(call.caller.team_id, word.removeprefix("@").lower())
    if user is None:
        raise Refused("user_not_found")
    return user.id


_MEANINGS: Mapping[str, tuple[str, Callable[[Call, str], Awaitable[Arguments]]]] = {
    "/me": ("chat.meMessage", _saying("text")),
    "/shrug": ("chat.postMessage", _saying("text", SHRUG)),
    "/msg": ("chat.postMessage", _message),
    "/dm": ("chat.postMessage", _message),
    "/topic": ("conversations.setTopic", _saying("topic")),
    "/rename": ("conversations.rename", _saying("name")),
    "/invite": ("conversations.invite", _people),
    "/kick": ("conversations.kick", _people),
    "/remove": ("conversations.kick", _people),
    "/join": ("conversations.join", _there),
    "/open": ("conversations.join", _there),
    "/leave": ("conversations.leave", _here),
    "/part": ("conversations.leave", _here),
    "/close": ("conversations.leave", _here),
    "/archive": ("conversations.archive", _here),
    "/unarchive": ("conversations.unarchive", _here),
    "/who": ("conversations.members", _here),
    "/away": ("users.setPresence", _being("away")),
    "/active": ("users.setPresence", _being("auto")),
    "/remind": ("reminders.add", _reminder),
}
_FAMILIES = (chat.METHODS, conversations.METHODS, conversation_changes.METHODS, users.METHODS, reminders.METHODS)
_METHODS: Mapping[str, Method] = {method.name: method for family in _FAMILIES for method in family}

METHODS = (
    Method(
        "chat.command",
        run,
        (
            CHANNEL,
            Arg("command", required=True, missing="command_not_found"),
            Arg("text"),
            Arg("thread_ts", Kind.STAMP),
        ),
        writes=True,
        scopes=OURS,
        tokens=PEOPLE,
        tier=Tier.T3,
    ),
)
