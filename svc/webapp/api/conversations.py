"""conversations.*: channels, private channels, direct messages, whatever their letter."""

from __future__ import annotations

from svc.kit.ids import ts_from_us
from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, CURSOR, INCLUDE_LOCALE, LIMIT, Answer, Call, Method, Tier
from svc.webapp.api.conversation_lists import TYPES, kinds_of, visible
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.direct import Opened
from svc.webapp.domain.conversations.directory import DIRECT, Sight
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority
from svc.webapp.store.rows import ConversationKind


async def create(call: Call) -> Answer:
    """Make a conversation, with the caller in it."""
    check_team(call)
    sight = await call.services.conversations.create(
        call.caller, call.args.text("name"), is_private=call.args.flag("is_private")
    )
    return {"channel": _shape(sight)}


async def list_conversations(call: Call) -> Answer:
    """List what the caller can see: public conversations, and those of other kinds that it is in."""
    check_team(call)
    return await visible(call, kinds_of(call.args.names("types")))


async def info(call: Call) -> Answer:
    """Describe one conversation; to a member also how far it has read."""
    services = call.services
    sight = await services.directory.see(call.caller, call.args.text("channel"))
    sight = await services.directory.with_peer(call.caller, sight)
    shape = _shape(sight)
    if sight.conversation.kind in DIRECT:
        shape["is_open"] = await services.direct.is_open(call.caller, sight.conversation.id)
    if sight.peer_user_id:
        peer = await services.lookups.user(call.caller.team_id, sight.peer_user_id)
        shape["is_user_deleted"] = peer is None or peer.deleted
    if sight.is_member:
        membership = await services.lookups.membership(call.caller.user_id, sight.conversation.id)
        shape["last_read"] = ts_from_us(membership.last_read_us if membership else 0)
    if call.args.flag("include_num_members"):
        counts = await services.lookups.count_members([sight.conversation.id])
        shape["num_members"] = counts[sight.conversation.id]
    if call.args.flag("include_locale"):
        shape["locale"] = shapes.LOCALE
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
    args = call.args
    sight, errors = await call.services.conversations.invite(
        call.caller, args.text("channel"), args.names("users"), force=args.flag("force")
    )
    answer: Answer = {"channel": _shape(sight)}
    return answer | {"errors": errors} if errors else answer


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
    args, direct = call.args, call.services.direct
    if args.has("channel"):
        opened: Opened | None = await direct.open_known(call.caller, args.text("channel"))
    else:
        opened = await direct.open(call.caller, args.names("users"), create=not args.flag("prevent_creation"))
    if opened is None:
        raise Refused("channel_not_found")
    channel = _shape(opened.sight) if args.flag("return_im") else {"id": opened.sight.conversation.id}
    if opened.sight.conversation.kind is ConversationKind.MPIM:
        channel = _shape(opened.sight)
    return {"no_op": not opened.is_new, "already_open": not opened.is_new, "channel": channel}


async def close_direct(call: Call) -> Answer:
    """Put a direct message away until there is something new in it."""
    if await call.services.direct.close(call.caller, call.args.text("channel")):
        return {}
    return {"no_op": True, "already_closed": True}


def check_team(call: Call) -> None:
    """Check `team_id`, which names the workspace for tokens of several. Refused `team_access_not_granted`."""
    if call.args.text("team_id") not in ("", call.caller.team_id):
        raise Refused("team_access_not_granted")


def _shape(sight: Sight) -> dict[str, object]:
    return shapes.conversation(sight.conversation, is_member=sight.is_member, peer_user_id=sight.peer_user_id)


READ = ("channels:read", "groups:read", "im:read", "mpim:read")
WRITE = ("channels:manage", "channels:write", "groups:write", "im:write", "mpim:write")
"""Scopes: Slack asks for the one of the conversation's kind."""
INVITE = ("channels:write.invites", "groups:write.invites", "mpim:write.invites", *WRITE)
NAME = Arg("name", required=True, missing="invalid_name_required", invalid="invalid_name")
TEAM = Arg("team_id")

METHODS = (
    Method(
        "conversations.create",
        create,
        (NAME, Arg("is_private", Kind.FLAG), TEAM),
        writes=True,
        scopes=WRITE,
        tier=Tier.T2,
    ),
    Method(
        "conversations.list",
        list_conversations,
        (TYPES, Arg("exclude_archived", Kind.FLAG), LIMIT, CURSOR, TEAM),
        reads_as=Priority.BOOT,
        scopes=READ,
        tier=Tier.T2,
    ),
    Method(
        "conversations.info",
        info,
        (CHANNEL, Arg("include_num_members", Kind.FLAG), INCLUDE_LOCALE),
        scopes=READ,
    ),
    Method(
        "conversations.join", join, (CHANNEL,), writes=True, scopes=("channels:join", "channels:write"), tier=Tier.T3
    ),
    Method("conversations.leave", leave, (CHANNEL,), writes=True, scopes=WRITE, tier=Tier.T3),
    Method(
        "conversations.invite",
        invite,
        (CHANNEL, Arg("users", Kind.LIST, required=True, missing="no_user"), Arg("force", Kind.FLAG)),
        writes=True,
        scopes=INVITE,
        tier=Tier.T3,
    ),
    Method("conversations.members", members, (CHANNEL, LIMIT, CURSOR), scopes=READ, tier=Tier.T4),
    Method(
        "conversations.mark",
        mark,
        (CHANNEL, Arg("ts", Kind.STAMP, required=True, missing="invalid_timestamp", invalid="invalid_timestamp")),
        writes=True,
        scopes=WRITE,
        tier=Tier.T3,
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
        scopes=("im:write", "mpim:write"),
        tier=Tier.T3,
    ),
    Method(
        "conversations.close", close_direct, (CHANNEL,), writes=True, scopes=("im:write", "mpim:write"), tier=Tier.T2
    ),
)
