"""What can go wrong for a bot: refused by the rules, nobody there, or a connection that broke under way.

ClientError
├── Refused          the server understood and said no: the same again gives the same answer
├── Unreachable      nobody answered within the deadline, however often it was tried
├── NotConnected     there is no socket at the moment
└── ConnectionLost   the socket broke before the answer: the frame may have been carried out
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Anything that this library raises on purpose."""


class Refused(ClientError):
    """`ok: false`. `code` is the Web API's error code, `body` the whole answer."""

    def __init__(self, what: str, code: str, body: Mapping[str, Any]) -> None:
        super().__init__(f"{what} was refused: {code}")
        self.what = what
        self.code = code
        self.body = body


class Unreachable(ClientError):
    """No answer in time. For a post nothing is known: posting again with the same `client_msg_id` is safe."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """Seconds that the server asked to wait before another try; 0: it said nothing."""


class NotConnected(ClientError):
    """There is no connection at the moment; the client is getting another one."""


class ConnectionLost(ClientError):
    """The connection broke before the answer came. What was sent may have been carried out."""
