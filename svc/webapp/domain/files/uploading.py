"""How files come to be, where they are posted, and how they go."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import AlreadyExistsError, NotFoundError, ParleyError
from svc.kit.ids import IdMint, is_id
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Json, PutFile, Write
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.files.seeing import SeenFiles
from svc.webapp.domain.files.shape import described, file_object
from svc.webapp.domain.messages.editing import FILES_MAX as FILES_A_MESSAGE
from svc.webapp.domain.messages.editing import Brought
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.files.config import PENDING_S
from svc.webapp.files.kinds import family_of, kind_of
from svc.webapp.files.names import clean_name, clean_title
from svc.webapp.files.pictures import HEAD_BYTES
from svc.webapp.files.storage import FileKey, StorageFull
from svc.webapp.files.tickets import Upload
from svc.webapp.files.vault import Vault
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.files import FileStore
from svc.webapp.store.rows import ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["FILES_A_MESSAGE", "Completion", "Files"]

log = logging.getLogger(__name__)

CHANNELS_MAX = 20
"""Conversations into which files are posted by one call."""
COMPLETED_S = PENDING_S - 600
"""How old a promise may be that is completed: some minutes before it may be swept away."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Uploaded files, what is said of them and where they go."""

    titles: Mapping[str, str]
    """By id, in order; "" for the name."""
    channels: Sequence[str] = ()
    """Ids or names of conversations, or ids of users."""
    comment: str = ""
    thread_ts_us: int = 0
    blocks: Sequence[object] = field(default_factory=tuple)
    highlights: Mapping[str, str] = field(default_factory=dict)
    """By id, what a snippet is written in, where it was not said before."""


