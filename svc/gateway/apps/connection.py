"""One Socket Mode connection: a WebSocket like others, with other words at its beginning and its end."""

from __future__ import annotations

from svc.gateway.apps import frames
from svc.gateway.apps.session import AppSession
from svc.gateway.apps.silence import Silence, Standing
from svc.gateway.close_codes import CloseCode
from svc.gateway.frames import ping_frame, text_frame
from svc.gateway.sockets import RESUME_BYTES_MAX, Connection, Wiring
from svc.gateway.tickets import Ticket

FOR_GOOD = frozenset({CloseCode.TOKEN_REVOKED, CloseCode.TOKEN_EXPIRED, CloseCode.USER_GONE})
"""Codes of connections whose apps are not to come back."""


class AppConnection(Connection):
    """One WebSocket of an app."""

    # Long enough for another owner to take over: what happens before that one has begun may not reach a new app.
    hello_wait_s = 6.0

    __slots__ = ("_host", "_is_dismissed", "_lifetime_s", "_silence", "connection_count", "is_leaving", "opened_at")

    def __init__(
        self,
        wiring: Wiring,
        ticket: Ticket,
        name: tuple[str, int],
        opened_unix_s: int,
        host: str,
        lifetime_s: float,
        silent_s: float,
    ) -> None:
        """Be the listener of a socket that is being upgraded, at the gateway `host`; for `silent_s` see Silence."""
        now = wiring.now()
        super().__init__(wiring, AppSession(now), ticket, name, opened_unix_s)
        self._host = host
        self._lifetime_s = lifetime_s
        self._is_dismissed = False
        self._silence = Silence(silent_s)
        self.opened_at = now
        self.connection_count = 1
        """Connections of the app, as its owner says."""
        self.is_leaving = False
        """Whether its client was told that it ends soon."""

    def greet(self) -> None:
        """Say hello, once: when the owner has said how many there are, or does not say it for a while."""
        if not self.is_greeted:
            self.is_greeted = True
            self.push(frames.hello(self.ticket.app_id, self.connection_count, self._host, self._lifetime_s))

    def deliver(self, envelope: bytes) -> None:
        """Write an envelope; hello comes before any."""
        self.greet()
        self.push(text_frame(envelope))
        self._silence.sent(self._wiring.now(), self.heard_at)

    def is_silent(self, now: float) -> bool:
        """Tell whether the client has said nothing for too long to what it was given; pings it when that is doubtful.

        Asked now and then.
        """
        standing = self._silence.look(now, self.heard_at)
        if standing is Standing.DOUBTED:
            self.push(ping_frame(b"%d" % (now * 1000)))
        return standing is Standing.SILENT

    def say_goodbye(self) -> None:
        """Warn the client that the connection ends soon; its owner gives it nothing new."""
        if not self.is_leaving and not self.is_closing:
            self.is_leaving = True
            self.greet()
            self.push(frames.disconnect(frames.WARNING, self._host))

    def dismiss(self, code: CloseCode, reason: str) -> None:
        """Tell the client why the connection ends, and end it."""
        if not self._is_dismissed and not self.is_closing:
            self._is_dismissed = True
            self.push(frames.disconnect(reason, self._host))
        super().close(code, reason)

    def close(self, code: CloseCode, reason: str) -> None:
        """See Connection.close: with the word of Socket Mode for whether to come back."""
        self.dismiss(code, frames.LINK_DISABLED if code in FOR_GOOD else frames.REFRESH)

    @property
    def _message_bytes_max(self) -> int:
        # An acknowledgement may carry a whole view.
        return RESUME_BYTES_MAX
