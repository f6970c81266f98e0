"""How people's commands and clicks reach an app: the protocol, and a twin in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from svc.webapp.commit.log import Json
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.refusal import Refused

__all__ = ["DELIVERY_S", "UNREACHABLE", "Delivered", "Delivery", "DeliveryTwin", "Interaction"]

DELIVERY_S = 3.0
"""How long an app may take to answer; Slack's."""
UNREACHABLE = "operation_timeout"
"""What the person is told when it did not."""

Interaction = Literal["slash_commands", "interactive"]
"""Types of a Socket Mode envelope that are answered."""


class Delivery(Protocol):
    """The way to an app, wherever its owner is."""

    async def deliver(self, app: App, kind: Interaction, payload: Json, timeout_s: float = DELIVERY_S) -> Json | None:
        """Hand `payload` to the app once, and return what it acked with; None when it acked with nothing.

        `payload` is the inner one: what is in a Socket Mode envelope, or becomes the form of an HTTP request (a slash
        command's fields; `payload=` for the rest). Over HTTP a slash command goes to the command's own URL, a
        block_suggestion to the app's options URL, everything else to its interactivity URL. Never repeated: the person
        waits, and may try again. Refused `operation_timeout` when the app has no connection and no URL, does not answer
        in time, or answers with anything but a 200.
        """
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """One thing that an app was handed."""

    app_id: str
    kind: Interaction
    payload: Json


@dataclass(slots=True)
class DeliveryTwin:
    """Delivers to functions in memory; an app without one cannot be reached."""

    apps: dict[str, Callable[[Interaction, Json], Json | None]] = field(default_factory=dict)
    """What answers, by app id."""
    delivered: list[Delivered] = field(default_factory=list)

    async def deliver(self, app: App, kind: Interaction, payload: Json, timeout_s: float = DELIVERY_S) -> Json | None:
        """Ask the app's function. Refused `operation_timeout` without one."""
        answer = self.apps.get(app.id)
        if answer is None:
            raise Refused(UNREACHABLE)
        self.delivered.append(Delivered(app.id, kind, payload))
        return answer(kind, payload)