class Files:
    """The rules of files. Methods raise Refused, and UnavailableError when MySQL or the storage does not answer."""

    def __init__(
        self,
        vault: Vault,
        files: FileStore,
        seen: SeenFiles,
        directory: Directory,
        direct: DirectMessages,
        messages: Messages,
        workspaces: WorkspaceStore,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self.vault = vault
        self.seen = seen
        self._files = files
        self._directory = directory
        self._direct = direct
        self._messages = messages
        self._workspaces = workspaces
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def reserve(
        self, caller: Caller, name: str, size: int, *, alt_text: str = "", snippet_type: str = ""
    ) -> File:
        """Promise that a file of `size` bytes is coming.

        Refused `file_uploads_disabled`, `invalid_arguments` (no bytes), `file_upload_size_restricted`,
        `storage_limit_reached`. Two that are promised at once may together go beyond the workspace's limit by one file.
        """
        limits = self.vault.config
        if not self.vault.is_open:
            raise Refused("file_uploads_disabled")
        if size < 1:
            raise _invalid("[ERROR] must be at least 1 [json-pointer:/length]")
        if size > limits.file_bytes_max:
            raise _refused("file_upload_size_restricted", f"[ERROR] {size} bytes; at most {limits.file_bytes_max}")
        if await self._files.bytes_used(caller.team_id) + size > limits.workspace_bytes_max:
            raise Refused("storage_limit_reached")
        name = clean_name(name)
        file = File(
            team_id=caller.team_id,
            id=self._mint.mint("F"),
            user_id=caller.user_id,
            state=FileState.PENDING,
            name=name,
            title=name,
            filetype=kind_of(name).filetype,
            size=size,
            created_s=self._clock.wall_us() // 1_000_000,
            # What it turns out to be is known with its bytes; until then what its owner says is kept here.
            extra=orjson.dumps({"alt_txt": alt_text, "snippet_type": snippet_type[:32]}).decode(),
        )
        await self._files.reserve(file)
        return file

    def upload_url(self, file: File, base_url: str) -> str:
        """Return where the bytes of a promised file go, without a token."""
        upload = Upload(FileKey(file.team_id, file.id), file.user_id, file.size)
        return f"{base_url}upload/v1/{self.vault.tickets.sign(upload)}"

    async def is_awaited(self, upload: Upload) -> bool:
        """Tell whether the bytes of an upload are still wanted: its file was neither swept away nor deleted."""
        file = await self._files.file(upload.key.team_id, upload.key.file_id)
        return file is not None and file.user_id == upload.user_id and file.state <= FileState.READY

    async def keep(self, caller: Caller, name: str, data: bytes, *, snippet_type: str = "") -> File:
        """Promise a file and keep its bytes, which are in memory. Refused as `reserve`; it has to be completed."""
        file = await self.reserve(caller, name, len(data), snippet_type=snippet_type)
        try:
            async with self.vault.storage.receive(FileKey(file.team_id, file.id), len(data)) as incoming:
                await incoming.write(data)
                await incoming.keep()
        except StorageFull as error:
            raise _refused("storage_limit_reached", f"[ERROR] {error.message}") from error
        except AlreadyExistsError as error:  # pragma: no cover - a fresh id
            raise Refused("file_update_failed") from error
        return file

    async def uploaded(self, caller: Caller, file_id: str) -> File:
        """Return a file whose bytes the caller has uploaded, as it will be. Refused `file_not_found`."""
        [file] = await self._uploaded(caller, [file_id])
        return await self._ready(file, "")

    async def show_to_all(self, caller: Caller, ready: File) -> None:
        """Let everybody of the workspace see a file, such as somebody's picture."""
        effect = PutFile(asdict(ready), family_of(ready.filetype), int(ConversationKind.PUBLIC))
        await self._writes.commit(Write(caller.team_id, effects=(effect,)))

    async def settle(self, file: File, size: int) -> File:
        """Note how large a promised file turned out to be, whose length was not known."""
        settled = replace(file, size=size)
        await self._files.reserve(settled)
        return settled

    async def text_of(self, file: File) -> tuple[str, bool]:
        """Return the text of a snippet, as much of it as HEAD_BYTES are, and whether that is all."""
        head = await self._head(file)
        return head.decode(errors="ignore"), len(head) >= file.size

    async def _head(self, file: File) -> bytes:
        async with self.vault.storage.open(FileKey(file.team_id, file.id)) as stored:
            return b"".join([data async for data in stored.read(0, min(stored.size, HEAD_BYTES))])

    async def contents(self, caller: Caller, file_id: str, bytes_max: int) -> tuple[File, bytes]:
        """Return a file that the caller sees, and all of its bytes. Refused `file_not_found`, `too_large`."""
        file, _ = await self.seen.file(caller, file_id)
        if file.size > bytes_max:
            raise Refused("too_large")
        async with self.vault.storage.open(FileKey(file.team_id, file.id)) as stored:
            return file, b"".join([data async for data in stored.read(0, min(stored.size, bytes_max))])

    async def complete(self, caller: Caller, wanted: Completion, base_url: str) -> list[Json]:
        """Let uploaded files be seen, and post them. The same again gives the same answer, and posts nothing.

        Refused `invalid_arguments`, `file_not_found` (with a message that says what is missing), and as
        Messages.post does.
        """
        if not 1 <= len(wanted.titles) <= FILES_A_MESSAGE:
            raise _invalid(f"[ERROR] must have from 1 to {FILES_A_MESSAGE} entries [json-pointer:/files]")
        if len(wanted.channels) > CHANNELS_MAX:
            raise _invalid(f"[ERROR] must have at most {CHANNELS_MAX} entries [json-pointer:/channels]")
        before = await self._uploaded(caller, list(wanted.titles))
        sights = [await self._addressed(caller, reference) for reference in wanted.channels]
        ready = [await self._ready(file, wanted.titles[file.id], wanted.highlights.get(file.id, "")) for file in before]
        if sights:
            for sight in sights:
                await self._post(caller, wanted, sight, ready, base_url)
        elif any(file.state is FileState.PENDING for file in before):
            await self._publish(caller, ready)
        return [await self._shown(caller, file, base_url) for file in ready]

    async def _shown(self, caller: Caller, file: File, base_url: str) -> Json:
        try:
            now, shares = await self.seen.file(caller, file.id)
            return file_object(now, base_url, shares)
        except Refused:  # its effect has to wait for a sweeper; what was posted is posted
            return file_object(file, base_url, [])

    async def _uploaded(self, caller: Caller, ids: Sequence[str]) -> list[File]:
        found = await self._files.files(caller.team_id, [each for each in ids if is_id(each, "F")])
        oldest_s = self._clock.wall_us() // 1_000_000 - COMPLETED_S
        for file_id in ids:
            file = found.get(file_id)
            if file is None or file.user_id != caller.user_id or file.state > FileState.READY:
                raise _refused("file_not_found", f"[ERROR] there is no upload {file_id[:20]} of yours")
            if file.state is FileState.PENDING and file.created_s < oldest_s:
                raise _refused("file_not_found", f"[ERROR] {file_id} was promised too long ago; upload it again")
            if await self.vault.storage.size(FileKey(caller.team_id, file_id)) != file.size:
                raise _refused("file_not_found", f"[ERROR] the bytes of {file_id} have not arrived")
        return [found[file_id] for file_id in ids]

    async def _addressed(self, caller: Caller, reference: str) -> Sight:
        if is_id(reference.strip(), "UW"):
            return await self._direct.with_user(caller, reference.strip())
        sight = await self._directory.find(caller, reference)
        sight.check_writable()
        return sight

    async def _ready(self, file: File, title: str, highlight: str = "") -> File:
        """Return the file as it will be, now that its bytes are here. `highlight`: what it is written in."""
        if file.state is FileState.READY:
            return replace(file, title=clean_title(title, file.title))
        head, said = await self._head(file), orjson.loads(file.extra)
        filetype, extra = described(file.name, highlight[:32] or said["snippet_type"], said["alt_txt"], file.size, head)
        title = clean_title(title, file.name)
        return replace(file, state=FileState.READY, title=title, filetype=filetype, extra=extra)

    async def _post(
        self, caller: Caller, wanted: Completion, sight: Sight, files: Sequence[File], base_url: str
    ) -> None:
        channel_id, kind = sight.conversation.id, int(sight.conversation.kind)
        shown = [_within(file, sight, base_url) for file in files]
        post = Post(text=wanted.comment, blocks=wanted.blocks, thread_ts_us=wanted.thread_ts_us, files=shown)
        told = [_told("file_shared", file, {"channel_id": channel_id}) for file in files]
        effects = [PutFile(asdict(file), family_of(file.filetype), kind) for file in files]
        await self._messages.post(caller, channel_id, post, told=told, effects=effects)

    async def brought(
        self, caller: Caller, channel_id: str, ts_us: int, file_ids: Sequence[str], base_url: str
    ) -> dict[str, Brought]:
        """Return those of the files that the caller has uploaded, by id, as a message that is there is to show them.

        Refused `channel_not_found`.
        """
        sight = await self._directory.see(caller, channel_id)
        found = await self._files.files(
            caller.team_id, [each for each in file_ids if is_id(each, "F")][:FILES_A_MESSAGE]
        )
        oldest_s = self._clock.wall_us() // 1_000_000 - COMPLETED_S
        ready: dict[str, Brought] = {}
        for file in found.values():
            if file.user_id == caller.user_id and await self._has_come(file, oldest_s):
                file = await self._ready(file, "")
                effect = PutFile(asdict(file), family_of(file.filetype), int(sight.conversation.kind), ts_us)
                ready[file.id] = Brought(_within(file, sight, base_url), effect)
        return ready

    async def _has_come(self, file: File, oldest_s: int) -> bool:
        """Tell whether a file is there, or its bytes are and it waits to be completed."""
        if file.state is not FileState.PENDING:
            return file.state is FileState.READY
        key = FileKey(file.team_id, file.id)
        return file.created_s >= oldest_s and await self.vault.storage.size(key) == file.size

    async def _publish(self, caller: Caller, files: Sequence[File]) -> None:
        """Let files be seen by their owner alone."""
        drafts = [_told("file_created", file, {}) for file in files]
        effects = tuple(PutFile(asdict(file), family_of(file.filetype)) for file in files)
        await self._writes.commit(Write(caller.user_id, tuple(drafts), effects=effects))

    async def delete(self, caller: Caller, file_id: str) -> None:
        """Delete a file for everybody: its messages show that there was one. Its owner may, and admins who see it.

        Refused `file_not_found`, `file_deleted`, `cant_delete_file`.
        """
        file, shares = await self.seen.file(caller, file_id)
        if file.user_id != caller.user_id and not await self._is_admin(caller):
            raise Refused("cant_delete_file")
        # Conversations are told by the effect; a file that none of them has is its owner's news alone.
        drafts = () if shares else (_told("file_deleted", file, {"channel_ids": []}),)
        gone = replace(file, state=FileState.DELETED)
        effect = PutFile(asdict(gone), family_of(file.filetype))
        await self._writes.commit(Write(file.user_id, drafts, effects=(effect,)))
        try:
            await self.vault.storage.remove(FileKey(file.team_id, file.id))
            await self._files.note_gone(file.team_id, file.id)
        except ParleyError as error:
            log.warning("the bytes of %s are left to the sweep: %s", file.id, error)

    async def _is_admin(self, caller: Caller) -> bool:
        # From the database: who was an admin a moment ago is none.
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        return user is not None and not user.deleted and (user.is_admin or user.is_owner)

    async def readable(self, caller: Caller, team_id: str, file_id: str) -> File:
        """Return a file whose bytes the caller may have. Raises NotFoundError for any other."""
        try:
            if team_id != caller.team_id:
                raise Refused("file_not_found")
            return (await self.seen.file(caller, file_id))[0]
        except Refused as refusal:
            raise NotFoundError("there is no such file", subject="file") from refusal


def _within(file: File, sight: Sight, base_url: str) -> Json:
    """Return a file as a message of a conversation has it."""
    conversation = sight.conversation
    here = FileShare(file.team_id, file.id, conversation.id, 0, int(conversation.kind), file.user_id, "", 0)
    return {name: value for name, value in file_object(file, base_url, [here]).items() if name != "shares"}


def _told(kind: str, file: File, more: Json) -> Draft:
    payload: Json = {"type": kind, "file_id": file.id, "user_id": file.user_id, **more}
    if kind != "file_deleted":
        payload["file"] = {"id": file.id}
    in_channel = "channel_id" in more
    event_kind = event_pb2.EVENT_KIND_MESSAGE if in_channel else event_pb2.EVENT_KIND_USER
    return Draft(event_kind, lambda _: dict(payload), sender_id=file.user_id)


def _refused(code: str, message: str) -> Refused:
    return Refused(code, {"response_metadata": {"messages": [message]}})


def _invalid(message: str) -> Refused:
    return _refused("invalid_arguments", message)
