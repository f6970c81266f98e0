"""Pages of conversations: everything that a caller can see, or what one user is in. In order of id, from two sources.

Public conversations come from the workspace's directory; the rest is known to members only and comes from the user's
own memberships. Each source is read in order of id, so a page is a merge, and its cursor is the last id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import PAGE_MAX, Answer, Call
from svc.webapp.domain import shapes
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Conversation, ConversationKind, Membership

TYPES = Arg("types", Kind.LIST, invalid="invalid_types")

_CURSOR_KIND = "channel"
_KINDS = {
    "public_channel": ConversationKind.PUBLIC,
    "private_channel": ConversationKind.PRIVATE,
    "im": ConversationKind.IM,
    "mpim": ConversationKind.MPIM,
}


def kinds_of(types: Sequence[str]) -> tuple[ConversationKind, ...]:
    """Return the kinds that `types` names; public ones when it names none. Refused `invalid_types`."""
    if not all(name in _KINDS for name in types):
        raise Refused("invalid_types")
    return tuple(_KINDS[name] for name in types) or (ConversationKind.PUBLIC,)


async def visible(call: Call, kinds: Sequence[ConversationKind]) -> Answer:
    """Return a page of every conversation that the caller can see: public ones, and of the rest those it is in."""
    args, services = call.args, call.services
    after = pages.key_of(_CURSOR_KIND, args.text("cursor"))
    limit = args.number("limit")
    own_kinds = [kind for kind in kinds if kind is not ConversationKind.PUBLIC]
    own = await services.lookups.memberships(call.caller.user_id, after, limit + 1, own_kinds)
    public: list[Conversation] = []
    if ConversationKind.PUBLIC in kinds:
        public = await services.workspaces.directory(
            call.caller.team_id,
            after_id=after,
            limit=limit + 1,
            exclude_archived=args.flag("exclude_archived"),
            is_quiet=bool(await services.channels.quiet([call.caller.team_id])),
        )
    ids = sorted({row.id for row in public} | {row.channel_id for row in own})
    page = ids[:limit]
    known = {row.id: row for row in public} | await services.lookups.conversations(_within(page, own))
    joined = {row.channel_id: row for row in own}
    if public and page:
        joined |= await _public_memberships(call, after, page[-1])
    channels = await _objects(call, [known[i] for i in page if i in known], joined)
    return _answer(channels, page[-1] if len(ids) > limit else "")


async def listed(call: Call, user_id: str, kinds: Sequence[ConversationKind]) -> Answer:
    """Return a page of the conversations that a user is in and the caller can see. It may be shorter than `limit`."""
    args, services = call.args, call.services
    after = pages.key_of(_CURSOR_KIND, args.text("cursor"))
    limit = args.number("limit")
    found = await services.lookups.memberships(user_id, after, limit + 1, kinds)
    page = [row for row in found[:limit] if row.team_id == call.caller.team_id]
    if user_id != call.caller.user_id:
        page = [row for row in page if await _shared(call, row)]
    known = await services.lookups.conversations([row.channel_id for row in page])
    joined = {row.channel_id: row for row in page}
    channels = await _objects(call, [known[row.channel_id] for row in page if row.channel_id in known], joined)
    return _answer(channels, found[limit - 1].channel_id if len(found) > limit else "")


async def _shared(call: Call, row: Membership) -> bool:
    """Tell whether the caller may know of another user's conversation. IMs stay between their two people."""
    if row.kind is ConversationKind.PUBLIC:
        return True
    return row.kind is not ConversationKind.IM and await call.services.lookups.is_member(
        row.channel_id, call.caller.user_id
    )


def _within(page: Sequence[str], own: Iterable[Membership]) -> list[str]:
    shown = set(page)
    return [row.channel_id for row in own if row.channel_id in shown]


async def _public_memberships(call: Call, after: str, last: str) -> dict[str, Membership]:
    """Return the caller's public conversations with ids above `after`, up to `last`."""
    found: dict[str, Membership] = {}
    while True:
        rows = await call.services.lookups.memberships(call.caller.user_id, after, PAGE_MAX, (ConversationKind.PUBLIC,))
        found.update((row.channel_id, row) for row in rows)
        if len(rows) < PAGE_MAX or rows[-1].channel_id >= last:
            return found
        after = rows[-1].channel_id


async def _objects(
    call: Call, conversations: Sequence[Conversation], joined: dict[str, Membership]
) -> list[dict[str, object]]:
    if call.args.flag("exclude_archived"):
        conversations = [row for row in conversations if not row.is_archived]
    named = [row.id for row in conversations if row.kind is not ConversationKind.IM]
    counts = await call.services.lookups.count_members(named) if named else {}
    peers = sorted({joined[row.id].peer_user_id for row in conversations if row.id in joined} - {""})
    people = await call.services.lookups.users(call.caller.team_id, peers) if peers else {}
    objects = []
    for row in conversations:
        membership = joined.get(row.id)
        peer = membership.peer_user_id if membership else ""
        shape = shapes.conversation(row, is_member=membership is not None, peer_user_id=peer)
        if row.id in counts:
            shape["num_members"] = counts[row.id]
        if peer:
            shape["is_user_deleted"] = peer not in people or people[peer].deleted
        objects.append(shape)
    return objects


def _answer(channels: list[dict[str, object]], last_key: str) -> Answer:
    return {"channels": channels, "response_metadata": pages.metadata(_CURSOR_KIND, last_key)}
