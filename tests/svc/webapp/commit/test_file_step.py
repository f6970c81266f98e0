"""What a write makes of a file, against a real MariaDB: done again, out of order, and while others edit the message."""

from __future__ import annotations

from dataclasses import asdict, replace

import orjson
import pytest

from parley.event.v1 import event_pb2
from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.effects import Cause
from svc.webapp.commit.file_step import without_file
from svc.webapp.commit.log import Draft, MessageChange, MessageDraft, MessageRemoval, PutFile, Unshare, Write
from svc.webapp.store.file_rows import File, FileState
from svc.webapp.store.outbox import DueEffect
from svc.webapp.store.rows import Conversation, ConversationKind, Message
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, CHANNEL, TEAM, note

pytestmark = pytest.mark.mesh

FILE = File(TEAM, "F0000000001", ALICE, FileState.READY, "a.txt", "a", "text", 5, 1, '{"mode":"snippet"}')
GONE = {"id": FILE.id, "mode": "tombstone"}


def put(file: File, shared_as: int = 0) -> PutFile:
    """Return the effect that sets a file."""
    return PutFile(asdict(file), "snippets", shared_as)


async def posted(running: Webapp, *effects: PutFile) -> int:
    """Post a message with the file and another one; return its ts."""
    extra = orjson.dumps(
        {"files": [{"id": FILE.id, "mode": "snippet"}, {"id": "F2", "mode": "hosted"}], "upload": True}
    )
    draft = Draft(
        event_pb2.EVENT_KIND_MESSAGE,
        lambda _: {"type": "message"},
        ALICE,
        message=MessageDraft(ALICE, "look", subtype="file_share", extra=extra),
    )
    create = Conversation(CHANNEL, TEAM, ConversationKind.PUBLIC, "general", ALICE)
    return (await running.writes.commit(Write(CHANNEL, (draft, note()), create=create, effects=effects))).ts_us


async def shown(running: Webapp, ts_us: int) -> list[object]:
    """Return the files that a message shows."""
    message = await running.stores.channels.message(CHANNEL, ts_us)
    assert message is not None
    files: list[object] = orjson.loads(message.extra)["files"]
    return files


async def told(running: Webapp) -> list[str]:
    """Return what the channel was told, by type and subtype."""
    page = await running.stores.channels.log(CHANNEL, 0, 100)
    payloads = [orjson.loads(event_pb2.Event.FromString(event).payload) for event in page.events]
    return [str(payload.get("subtype", payload["type"])) for payload in payloads]


async def test_a_posted_file_is_seen_by_its_owner_and_its_channel(running: Webapp) -> None:
    """And is as the write says, with the revision of the write."""
    ts_us = await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    files = running.stores.files
    found = await files.file(TEAM, FILE.id)
    assert found == replace(FILE, revision_us=ts_us)
    shares = await files.shares(TEAM, [FILE.id])
    assert [(each.channel_id, each.ts_us, each.kind) for each in shares] == [(CHANNEL, ts_us, 1), (ALICE, 0, 0)]


async def test_a_deleted_files_messages_say_so_once(running: Webapp) -> None:
    """However often the step is done."""
    ts_us = await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    now = await running.stores.files.file(TEAM, FILE.id)
    assert now is not None
    effect = put(replace(now, state=FileState.DELETED))
    committed = await running.writes.commit(Write(ALICE, (note(),), effects=(effect,)))
    for _ in range(2):
        await running.effects.carry_out(Cause(ALICE, committed.ts_us, 0, 1), effect, is_again=True)
    assert await shown(running, ts_us) == [GONE, {"id": "F2", "mode": "hosted"}]
    assert (await told(running)).count("message_changed") == 1
    assert (await told(running)).count("file_deleted") == 1
    assert await running.stores.files.shares(TEAM, [FILE.id]) == []


async def test_a_post_that_comes_after_the_deletion_shows_nothing(running: Webapp) -> None:
    """Its step was left to a sweeper, and the file was deleted meanwhile: the step sees it, and clears its message."""
    first_us = await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    late_us = await posted(running)
    now = await running.stores.files.file(TEAM, FILE.id)
    assert now is not None
    await running.writes.commit(Write(ALICE, (note(),), effects=(put(replace(now, state=FileState.DELETED)),)))
    assert (await shown(running, late_us))[0] != GONE
    late = put(now, int(ConversationKind.PUBLIC))
    assert await running.effects.redo(DueEffect(CHANNEL, late_us, 0, 3, orjson.dumps({"op": "file", **asdict(late)})))
    assert (await shown(running, late_us))[0] == (await shown(running, first_us))[0] == GONE
    found = await running.stores.files.file(TEAM, FILE.id)
    assert found is not None
    assert found.state is FileState.DELETED
    assert await running.stores.files.shares(TEAM, [FILE.id]) == []


