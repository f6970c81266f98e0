"""What an app notes of what it hears, whichever way it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discovery.ring import Member, Ring
from ops.chaos.record import App, Heard
from ops.chaos.stage import AppSeat, StageError
from ops.local.mesh import Mesh

__all__ = ["Notes", "subject_of"]


class Notes:
    """One app's; `said` is everything that it heard, in order."""

    def __init__(self, seat: AppSeat, mesh: Mesh) -> None:
        self.seat = seat
        self._mesh = mesh
        self.said: list[Heard] = []
        self._subjects: set[tuple[str, str]] = set()

    @property
    def name(self) -> str:
        """The app's, as reports say it."""
        return self.seat.name

    def take(self, payload: Mapping[str, Any], session: int) -> None:
        """Note an event_callback that came on a connection; see Heard."""
        event = payload["event"]
        subject = subject_of(event)
        channel_id = str(event.get("channel") or event.get("item", {}).get("channel", ""))
        if subject:
            self.said.append(Heard(payload["event_id"], channel_id, subject, session))
            self._subjects.add((channel_id, subject))

    def heard(self) -> App:
        """Return what was noted."""
        return App(self.seat.name, frozenset(self.seat.channels), tuple(self.said))

    def is_warm(self) -> bool:
        """Tell whether it has heard from each of its conversations."""
        return {channel_id for channel_id, _ in self._subjects} >= set(self.seat.channels)

    def misses(self, channel_id: str, subject: str) -> bool:
        """Tell whether something has yet to come that it is owed."""
        return channel_id in self.seat.channels and (channel_id, subject) not in self._subjects

    async def owner(self) -> str:
        """Return the name of the webapp that serves the app. Raises StageError when there is none."""
        listed = [each for each in await self._mesh.instances("webapp") if each.health == "passing"]
        names = {each.instance.id: each.name for each in listed}
        owner = Ring(tuple(Member(instance_id) for instance_id in names)).owner(self.seat.app_id)
        if owner is None:
            raise StageError(f"no webapp owns {self.seat.name}")
        return names[owner]


def subject_of(event: Mapping[str, Any]) -> str:
    """Return what an event says, once in its channel; "" for those that apps are not judged by. Pure."""
    match event.get("type"):
        case "message" if "subtype" not in event:
            return f"message {event['ts']}"
        case "reaction_added":
            return f"added {event['item']['ts']} {event['reaction']} {event['user']} {event['event_ts']}"
    return ""
