"""Lazy queries: what a client asks, as the edge is asked, and the edge's answers as the client gets them. Pure.

One form for frames over a socket and for the Web API's client.objects, client.search, client.members, client.emoji.
`v` beside Slack's fields is an object's version: whoever names it again pays nothing for an unchanged one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from parley.boot.v1 import boot_pb2 as boot
from parley.edge.v1 import edge_service_pb2 as edge
from svc.shapes.channels import channel
from svc.shapes.teams import emoji
from svc.shapes.users import user

__all__ = [
    "KINDS",
    "MEMBERS_MAX",
    "NEAR_MAX",
    "OBJECTS_MAX",
    "PREFIX_CHARS_MAX",
    "SEARCH_MAX",
    "emoji_answer",
    "encoded_user",
    "known_objects",
    "members_answer",
    "objects_answer",
    "search_answer",
    "versioned_channel",
    "versioned_user",
]

OBJECTS_MAX = 500
"""Ids in one query."""
SEARCH_MAX = 20
"""Objects that one search finds."""
PREFIX_CHARS_MAX = 64
NEAR_MAX = 200
"""Ids that a search ranks first."""
MEMBERS_MAX = 1_000
"""Members in one page. All five are the edge's contract."""

KINDS: Mapping[str, edge.ObjectKind.ValueType] = {
    "users": edge.OBJECT_KIND_USER,
    "channels": edge.OBJECT_KIND_CHANNEL,
}
"""What `kinds` of a search may name."""

_VERSION_MAX = 2**63


def known_objects(ids: Mapping[str, object]) -> list[edge.KnownObject]:
    """Return `ids` (id to the version that the client has, or None) as the edge takes it.

    Raises ValueError, with a text for the client, for more than OBJECTS_MAX and for what is no version.
    """
    if len(ids) > OBJECTS_MAX:
        raise ValueError(f"at most {OBJECTS_MAX} ids, not {len(ids)}")
    return [_known(object_id, version) for object_id, version in ids.items()]


def _known(object_id: str, version: object) -> edge.KnownObject:
    if version is None:
        return edge.KnownObject(id=object_id)
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < _VERSION_MAX:
        raise ValueError(f"{str(version)[:40]!r} is no version")
    return edge.KnownObject(id=object_id, version=version, held=True)


def objects_answer(response: edge.GetObjectsResponse, *, now_s: float, joined: Container[str]) -> dict[str, Any]:
    """Return the fields of the answer to `objects`; `joined` has the conversations that the client's user is in."""
    return {
        "users": [versioned_user(each, now_s=now_s) for each in response.users],
        "channels": [versioned_channel(each, is_member=each.id in joined) for each in response.channels],
        "unknown": list(response.unknown_ids),
    }


def search_answer(response: edge.SearchResponse, *, now_s: float, joined: Container[str]) -> dict[str, Any]:
    """Return the fields of the answer to `search`, the best first."""
    return {
        "users": [versioned_user(each, now_s=now_s) for each in response.users],
        "channels": [versioned_channel(each, is_member=each.id in joined) for each in response.channels],
    }


def members_answer(user_ids: Sequence[str], total: int, cursor: str) -> dict[str, Any]:
    """Return the fields of the answer to `members`; `cursor` is "" on the last page."""
    return {"members": list(user_ids), "total": total, "cursor": cursor}


def emoji_answer(response: edge.ListEmojiResponse) -> dict[str, Any]:
    """Return the fields of the answer to `emoji`."""
    if response.is_unchanged:
        return {"unchanged": True, "version": response.version}
    return {"emoji": emoji(response.emoji), "version": response.version}


def encoded_user(model: boot.User, *, now_s: float) -> orjson.Fragment:
    """Return `versioned_user` as JSON. The same users are shown to many, so the last ones are kept: 10 MB."""
    return orjson.Fragment(_encoded_user(model.SerializeToString(), int(now_s // 3600)))


@lru_cache(maxsize=8_192)
def _encoded_user(serialized: bytes, hour: int) -> bytes:
    return orjson.dumps(versioned_user(boot.User.FromString(serialized), now_s=hour * 3600))


def versioned_user(model: boot.User, *, now_s: float) -> dict[str, Any]:
    """Return the user object with its version."""
    return user(model, now_s=now_s) | {"v": model.version}


def versioned_channel(model: boot.Channel, *, is_member: bool) -> dict[str, Any]:
    """Return the conversation object with its version."""
    return channel(model, is_member=is_member) | {"v": model.version}