async def test_a_deletion_counts_though_its_clock_is_behind(running: Webapp) -> None:
    """It says which version it replaces, and is above that."""
    await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    now = await running.stores.files.file(TEAM, FILE.id)
    assert now is not None
    effect = put(replace(now, state=FileState.DELETED))
    await running.effects.carry_out(Cause(ALICE, now.revision_us - 5_000_000, 0, 1), effect)
    found = await running.stores.files.file(TEAM, FILE.id)
    assert found is not None
    assert (found.state, found.revision_us) == (FileState.DELETED, now.revision_us + 1)


async def test_a_deleted_file_does_not_come_back(running: Webapp) -> None:
    """Not even by a post that was decided upon before, and has a later clock; nor do its bytes seem to be back."""
    await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    files = running.stores.files
    now = await files.file(TEAM, FILE.id)
    assert now is not None
    await running.writes.commit(Write(ALICE, (note(),), effects=(put(replace(now, state=FileState.DELETED)),)))
    await files.note_gone(TEAM, FILE.id)
    later_us = await posted(running)
    late = Cause(CHANNEL, later_us + 9_000_000, 0, 1)
    await running.effects.carry_out(late, put(now, int(ConversationKind.PUBLIC)))
    await running.effects.carry_out(late, put(replace(now, state=FileState.DELETED)))
    found = await files.file(TEAM, FILE.id)
    assert found is not None
    assert found.state is FileState.GONE
    assert await files.shares(TEAM, [FILE.id]) == []


async def test_an_edit_in_between_is_kept(running: Webapp) -> None:
    """The message is read again when it was changed by another."""
    ts_us = await posted(running, put(FILE, int(ConversationKind.PUBLIC)))
    channels, now = running.stores.channels, await running.stores.files.file(TEAM, FILE.id)
    message = await channels.message(CHANNEL, ts_us)
    assert now is not None
    assert message is not None
    edit = MessageChange(ts_us, message.revision, text="edited")
    await running.writes.commit(Write(CHANNEL, (note(),), changed=(edit,)))
    await running.writes.commit(Write(ALICE, (note(),), effects=(put(replace(now, state=FileState.DELETED)),)))
    changed = await channels.message(CHANNEL, ts_us)
    assert changed is not None
    assert (changed.text, (await shown(running, ts_us))[0]) == ("edited", GONE)


def test_a_message_without_the_file_is_left_alone() -> None:
    """Also one that shows only the trace of it."""
    message = Message(CHANNEL, 1, 1, ALICE, "", "", "", 0, False, "", b"")
    assert without_file(message, FILE.id) is None
    assert without_file(replace(message, extra=orjson.dumps({"files": [GONE]})), FILE.id) is None
    assert without_file(replace(message, extra=orjson.dumps({"files": [{"id": "F2"}]})), FILE.id) is None


def test_the_effect_is_read_back_as_it_was_written() -> None:
    """It outlives the process that wrote it."""
    effect = put(FILE, 2)
    assert decode_effect(orjson.dumps({"op": "file", **asdict(effect)})) == effect


async def test_a_share_that_comes_behind_its_messages_removal_is_none(running: Webapp) -> None:
    """Done again by a sweeper, both of them, in either order."""
    first = put(FILE, int(ConversationKind.PUBLIC))
    ts_us = await posted(running, first)
    message = await running.stores.channels.message(CHANNEL, ts_us)
    assert message is not None
    gone = Unshare(TEAM, ts_us, (FILE.id,))
    assert decode_effect(orjson.dumps({"op": "unshare", **asdict(gone)})) == gone
    files = running.stores.files
    assert [each.channel_id for each in await files.shares(TEAM, [FILE.id])] == [CHANNEL, ALICE]
    removal = Write(CHANNEL, (note(),), removed=(MessageRemoval(ts_us, message.revision),), effects=(gone,))
    removed = await running.writes.commit(removal)
    cause, its_end = Cause(CHANNEL, ts_us, 0, 1), Cause(CHANNEL, removed.ts_us, 0, 3)
    for step in ((cause, first), (its_end, gone), (cause, first)):
        await running.effects.carry_out(*step, is_again=True)
        assert [each.channel_id for each in await files.shares(TEAM, [FILE.id])] == [ALICE]
