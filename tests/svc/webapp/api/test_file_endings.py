"""How files go, and what never became one: deleted, broken off, too many at once, left over."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from svc.webapp.files.config import PENDING_S
from svc.webapp.files.storage import FileKey
from svc.webapp.files.sweeping import sweep
from svc.webapp.store.file_rows import FileState
from tests.svc.webapp.api.office import FILES, Office
from tests.svc.webapp.api.uploads import PNG, TEXT, fetched, kept, newest, promised, room, sent, shared, uploaded

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_deleted_file_is_gone_everywhere(acme: Office) -> None:
    """Its bytes, its place in lists; its messages say that there was one, in history and by an event."""
    ada, grace = acme["ada"], acme["grace"]
    channel, other = await room(acme, "grace"), await room(acme)
    first = await shared(acme, ada, channel, initial_comment="look")
    ids = [await uploaded(acme, ada, data) for data in (TEXT, PNG)]
    await ada.ok("files.completeUploadExternal", files=[{"id": each} for each in ids], channels=f"{channel},{other}")
    assert (await ada.ok("files.info", file=first["id"]))["file"]["id"] == first["id"]
    assert await grace.error("files.delete", file=first["id"]) == "cant_delete_file"
    assert await acme["linus"].error("files.delete", file="F00000000XX") == "file_not_found"
    assert await ada.error("files.delete") == "invalid_arguments"
    await ada.ok("files.delete", file=first["id"])
    await ada.ok("files.delete", file=ids[0])
    assert await ada.error("files.delete", file=first["id"]) == "file_deleted"
    assert await ada.error("files.info", file=first["id"]) == "file_deleted"
    assert await grace.error("files.info", file=first["id"]) == "file_not_found"
    assert await ada.error("files.completeUploadExternal", files=[{"id": first["id"]}]) == "file_not_found"
    assert (await fetched(acme, ada, first["url_private"]))[0] == 404
    assert kept(acme, first["id"]) == []
    messages = (await grace.ok("conversations.history", channel=channel, limit="2"))["messages"]
    gone = {"id": first["id"], "mode": "tombstone"}
    assert messages[1]["files"] == [gone]
    assert messages[1]["text"] == "look"
    for where in (channel, other):
        files = (await newest(ada, where))["files"]
        assert files[0] == {"id": ids[0], "mode": "tombstone"}
        assert (files[1]["id"], files[1]["mode"]) == (ids[1], "hosted")
    told = [each for each in acme.payloads(channel) if each.get("subtype") == "message_changed"]
    assert told[0]["message"]["files"] == [gone]
    assert told[0]["previous_message"]["files"][0]["mode"] == "snippet"
    deleted = [each["file_id"] for each in acme.payloads(channel) if each["type"] == "file_deleted"]
    assert deleted == [first["id"], ids[0]]
    listed = [file["id"] for file in (await ada.ok("files.list", channel=channel))["files"]]
    assert listed == [ids[1]]


async def test_a_message_with_files_is_edited_and_removed_as_others_are(acme: Office) -> None:
    """Its files stay with it; the file outlives it."""
    ada = acme["ada"]
    channel = await room(acme)
    file = await shared(acme, ada, channel, initial_comment="before")
    ts = (await newest(ada, channel))["ts"]
    await ada.ok("chat.update", channel=channel, ts=ts, text="after")
    message = await newest(ada, channel)
    assert (message["text"], [each["id"] for each in message["files"]]) == ("after", [file["id"]])
    await ada.ok("chat.update", channel=channel, ts=ts, text="")
    await ada.ok("chat.delete", channel=channel, ts=ts)
    assert (await ada.ok("files.info", file=file["id"]))["file"]["id"] == file["id"]
    await ada.ok("files.delete", file=file["id"])
    assert await ada.error("files.info", file=file["id"]) == "file_deleted"


@pytest.mark.parametrize("has_reply", [False, True])
async def test_who_saw_a_file_by_a_removed_message_sees_it_no_more(acme: Office, *, has_reply: bool) -> None:
    """Also where replies keep a trace of the message; by another message they do, and its owner has it anyway."""
    ada, grace = acme["ada"], acme["grace"]
    channel, other = await room(acme, "grace"), await room(acme, "grace")
    file_id = await uploaded(acme, ada, TEXT)
    await ada.ok("files.completeUploadExternal", files=[{"id": file_id}], channels=f"{channel},{other}")
    for where in (channel, other):
        assert (await grace.ok("files.info", file=file_id))["file"]["id"] == file_id
        ts = (await newest(ada, where))["ts"]
        if has_reply:
            await grace.ok("chat.postMessage", channel=where, text="nice", thread_ts=ts)
        await ada.ok("chat.delete", channel=where, ts=ts)
        assert (await grace.ok("files.list", channel=where))["files"] == []
        assert where not in (await ada.ok("files.info", file=file_id))["file"]["channels"]
    assert await grace.error("files.info", file=file_id) == "file_not_found"
    assert (await ada.ok("files.info", file=file_id))["file"]["shares"] == {}


async def test_admins_delete_what_they_see(acme: Office) -> None:
    """And nothing else; an owner without conversations is told itself."""
    linus = acme["linus"]
    team, _ = await acme.services.accounts.team("Admins", f"admins-{time.time_ns()}")
    people = await acme.hire(team.id, ["root", "user"])
    root, user = people["root"], people["user"]
    channel = (await user.ok("conversations.create", name="open"))["channel"]["id"]
    file, own = await shared(acme, user, channel), await uploaded(acme, user, TEXT)
    await user.ok("files.completeUploadExternal", files=[{"id": own}])
    assert await root.error("files.delete", file=file["id"]) == "cant_delete_file"
    rows = acme.pools.workspace
    await rows.execute("UPDATE users SET is_admin = 1 WHERE team_id = %s AND id = %s", (team.id, root.id))
    await root.ok("files.delete", file=file["id"])
    assert await root.error("files.delete", file=own) == "file_not_found"
    assert await linus.error("files.delete", file=own) == "file_not_found"
    await user.ok("files.delete", file=own)
    assert acme.payloads(user.id)[-1].items() >= {"type": "file_deleted", "file_id": own}.items()


async def test_a_client_that_goes_away_leaves_nothing(acme: Office) -> None:
    """Half an upload is none; the place that it took is free again."""
    ada = acme["ada"]
    file_id, url = await promised(ada, b"x" * 1_000_000)
    went = asyncio.Event()

    async def half() -> Any:
        yield b"x" * 600_000
        went.set()
        await asyncio.Event().wait()

    async with aiohttp.ClientSession() as http:
        upload = asyncio.create_task(http.post(url, data=half()))
        await went.wait()
        async with asyncio.timeout(30):
            while not kept(acme, file_id):
                await asyncio.sleep(0.01)
        upload.cancel()
        await asyncio.wait({upload})
    async with asyncio.timeout(30):
        while kept(acme, file_id):
            await asyncio.sleep(0.01)
    assert (await sent(acme, url, b"x" * 1_000_000))[0] == 200


async def test_only_so_many_upload_at_once(acme: Office) -> None:
    """The next is told to come back; the memory that all of them take is counted."""
    ada = acme["ada"]
    limit, release = FILES["uploads_max"], asyncio.Event()

    async def slowly() -> Any:
        yield b"x"
        await release.wait()
        yield b"x" * 9

    async with aiohttp.ClientSession() as http:
        offers = [await promised(ada, b"x" * 10) for _ in range(limit + 1)]
        uploads = [asyncio.create_task(http.post(url, data=slowly())) for _, url in offers[:limit]]
        async with asyncio.timeout(30):
            while not all(kept(acme, file_id) for file_id, _ in offers[:limit]):
                await asyncio.sleep(0.01)
        async with http.post(offers[-1][1], data=b"x" * 10) as refused:
            assert refused.status == 429
            assert int(refused.headers["Retry-After"]) >= 1
        release.set()
        assert [answer.status for answer in await asyncio.gather(*uploads)] == [200] * limit
        async with http.post(offers[-1][1], data=b"x" * 10) as answer:
            assert answer.status == 200


async def test_what_is_left_over_is_swept(acme: Office) -> None:
    """Promises that were not kept, uploads that nobody completed, bytes of deleted files; nothing else."""
    ada, files = acme["ada"], acme.services.files
    team = ada.user.team_id
    channel = await room(acme)
    ready = await shared(acme, ada, channel)
    waiting = await uploaded(acme, ada, TEXT)
    deleted = await shared(acme, ada, channel)
    await ada.ok("files.delete", file=deleted["id"])
    rows = acme.pools.workspace
    # As if the webapp had died right after the effect, before it removed the bytes.
    await rows.execute(
        "UPDATE files SET state = %s WHERE team_id = %s AND id = %s", (int(FileState.DELETED), team, deleted["id"])
    )
    async with files.vault.storage.receive(FileKey(team, deleted["id"]), 5) as incoming:
        await incoming.write(b"bytes")
        await incoming.keep()
    store = files.seen.rows
    now_s = int(time.time())
    await sweep(files.vault, store, now_s)
    assert kept(acme, deleted["id"]) == []
    assert kept(acme, waiting) != []
    gone = await store.file(team, deleted["id"])
    assert gone is not None
    assert gone.state is FileState.GONE
    await sweep(files.vault, store, now_s + PENDING_S + 60)
    assert kept(acme, waiting) == []
    assert await ada.error("files.completeUploadExternal", files=[{"id": waiting}]) == "file_not_found"
    assert (await fetched(acme, ada, ready["url_private"]))[1] == TEXT


async def test_a_promise_that_is_too_old_is_not_completed(acme: Office) -> None:
    """It might be swept at the same moment."""
    ada = acme["ada"]
    waiting = await uploaded(acme, ada, TEXT)
    await acme.pools.workspace.execute(
        "UPDATE files SET created_s = created_s - %s WHERE team_id = %s AND id = %s",
        (PENDING_S - 300, ada.user.team_id, waiting),
    )
    answer = await ada.call("files.completeUploadExternal", files=[{"id": waiting}])
    assert answer["error"] == "file_not_found"
    assert "upload it again" in answer["response_metadata"]["messages"][0]
