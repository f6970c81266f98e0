"""The open lines: one Report stream for each gateway, the latest one winning."""

from __future__ import annotations

import asyncio

from svc.kit.errors import ParleyError, UnavailableError


class Line:
    """A gateway's stream as its writer sees it: woken when there is news, ended by whoever has a reason."""

    __slots__ = ("_error", "_woken", "ended", "gateway_id", "reader")

    def __init__(self, gateway_id: str) -> None:
        self.gateway_id = gateway_id
        self._woken = asyncio.Event()
        self.ended = False
        self._error: ParleyError | None = None
        self.reader: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Say that there is news."""
        self._woken.set()

    def end(self, error: ParleyError | None = None) -> None:
        """End the stream: with OK, or with an error. The first reason stands."""
        if not self.ended:
            self.ended, self._error = True, error
            self._woken.set()

    async def woken(self) -> bool:
        """Wait for news and return True; False when the line was ended with OK, and raises what it was ended with."""
        await self._woken.wait()
        self._woken.clear()
        if self.ended:
            if self._error is not None:
                raise self._error
            return False
        return True


class Lines:
    """Lines by gateway; as many as the roster admits gateways."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._draining = False

    def open(self, gateway_id: str) -> Line:
        """Return a new line; an earlier one of the same gateway ends. Raises UnavailableError while draining."""
        if self._draining:
            raise UnavailableError("this presence server is leaving")
        self.end(gateway_id, UnavailableError("a newer line of the same gateway took over"))
        line = self._lines[gateway_id] = Line(gateway_id)
        return line

    def close(self, line: Line) -> bool:
        """Forget a line that is over; False when a newer one has taken its place."""
        if self._lines.get(line.gateway_id) is not line:
            return False
        del self._lines[line.gateway_id]
        return True

    def wake(self, gateway_id: str) -> None:
        """Wake a gateway's line, if it has one."""
        line = self._lines.get(gateway_id)
        if line is not None:
            line.wake()

    def end(self, gateway_id: str, error: ParleyError) -> None:
        """End a gateway's line with an error, if it has one."""
        line = self._lines.get(gateway_id)
        if line is not None:
            line.end(error)

    def drain(self) -> None:
        """End every line with OK and take no more."""
        self._draining = True
        for line in self._lines.values():
            line.end()
