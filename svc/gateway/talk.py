"""What a connection's frames are judged by: the protocol of RTM and Socket Mode sessions alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from svc.gateway.apps.session import AppAck
from svc.gateway.session import Action

AnyAction = Action | AppAck


class Talk(Protocol):
    """A session: told what comes, and the time, it says what is to be done."""

    awaits_resume: bool
    """Whether a resume frame is taken, which may be larger than any other."""
    active_at: float
    """When the client last sent anything but a ping (monotonic seconds)."""

    def ping(self, payload: bytes, now: float) -> Iterable[AnyAction]:
        """Take a protocol ping."""
        ...

    def binary(self) -> Iterable[AnyAction]:
        """Take a binary message."""
        ...

    def text(self, payload: bytes, now: float) -> Iterable[AnyAction]:
        """Take a text message."""
        ...
