"""Pure: resuming, where a session that comes back with a token starts each channel, and the frames that say so.

A token says up to which offset its bearer has each channel. It proves nothing: what a session follows is what webapp
lists for its user, so the token of another user, or one with foreign channels in it, opens nothing.

    listed, in the token      continues after the token's offset: replayed from the log, then live
    listed, not in the token  joined meanwhile: the user's own channel, replayed, says from where (`Replay`)
    in the token, not listed  left meanwhile: not followed, and said so
    offset beyond the head    failed, told, followed from the head
    log cut off by retention  found when it is read: failed, told, followed from what is left

The list is newer than every change in the user's own channel up to the head that was listed with it. So of those
changes only the starts of joined channels count; later ones are applied as they come, as in any session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.frames import json_frame
from svc.shapes.positions import CHANNELS_MAX, TOKEN_CHARS_MAX, TokenMalformed, decode, encode
from svc.shapes.vouching import SHARED_REPLAY_MAX, Vouched

__all__ = [
    "CHANNELS_MAX",
    "SHARED_REPLAY_MAX",
    "TOKEN_CHARS_MAX",
    "Opening",
    "Replay",
    "Start",
    "TokenMalformed",
    "cold",
    "decode",
    "dropped_frame",
    "encode",
    "failed_frames",
    "position_frame",
    "positions_frames",
    "resumed",
    "vouched_for",
]


def positions_frames(positions: Sequence[tuple[str, int]], *, are_all: bool = False) -> Iterator[bytes]:
    """Say from where channels are followed: everything up to the offset is not delivered, everything above it is.

    `are_all`: nothing else is followed. A client that comes back may know of channels that its user has left since.
    """
    for start in range(0, len(positions), CHANNELS_MAX):
        end = start + CHANNELS_MAX
        frame: dict[str, object] = {"type": "positions", "token": encode(positions[start:end])}
        if are_all and end >= len(positions):
            frame["complete"] = True
        yield json_frame(frame)


def position_frame(channel_id: str, offset: int) -> bytes:
    """Say that an event was passed which has nothing for clients, so that no hole is seen."""
    return json_frame({"type": "position", "position": f"{channel_id}:{offset}"})


def dropped_frame(channel_ids: Sequence[str]) -> bytes:
    """Say that channels are followed no longer; a later `positions` begins them anew."""
    return json_frame({"type": "positions_dropped", "channels": list(channel_ids)})


def failed_frames(starts: Sequence[tuple[str, int]], is_aware: bool) -> Iterator[bytes]:
    """Say that events of channels up to these offsets, not delivered yet, are gone: reload the history."""
    for start in range(0, len(starts), CHANNELS_MAX):
        channels = [channel_id for channel_id, _ in starts[start : start + CHANNELS_MAX]]
        yield json_frame({"type": "resume_failed", "channels": channels})
    if is_aware:
        yield from positions_frames(starts)


@dataclass(frozen=True, slots=True)
class Start:
    """From where a session follows a channel."""

    channel_id: str
    after: int
    """Everything up to this offset is had."""
    head: int
    """What the channel is followed from when nobody follows it yet: `after`, or the listed head to catch up alone."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a session begins."""

    frames: Sequence[bytes]
    """What is said first."""
    starts: Sequence[Start]
    """What is followed at once; the user's own channel comes last, so its replay finds everything in place."""
    replay: Replay | None = None
    """What waits for the user's own channel, in a resumed session."""
    is_failed: bool = False
    """Whether the client hoped for more."""


class Replay:
    """What a resumed session takes from its user's own channel until that is level with the list."""

    __slots__ = ("bound", "waiting")

    def __init__(self, bound: int, waiting: Mapping[str, int]) -> None:
        """`bound`: head of the user's own channel as listed. `waiting`: listed channels not in the token, and heads."""
        self.bound = bound
        self.waiting = dict(waiting)

    def change(self, offset: int, change: event_pb.SubscriptionChange) -> event_pb.SubscriptionChange:
        """Return what of a change at this offset of the user's own channel is to be applied."""
        is_listed = offset <= self.bound
        applied = event_pb.SubscriptionChange()
        for added in change.added:
            if self.waiting.pop(added.channel_id, None) is not None or not is_listed:
                applied.added.append(added)
        if not is_listed:
            applied.removed_channel_ids.extend(change.removed_channel_ids)
            for channel_id in change.removed_channel_ids:
                self.waiting.pop(channel_id, None)
        return applied

    def rest(self) -> list[tuple[str, int]]:
        """Return (channel, listed head) of what was never announced, and wait for nothing any more."""
        rest = list(self.waiting.items())
        self.waiting.clear()
        return rest


def cold(user_id: str, listed: Sequence[tuple[str, int]], is_aware: bool, is_failed: bool = False) -> Opening:
    """Begin at the heads; `is_failed`: the client had a token, and learns that it is of no use."""
    frames: list[bytes] = []
    if is_failed:
        frames += failed_frames(listed, is_aware=False)
    if is_aware:
        frames += positions_frames(listed, are_all=True)
    return Opening(frames, _own_last(user_id, [Start(each, head, head) for each, head in listed]), None, is_failed)


def vouched_for(user_id: str, vouched: Vouched | None, token: str) -> list[tuple[str, int]] | None:
    """Return what a session with this token follows, as `resumed` is told it; None when webapp has to be asked.

    The heads are the lowest that they may be: the token's, and for the user's own channel the one of the ticket.
    """
    if vouched is None:
        return None
    try:
        had = decode(token)
    except TokenMalformed:
        return None
    if user_id not in had or not vouched.covers(had):
        return None
    return list((had | {user_id: max(had[user_id], vouched.own_head)}).items())


def resumed(user_id: str, listed: Sequence[tuple[str, int]], token: str) -> Opening:
    """Begin where the token says. A token that is malformed, or not this user's, is as good as none."""
    try:
        had = decode(token)
    except TokenMalformed:
        had = {}
    if user_id not in had:
        return cold(user_id, listed, is_aware=True, is_failed=True)
    starts: list[Start] = []
    failed: list[tuple[str, int]] = []
    waiting: dict[str, int] = {}
    for channel_id, head in listed:
        after = had.pop(channel_id, None)
        if after is None:
            waiting[channel_id] = head
        elif after > head:
            failed.append((channel_id, head))
            starts.append(Start(channel_id, head, head))
        else:
            starts.append(Start(channel_id, after, head))
    frames = [json_frame({"type": "resumed", "channels": len(starts) - len(failed)})]
    frames += [dropped_frame(tuple(had))] if had else []
    frames += failed_frames(failed, is_aware=True)
    if sum(start.head - start.after for start in starts) <= SHARED_REPLAY_MAX:
        starts = [Start(start.channel_id, start.after, start.after) for start in starts]
    bound = next((head for channel_id, head in listed if channel_id == user_id), 0)
    return Opening(frames, _own_last(user_id, starts), Replay(bound, waiting), bool(failed))


def _own_last(user_id: str, starts: list[Start]) -> list[Start]:
    return sorted(starts, key=lambda start: start.channel_id == user_id)
