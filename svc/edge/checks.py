"""Pure: what a request to an edge may ask; each refusal names the field, its limit and what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parley.edge.v1 import edge_service_pb2 as pb
from svc.edge.models.names import AFFINITY_MAX, HITS_MAX, PREFIX_CHARS_MAX
from svc.kit.errors import InvalidArgumentError
from svc.kit.ids import is_id

OBJECTS_MAX = 500
"""Objects in one request, as the contract says; users described by one boot as well."""
CHANNELS_MAX = 100_000
"""Channels that one boot may ask about, as the contract says: all that a user can be in."""
BOOTS_MAX, BOOTS_CHANNELS_MAX = 64, 20_000
"""Boots answered together, and what they ask about together, as the contract says."""
MEMBERS_MAX, MEMBERS_DEFAULT = 1_000, 200
"""Members in one page, as the contract says."""


RECENT_MAX = 100
"""Direct messages whose people are described beside those who are named, as the contract says."""


def team(team_id: str) -> str:
    """Return the id of a workspace. Raises InvalidArgumentError."""
    return _id(team_id, "T", "team_id", "a workspace's")


def user(user_id: str, subject: str = "user_id") -> str:
    """Return the id of a user. Raises InvalidArgumentError."""
    return _id(user_id, "UW", subject, "a user's")


def booting(request: pb.BootRequest) -> None:
    """Raise InvalidArgumentError for a boot that asks for too much, or for things of other kinds."""
    team(request.team_id)
    user(request.user_id)
    _bound("channel_ids", len(request.channel_ids), CHANNELS_MAX)
    _bound("user_ids", len(request.user_ids), OBJECTS_MAX)
    _bound("near_ids", len(request.near_ids), AFFINITY_MAX)
    for channel_id in request.channel_ids:
        _id(channel_id, "CDGTUW", "channel_ids", "a channel's")
    for user_id in request.user_ids:
        user(user_id, "user_ids")
    _near(request.near_ids)
    _bound("recent_max", request.recent_max, RECENT_MAX)
    if len(request.peer_ids) not in (0, len(request.channel_ids)):
        raise InvalidArgumentError(
            f"peer_ids: {len(request.peer_ids)} of {len(request.channel_ids)} channels",
            subject="peer_ids",
            limit=len(request.channel_ids),
            actual=len(request.peer_ids),
        )
    for peer_id in filter(None, request.peer_ids):
        user(peer_id, "peer_ids")


def booting_together(request: pb.BootManyRequest) -> str:
    """Return whose workspace these boots are of. Raises InvalidArgumentError; each is looked at by itself later."""
    _bound("boots", len(request.boots), BOOTS_MAX)
    _bound("channel_ids", sum(len(each.channel_ids) for each in request.boots), BOOTS_CHANNELS_MAX)
    teams = {each.team_id for each in request.boots}
    if len(teams) != 1:
        raise InvalidArgumentError(f"boots: of {len(teams)} workspaces", subject="boots", limit=1, actual=len(teams))
    return team(teams.pop())


def objects(known: Sequence[pb.KnownObject]) -> None:
    """Raise InvalidArgumentError for too many objects and for ids of other things."""
    _bound("objects", len(known), OBJECTS_MAX)
    for each in known:
        _id(each.id, "UWC", "objects", "a user's or a channel's")


def searching(request: pb.SearchRequest) -> str:
    """Return the prefix to look for, without its @ or #. Raises InvalidArgumentError."""
    team(request.team_id)
    user(request.user_id)
    prefix = request.prefix[1:] if request.prefix[:1] in ("@", "#") else request.prefix
    _bound("prefix", len(prefix), PREFIX_CHARS_MAX)
    _bound("limit", request.limit, HITS_MAX)
    _bound("near_ids", len(request.near_ids), AFFINITY_MAX)
    for kind in request.kinds:
        if kind not in (pb.OBJECT_KIND_USER, pb.OBJECT_KIND_CHANNEL):
            raise InvalidArgumentError(f"kinds: {kind} is none that can be looked for", subject="kinds", actual=kind)
    _near(request.near_ids)
    return prefix


def members(request: pb.ListMembersRequest) -> int:
    """Return how many members a page may have. Raises InvalidArgumentError."""
    team(request.team_id)
    user(request.user_id)
    _id(request.channel_id, "CDG", "channel_id", "a conversation's")
    if request.after_user_id:
        user(request.after_user_id, "after_user_id")
    _bound("limit", request.limit, MEMBERS_MAX)
    return request.limit or MEMBERS_DEFAULT


def _near(near_ids: Iterable[str]) -> None:
    for near_id in near_ids:
        _id(near_id, "UWCDG", "near_ids", "a user's or a channel's")


def _bound(subject: str, actual: int, limit: int) -> None:
    if actual > limit:
        raise InvalidArgumentError(
            f"{subject}: {actual} is more than {limit}", subject=subject, limit=limit, actual=actual
        )


def _id(text: str, prefixes: str, subject: str, whose: str) -> str:
    if not is_id(text, prefixes):
        raise InvalidArgumentError(f"{subject}: {text[:40]!r} is not {whose} id", subject=subject)
    return text
