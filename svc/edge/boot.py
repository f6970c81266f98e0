"""Pure: what the edge answers from a model: boots, objects by id and version, a description."""

from __future__ import annotations

from collections.abc import Sequence

from parley.edge.v1 import edge_service_pb2 as edge
from svc.edge.model import Model
from svc.kit.errors import InvalidArgumentError, NotFoundError
from svc.kit.ids import is_id

OBJECTS_MAX = 500
"""Objects in one request, as the contract says."""


def check_team(team_id: str) -> str:
    """Return the id of a workspace. Raises InvalidArgumentError."""
    if not is_id(team_id, "T"):
        raise InvalidArgumentError(f"{team_id[:40]!r} is not a workspace's id", subject="team_id")
    return team_id


def check_user(user_id: str) -> str:
    """Return the id of a user. Raises InvalidArgumentError."""
    if not is_id(user_id, "UW"):
        raise InvalidArgumentError(f"{user_id[:40]!r} is not a user's id", subject="user_id")
    return user_id


def check_objects(objects: Sequence[edge.KnownObject]) -> Sequence[edge.KnownObject]:
    """Return the objects asked for. Raises InvalidArgumentError for too many of them and for ids of other things."""
    if len(objects) > OBJECTS_MAX:
        raise InvalidArgumentError(
            f"{len(objects)} objects; {OBJECTS_MAX} are allowed",
            subject="objects",
            limit=OBJECTS_MAX,
            actual=len(objects),
        )
    for known in objects:
        if not is_id(known.id, "UWC"):
            raise InvalidArgumentError(f"{known.id[:40]!r} is not a user's or a channel's id", subject="objects")
    return objects


def boot(model: Model, user_id: str) -> edge.BootResponse:
    """Return what `user_id` needs first. Raises NotFoundError when the workspace has no such user.

    Parses every public channel: 1 us each, 10 ms for 10,000.
    """
    user = model.users.get(user_id)
    if user is None:
        raise NotFoundError(f"workspace {model.team.id} has no user {user_id}", subject="user_id")
    return edge.BootResponse(
        team=model.team,
        self=user,
        channels=model.channels,
        user_count=len(model.users),
        model_offset=model.offset,
    )


def objects(model: Model, known: Sequence[edge.KnownObject]) -> edge.GetObjectsResponse:
    """Return what is new to the caller: an object held at our version, or a higher one, is left out."""
    response = edge.GetObjectsResponse()
    for wanted in known:
        is_channel = wanted.id.startswith("C")
        version = (model.channels if is_channel else model.users).version(wanted.id)
        if version is None:
            response.unknown_ids.append(wanted.id)
        elif wanted.held and wanted.version >= version:
            continue
        elif is_channel:
            channel = model.channels.get(wanted.id)
            response.channels.extend([channel] if channel else [])
        else:
            user = model.users.get(wanted.id)
            response.users.extend([user] if user else [])
    return response


def describe(model: Model, load_count: int) -> edge.GetModelInfoResponse:
    """Return a model's numbers."""
    return edge.GetModelInfoResponse(
        model_offset=model.offset,
        user_count=len(model.users),
        channel_count=len(model.channels),
        load_count=load_count,
    )
