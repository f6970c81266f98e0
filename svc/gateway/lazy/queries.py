"""Pure: lazy queries, from the frames that ask to the requests that the edge takes.

    {"id":1,"type":"objects","ids":{"U1":12,"C2":null}}      users and channels by id, with the versions that one has
    {"id":2,"type":"search","prefix":"an","kinds":["users"],"limit":20,"near":["U1"],"inactive":false}
    {"id":3,"type":"members","channel":"C1","cursor":"","limit":200}
    {"id":4,"type":"emoji","version":7}

Requests leave here without a team and a user: those are the ticket's, whatever a frame says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from parley.edge.v1 import edge_service_pb2 as edge
from svc.kit.config import setting
from svc.kit.ids import is_id
from svc.shapes.lazy import KINDS, MEMBERS_MAX, NEAR_MAX, OBJECTS_MAX, PREFIX_CHARS_MAX, SEARCH_MAX, known_objects

Request = edge.GetObjectsRequest | edge.SearchRequest | edge.ListMembersRequest | edge.ListEmojiRequest


@dataclass(frozen=True, slots=True)
class QueryRate:
    """How often one connection may ask."""

    queries_per_s: float = setting(
        "PARLEY_GATEWAY_QUERIES_PER_S",
        default=20.0,
        minimum=0.1,
        help="lazy queries a second that a client may make; more lets one take more of the gateway and the edge from "
        "others; someone who types fast into a search makes ten",
    )
    queries_burst: int = setting(
        "PARLEY_GATEWAY_QUERIES_BURST",
        default=100,
        minimum=1,
        help="lazy queries that a client may save up; as many may come at once from each",
    )


@dataclass(frozen=True, slots=True)
class Query:
    """Ask the edge, and answer with this `reply_to`."""

    reply_to: Any
    request: Request
    unknown: tuple[str, ...] = ()
    """Ids asked for that nothing can have: answered without asking."""


def read(kind: str, number: Any, frame: Mapping[str, Any]) -> Query:
    """Return what a frame of one of KINDS_OF_QUERY asks. Raises ValueError, with a sentence for the client."""
    return _READERS[kind](number, frame)


def _objects(number: Any, frame: Mapping[str, Any]) -> Query:
    ids = frame.get("ids")
    if not isinstance(ids, dict) or len(ids) > OBJECTS_MAX:
        raise ValueError(f"ids: an object of at most {OBJECTS_MAX} ids, each with the version that you have, or null")
    objects = known_objects({each: version for each, version in ids.items() if is_id(each, "UWC")})
    unknown = tuple(each for each in ids if not is_id(each, "UWC"))
    return Query(number, edge.GetObjectsRequest(objects=objects), unknown)


def _search(number: Any, frame: Mapping[str, Any]) -> Query:
    prefix, kinds, near = frame.get("prefix"), frame.get("kinds") or [], frame.get("near") or []
    if not isinstance(prefix, str) or not 1 <= len(prefix) <= PREFIX_CHARS_MAX:
        raise ValueError(f"prefix: 1 to {PREFIX_CHARS_MAX} characters")
    if not isinstance(kinds, list) or not all(isinstance(each, str) and each in KINDS for each in kinds):
        raise ValueError(f"kinds: some of {', '.join(KINDS)}")
    if not isinstance(near, list) or len(near) > NEAR_MAX:
        raise ValueError(f"near: at most {NEAR_MAX} ids")
    request = edge.SearchRequest(
        prefix=prefix,
        kinds=[KINDS[each] for each in dict.fromkeys(kinds)],
        limit=_count(frame, "limit", SEARCH_MAX),
        near_ids=[each for each in near if isinstance(each, str) and is_id(each, "UWC")],
        include_inactive=frame.get("inactive") in (True, 1),
    )
    return Query(number, request)


def _members(number: Any, frame: Mapping[str, Any]) -> Query:
    channel_id, cursor = frame.get("channel"), frame.get("cursor") or ""
    if not isinstance(channel_id, str) or not is_id(channel_id, "CDG"):
        raise ValueError("channel: the id of a conversation")
    if not isinstance(cursor, str) or (cursor and not is_id(cursor, "UW")):
        raise ValueError("cursor: as the page before gave it, or none")
    limit = _count(frame, "limit", MEMBERS_MAX)
    return Query(number, edge.ListMembersRequest(channel_id=channel_id, after_user_id=cursor, limit=limit))


def _emoji(number: Any, frame: Mapping[str, Any]) -> Query:
    return Query(number, edge.ListEmojiRequest(version=_count(frame, "version", 2**63 - 1)))


def _count(frame: Mapping[str, Any], name: str, highest: int) -> int:
    """Return a number of 0 (not given) to `highest`."""
    count = frame.get(name)
    if count is None:
        return 0
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= highest:
        raise ValueError(f"{name}: a number up to {highest}")
    return count


_READERS: Mapping[str, Callable[[Any, Mapping[str, Any]], Query]] = {
    "objects": _objects,
    "search": _search,
    "members": _members,
    "emoji": _emoji,
}

KINDS_OF_QUERY = tuple(_READERS)
"""Types of the frames that ask."""
