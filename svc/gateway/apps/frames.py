"""Pure: the JSON objects of Socket Mode that the gateway itself says."""

from __future__ import annotations

from svc.gateway.frames import json_frame

WARNING = "warning"
"""The connection will be closed soon; some clients open their next one now."""
REFRESH = "refresh_requested"
"""It is closed now: come back."""
LINK_DISABLED = "link_disabled"
"""It is closed for good: the app is gone, or its Socket Mode is off, or its token was revoked."""
TOO_MANY = "too_many_websockets"
"""It is closed, for the app has as many as it may have."""


def hello(app_id: str, connection_count: int, host: str, lifetime_s: float) -> bytes:
    """Return the first frame, on which clients count as connected."""
    return json_frame(
        {
            "type": "hello",
            "num_connections": connection_count,
            "connection_info": {"app_id": app_id},
            "debug_info": {"host": host, "approximate_connection_time": int(lifetime_s)},
        }
    )


def disconnect(reason: str, host: str) -> bytes:
    """Return what a client is told before its connection is closed."""
    return json_frame({"type": "disconnect", "reason": reason, "debug_info": {"host": host}})
