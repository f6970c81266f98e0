"""What a connection writes: in one order, within bounds, and never after a Close.

Joining all frames that are pending for a socket into one write is the largest lever that fan-out has (4 frames a write:
4 times the deliveries a second). So `push` only collects, and the outbox writes every touched line once a turn.
There is one order of bytes: the outbox writes to the socket, as long as the transport has nothing that must go before;
what the socket does not take goes by way of the transport.
"""

from __future__ import annotations

import asyncio

from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.fanout.outbox import Line, Outbox
from svc.gateway.prefetch.memory import HeldOutput

CLOSE_TIMEOUT_S = 2.0
"""Seconds that a peer has to answer our Close, or to read what is written, before the socket is cut."""


class Writer(asyncio.Protocol):
    """The half of a connection that writes. Implements fanout.lines.Owner."""

    __slots__ = ("_fd", "_held", "_outbox", "_transport", "is_closing", "line")

    def __init__(self, outbox: Outbox) -> None:
        """Write nothing before `_opened`."""
        self._outbox = outbox
        self._transport: asyncio.Transport | None = None
        """What bytes go by way of; None before it is open, and when it has ended."""
        self._held: HeldOutput | None = None
        self._fd = -1
        self.line = Line(self)
        """What is pushed and waits for the end of this turn."""
        self.is_closing = False

    def _may_write(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._fd = _descriptor(transport)

    def _ended(self) -> None:
        self.is_closing = True
        self._held = None
        self._transport = None
        # Before the transport closes the socket: its number may be another's soon.
        self._fd = -1
        self.line.ended()

    @property
    def unwritten_bytes(self) -> int:
        """Return the bytes that wait to be written."""
        waiting = self.line.pending_bytes + (self._held.bytes if self._held is not None else 0)
        return waiting if self._transport is None else waiting + self._transport.get_write_buffer_size()

    def push(self, frame: bytes) -> None:
        """Write an encoded frame at the end of this turn; nothing happens once it is closing."""
        self._outbox.push(self.line, frame)

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
            if self._held.bytes > self._outbox.bytes_max:
                self._write(self._unheld([]))
        elif self._may_be_written_to():
            self.line.open_to(self._fd)
        else:
            self._write(self.line.take())

    def write_rest(self, rest: bytes) -> None:
        """See fanout.lines.Owner: the socket is full, or broken."""
        if self._transport is not None:
            self._outbox.wrote(len(rest))
            self._transport.write(rest)

    def _may_be_written_to(self) -> bool:
        """Say whether bytes may pass the transport by: it has none that come before them."""
        transport = self._transport
        return (
            self._fd >= 0
            and transport is not None
            and not self.is_closing
            and self.line.pending_bytes <= self._outbox.bytes_max
            and transport.get_write_buffer_size() == 0
        )

    def _write(self, pending: list[bytes]) -> None:
        """Write all of this by way of the transport, or close a consumer that is too slow for it."""
        transport = self._transport
        if transport is None or not pending or self.is_closing:
            return
        self.line.is_direct = False
        outbox = self._outbox
        room = outbox.bytes_max - transport.get_write_buffer_size()
        joined = pending[0] if len(pending) == 1 else b"".join(pending)
        if len(joined) > room:
            self._cut_off(pending, room)
            return
        outbox.wrote(len(joined))
        transport.write(joined)

    def _cut_off(self, pending: list[bytes], room: int) -> None:
        """Write what fits, so that coming back always gets on, and close."""
        outbox = self._outbox
        outbox.slow_consumers += 1
        fits = 0
        while len(pending[fits]) <= room:
            room -= len(pending[fits])
            fits += 1
        if fits and self._transport is not None:
            self._transport.write(b"".join(pending[:fits]))
        self.close(CloseCode.SLOW_CONSUMER, "too much was waiting to be read: come back and resume")

    def close(self, code: CloseCode, reason: str) -> None:
        """Send what is pending and a Close frame, then end the connection when the peer answers, or after a while."""
        if self.is_closing:
            return
        self._write(self._unheld(self.line.take()))
        if not self.is_closing:  # else writing found a slow consumer
            self._send_close(code, reason)

    def _send_close(self, code: int, reason: str) -> None:
        self.is_closing = True
        self.line.close()
        self._held = None
        transport = self._transport
        if transport is None:
            return
        transport.write(frames.close_frame(code, reason))
        # Also the end of a peer that never reads what is written, nor answers.
        self._outbox.call_later(CLOSE_TIMEOUT_S, transport.abort)


def _descriptor(transport: asyncio.Transport) -> int:
    """Return the socket's descriptor; -1 where bytes must go by way of the transport, which encrypts them."""
    socket = transport.get_extra_info("socket")
    if socket is None or transport.get_extra_info("sslcontext") is not None:
        return -1
    return int(socket.fileno())
