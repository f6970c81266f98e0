"""Files: what people upload, post and delete, and whether all that see them agree.

Who was told that a file is posted finds it, with its bytes, as does everybody in its conversation; who was told that it
is deleted finds it nowhere, and no message shows it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from ops.sim.altered import MESSAGE_COLUMNS
from ops.sim.clients import Device
from ops.sim.lookups import TEAM
from ops.sim.mesh import Mesh
from ops.sim.rows import payload_of
from ops.sim.webapps import WebappProcess
from svc.kit.errors import ParleyError
from svc.kit.ids import us_from_ts
from svc.webapp.domain import shapes
from svc.webapp.domain.files.seeing import FileQuestion
from svc.webapp.domain.files.uploading import Completion
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.files.storage import FileKey
from svc.webapp.store.file_rows import FileState

URL = "http://parley/"
PAGE = 100
EDITS, EDITED_WITHIN_S = 3, 0.04
"""Of a message while its file is deleted."""
_EXTRA = MESSAGE_COLUMNS.index("extra")


@dataclass(slots=True)
class Paper:
    """One file that somebody uploads."""

    user_id: str
    channel_id: str
    id: str
    is_promised: bool = False
    """Whether somebody was told that it is posted."""
    is_gone: bool = False
    """Whether somebody was told that it is deleted."""
    is_in_doubt: bool = False
    """Whether somebody tried to delete it, and does not know."""


class PaperLedger:
    """See the module."""

    def __init__(self, mesh: Mesh, said: dict[str, list[int]]) -> None:
        """`said`: ts of messages that others may change, by conversation."""
        self._mesh = mesh
        self._tables = mesh.mysql.tables
        self._world = mesh.world
        self._said = said
        self._rng = mesh.world.rng("papers")
        self._papers: dict[str, Paper] = {}
        self._seen: list[tuple[Device, str, set[str], set[str]]] = []
        """Who looked, where, and the ids that were listed and that could be read."""

    # What people do

    async def upload(self, device: Device, channel_id: str, key: str, end: str, in_s: float) -> None:
        """Upload a file and post it; `in_s` later `delete` it, `remove` its message, or do nothing ("")."""
        caller, data = Caller(TEAM, device.user_id), key.encode()
        try:
            file = await device.http(lambda webapp: webapp.errands.files.reserve(caller, f"{key}.txt", len(data)))
            paper = self._papers[file.id] = Paper(device.user_id, channel_id, file.id)
            await device.http(lambda webapp: webapp.errands.keep(file, data))
            wanted = Completion({file.id: key}, [channel_id], key)
            await device.http(lambda webapp: webapp.errands.complete(caller, wanted, URL))
        except (Refused, ParleyError) as error:
            self._world.trace(device.host.name, "file", key, "failed:", error)
            return
        self._world.trace(device.host.name, "was promised", key, file.id)
        self._world.counts["files: promised"] += 1
        paper.is_promised = True
        messages = self._brought().get((file.id, channel_id), [])
        if not messages:
            self._violate("durable before acked", f"{file.id} of {device.user_id} is in no message of {channel_id}")
        self._said.setdefault(channel_id, []).extend(messages)
        await device.host.clock.sleep(in_s)
        ts_us = messages[0] if messages else 0
        if end == "remove":
            await device.change(
                channel_id, f"{key}r", lambda changes: changes.remove(device.user_id, channel_id, ts_us, f"{key}r")
            )
        if end == "edit and delete":
            for number in range(EDITS):
                device.host.spawn(self._edit(device, channel_id, ts_us, f"{key}e{number}"), "edit")
        if "delete" in end:
            await self._delete(device, paper)

    async def _edit(self, device: Device, channel_id: str, ts_us: int, key: str) -> None:
        """Edit a message about when its file is taken out of it."""
        await device.host.clock.sleep(EDITED_WITHIN_S * self._rng.random())
        await device.change(channel_id, key, lambda changes: changes.edit(device.user_id, channel_id, ts_us, key))

    async def _delete(self, device: Device, paper: Paper) -> None:
        caller = Caller(TEAM, device.user_id)
        paper.is_in_doubt = True
        try:
            await device.http(lambda webapp: webapp.errands.files.delete(caller, paper.id))
        except Refused as refusal:
            # Of an earlier try; or its row has to wait for a sweeper.
            self._world.trace(device.host.name, "file", paper.id, "cannot be deleted:", refusal)
        except ParleyError as error:
            self._world.trace(device.host.name, "file", paper.id, "is in doubt:", error)
        else:
            self._world.trace(device.host.name, "deleted", paper.id)
            self._world.counts["files: deleted"] += 1
            paper.is_gone = True

    async def look(self, device: Device, channel_id: str) -> None:
        """See which files of a conversation are listed, and which can be read."""
        caller = Caller(TEAM, device.user_id)
        question = FileQuestion(channel_id=channel_id)
        listed = await device.http(lambda webapp: webapp.errands.files.seen.listed(caller, question, URL, PAGE))
        readable = set()
        for paper in self._papers.values():
            try:
                await device.http(partial(self._read, caller, paper.id))
            except (Refused, ParleyError):
                continue
            readable.add(paper.id)
        self._seen.append((device, channel_id, {str(each["id"]) for each in listed.files}, readable))

    async def _read(self, caller: Caller, file_id: str, webapp: WebappProcess) -> None:
        file = await webapp.errands.files.readable(caller, TEAM, file_id)
        async with self._mesh.storage.open(FileKey(TEAM, file.id)) as stored:
            assert stored.size == file.size, f"{file.id} has {stored.size} bytes of {file.size}"

    # What must be true

    def waiting(self) -> str:
        """See judge.Ledger: there are only effects, which the judge waits for."""
        return ""

    def _brought(self) -> dict[tuple[str, str], list[int]]:
        """Return ts of the messages that brought a file to a conversation, by both."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for channel_id, history in self._tables.history.items():
            for payload in map(payload_of, history):
                if "files" in payload:
                    for file in payload["files"]:
                        found[file["id"], channel_id].append(us_from_ts(str(payload["ts"])))
        return found

    def _showing(self) -> dict[str, set[tuple[str, int]]]:
        """Return the messages that show a file by now, by its id; no tombstones."""
        showing: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for key, row in self._tables.messages.items():
            for file in shapes.decode_extra(row[_EXTRA]).get("files", ()):
                if file.get("mode") != "tombstone":
                    showing[file["id"]].add(key)
        return showing

    def final(self) -> None:
        """Check what can only be checked at the end."""
        showing, brought = self._showing(), self._brought()
        for paper in self._papers.values():
            self._check(paper, showing[paper.id], brought[paper.id, paper.channel_id])
        for device, channel_id, listed, readable in self._seen:
            is_member = (channel_id, device.user_id) in self._tables.members
            for paper in self._papers.values():
                if paper.channel_id == channel_id and is_member:
                    self._check_seen(device, paper, showing[paper.id], paper.id in listed, paper.id in readable)

    def _check(self, paper: Paper, showing: set[tuple[str, int]], brought: list[int]) -> None:
        state = self._tables.files[paper.id]["state"]
        if len(brought) > 1:
            self._violate("a file is posted once", f"{paper.id} by {brought} of {paper.channel_id}")
        if paper.is_promised and not (paper.is_gone or paper.is_in_doubt) and state != FileState.READY:
            self._violate("rows are what was promised", f"{paper.id} is {state}")
        if paper.is_gone and state < FileState.DELETED:
            self._violate("rows are what was promised", f"{paper.id} is {state}, and was deleted")
        if state != FileState.READY and showing:
            self._violate("rows agree on files", f"{paper.id} is {state}, and {sorted(showing)} show it")
        shared = {key[1:] for key, row in self._tables.file_shares.items() if key[0] == paper.id and row[4]}
        if shared != showing:
            self._violate("rows agree on files", f"{paper.id} is seen by {sorted(shared)}, shown by {sorted(showing)}")

    def _check_seen(
        self, device: Device, paper: Paper, showing: set[tuple[str, int]], is_listed: bool, is_readable: bool
    ) -> None:
        is_ready = self._tables.files[paper.id]["state"] == FileState.READY
        expected = is_ready and bool(showing)
        if is_listed != expected:
            self._violate("a file is where its message is", f"{device.host.name}: {paper.id} is listed: {is_listed}")
        if is_readable != (expected or (is_ready and device.user_id == paper.user_id)):
            self._violate("a file is where its message is", f"{device.host.name}: {paper.id} is read: {is_readable}")

    def _violate(self, invariant: str, detail: str) -> None:
        self._world.violate(invariant, detail)
