"""What must be true. Knows everything: what is committed, what was promised, and what each application was shown.

While a run goes on each word is checked as it is said; at the end, when every fault is mended and the mesh has come to
rest, everybody must have everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ops.folding import Contradiction
from ops.sim.altered import MESSAGE_COLUMNS
from ops.sim.lookups import TEAM
from ops.sim.mesh import Mesh
from ops.sim.rows import complaints, payload_of
from parley.event.v1 import event_pb2
from parley_client import tokens
from svc.kit.ids import us_from_ts
from svc.webapp.domain.shapes import SLACKBOT

if TYPE_CHECKING:
    from ops.sim.clients import Device


_USER = MESSAGE_COLUMNS.index("user_id")


class Ledger(Protocol):
    """Knows what was promised, and whether it was kept; says so with `violate` of the world."""

    def waiting(self) -> str:
        """Return what is still to come; "" when nothing is."""
        ...

    def final(self) -> None:
        """Check what can only be checked at the end."""
        ...


class Judge:
    """Omniscient. `violate` of the world ends the run."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.devices: list[Device] = []
        self.trimmed: set[str] = set()
        """Channels whose log retention has cut."""
        self.members: set[tuple[str, str]] = set()
        """(channel, user) pairs of the beginning."""
        self.said: dict[str, list[int]] = {}
        """By channel: ts of messages that were promised, in the order of the promises."""
        self.trimmed_to: dict[str, int] = {}
        """Up to where, by channel."""
        self.ledgers: list[Ledger] = []
        """Those who keep books of what was promised beside."""
        self._acked: dict[tuple[str, str, str], int] = {}
        self._tables = mesh.mysql.tables
        self._world = mesh.world

    def head(self, channel_id: str) -> int:
        """Return the highest committed offset."""
        return len(self._tables.history.get(channel_id, ()))

    # As it happens

    def acked(self, channel_id: str, user_id: str, key: str, offset: int) -> None:
        """A webapp said that a post is stored."""
        self._world.trace(user_id, "was promised", key, f"{channel_id}:{offset}")
        self._world.counts["posts acked"] += 1
        history = self._tables.history.get(channel_id, [])
        if not 0 < offset <= len(history) or _text(history[offset - 1]) != key:
            self._violate("durable before acked", f"{key} of {user_id} is not at {channel_id}:{offset}")
        if (channel_id, user_id, key) not in self._acked:
            self.said.setdefault(channel_id, []).append(us_from_ts(str(payload_of(history[offset - 1])["ts"])))
        known = self._acked.setdefault((channel_id, user_id, key), offset)
        if known != offset:
            self._violate("one client_msg_id, one event", f"{key} is at {channel_id}:{known} and at {offset}")

    def changed(self, channel_id: str, user_id: str, key: str, offset: int) -> None:
        """A webapp said that a change is stored."""
        self._world.trace(user_id, "was promised", key, f"{channel_id}:{offset}")
        self._world.counts["changes acked"] += 1
        history = self._tables.history.get(channel_id, [])
        if not 0 < offset <= len(history) or payload_of(history[offset - 1]).get("key") != key:
            self._violate("durable before acked", f"{key} of {user_id} is not at {channel_id}:{offset}")

    def arrived(self, device: Device, frame: Mapping[str, Any]) -> None:
        """A frame reached a client: each hop has dropped what it had, and left out nothing."""
        if frame.get("type") == "positions":
            device.told.update(tokens.decode(str(frame["token"])))
        elif frame.get("type") == "positions_dropped":
            for channel_id in frame["channels"]:
                device.told.pop(channel_id, None)
        position = frame.get("position")
        if not isinstance(position, str) or "ok" in frame:
            return
        self._world.trace(device.host.name, "gets", position)
        channel_id, _, place = position.partition(":")
        offset = int(place)
        if channel_id not in device.session.positions:
            self._violate("only members receive", f"{device.host.name} got {position}, which it does not follow")
        last = device.told.get(channel_id)
        device.told[channel_id] = offset
        if last is None or offset == last + 1:
            return
        if offset <= last:
            self._violate("each hop drops what it has seen", f"{device.host.name} got {position} after {last}")
        for missing in range(last + 1, offset):
            if self._origin(channel_id, missing) != (device.socket.connection_id if device.socket else ""):
                self._violate("every hole is explained", f"{device.host.name} got {position} after {last}")

    def _origin(self, channel_id: str, offset: int) -> str:
        """Return the connection that an event was posted on; it gets the acknowledgement instead."""
        return event_pb2.Event.FromString(self._tables.history[channel_id][offset - 1]).origin_connection_id

    def started(self, device: Device, channel_id: str, offset: int) -> None:
        """An application loads the history of a channel and goes on from an offset."""
        self._world.trace(device.host.name, "starts", channel_id, offset)
        if offset > self.head(channel_id):
            self._violate(
                "history plus tail equals a fresh read",
                f"{device.host.name} starts {channel_id} after {offset}, of {self.head(channel_id)}",
            )

    def handed(self, device: Device, channel_id: str, offset: int, shown: int | None) -> None:
        """An application takes the next event of a channel."""
        if shown is None:
            self._violate("only members receive", f"{device.host.name} is handed {channel_id}:{offset} out of nowhere")
        elif offset <= shown:
            self._violate("no duplicates", f"{device.host.name} is handed {channel_id}:{offset} after {shown}")
        elif offset > shown + 1:
            self._violate(
                "every hole is explained", f"{device.host.name} is handed {channel_id}:{offset} after {shown}"
            )

    def resume_failed(self, device: Device, starts: Mapping[str, int]) -> None:
        """A client is told that events are gone."""
        self._world.trace(device.host.name, "resume failed", dict(starts))
        for channel_id, start in starts.items():
            if channel_id not in self.trimmed and device.user_id not in self.trimmed:
                self._violate("nothing is given up without need", f"{device.host.name}: {channel_id}, from {start} on")
            if start > self.head(channel_id):
                self._violate("history plus tail equals a fresh read", f"{channel_id} goes on after {start}")

    # At rest

    def unsettled(self) -> str:
        """Return what somebody still waits for; empty when everybody has everything."""
        if self._tables.outbox:
            return f"in the outbox: {sorted(self._tables.outbox)[:5]}"
        if self._tables.effects:
            return f"effects: {sorted(self._tables.effects)[:5]}"
        for device in self.devices:
            if not device.is_ready:
                return f"{device.host.name} has no connection"
            expected = self._expected(device.user_id)
            if device.session.positions != expected or device.shown != expected:
                return f"{device.host.name} has {device.shown}, knows {dict(device.session.positions)}, of {expected}"
        return next(filter(None, (ledger.waiting() for ledger in self.ledgers)), "")

    def _expected(self, user_id: str) -> dict[str, int]:
        rows = self._tables.memberships
        channels = [channel_id for (user, channel_id), row in rows.items() if user == user_id and row[9]]
        return {channel_id: self.head(channel_id) for channel_id in (user_id, TEAM, *channels)}

    def final(self) -> None:
        """Check what can only be checked at the end."""
        if self._tables.rewritten:
            self._violate("offsets are dense", f"written twice, or after a hole: {self._tables.rewritten[:5]}")
        for channel_id, history in self._tables.history.items():
            self._check_log(channel_id, history)
            self._check_rows(channel_id, history)
        for user_id, channel_id in self._sides():
            is_member = (channel_id, user_id) in self._tables.members
            if is_member != bool(self._tables.memberships[user_id, channel_id][9]):
                self._violate("both sides of a membership agree", f"{user_id} in {channel_id}: {is_member}")
        self._check_mentions()
        for ledger in self.ledgers:
            ledger.final()

    def _check_mentions(self) -> None:
        """Nobody is mentioned here but by what the server says in people's notes, of which nothing is removed."""
        tables = self._tables
        notes = {key for key, row in tables.messages.items() if row[_USER] == SLACKBOT}
        told = {(user_id, *key) for channel_id, user_id in tables.members for key in notes if key[0] == channel_id}
        if tables.mentions != told:
            self._violate("mentions are what the log says", f"{sorted(tables.mentions ^ told)[:5]}")

    def _sides(self) -> Iterator[tuple[str, str]]:
        yield from self._tables.memberships

    def _check_log(self, channel_id: str, history: list[bytes]) -> None:
        seen: set[tuple[str, str]] = set()
        members = {user_id for channel, user_id in self.members if channel == channel_id}
        for place, blob in enumerate(history, start=1):
            event = event_pb2.Event.FromString(blob)
            if event.offset != place or event.channel_id != channel_id:
                self._violate("offsets are dense", f"{event.channel_id}:{event.offset} at {channel_id}:{place}")
            if b"member_joined_channel" in event.payload:
                members.add(event.sender_id)
            elif b"member_left_channel" in event.payload:
                members.discard(event.sender_id)
            if event.kind == event_pb2.EVENT_KIND_MESSAGE:
                self._check_word(event, blob, seen, members)
        self._check_texts(channel_id, history)

    def _check_word(self, event: event_pb2.Event, blob: bytes, seen: set[tuple[str, str]], members: set[str]) -> None:
        """Check a post, or a change, which has a key; what follows from others has none."""
        payload = payload_of(blob)
        is_post = payload.get("type") == "message" and "subtype" not in payload
        word = str(payload.get("key", payload.get("text", "") if is_post else ""))
        if not word:
            return
        if (event.sender_id, word) in seen:
            self._violate("one client_msg_id, one event", f"{word} of {event.sender_id} is in {event.channel_id} twice")
        if event.sender_id not in members and payload.get("user") != SLACKBOT:
            self._violate("only members post", f"{event.sender_id} at {event.channel_id}:{event.offset}")
        seen.add((event.sender_id, word))

    def _check_rows(self, channel_id: str, history: list[bytes]) -> None:
        """Compare what the tables hold of a channel with what its log amounts to."""
        try:
            wrong = complaints(self._tables, channel_id, map(payload_of, history))
        except Contradiction as contradiction:
            wrong = [f"the log contradicts itself: {contradiction}"]
        if wrong:
            self._violate("rows are what the log says", f"{channel_id}: {wrong[0]}")

    def _check_texts(self, channel_id: str, history: list[bytes]) -> None:
        for device in self.devices:
            for (shown_id, offset), text in device.texts.items():
                if shown_id == channel_id and text != _text(history[offset - 1]):
                    self._violate(
                        "history plus tail equals a fresh read", f"{device.host.name} saw {text} at {shown_id}:{offset}"
                    )

    def _violate(self, invariant: str, detail: str) -> None:
        self._world.violate(invariant, detail)


def _text(event: bytes) -> str:
    """Return a message's text; it is the last thing in its event's JSON but for the keys behind it."""
    payload = event_pb2.Event.FromString(event).payload
    _, found, rest = payload.partition(b'"text":"')
    return rest.partition(b'"')[0].decode() if found else ""
