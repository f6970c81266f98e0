"""What people leave for later, and whether it was done: messages that are scheduled, and reminders.

The ledger knows what was promised when. At rest each scheduled message was posted once, or its author was told once why
not; each reminder was told once; what was taken back in time was not.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import orjson

from ops.sim.clients import Device
from ops.sim.database import MemoryMysql
from ops.sim.lookups import TEAM
from ops.sim.rows import payload_of
from ops.sim.world import EPOCH_US, World
from svc.kit.errors import ParleyError
from svc.kit.ids import us_from_ts
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.messages.reminders import Wanted
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import ItemKind

DAY_S = 86_400
_LATER = (ItemKind.SCHEDULED, ItemKind.REMINDER)


@dataclass(slots=True)
class Errand:
    """One thing that somebody left for later."""

    user_id: str
    channel_id: str
    """Where it is to be posted; "" for a reminder."""
    key: str
    at_s: int
    id: str = ""
    """As the answer said; "" while nothing was promised."""
    taken_back_at: float | None = None
    """Virtual time at which somebody was told that it is taken back (or done)."""
    recurs: bool = False
    """Whether it comes again on the next day, which is after the end of any run."""
    is_in_doubt: bool = False
    """Whether somebody tried to take it back, and does not know."""


class LaterLedger:
    """See the module."""

    def __init__(self, mysql: MemoryMysql, skew_us: int) -> None:
        """`skew_us`: by how much a webapp's clock may be ahead."""
        self._tables = mysql.tables
        self._world: World = mysql.world
        self._skew_us = skew_us
        self._errands: list[Errand] = []

    # What people do

    async def schedule(self, device: Device, channel_id: str, key: str, in_s: int, back_in_s: float | None) -> None:
        """Have something posted in some seconds, and take it back after `back_in_s`, unless that is None; below 0: so
        long after it is due.
        """
        errand = self._begun(device, channel_id, key, in_s)
        caller, post = Caller(TEAM, device.user_id), Post(text=key)
        made = await self._left(
            device, errand, lambda webapp: webapp.errands.scheduled.add(caller, channel_id, errand.at_s, post)
        )
        if made is None:
            return
        errand.id = made[0].id
        self._check_kept(errand, ItemKind.SCHEDULED)
        if back_in_s is not None:
            await self._take_back(
                device,
                errand,
                back_in_s,
                lambda webapp: webapp.errands.scheduled.delete(caller, channel_id, errand.id),
            )

    async def remind(self, device: Device, key: str, in_s: int, done_in_s: float | None) -> None:
        """Want to be reminded in some seconds, and be done after `done_in_s`; see `schedule`. Of those that nobody is
        done with some recur.
        """
        errand = self._begun(device, "", key, in_s)
        errand.recurs = done_in_s is None and int(key[1:]) % 2 == 0
        caller = Caller(TEAM, device.user_id)
        wanted = Wanted(key, str(errand.at_s), recurrence={"frequency": "daily"} if errand.recurs else None)
        made = await self._left(device, errand, lambda webapp: webapp.errands.reminders.add(caller, wanted))
        if made is None:
            return
        errand.id = made.id
        self._check_kept(errand, ItemKind.REMINDER)
        if done_in_s is not None:
            await self._take_back(
                device, errand, done_in_s, lambda webapp: webapp.errands.reminders.complete(caller, errand.id)
            )

    def _begun(self, device: Device, channel_id: str, key: str, in_s: int) -> Errand:
        now_s = (EPOCH_US + int(self._world.now * 1_000_000)) // 1_000_000
        errand = Errand(device.user_id, channel_id, key, now_s + in_s)
        self._errands.append(errand)
        return errand

    async def _left(self, device: Device, errand: Errand, work: Any) -> Any:
        """Ask once: such a request has no key. None when it was refused, or nothing is known."""
        try:
            made = await device.http(work, tries=1)
        except (Refused, ParleyError) as error:
            self._world.trace(device.host.name, "errand", errand.key, "failed:", error)
            return None
        self._world.trace(device.host.name, "was promised", errand.key, "at", errand.at_s)
        self._world.counts["errands: promised"] += 1
        return made

    async def _take_back(self, device: Device, errand: Errand, in_s: float, work: Any) -> None:
        due_in_s = errand.at_s - EPOCH_US / 1_000_000 - self._world.now
        await device.host.clock.sleep(in_s if in_s >= 0 else max(0.0, due_in_s) - in_s)
        try:
            await device.http(work, tries=1)
        except Refused as refusal:
            self._world.trace(device.host.name, "errand", errand.key, "stays:", refusal)
        except ParleyError as error:
            errand.is_in_doubt = True
            self._world.trace(device.host.name, "errand", errand.key, "is in doubt:", error)
        else:
            errand.taken_back_at = self._world.now
            self._world.trace(device.host.name, "took back", errand.key)
            self._world.counts["errands: taken back"] += 1

    # What must be true

    def _check_kept(self, errand: Errand, kind: ItemKind) -> None:
        if (errand.user_id, kind, errand.id) not in self._tables.items and not self._done()[errand.key]:
            self._violate("durable before acked", f"{errand.key} of {errand.user_id} is not kept")

    def waiting(self) -> str:
        """Return what is still to be done; "" when nothing is."""
        horizon_us = EPOCH_US + int(self._world.now * 1_000_000) + DAY_S * 500_000
        left = [key for key, row in self._tables.items.items() if key[1] in _LATER and 0 < row[0] < horizon_us]
        return f"to be done later: {left[:5]}" if left else ""

    def final(self) -> None:
        """Check what can only be checked at the end."""
        done = self._done()
        for errand in self._errands:
            self._check(errand, done[errand.key])

    def _done(self) -> dict[str, list[tuple[str, int]]]:
        """Return by key where and when it was posted, or told in somebody's notes."""
        done: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for channel_id, history in self._tables.history.items():
            for payload in map(payload_of, history):
                if payload.get("type") == "message" and "subtype" not in payload and "text" in payload:
                    key = str(payload["text"]).rpartition(" ")[2]
                    done[key].append((channel_id, us_from_ts(str(payload["ts"]))))
        return done

    def _check(self, errand: Errand, done: list[tuple[str, int]]) -> None:
        early = [ts_us for _, ts_us in done if ts_us < errand.at_s * 1_000_000]
        if early:
            self._violate("nothing is done before its time", f"{errand.key}, due at {errand.at_s}, at {early[0]}")
        if len(done) > 1:
            self._violate("what is left for later is done once", f"{errand.key} is done {len(done)} times: {done}")
        if errand.taken_back_at is not None:
            self._check_taken_back(errand, errand.taken_back_at, done)
        elif errand.id and not errand.is_in_doubt and not done:
            self._violate("what is left for later is done once", f"{errand.key} of {errand.user_id} is forgotten")
        if errand.recurs and errand.id:
            self._check_recurs(errand)

    def _check_recurs(self, errand: Errand) -> None:
        self._world.counts["errands: recurred"] += 1
        row = self._tables.items.get((errand.user_id, ItemKind.REMINDER, errand.id))
        if row is None or row[0] != (errand.at_s + DAY_S) * 1_000_000:
            self._violate("what recurs comes again", f"{errand.key} of {errand.user_id}: {row}")

    def _check_taken_back(self, errand: Errand, at: float, done: list[tuple[str, int]]) -> None:
        is_late = EPOCH_US + at * 1_000_000 > errand.at_s * 1_000_000 - self._skew_us
        if done and (errand.channel_id or not is_late):
            self._violate("what is taken back is not done", f"{errand.key} is done at {done[0]}")
        row = self._tables.items.get((errand.user_id, ItemKind.REMINDER, errand.id))
        if row is not None and not orjson.loads(row[1])["complete_ts"]:
            self._violate("durable before acked", f"the reminder {errand.key} is not done any more")

    def _violate(self, invariant: str, detail: str) -> None:
        self._world.violate(invariant, detail)
