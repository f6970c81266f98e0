"""Connections: what picows reads goes to the session, what is pushed in one turn of the loop leaves in one write.

Joining all frames that are pending for a socket into one write is the largest lever that fan-out has (4 frames a write:
4 times the deliveries a second). So `push` only collects, and the outbox writes every touched line once a turn.
We write frames ourselves, below picows, so that there is one order of bytes: ours. The outbox writes to the socket, as
long as the transport has nothing that must go before; what the socket does not take goes by way of the transport.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.fanout.outbox import Line, Outbox
from svc.gateway.prefetch.memory import HeldOutput, Met, fingerprint
from svc.gateway.session import Close, Send
from svc.gateway.talk import AnyAction, Talk
from svc.gateway.tickets import Ticket

CLOSE_TIMEOUT_S = 2.0
"""Seconds that a peer has to answer our Close, or to read what is written, before the socket is cut."""

HELLO_WAIT_S = 0.5
"""Longest that hello waits for what the session follows to be known; clients expect it within a second."""

MESSAGE_BYTES_MAX = 65_536
"""Bytes of a message that are read at all (more is closed with 1009): 4,000 emoji, escaped as ASCII, are 48,000."""

RESUME_BYTES_MAX = 256 * 1024
"""Bytes of a message while a resume frame is awaited: 20,000 positions are some 200 KB."""


class Desk(Protocol):
    """What connections report to. Called from the event loop; must not wait."""

    def opened(self, connection: Connection) -> None:
        """The handshake is over; `greet` when the session's start is settled."""
        ...

    def act(self, connection: Connection, action: AnyAction) -> None:
        """Do what a client's frame asks for (never Send or Close: those are done already)."""
        ...

    def stirred(self, connection: Connection) -> None:
        """A connection that was idle has sent something."""
        ...

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What all connections of a gateway share."""

    outbox: Outbox
    desk: Desk
    now: Callable[[], float]
    hello: bytes
    """The encoded first frame."""


class Connection(WSListener):
    """One WebSocket with its session. Implements members.Member."""

    hello_wait_s = HELLO_WAIT_S

    __slots__ = (
        "_fd",
        "_fragments",
        "_held",
        "_session",
        "_transport",
        "_wiring",
        "channels",
        "heard_at",
        "id",
        "is_aware",
        "is_closing",
        "is_greeted",
        "is_idle",
        "is_known",
        "line",
        "met",
        "number",
        "opened_unix_s",
        "team_id",
        "ticket",
        "user_id",
    )

    def __init__(
        self, wiring: Wiring, session: Talk, ticket: Ticket, name: tuple[str, int], opened_unix_s: int
    ) -> None:
        """Be the listener of a socket that is being upgraded; `name` is the id and the number of the connection."""
        self._wiring = wiring
        self._session = session
        self._transport: WSTransport | None = None
        self.line = Line(self)
        """What is pushed and waits for the end of this turn."""
        self._fd = -1
        self._held: HeldOutput | None = None
        self._fragments: bytearray | None = None
        self.ticket = ticket
        self.team_id = ticket.team_id
        self.user_id = ticket.user_id
        self.met = Met() if ticket.is_lazy_aware else None
        if self.met is not None:
            self.met.add(fingerprint(ticket.user_id))
        self.is_aware = ticket.is_aware
        self.id, self.number = name
        self.opened_unix_s = opened_unix_s
        self.heard_at = wiring.now()
        self.channels: set[str] = set()
        self.is_closing = False
        self.is_greeted = False
        self.is_known = False
        """Whether webapp has said what it follows, and so that its token was valid then."""
        self.is_idle = False
        """Whether its client has done nothing for long; see presence/reports.py."""

    @property
    def active_at(self) -> float:
        """Return when the client last sent anything but a ping (monotonic seconds)."""
        return self._session.active_at

    @property
    def unwritten_bytes(self) -> int:
        """Return the bytes that wait to be written."""
        waiting = self.line.pending_bytes + (self._held.bytes if self._held is not None else 0)
        if self._transport is None or self._transport.is_disconnected:
            return waiting
        return waiting + self._transport.underlying_transport.get_write_buffer_size()

    def greet(self) -> None:
        """Say hello, once, before anything else.

        Everything that is committed after a client has read it reaches the client, so it waits for the session's start
        to be known, but not for long.
        """
        if not self.is_greeted:
            self.is_greeted = True
            self.push(self._wiring.hello)

    def say_goodbye(self) -> None:
        """Tell the client that the connection ends soon."""
        self.greet()
        self.push(frames.GOODBYE)

    def resume_by_now(self) -> None:
        """Take no resume frame any more."""
        self._session.awaits_resume = False

    def push(self, frame: bytes) -> None:
        """Write an encoded frame at the end of this turn; nothing happens once it is closing."""
        self._wiring.outbox.push(self.line, frame)

    def revoke(self, token_prefixes: Iterable[bytes]) -> None:
        """End, with a word and a Close that says not to come back, if it was begun with one of these tokens."""
        if self.ticket.token_prefix and self.ticket.token_prefix in token_prefixes:
            self._dismiss(CloseCode.TOKEN_REVOKED, "token_revoked")

    def expire(self, now_unix_s: float) -> None:
        """End in the same way if its token's time is over."""
        if 0 < self.ticket.ends_unix_s <= now_unix_s:
            self._dismiss(CloseCode.TOKEN_EXPIRED, "token_expired")

    def _dismiss(self, code: CloseCode, why: str) -> None:
        self.push(frames.error(why))
        self.close(code, why)

    def hold(self) -> HeldOutput:
        """Write nothing from here on until `release`, or until more is held than may wait."""
        self._held = self._held or HeldOutput()
        self._held.take(self.line.take())
        self.line.is_direct = False
        return self._held

    def release(self, held: HeldOutput) -> None:
        """Write what was held, at the end of this turn."""
        if self._held is held:
            for frame in self._unheld(self.line.take()):
                self.push(frame)

    def _unheld(self, pending: list[bytes]) -> list[bytes]:
        held, self._held = self._held, None
        return pending if held is None else [*held.frames(), *pending]

    def flush(self) -> None:
        """See fanout.lines.Owner: keep what is held, close a consumer that is too slow, or let the outbox write."""
        if self._held is not None:
            self._held.take(self.line.take())
            if self._held.bytes > self._wiring.outbox.bytes_max:
                self._write(self._unheld([]))
        elif self._may_be_written_to():
            self.line.open_to(self._fd)
        else:
            self._write(self.line.take())

    def write_rest(self, rest: bytes) -> None:
        """See fanout.lines.Owner: the socket is full, or broken."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._wiring.outbox.wrote(len(rest))
            self._transport.underlying_transport.write(rest)

    def _may_be_written_to(self) -> bool:
        """Say whether bytes may pass the transport by: it has none that come before them."""
        transport = self._transport
        return (
            self._fd >= 0
            and transport is not None
            and not (transport.is_disconnected or transport.is_close_frame_sent)
            and self.line.pending_bytes <= self._wiring.outbox.bytes_max
            and transport.underlying_transport.get_write_buffer_size() == 0
        )

    def _write(self, pending: list[bytes]) -> None:
        """Write all of this by way of the transport, or close a consumer that is too slow for it."""
        transport = self._transport
        # picows closes by itself on frames that cannot be parsed: nothing may follow its Close.
        if transport is None or not pending or transport.is_disconnected or transport.is_close_frame_sent:
            return
        self.line.is_direct = False
        outbox = self._wiring.outbox
        room = outbox.bytes_max - transport.underlying_transport.get_write_buffer_size()
        joined = pending[0] if len(pending) == 1 else b"".join(pending)
        if len(joined) > room:
            self._cut_off(pending, room)
            return
        outbox.wrote(len(joined))
        transport.underlying_transport.write(joined)

    def _cut_off(self, pending: list[bytes], room: int) -> None:
        """Write what fits, so that coming back always gets on, and close."""
        outbox = self._wiring.outbox
        outbox.slow_consumers += 1
        fits = 0
        while len(pending[fits]) <= room:
            room -= len(pending[fits])
            fits += 1
        if fits and self._transport is not None:
            self._transport.underlying_transport.write(b"".join(pending[:fits]))
        self.close(CloseCode.SLOW_CONSUMER, "too much was waiting to be read: come back and resume")

    def close(self, code: CloseCode, reason: str) -> None:
        """Send what is pending and a Close frame, then end the connection when the peer answers, or after a while."""
        if self.is_closing:
            return
        self._write(self._unheld(self.line.take()))
        if not self.is_closing:  # else writing found a slow consumer
            self._send_close(code, reason)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """See picows: the upgrade is done."""
        self._transport = transport
        self._fd = _descriptor(transport)
        self._wiring.outbox.call_later(self.hello_wait_s, self.greet)
        self._wiring.desk.opened(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """See picows: the socket is gone."""
        self.is_closing = True
        self._held = None
        # Before the transport closes the socket: its number may be another's soon.
        self._fd = -1
        self.line.ended()
        self._wiring.desk.closed(self)

    def pause_writing(self) -> None:
        """See picows: told when the transport buffers much; our own limit is checked at each flush."""

    def resume_writing(self) -> None:
        """See picows."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """See picows: a frame has come, and is only valid within this call."""
        kind = frame.msg_type
        self.heard_at = self._wiring.now()
        if kind == WSMsgType.CLOSE:
            self._closed_by_peer(transport, frame)
        elif self.is_closing or transport.is_close_frame_sent:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.close(CloseCode.PROTOCOL_ERROR, "no extension was negotiated")
        elif kind == WSMsgType.PING:
            self._pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.TEXT and frame.fin and self._fragments is None:
            self._take_text(frame.get_payload_as_bytes())
        elif kind == WSMsgType.BINARY:
            self._do(self._session.binary())
        elif kind != WSMsgType.PONG:
            self._take_fragment(frame, is_first=kind == WSMsgType.TEXT)

    def _take_fragment(self, frame: WSFrame, is_first: bool) -> None:
        if is_first != (self._fragments is None):
            self.close(CloseCode.PROTOCOL_ERROR, "fragments out of order")
            return
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += frame.get_payload_as_memoryview()
        if len(self._fragments) > self._message_bytes_max:
            self._too_big()
        elif frame.fin:
            whole, self._fragments = bytes(self._fragments), None
            self._take_text(whole)

    def _take_text(self, payload: bytes) -> None:
        if len(payload) > self._message_bytes_max:
            self._too_big()
        else:
            self._do(self._session.text(payload, self.heard_at))
            if self.is_idle and self.active_at == self.heard_at:
                self._wiring.desk.stirred(self)

    @property
    def _message_bytes_max(self) -> int:
        return RESUME_BYTES_MAX if self._session.awaits_resume else MESSAGE_BYTES_MAX

    def _too_big(self) -> None:
        self.close(CloseCode.TOO_BIG, f"a message has at most {self._message_bytes_max} bytes")

    def _pong(self, payload: bytes) -> None:
        # Before hello as well: some clients ping at once, and a Pong is no message.
        for action in self._session.ping(payload, self.heard_at):
            if isinstance(action, Send):
                self.push(action.frame)
            elif isinstance(action, Close):
                self.close(action.code, action.reason)

    def _do(self, actions: Iterable[AnyAction]) -> None:
        self.greet()
        for action in actions:
            if isinstance(action, Send):
                self.push(action.frame)
            elif isinstance(action, Close):
                self.close(action.code, action.reason)
            else:
                self._wiring.desk.act(self, action)

    def _closed_by_peer(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self.is_closing and not transport.is_close_frame_sent:
            code = int.from_bytes(frame.get_payload_as_bytes()[:2]) or int(CloseCode.NORMAL)
            self._write(self._unheld(self.line.take()))
            self._send_close(code, "")
        transport.disconnect()

    def _send_close(self, code: int, reason: str) -> None:
        self.is_closing = True
        self.line.close()
        self._held = None
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        if not transport.is_close_frame_sent:
            transport.underlying_transport.write(frames.close_frame(code, reason))
        # Also the end of a peer that never reads what is written, nor answers.
        self._wiring.outbox.call_later(CLOSE_TIMEOUT_S, transport.underlying_transport.abort)


def _descriptor(transport: WSTransport) -> int:
    """Return the socket's descriptor; -1 where bytes must go by way of the transport, which encrypts them."""
    below = transport.underlying_transport
    socket = below.get_extra_info("socket")
    if socket is None or below.get_extra_info("sslcontext") is not None:
        return -1
    return int(socket.fileno())
