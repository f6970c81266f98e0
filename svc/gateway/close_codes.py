"""Why a connection is closed, in numbers that tell a client whether to come back.

    1001, 1012         we are going away: come back, to another gateway
    4000 to 4099       come back and resume: nothing is wrong with the client's standing
    4100 to 4199       do not come back with this ticket or token
    1002 to 1009       the client broke the protocol or a limit; the same frame would be refused again

Slack's clients reconnect after any code; ours go by the ranges. Source: RFC 6455 §7.4; centrifuge's disconnect codes.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """The code in our Close frames."""

    NORMAL = 1000
    """Answer to a client that closes."""
    GOING_AWAY = 1001
    """This gateway drains."""
    PROTOCOL_ERROR = 1002
    """Frames that RFC 6455 forbids."""
    UNSUPPORTED_DATA = 1003
    """A binary frame; everything here is JSON text."""
    INVALID_TEXT = 1007
    """Text that is not UTF-8."""
    POLICY = 1008
    """Far too many frames for too long."""
    TOO_BIG = 1009
    """A frame beyond the limit."""
    SLOW_CONSUMER = 4000
    """More was waiting to be written than is allowed: come back and resume."""
    SILENT = 4001
    """Nothing was heard for too long."""
    DISCONNECTED = 4002
    """An operator asked for it; coming back is welcome."""
    NOT_READY = 4003
    """The session could not be opened (webapp away, too many at once): come back later."""
    STALE = 4004
    """What the session follows is not known any more: come back, and reload."""
    USER_GONE = 4100
    """There is no such user any more."""
    TOKEN_REVOKED = 4101
    """The token that the session was begun with is valid no longer."""
    TOKEN_EXPIRED = 4102
    """Its time is over."""
    TOO_MANY = 4103
    """The app has as many connections as it may have."""


def may_come_back(code: int) -> bool:
    """Tell whether a client that got this code should connect again as it was."""
    return not (4100 <= code <= 4199 or code in (1002, 1003, 1007, 1008, 1009))
