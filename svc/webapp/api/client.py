"""client.*: ours. The slim boot, and over HTTP what a socket answers as lazy queries."""

from __future__ import annotations

from collections.abc import Mapping

from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.errors import NotFoundError
from svc.kit.ids import is_id
from svc.shapes import lazy
from svc.shapes.lazy import MEMBERS_MAX, NEAR_MAX, PREFIX_CHARS_MAX, SEARCH_MAX
from svc.shapes.positions import TokenMalformed, decode
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.api.rtm import COLD, SOCKET_ARGS, socket_of
from svc.webapp.domain.boot.rate import BootClass
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.priority import Priority

MEMBERS_DEFAULT = 200


def _precheck_boot(services: Services, raw: Mapping[str, object]) -> None:
    """Take whoever says that it was here at its word: the boot itself looks closer."""
    is_back = BootClass.RECONNECT if raw.get("reconnect") else BootClass.COLD
    services.boot_gate.check(BootClass.RESUME if raw.get("since") else is_back)


async def boot(call: Call) -> Answer:
    """Return what a client draws its first screen from and where it connects, or what of that changed `since`."""
    args = call.args
    since = _since(args.text("since"))
    with call.services.boot_gate.booting(_class_of(call, since)):
        # The socket of a cold boot resumes too, from the boot's own token; the gateway is told who waits longer.
        socket = socket_of(call, () if since else (COLD,))
        boot = await call.services.boots.boot(call.caller, since, args.text("channel"))
        await call.services.sessions.check_again(call.caller)
        return {**socket(boot.vouched), **boot.answer}


def _since(token: str) -> Mapping[str, int]:
    if not token:
        return {}
    try:
        return decode(token)
    except TokenMalformed:
        raise _invalid("since", "must be a token as an earlier answer gave it") from None


def _class_of(call: Call, since: Mapping[str, int]) -> BootClass:
    if since:
        return BootClass.RESUME
    return BootClass.RECONNECT if call.args.flag("reconnect") else BootClass.COLD


async def objects(call: Call) -> Answer:
    """Return users and public channels by id, those that the client has in this version left out."""
    ids = call.args.mapping("ids")
    try:
        known = lazy.known_objects({each: version for each, version in ids.items() if is_id(each, "UWC")})
    except ValueError as error:
        raise _invalid("ids", str(error)) from None
    found = await call.services.models.objects(edge.GetObjectsRequest(team_id=call.caller.team_id, objects=known))
    found.unknown_ids.extend(each for each in ids if not is_id(each, "UWC"))
    return lazy.objects_answer(found, now_s=_now_s(call), joined=await _joined(call))


async def search(call: Call) -> Answer:
    """Find users and public channels by the beginning of a name, those whom the caller deals with first."""
    args = call.args
    kinds, prefix = args.names("kinds"), args.text("prefix")
    if not all(each in lazy.KINDS for each in kinds):
        raise _invalid("kinds", f"must be some of {', '.join(lazy.KINDS)}")
    if len(prefix) > PREFIX_CHARS_MAX:
        raise _invalid("prefix", f"must have at most {PREFIX_CHARS_MAX} characters")
    request = edge.SearchRequest(
        team_id=call.caller.team_id,
        user_id=call.caller.user_id,
        prefix=prefix,
        kinds=[lazy.KINDS[each] for each in kinds],
        limit=args.number("limit"),
        near_ids=[each for each in args.names("near") if is_id(each, "UWC")][:NEAR_MAX],
        include_inactive=args.flag("inactive"),
    )
    found = await call.services.models.search(request)
    return lazy.search_answer(found, now_s=_now_s(call), joined=await _joined(call))


async def members(call: Call) -> Answer:
    """Return a page of the ids of a conversation's members, in order of id."""
    channel_id, cursor = call.args.text("channel"), call.args.text("cursor")
    if not is_id(channel_id, "CDG"):
        raise Refused("channel_not_found")
    if cursor and not is_id(cursor, "UW"):
        raise Refused("invalid_cursor")
    request = edge.ListMembersRequest(
        team_id=call.caller.team_id,
        user_id=call.caller.user_id,
        channel_id=channel_id,
        after_user_id=cursor,
        limit=call.args.number("limit"),
    )
    try:
        found = await call.services.models.members(request)
    except NotFoundError:
        raise Refused("channel_not_found") from None
    last = found.user_ids[-1] if found.has_more and found.user_ids else ""
    return lazy.members_answer(found.user_ids, found.total_count, last)


async def emoji(call: Call) -> Answer:
    """Return the custom emoji, unless the client has this version of them."""
    request = edge.ListEmojiRequest(team_id=call.caller.team_id, version=call.args.number("version"))
    return lazy.emoji_answer(await call.services.models.emoji(request))


async def _joined(call: Call) -> frozenset[str]:
    return await call.services.boots.joined(call.caller.user_id)


def _now_s(call: Call) -> float:
    return call.services.clock.wall_us() / 1_000_000


def _invalid(name: str, what: str) -> Refused:
    messages = [f"[ERROR] {what} [json-pointer:/{name}]"]
    return Refused("invalid_arguments", {"response_metadata": {"messages": messages}})


METHODS = (
    Method(
        "client.boot",
        boot,
        (*SOCKET_ARGS, Arg("since"), Arg("channel")),
        precheck=_precheck_boot,
        reads_as=Priority.BOOT,
        tier=Tier.SPECIAL,
        scopes=("client",),
    ),
    Method("client.objects", objects, (Arg("ids", Kind.OBJECT, required=True),), tier=Tier.SPECIAL, scopes=("client",)),
    Method(
        "client.search",
        search,
        (
            Arg("prefix", required=True),
            Arg("kinds", Kind.LIST),
            Arg("limit", Kind.NUMBER, default=SEARCH_MAX, minimum=1, maximum=SEARCH_MAX, clamp=True),
            Arg("near", Kind.LIST),
            Arg("inactive", Kind.FLAG),
        ),
        tier=Tier.SPECIAL,
        scopes=("client",),
    ),
    Method(
        "client.members",
        members,
        (
            Arg("channel", required=True),
            Arg("cursor"),
            Arg("limit", Kind.NUMBER, default=MEMBERS_DEFAULT, minimum=1, maximum=MEMBERS_MAX, clamp=True),
        ),
        tier=Tier.SPECIAL,
        scopes=("client",),
    ),
    Method(
        "client.emoji",
        emoji,
        (Arg("version", Kind.NUMBER, maximum=2**62, clamp=True),),
        tier=Tier.SPECIAL,
        scopes=("client",),
    ),
)
