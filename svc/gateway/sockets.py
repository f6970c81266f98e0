"""Connections: what picows reads goes to the session, whose answers, and whatever else is pushed, are written.

See svc.gateway.writing for how that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from picows import WSFrame, WSMsgType, WSTransport

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.prefetch.memory import Met, fingerprint
from svc.gateway.session import Close, Send
from svc.gateway.talk import AnyAction, Talk
from svc.gateway.tickets import Ticket
from svc.gateway.writing import Writer

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


class Connection(Writer):
    """One WebSocket with its session. Implements members.Member."""

    hello_wait_s = HELLO_WAIT_S

    __slots__ = (
        "_fragments",
        "_session",
        "_wiring",
        "channels",
        "heard_at",
        "id",
        "is_aware",
        "is_greeted",
        "is_idle",
        "is_known",
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
        super().__init__(wiring.outbox)
        self._wiring = wiring
        self._session = session
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
        self.is_greeted = False
        self.is_known = False
        """Whether webapp has said what it follows, and so that its token was valid then."""
        self.is_idle = False
        """Whether its client has done nothing for long; see presence/reports.py."""

    @property
    def active_at(self) -> float:
        """Return when the client last sent anything but a ping (monotonic seconds)."""
        return self._session.active_at

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

    def on_ws_connected(self, transport: WSTransport) -> None:
        """See picows: the upgrade is done."""
        self._opened(transport)
        self._wiring.outbox.call_later(self.hello_wait_s, self.greet)
        self._wiring.desk.opened(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """See picows: the socket is gone."""
        self._ended()
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
