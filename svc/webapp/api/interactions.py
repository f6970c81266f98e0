"""What people's clients tell apps: blocks.*, shortcuts.run. Slack's own clients have such methods, undocumented."""

from __future__ import annotations

from collections.abc import Mapping

from svc.kit.ids import us_from_ts
from svc.webapp.api.apps import OURS, PEOPLE
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain.apps.actions import Container
from svc.webapp.domain.refusal import Refused

CONTAINER = Arg("container", Kind.OBJECT, required=True)
_INVALID = {"response_metadata": {"messages": ["[ERROR] not a container [json-pointer:/container]"]}}


async def actions(call: Call) -> Answer:
    """Tell an app that the caller clicked something of it in a message or a view."""
    args = call.args
    await call.services.apps.actions.click(
        call.caller, call.origin, container_of(args.mapping("container")), args.array("actions"), args.mapping("state")
    )
    return {}


async def suggestions(call: Call) -> Answer:
    """Ask an app what one of its menus offers."""
    args = call.args
    return await call.services.apps.actions.options(
        call.caller,
        container_of(args.mapping("container")),
        args.text("block_id"),
        args.text("action_id"),
        args.text("value"),
    )


async def shortcut(call: Call) -> Answer:
    """Tell an app that the caller wants one of its shortcuts, with `channel` and `message_ts` about a message."""
    args = call.args
    await call.services.apps.actions.shortcut(
        call.caller,
        call.origin,
        args.text("app_id"),
        args.text("callback_id"),
        args.text("channel"),
        args.stamp("message_ts") or 0,
    )
    return {}


def container_of(given: Mapping[str, object]) -> Container:
    """Return a container as Slack's clients describe one. Refused `invalid_arguments`."""

    def text(name: str) -> str:
        value = given.get(name, "")
        if not isinstance(value, str):
            raise Refused("invalid_arguments", _INVALID)
        return value

    if text("type") == "view":
        return Container(view_id=text("view_id"))
    try:
        ts_us = us_from_ts(text("message_ts"))
    except ValueError:
        raise Refused("invalid_arguments", _INVALID) from None
    blocks = given.get("blocks")
    return Container(
        text("channel_id"),
        ts_us,
        is_ephemeral=given.get("is_ephemeral") is True,
        bot_id=text("bot_id"),
        blocks=blocks if isinstance(blocks, list) else (),
        seal=text("seal"),
    )


METHODS = (
    Method(
        "blocks.actions",
        actions,
        (CONTAINER, Arg("actions", Kind.ARRAY, required=True), Arg("state", Kind.OBJECT)),
        writes=True,
        scopes=OURS,
        tokens=PEOPLE,
    ),
    Method(
        "blocks.suggestions",
        suggestions,
        (CONTAINER, Arg("block_id"), Arg("action_id", required=True), Arg("value", blank=True)),
        scopes=OURS,
        tokens=PEOPLE,
    ),
    Method(
        "shortcuts.run",
        shortcut,
        (
            Arg("app_id", required=True, missing="app_not_found"),
            Arg("callback_id", required=True, missing="shortcut_not_found"),
            Arg("channel"),
            Arg("message_ts", Kind.STAMP),
        ),
        writes=True,
        scopes=OURS,
        tokens=PEOPLE,
    ),
)
