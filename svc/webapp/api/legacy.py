"""channels.*, groups.*, im.* and mpim.*: what conversations.* was called before, for clients that still say so.

Each is a line of a table: what it is called now, what its arguments are called now, what is given besides, and what its
answer calls things. The rules, scopes and limits are those of the method that it stands for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from svc.webapp.api import conversation_changes, conversations, history
from svc.webapp.api.arguments import Arg, Args, Value
from svc.webapp.api.call import PAGE_MAX, Answer, Call, Method
from svc.webapp.domain.refusal import Refused

__all__ = ["METHODS", "Alias"]

CURRENT = {each.name: each for each in (*conversations.METHODS, *conversation_changes.METHODS, *history.METHODS)}


@dataclass(frozen=True, slots=True)
class Alias:
    """One method under an old name."""

    name: str
    now: str
    """The method of conversations.* that it is."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Its arguments with another name: the old one to the one of today."""
    given: Mapping[str, Value] = field(default_factory=dict)
    """Arguments of today that the old name implies."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Keys of the answer: the one of today to the old one."""

    def method(self) -> Method:
        """Return it as a method of its own."""
        target = CURRENT[self.now]
        olds = {new: old for old, new in self.renamed.items()}
        args = tuple(replace(arg, name=olds.get(arg.name, arg.name)) for arg in target.args)
        return replace(
            target, name=self.name, args=tuple(arg for arg in args if arg.name not in self.given), handler=self._run
        )

    async def _run(self, call: Call) -> Answer:
        answer = await CURRENT[self.now].handler(replace(call, args=self.translated(call.args)))
        return {self.answers.get(key, key): value for key, value in answer.items()}

    def translated(self, args: Args) -> Args:
        """Return the arguments as the method of today has them."""
        given = {self.renamed.get(name, name): value for name, value in args.given.items()}
        return Args({**given, **self.given}, args.raw)


_GROUP = {"channel": "group"}
_COUNT = {"count": "limit"}
_USER = {"user": "users"}


def _common(family: str, *names: str) -> tuple[Alias, ...]:
    """Return aliases that differ in nothing but their family."""
    return tuple(Alias(f"{family}.{name}", f"conversations.{name}") for name in names)


def _reading(family: str) -> tuple[Alias, ...]:
    """Return the aliases that all four families have."""
    return (
        Alias(f"{family}.history", "conversations.history", renamed=_COUNT),
        Alias(f"{family}.replies", "conversations.replies", renamed={"thread_ts": "ts"}),
        *_common(family, "mark"),
    )


ALIASES = (
    *_common("channels", "archive", "unarchive", "create", "kick", "leave", "rename", "setTopic", "setPurpose"),
    *_reading("channels"),
    Alias("channels.list", "conversations.list", given={"types": ("public_channel",)}),
    Alias("channels.invite", "conversations.invite", renamed=_USER),
    *_common("groups", "archive", "unarchive", "close", "kick", "leave", "setTopic", "setPurpose"),
    *_reading("groups"),
    Alias("groups.create", "conversations.create", given={"is_private": True}, answers=_GROUP),
    Alias("groups.invite", "conversations.invite", renamed=_USER, answers=_GROUP),
    Alias(
        "groups.list",
        "conversations.list",
        given={"types": ("private_channel", "mpim")},
        answers={"channels": "groups"},
    ),
    Alias("groups.open", "conversations.open"),
    Alias("groups.rename", "conversations.rename"),
    *_common("im", "close"),
    *_reading("im"),
    Alias("im.list", "conversations.list", given={"types": ("im",)}, answers={"channels": "ims"}),
    Alias("im.open", "conversations.open", renamed=_USER),
    *_common("mpim", "close"),
    *_reading("mpim"),
    Alias("mpim.list", "conversations.list", given={"types": ("mpim",)}, answers={"channels": "groups"}),
    Alias("mpim.open", "conversations.open", answers=_GROUP),
)


def _with_members(key: str) -> Callable[[Call], Awaitable[Answer]]:
    """Return conversations.info as it was: with the ids of the members (the first PAGE_MAX) in the object."""

    async def info(call: Call) -> Answer:
        answer = await conversations.info(call)
        services = call.services
        sight = await services.directory.see(call.caller, call.args.text("channel"))
        return {key: answer["channel"] | {"members": list(await services.directory.members(sight, "", PAGE_MAX))}}

    return info


async def join_by_name(call: Call) -> Answer:
    """Put the caller into the channel of a name, or one that is made for it."""
    name = "#" + call.args.text("name").removeprefix("#")
    given: dict[str, Value] = {"channel": name, "name": name}
    now = replace(call, args=Args(given, call.args.raw))
    try:
        answer = await conversations.join(now)
    except Refused as refusal:
        if refusal.code != "channel_not_found":
            raise
        return await conversations.create(now)
    return answer | {"already_in_channel": True} if "warning" in answer else answer


_INFO = CURRENT["conversations.info"]
_JOIN = CURRENT["conversations.join"]

METHODS = (
    *(alias.method() for alias in ALIASES),
    replace(_INFO, name="channels.info", handler=_with_members("channel")),
    replace(_INFO, name="groups.info", handler=_with_members("group")),
    replace(
        _JOIN,
        name="channels.join",
        handler=join_by_name,
        args=(Arg("name", required=True, missing="invalid_name_required", invalid="invalid_name"),),
        scopes=(*_JOIN.scopes, *conversations.WRITE),
    ),
)
