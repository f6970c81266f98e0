"""conversations.*: channels, private channels, direct messages, whatever their letter."""

from __future__ import annotations

from svc.kit.ids import ts_from_us
from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, CURSOR, LIMIT, Answer, Call, Method
from svc.webapp.api.conversation_lists import TYPES, kinds_of, visible
from svc.webapp.domain import shapes
from svc.webapp.domain.direct import Opened
from svc.webapp.domain.directory import DIRECT, Sight
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority
from svc.webapp.store.rows import ConversationKind


async def create(call: Call) -> Answer:
    """Make a conversation, with the caller in it."""
    sight = await call.services.conversations.create(
        call.caller, call.args.text("name"), is_private=call.args.flag("is_private")
    )
    return {"channel": _shape(sight)}


async def list_conversations(call: Call) -> Answer:
    """List what the caller can see: public conversations, and those of other kinds that it is in."""
    return await visible(call, kinds_of(call.args.names("types")))


async def info(call: Call) -> Answer:
    """Describe one conversation; to a member also how far it has read."""
    services = call.services
    sight = await services.directory.see(call.caller, call.args.text("channel"))
    shape = _shape(await services.directory.with_peer(call.caller, sight))
    if sight.is_member:
        membership = await services.lookups.membership(call.caller.user_id, sight.conversation.id)
        shape["last_read"] = ts_from_us(membership.last_read_us if membership else 0)
    if call.args.flag("include_num_members"):
        counts = await services.lookups.count_members([sight.conversation.id])
        shape["num_members"] = counts[sight.conversation.id]
    return {"channel": shape}


async def join(call: Call) -> Answer:
    """Put the caller into a public conversation; being in it already is only worth a warning."""
    sight, was_member = await call.services.conversations.join(call.caller, call.args.text("channel"))
    answer: Answer = {"channel": _shape(sight)}
    return answer | {"warning": "already_in_channel"} if was_member else answer


async def leave(call: Call) -> Answer:
    """Take the caller out of a conversation."""
    was_member = await call.services.conversations.leave(call.caller, call.args.text("channel"))
    return {} if was_member else {"not_in_channel": True}


async def invite(call: Call) -> Answer:
    """Bring others into a conversation that the caller is in."""
    sight = await call.services.conversations.invite(call.caller, call.args.text("channel"), call.args.names("users"))
    return {"channel": _shape(sight)}


async def members(call: Call) -> Answer:
    """List the ids of a conversation's members, in order of id."""
    sight = await call.services.directory.see(call.caller, call.args.text("channel"))
    after = pages.key_of("member", call.args.text("cursor"))
    limit = call.args.number("limit")
    found = await call.services.directory.members(sight, after, limit + 1)
    page = found[:limit]
    return {
        "members": page,
        "response_metadata": pages.metadata("member", page[-1] if len(found) > limit else ""),
    }


async def mark(call: Call) -> Answer:
    """Say up to where the caller has read."""
    await call.services.marks.mark(call.caller, call.args.text("channel"), call.args.stamp("ts") or 0)
    return {}


async def open_direct(call: Call) -> Answer:
    """Open the direct message with some people, or one that exists by its id; opening twice gives the same one."""
    args = call.args
    if args.has("channel"):
        sight = await call.services.directory.see(call.caller, args.text("channel"))
        if sight.conversation.kind not in DIRECT:
            raise Refused("method_not_supported_for_channel_type")
        opened: Opened | None = Opened(await call.services.directory.with_peer(call.caller, sight), is_new=False)
    else:
        create_it = not args.flag("prevent_creation")
        opened = await call.services.direct.open(call.caller, args.names("users"), create=create_it)
    if opened is None:
        raise Refused("channel_not_found")
    channel = _shape(opened.sight) if args.flag("return_im") else {"id": opened.sight.conversation.id}
    if opened.sight.conversation.kind is ConversationKind.MPIM:
        channel = _shape(opened.sight)
    return {"no_op": not opened.is_new, "already_open": not opened.is_new, "channel": channel}


def _shape(sight: Sight) -> dict[str, object]:
    return shapes.conversation(sight.conversation, is_member=sight.is_member, peer_user_id=sight.peer_user_id)


METHODS = (
    Method(
        "conversations.create",
        create,
        (Arg("name", required=True, missing="invalid_name_required"), Arg("is_private", Kind.FLAG)),
        writes=True,
    ),
    Method(
        "conversations.list",
        list_conversations,
        (TYPES, Arg("exclude_archived", Kind.FLAG), LIMIT, CURSOR),
        reads_as=Priority.BOOT,
    ),
    Method("conversations.info", info, (CHANNEL, Arg("include_num_members", Kind.FLAG))),
    Method("conversations.join", join, (CHANNEL,), writes=True),
    Method("conversations.leave", leave, (CHANNEL,), writes=True),
    Method(
        "conversations.invite",
        invite,
        (CHANNEL, Arg("users", Kind.LIST, required=True, missing="no_user")),
        writes=True,
    ),
    Method("conversations.members", members, (CHANNEL, LIMIT, CURSOR)),
    Method(
        "conversations.mark",
        mark,
        (CHANNEL, Arg("ts", Kind.STAMP, required=True, missing="invalid_timestamp", invalid="invalid_timestamp")),
        writes=True,
    ),
    Method(
        "conversations.open",
        open_direct,
        (
            Arg("channel"),
            Arg("users", Kind.LIST),
            Arg("return_im", Kind.FLAG),
            Arg("prevent_creation", Kind.FLAG),
        ),
        writes=True,
    ),
)
