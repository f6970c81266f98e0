"""WebSockets between devices and gateways: bytes in order both ways, a reader that may stop, a line that may go dead.

At the gateway it looks like asyncio's transport, so its `Connection` is the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import orjson

from ops.sim.wires import Network
from ops.sim.world import Host
from svc.gateway.sockets import Connection

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
_PONG = 0x8A
SILENT_S = (3.0, 8.0)
"""After how long one side gives up a line that is dead: pings of the gateway, silence at the client."""


class Socket:
    """One WebSocket; at the gateway what its Connection uses of a transport."""

    def __init__(
        self,
        network: Network,
        device: Host,
        gateway: Host,
        on_frame: Callable[[dict[str, Any]], None],
        on_end: Callable[[int | None], None],
    ) -> None:
        """`on_frame` and `on_end` (with the close code) are called at the device."""
        self._network = network
        self._world = network.world
        self._device = device
        self._gateway = gateway
        self._on_frame = on_frame
        self._on_end = on_end
        self._dice = network.dice(device, gateway)
        self._up_at = self._down_at = 0.0
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._is_reading = True
        self._is_dead = False
        self._device_over = False
        self._connection: Connection | None = None
        self.connection_id = ""
        """What the gateway calls it."""
        self.is_disconnected = False
        gateway.on_kill.append(self._gateway_died)

    # At the gateway

    def opened(self, connection: Connection) -> None:
        """Be the socket of an admitted connection."""
        self._connection = connection
        connection.opened(cast(asyncio.Transport, self))

    def write(self, data: bytes) -> None:
        """Send bytes to the device; what it does not read is kept."""
        if self.is_disconnected or self._is_dead:
            return
        if not self._is_reading:
            self._unread.append(data)
            self._unread_bytes += len(data)
            return
        self._down_at = max(self._down_at, self._world.now + self._network.delay(self._dice))
        self._world.at(self._down_at, self._device, self._received, data)

    def get_extra_info(self, name: str) -> None:
        """Know of no descriptor: all bytes go by way of `write`."""

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the device has not read."""
        return self._unread_bytes

    def abort(self) -> None:
        """End it now."""
        if not self.is_disconnected:
            self._gateway_gone()
            self._later_at_device(self._ended, None)

    def _gateway_gone(self) -> None:
        if not self.is_disconnected:
            self.is_disconnected = True
            if self._gateway_died in self._gateway.on_kill:
                self._gateway.on_kill.remove(self._gateway_died)
            if self._connection is not None:
                self._connection.connection_lost(None)

    def _gateway_died(self) -> None:
        self.is_disconnected = True
        self._later_at_device(self._ended, None)

    # At the device

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame to the gateway."""
        self._send(_TEXT, orjson.dumps(frame))

    def _send(self, kind: int, payload: bytes) -> None:
        if not self._device_over and not self._is_dead:
            self._up_at = max(self._up_at, self._world.now + self._network.delay(self._dice))
            self._world.at(self._up_at, self._gateway, self._take, _masked(kind, payload))

    def close(self) -> None:
        """Leave politely."""
        if not self._device_over:
            self._device_over = True
            self._up_at = max(self._up_at, self._world.now + self._network.delay(self._dice))
            self._world.at(self._up_at, self._gateway, self._gateway_gone)

    def stop_reading(self) -> None:
        """Let everything wait at the gateway."""
        self._is_reading = False

    def read_on(self) -> None:
        """Read what has waited, and go on."""
        self._is_reading = True
        unread, self._unread, self._unread_bytes = self._unread, [], 0
        for data in unread:
            self.write(data)

    def vanish(self) -> None:
        """Let the line go dead: each side notices in its own time, and what is under way is lost."""
        self._is_dead = True
        for host, end in ((self._gateway, self._gateway_gone), (self._device, lambda: self._ended(None))):
            self._world.at(self._world.now + self._dice.uniform(*SILENT_S) * 0.3, host, end)

    def _received(self, data: bytes) -> None:
        if self._device_over or self._is_dead:
            return
        place = 0
        while place < len(data) and not self._device_over:
            kind, size = data[place], data[place + 1]
            place += 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size = int.from_bytes(data[place : place + width])
                place += width
            payload = data[place : place + size]
            place += size
            if kind == _CLOSE:
                self._ended(int.from_bytes(payload[:2]))
                self._world.at(self._world.now, self._gateway, self._gateway_gone)
            elif kind == _TEXT:
                self._on_frame(orjson.loads(payload))
            elif kind == _PING:
                self._send(_PONG, payload)

    def _ended(self, code: int | None) -> None:
        if not self._device_over:
            self._device_over = True
            self._on_end(code)

    # The line

    def _take(self, frame: bytes) -> None:
        if self._connection is not None and not self.is_disconnected:
            self._connection.data_received(frame)

    def _later_at_device(self, work: Callable[..., None], *args: Any) -> None:
        self._down_at = max(self._down_at, self._world.now + self._network.delay(self._dice))
        self._world.at(self._down_at, self._device, work, *args)


def _masked(kind: int, payload: bytes) -> bytes:
    """Return a client's frame, by a mask of zeros."""
    size = len(payload)
    width = 0 if size < 126 else 2 if size < 65_536 else 8
    length = 0x80 | (size if not width else 126 if width == 2 else 127)
    return bytes((kind, length)) + (size.to_bytes(width) if width else b"") + bytes(4) + payload
