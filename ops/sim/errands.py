"""What people leave to a simulated webapp: messages for later, reminders, files. The rules are the product's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from ops.sim.face import Rules
from ops.sim.lookups import NoCache
from ops.sim.mesh import Mesh
from ops.sim.world import Host
from svc.kit.ids import IdMint
from svc.webapp.commit.effects import Stores, Writes
from svc.webapp.commit.log import ItemKind
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.files.seeing import SeenFiles
from svc.webapp.domain.files.uploading import Completion, Files
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.reminders import Reminders
from svc.webapp.domain.messages.scheduled import ScheduledMessages
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.slackbot import Slackbot
from svc.webapp.due import DueItems
from svc.webapp.files.config import FileConfig
from svc.webapp.files.storage import FileKey
from svc.webapp.files.tickets import UploadTickets
from svc.webapp.files.vault import Vault
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.file_rows import File
from svc.webapp.store.rows import ItemRow


class _Webapp(Protocol):
    mesh: Mesh
    host: Host
    stores: Stores
    rng: Any


@dataclass(frozen=True, slots=True)
class Errands:
    """The rules of one process."""

    scheduled: ScheduledMessages
    reminders: Reminders
    files: Files
    channels: ChannelStore
    writes: Writes
    host: Host
    doing: dict[str, dict[Host, None]]
    """Who is at what, by its id; of all webapps."""

    @contextmanager
    def at(self, id_: str) -> Iterator[None]:
        """Be at something for the length of a block: so it is counted when two are, and faults can strike then."""
        those = self.doing.setdefault(id_, {})
        those[self.host] = None
        try:
            yield
        finally:
            those.pop(self.host, None)

    async def complete(self, caller: Caller, wanted: Completion, base_url: str) -> None:
        """See Files.complete."""
        with self.at(next(iter(wanted.titles))):
            await self.files.complete(caller, wanted, base_url)

    def due(self) -> DueItems:
        """Return what does what is due."""
        counts = self.host.world.counts

        def counted(work: Callable[[ItemRow], Awaitable[None]]) -> Callable[[ItemRow], Awaitable[None]]:
            async def done(row: ItemRow) -> None:
                others = self.doing.get(row.id, {})
                counts["errands: done by two at once"] += any(each.is_alive for each in others)
                counts["errands: begun again after a death"] += any(not each.is_alive for each in others)
                with self.at(row.id):
                    await work(row)

            return done

        handlers = {ItemKind.SCHEDULED: counted(self.scheduled.due), ItemKind.REMINDER: counted(self.reminders.due)}
        givers_up = {ItemKind.REMINDER: self.reminders.pass_over}
        return DueItems(self.channels, self.writes, self.host.clock, handlers, givers_up)

    async def keep(self, file: File, data: bytes) -> None:
        """Take in the bytes of a promised file, as the upload's URL does."""
        async with self.files.vault.storage.receive(FileKey(file.team_id, file.id), file.size) as incoming:
            await incoming.write(data)
            await incoming.keep()


def errands_of(webapp: _Webapp, lookups: NoCache, directory: Directory, rules: Rules, writes: Writes) -> Errands:
    """Return the rules of a webapp, composed as svc.webapp.assembly does."""
    stores, clock = webapp.stores, webapp.host.clock
    channels, mint, messages = stores.channels, IdMint(clock, webapp.rng), cast(Messages, rules)
    direct = DirectMessages(directory, lookups, channels, writes, clock)
    slackbot = Slackbot(direct, writes)
    vault = Vault(webapp.mesh.storage, cast(UploadTickets, None), FileConfig())
    seen = SeenFiles(stores.files, lookups, directory)
    return Errands(
        ScheduledMessages(messages, slackbot, lookups, channels, writes, clock, mint),
        Reminders(slackbot, lookups, channels, writes, clock, mint),
        Files(vault, stores.files, seen, directory, direct, messages, stores.workspaces, writes, clock, mint),
        channels,
        writes,
        webapp.host,
        webapp.mesh.doing,
    )
