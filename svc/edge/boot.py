"""Pure: what the edge answers from a model: boots and deltas, objects by id and version, searches, a description.

Objects go out as they are held, unparsed (wire.py). Measured with 32,000 users, 10,000 channels and 2,000 emoji, checks
and serialized form included, as ms of one processor (median, 99th percentile); tests/svc/edge/gauge.py does it again:

    a boot with 120 channels and 30 users (27 KB)               0.4    0.9
    a delta after nothing changed; after 20 changes             0.3    0.7
    10 objects by id; 500 (80 KB); 500 that the caller has      0.02   0.05;   1.2   1.9;   0.8   1.5
    a search of both kinds with 200 who are near                0.9    1.9
    all emoji (164 KB); for who has them                        0.1    0.3;    0.001
    a part of a whole model (80 KB)                             0.4    0.8
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from svc.edge.models.model import Model
from svc.edge.models.names import Query, search
from svc.edge.wire import fields
from svc.kit.errors import NotFoundError
from svc.shapes.recency import recent_peers

READ_PAGE = 500
"""Objects in one part of a whole model, as the contract says: 1 ms of work."""


def check_member(model: Model, user_id: str) -> None:
    """Raise NotFoundError unless the workspace has the user."""
    if model.users.version(user_id) is None:
        raise NotFoundError(f"workspace {model.team.id} has no user {user_id}", subject="user_id")


def boot(
    model: Model, request: edge.BootRequest, activities: Sequence[boot_pb2.ConversationActivity]
) -> edge.BootResponse:
    """Return what the user needs first, or what changed since it booted. Raises NotFoundError for a stranger.

    A delta when the model knows all that changed since the offset that the client has; everything otherwise.
    """
    check_member(model, request.user_id)
    since = request.since_model_offset
    changed = model.changes_since(since) if since else None
    response = edge.BootResponse(
        user_count=len(model.users), channel_count=len(model.channels), model_offset=model.offset
    )
    if changed is None:
        response.team.CopyFrom(model.team)
    else:
        response.is_delta = True
        response.changed_ids.extend(changed)
        response.has_changed_emoji = model.emoji.version > since
        if model.team_version > since:
            response.team.CopyFrom(model.team)
    above = -1 if changed is None else since
    channels = (channel_id for channel_id in request.channel_ids if channel_id.startswith("C"))
    _fill(response, response.SELF_FIELD_NUMBER, model.users.above([request.user_id], -1))
    _fill(response, response.CHANNELS_FIELD_NUMBER, model.channels.above(channels, above))
    people = dict.fromkeys(request.user_ids) | recent_peers(request.peer_ids, activities, request.recent_max)
    _fill(response, response.USERS_FIELD_NUMBER, model.users.above(people, above))
    response.activities.extend(activities)
    return response


def objects(model: Model, known: Sequence[edge.KnownObject]) -> edge.GetObjectsResponse:
    """Return what is new to the caller: an object held at our version, or a higher one, is left out."""
    response = edge.GetObjectsResponse()
    users: list[bytes] = []
    channels: list[bytes] = []
    for wanted in known:
        is_channel = wanted.id.startswith("C")
        found = model.channels.entry(wanted.id) if is_channel else model.users.entry(wanted.id)
        if found is None:
            response.unknown_ids.append(wanted.id)
        elif not wanted.held or wanted.version < found[0]:
            (channels if is_channel else users).append(found[1])
    _fill(response, response.USERS_FIELD_NUMBER, users)
    _fill(response, response.CHANNELS_FIELD_NUMBER, channels)
    return response


def find(model: Model, query: Query, kinds: Iterable[edge.ObjectKind.ValueType]) -> edge.SearchResponse:
    """Return the best matches of each kind asked for, of both when none is. Raises InvalidArgumentError."""
    wanted = set(kinds) or {edge.OBJECT_KIND_USER, edge.OBJECT_KIND_CHANNEL}
    response = edge.SearchResponse()
    if edge.OBJECT_KIND_USER in wanted:
        found = search(_of_kind(query, "UW"), model.user_names)
        _fill(response, response.USERS_FIELD_NUMBER, model.users.above(found, -1))
    if edge.OBJECT_KIND_CHANNEL in wanted:
        found = search(_of_kind(query, "C"), model.channel_names)
        _fill(response, response.CHANNELS_FIELD_NUMBER, model.channels.above(found, -1))
    return response


class Reading:
    """A whole model being sent, part by part, while it changes.

    What was there in the beginning is sent as it is when its turn comes; what came later is told by events after the
    first part's offset.
    """

    def __init__(self, model: Model) -> None:
        """Note what is there: 8 bytes an object."""
        self._model = model
        self._users = model.users.numbers()
        self._channels = model.channels.numbers()
        self._emoji = model.emoji.names()
        self._begun = False

    def part(self) -> edge.ReadModelResponse | None:
        """Return the next part, None when all was sent. 1 ms."""
        model, response = self._model, edge.ReadModelResponse()
        if not self._begun:
            self._begun = True
            response.team.CopyFrom(model.team)
            response.model_offset = model.offset
        elif self._users:
            page, self._users = self._users[:READ_PAGE], self._users[READ_PAGE:]
            _fill(response, response.USERS_FIELD_NUMBER, model.users.serialized(page))
        elif self._channels:
            page, self._channels = self._channels[:READ_PAGE], self._channels[READ_PAGE:]
            _fill(response, response.CHANNELS_FIELD_NUMBER, model.channels.serialized(page))
        elif self._emoji:
            names, self._emoji = self._emoji[:READ_PAGE], self._emoji[READ_PAGE:]
            _fill(response, response.EMOJI_FIELD_NUMBER, model.emoji.serialized(names))
        else:
            return None
        return response


def describe(model: Model, load_count: int, followed_count: int) -> edge.GetModelInfoResponse:
    """Return a model's numbers."""
    return edge.GetModelInfoResponse(
        model_offset=model.offset,
        user_count=len(model.users),
        channel_count=len(model.channels),
        load_count=load_count,
        emoji_count=len(model.emoji),
        model_bytes=model.bytes,
        followed_count=followed_count,
    )


def _of_kind(query: Query, letters: str) -> Query:
    """Return the query with the weights of ids of one kind alone: others are looked up in vain."""
    return replace(query, affinity={key: weight for key, weight in query.affinity.items() if key[:1] in letters})


Response = edge.BootResponse | edge.GetObjectsResponse | edge.SearchResponse | edge.ReadModelResponse


def _fill(response: Response, number: int, messages: Iterable[bytes]) -> None:
    """Put serialized messages into a field of a response."""
    response.MergeFromString(fields(number, messages))
