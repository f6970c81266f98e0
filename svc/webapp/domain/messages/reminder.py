"""What a reminder is: its fields, as stored and as shown. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import tzinfo
from typing import Any

import orjson

from svc.webapp.commit.log import Json
from svc.webapp.domain.messages.recurrence import Recurrence
from svc.webapp.store.rows import ItemRow

__all__ = ["Reminder"]


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody is to be reminded of. One that recurs has no end: it is deleted, never done."""

    id: str
    team: str
    user: str
    """Who is reminded."""
    text: str
    time: int
    """Unix seconds; of one that recurs, of the next occurrence."""
    complete_ts: int = 0
    """When it was done, unix seconds; 0 while it is not."""
    by: str = ""
    """Who has set it; "" for who is reminded."""
    recurrence: Recurrence | None = None

    @classmethod
    def of(cls, row: ItemRow) -> Reminder:
        """Read a stored one. Raises ValueError or TypeError for what is none."""
        body: dict[str, Any] = orjson.loads(row.body)
        known = {each.name: body[each.name] for each in fields(cls) if each.name in body}
        if known.get("recurrence"):
            known["recurrence"] = Recurrence.kept(known["recurrence"])
        return cls(**known)

    @property
    def body(self) -> bytes:
        """As it is stored; without what most have not, so that webapps of before read those."""
        kept = asdict(self)
        return orjson.dumps({name: kept[name] for name in kept if kept[name] or name not in ("by", "recurrence")})

    @property
    def creator(self) -> str:
        """Who has set it."""
        return self.by or self.user

    @property
    def occasion(self) -> str:
        """What is told and settled once: the reminder, or one occurrence of it."""
        return f"{self.id}:{self.time}" if self.recurrence else self.id

    @property
    def words(self) -> str:
        """What the one who is reminded is told."""
        return f"Reminder from <@{self.by}>: {self.text}" if self.by else f"Reminder: {self.text}"

    @property
    def shape(self) -> Json:
        """As reminders.* show it: what recurs has no time, and is never done."""
        shape: Json = {"id": self.id, "creator": self.creator, "user": self.user, "text": self.text}
        if self.recurrence is not None:
            return shape | {"recurring": True, "recurrence": self.recurrence.shape}
        return shape | {"recurring": False, "time": self.time, "complete_ts": self.complete_ts}

    def next(self, now_s: int, zone: tzinfo) -> Reminder:
        """Return one that recurs as it is after an occurrence: those that are over by now are one with it."""
        assert self.recurrence is not None
        return replace(self, time=self.recurrence.after(max(now_s, self.time), zone))
