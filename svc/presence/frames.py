"""Pure: frames of the Report stream, checked on the way in and made on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parley.presence.v1 import presence_service_pb2 as pb
from svc.kit.errors import InvalidArgumentError
from svc.kit.ids import is_id
from svc.presence.roster import UserState
from svc.presence.standing import Reported

FRAME_USERS_MAX = 4096
"""Users in one Connections or Watch frame, as the contract says."""

QUERY_USERS_MAX = 500
"""Users in one GetPresence, as the contract says."""

COUNT_MAX = 100_000
"""Sessions of one user at one gateway; a gateway holds fewer sockets than this in all, so more is a defect."""

GATEWAY_ID_BYTES_MAX = 200


def check_hello(frame: pb.ReportRequest) -> str:
    """Return the gateway id of a first frame. Raises InvalidArgumentError."""
    if frame.WhichOneof("frame") != "hello":
        raise InvalidArgumentError("the first frame must be a hello", subject="hello")
    gateway_id = frame.hello.gateway_id
    size = len(gateway_id.encode())
    if not 1 <= size <= GATEWAY_ID_BYTES_MAX:
        raise InvalidArgumentError(
            f"a gateway id has 1 to {GATEWAY_ID_BYTES_MAX} bytes",
            subject="hello.gateway_id",
            limit=GATEWAY_ID_BYTES_MAX,
            actual=size,
        )
    return gateway_id


def check_connections(frame: pb.Connections) -> list[Reported]:
    """Return what is said of each user. Raises InvalidArgumentError; then none of the frame is taken."""
    _check_size("connections.users", len(frame.users), FRAME_USERS_MAX)
    users = [
        Reported(user.user_id, user.count, user.idle_count, user.is_away_by_hand, user.away_offset, user.team_id)
        for user in frame.users
    ]
    check_users("connections.users", [user.user_id for user in users])
    for user in users:
        _check_count("count", user.user_id, user.count, COUNT_MAX)
        _check_count("idle_count", user.user_id, user.idle_count, user.count)
        if user.team_id and not is_id(user.team_id, "T"):
            raise InvalidArgumentError(f"{user.team_id[:40]!r} is not a workspace's id", subject="connections.users")
    return users


def check_watch(frame: pb.Watch) -> tuple[list[str], list[str]]:
    """Return users (added, removed). Raises InvalidArgumentError; then none of the frame is taken."""
    added, removed = list(frame.added_user_ids), list(frame.removed_user_ids)
    _check_size("watch.added_user_ids", len(added), FRAME_USERS_MAX)
    _check_size("watch.removed_user_ids", len(removed), FRAME_USERS_MAX)
    check_users("watch.added_user_ids", added)
    check_users("watch.removed_user_ids", removed)
    return added, removed


def check_query(request: pb.GetPresenceRequest) -> list[str]:
    """Return the users asked for. Raises InvalidArgumentError."""
    user_ids = list(request.user_ids)
    _check_size("user_ids", len(user_ids), QUERY_USERS_MAX)
    check_users("user_ids", user_ids)
    return user_ids


def check_users(subject: str, user_ids: Iterable[str]) -> None:
    """Raise InvalidArgumentError unless each is the id of a user."""
    for user_id in user_ids:
        if not is_id(user_id, "UW"):
            raise InvalidArgumentError(f"{user_id[:40]!r} is not a user's id", subject=subject)


def lease(lease_s: float) -> pb.ReportResponse:
    """Return the answer to a hello."""
    return pb.ReportResponse(lease=pb.Lease(lease_ms=round(lease_s * 1000)))


def changes(states: Sequence[UserState], now: float, unix_s: int) -> pb.ReportResponse:
    """Return a batch of changes."""
    return pb.ReportResponse(changes=pb.Changes(users=[user_presence(state, now, unix_s) for state in states]))


def user_presence(state: UserState, now: float, unix_s: int) -> pb.UserPresence:
    """Return a user's state for the wire; `unix_s` is the wall clock at `now`."""
    if state.connections > state.idle_connections:
        last_unix_s = unix_s
    else:
        last_unix_s = 0 if state.active_at is None else unix_s - round(now - state.active_at)
    return pb.UserPresence(
        user_id=state.user_id,
        presence=pb.PRESENCE_ACTIVE if state.active else pb.PRESENCE_AWAY,
        connection_count=state.connections,
        last_activity_unix_s=last_unix_s,
        is_away_by_hand=state.is_away_by_hand,
        team_id=state.team_id,
    )


def _check_count(name: str, user_id: str, actual: int, limit: int) -> None:
    if actual > limit:
        raise InvalidArgumentError(
            f"{actual} as {name} of {user_id}", subject=f"connections.users.{name}", limit=limit, actual=actual
        )


def _check_size(subject: str, actual: int, limit: int) -> None:
    if actual > limit:
        raise InvalidArgumentError(
            f"{subject} has {actual} entries; {limit} are allowed", subject=subject, limit=limit, actual=actual
        )
