"""Connections: what a client sends goes to the session, whose answers, and whatever else is pushed, are written.

See svc.gateway.writing for how that is done, and svc.gateway.websocket for how a connection comes to be one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.crowd import Ids
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.prefetch.memory import Met, fingerprint
from svc.gateway.session import Close, Send
from svc.gateway.talk import AnyAction, Talk
from svc.gateway.tickets import Ticket
from svc.gateway.websocket.reading import Broken, Frame, Kind, read_frame
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
        "_is_deaf",
        "_session",
        "_unread",
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
        self._unread: bytearray | None = None  # what has come of a frame that is not whole
        self._fragments: bytearray | None = None  # what has come of a message in parts
        self._is_deaf = False  # whether what comes cannot be understood any more
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
        self.channels = Ids()
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

    def opened(self, transport: asyncio.Transport) -> None:
        """See websocket.serving.Opened: the upgrade is done."""
        self._may_write(transport)
        self._wiring.outbox.call_later(self.hello_wait_s, self.greet)
        self._wiring.desk.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: the socket is gone."""
        self._ended()
        self._unread = self._fragments = None
        self._wiring.desk.closed(self)

    def pause_writing(self) -> None:
        """See asyncio.Protocol: told when the transport buffers much; our own limit is checked at each flush."""

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol: bytes have come, of parts of frames or of many."""
        self.heard_at = self._wiring.now()
        unread: bytes | bytearray = data
        at = 0
        if self._unread is not None:
            # Read in place: a long frame comes in many pieces.
            self._unread += data
            unread = self._unread
        try:
            while not self._is_deaf and (found := read_frame(unread, at, self._message_bytes_max)) is not None:
                frame, at = found
                self._take(frame)
        except Broken as broken:
            self._is_deaf = True
            self.close(broken.code, broken.reason)
        if self._is_deaf or at == len(unread):
            self._unread = None
        elif self._unread is None:
            self._unread = bytearray(data[at:] if at else data)
        elif at:
            del self._unread[:at]

    def _take(self, frame: Frame) -> None:
        kind = frame.kind
        if kind == Kind.CLOSE:
            self._is_deaf = True
            self._closed_by_peer(frame.payload)
        elif self.is_closing:
            return
        elif kind == Kind.PING:
            self._pong(frame.payload)
        elif kind == Kind.TEXT and frame.is_final and self._fragments is None:
            self._take_text(frame.payload)
        elif kind == Kind.BINARY:
            self._do(self._session.binary())
        elif kind != Kind.PONG:
            self._take_fragment(frame, is_first=kind == Kind.TEXT)

    def _take_fragment(self, frame: Frame, is_first: bool) -> None:
        if is_first != (self._fragments is None):
            self.close(CloseCode.PROTOCOL_ERROR, "fragments out of order")
            return
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += frame.payload
        if len(self._fragments) > self._message_bytes_max:
            self._too_big()
        elif frame.is_final:
            whole, self._fragments = bytes(self._fragments), None
            self._take_text(whole)

    def _take_text(self, payload: bytes) -> None:
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

    def _closed_by_peer(self, payload: bytes) -> None:
        transport = self._transport
        if not self.is_closing:
            code = int.from_bytes(payload[:2]) or int(CloseCode.NORMAL)
            self._write(self._unheld(self.line.take()))
            self._send_close(code, "")
        if transport is not None:
            transport.close()
