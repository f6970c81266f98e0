"""Files come in: promised, sent to the address that the promise gives, completed; over real HTTP and MariaDB."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from svc.kit.ids import id_from_number
from svc.webapp.files.storage import FileKey
from svc.webapp.files.tickets import TICKET_S, Upload, UploadTickets
from tests.svc.webapp.api.office import FILES, SIGNER, Office
from tests.svc.webapp.api.uploads import PNG, TEXT, fetched, kept, newest, promised, room, sent, uploaded

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_file_is_uploaded_posted_and_read_back(acme: Office) -> None:
    """The three steps; the message, its event, the file's object, and the bytes."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(acme, "grace")
    file_id = await uploaded(acme, ada, TEXT, "Notes of Monday.txt", alt_txt="notes")
    done = await ada.ok(
        "files.completeUploadExternal",
        files=[{"id": file_id, "title": "Monday"}],
        channel_id=channel,
        initial_comment=f"see <@{grace.id}>",
    )
    [file] = done["files"]
    base = acme.base.removesuffix("api/")
    assert file["id"] == file_id
    assert {name: file[name] for name in ("name", "title", "mimetype", "filetype", "pretty_type", "user", "size")} == {
        "name": "Notes of Monday.txt",
        "title": "Monday",
        "mimetype": "text/plain",
        "filetype": "text",
        "pretty_type": "Plain Text",
        "user": ada.id,
        "size": len(TEXT),
    }
    assert file["url_private"] == f"{base}files-pri/{ada.user.team_id}-{file_id}/notes_of_monday.txt"
    assert file["url_private_download"] == f"{base}files-pri/{ada.user.team_id}-{file_id}/download/notes_of_monday.txt"
    assert (file["mode"], file["preview"], file["lines"], file["alt_txt"]) == ("snippet", TEXT.decode(), 3, "notes")
    assert (file["is_public"], file["is_external"], file["channels"]) == (True, False, [channel])
    message = await newest(grace, channel)
    assert (message["subtype"], message["upload"], message["user"]) == ("file_share", True, ada.id)
    assert message["text"] == f"see <@{grace.id}>"
    assert file["shares"] == {
        "public": {channel: [{"ts": message["ts"], "team_id": ada.user.team_id, "share_user_id": ada.id}]}
    }
    assert [each["id"] for each in message["files"]] == [file_id]
    assert message["files"][0].items() <= {**file, "shares": 0}.items()
    *_, posted, told = acme.payloads(channel)
    assert (posted["type"], posted["subtype"], posted["ts"]) == ("message", "file_share", message["ts"])
    assert posted["files"] == message["files"]
    assert (
        told.items()
        >= {
            "type": "file_shared",
            "file_id": file_id,
            "file": {"id": file_id},
            "user_id": ada.id,
            "channel_id": channel,
        }.items()
    )
    status, data, _ = await fetched(acme, grace, file["url_private"])
    assert (status, data) == (200, TEXT)


async def test_bytes_come_in_every_form_that_clients_use(acme: Office) -> None:
    """A urlencoded form that is none, octets, nothing at all, a part of a form, PUT; the bytes are the same."""
    ada = acme["ada"]
    data = b"a=1&b=%20&" + os.urandom(700_000)

    def form(name: str, filename: str | None, content_type: str | None = None) -> aiohttp.FormData:
        made = aiohttp.FormData()
        made.add_field("more", "a field")
        made.add_field(name, data, filename=filename, content_type=content_type or "application/octet-stream")
        return made

    ways: list[tuple[Any, Mapping[str, str], str]] = [
        (data, {"Content-Type": "application/x-www-form-urlencoded"}, "POST"),
        (data, {"Content-Type": "application/octet-stream"}, "POST"),
        (data, {"Content-Type": "text/html; charset=utf-8"}, "PUT"),
        (form("body", "Untitled"), ada.headers, "POST"),
        (form("file", "x.bin"), {}, "POST"),
        (form("filename", "y.bin"), {}, "POST"),
    ]
    for body, headers, method in ways:
        file_id, url = await promised(ada, data, "data.bin")
        assert await sent(acme, url, body, headers, method) == (200, f"OK - {len(data)}")
        done = await ada.ok("files.completeUploadExternal", files=json.dumps([{"id": file_id, "title": "t"}]))
        status, found, _ = await fetched(acme, ada, done["files"][0]["url_private"])
        assert status == 200
        assert found == data


async def test_the_bytes_must_be_as_many_as_were_announced(acme: Office) -> None:
    """Neither more nor fewer; nothing is kept, and the right ones are still taken."""
    ada = acme["ada"]
    file_id, url = await promised(ada, b"12345")
    assert await sent(acme, url, b"1234") == (
        400,
        "4 bytes came, 5 were announced (5 bytes are allowed); nothing was kept",
    )
    assert (await sent(acme, url, b"123456"))[0] == 400
    assert (await sent(acme, url, b"x" * 2_000_000))[0] == 400
    assert kept(acme, file_id) == []
    missing = await ada.call("files.completeUploadExternal", files=[{"id": file_id}])
    assert missing["error"] == "file_not_found"
    assert "have not arrived" in missing["response_metadata"]["messages"][0]
    assert (await sent(acme, url, b"12345"))[0] == 200


async def test_a_ticket_is_for_one_upload(acme: Office) -> None:
    """Whoever has it may repeat the same bytes, as a client does that lost the answer; others are refused."""
    ada = acme["ada"]
    file_id, url = await promised(ada, b"12345")
    assert (await sent(acme, url, b"12345"))[0] == 200
    assert (await sent(acme, url, b"12345"))[0] == 200
    assert (await sent(acme, url, b"54321"))[0] == 409
    done = await ada.ok("files.completeUploadExternal", files=[{"id": file_id}])
    assert (await sent(acme, url, b"54321"))[0] == 409
    assert (await fetched(acme, ada, done["files"][0]["url_private"]))[1] == b"12345"
    await ada.ok("files.delete", file=file_id)
    assert await sent(acme, url, b"12345") == (404, "this file is awaited no longer")
    assert kept(acme, file_id) == []


async def test_a_ticket_that_is_none_or_too_old_is_refused(acme: Office) -> None:
    """Forged, of another purpose, expired, for a file that nobody promised."""
    files, ada = acme.services.files, acme["ada"]
    base = acme.base.removesuffix("api/") + "upload/v1/"
    file_id, url = await promised(ada, b"12345")
    assert (await sent(acme, url[:-3] + "abc", b"12345"))[0] == 404
    assert (await sent(acme, base, b"12345"))[0] == 404
    other = SIGNER.sign("ticket", {"team": ada.user.team_id}, 30, time.time())
    assert (await sent(acme, base + other, b"12345"))[0] == 404
    upload = Upload(FileKey(ada.user.team_id, file_id), ada.id, 5)
    expired = SIGNER.sign(
        "upload", {"team": ada.user.team_id, "file": file_id, "user": ada.id, "size": 5}, TICKET_S, time.time() - 3_600
    )
    assert (await sent(acme, base + expired, b"12345"))[0] == 410
    tickets: UploadTickets = files.vault.tickets
    unknown = tickets.sign(Upload(FileKey(upload.key.team_id, id_from_number("F", 5)), ada.id, 5))
    assert (await sent(acme, base + unknown, b"12345"))[0] == 404
    anothers = tickets.sign(Upload(upload.key, acme["grace"].id, 5))
    assert (await sent(acme, base + anothers, b"12345"))[0] == 404
    async with acme.http.get(url) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST, PUT")


async def test_a_promise_has_its_limits(acme: Office) -> None:
    """No bytes, too many, without a name, beyond what the workspace may have."""
    ada = acme["ada"]
    url = "files.getUploadURLExternal"
    assert await ada.error(url, filename="a", length="0") == "invalid_arguments"
    assert await ada.error(url, filename="a", length="-5") == "invalid_arguments"
    assert await ada.error(url, filename="a") == "invalid_arguments"
    assert await ada.error(url, length="5") == "invalid_arguments"
    assert await ada.error(url, filename="a", length="many") == "invalid_arguments"
    too_many = str(FILES["file_bytes_max"] + 1)
    assert await ada.error(url, filename="a", length=too_many) == "file_upload_size_restricted"
    team, _ = await acme.services.accounts.team("Full", f"full-{time.time_ns()}")
    zoe = (await acme.hire(team.id, ["zoe"]))["zoe"]
    for _ in range(FILES["workspace_bytes_max"] // FILES["file_bytes_max"]):
        await zoe.ok(url, filename="a", length=str(FILES["file_bytes_max"]))
    assert await zoe.error(url, filename="a", length=too_many) == "file_upload_size_restricted"
    assert await zoe.error(url, filename="a", length=str(FILES["file_bytes_max"])) == "storage_limit_reached"


async def test_what_cannot_be_completed(acme: Office) -> None:
    """Each refusal; and that nothing was posted."""
    ada, grace, helper = acme["ada"], acme["grace"], acme["helper"]
    complete = "files.completeUploadExternal"
    channel = await room(acme)
    file_id = await uploaded(acme, ada, TEXT)
    mine = [{"id": file_id}]
    assert await ada.error(complete) == "invalid_arguments"
    assert await ada.error(complete, files="nonsense") == "invalid_arguments"
    assert await ada.error(complete, files=[]) == "invalid_arguments"
    assert await ada.error(complete, files=["F1"]) == "invalid_arguments"
    assert await ada.error(complete, files=[{"id": 5}]) == "invalid_arguments"
    assert await ada.error(complete, files=[{"id": f"F{n:010d}"} for n in range(21)]) == "invalid_arguments"
    assert await ada.error(complete, files=[{"id": id_from_number("F", 7)}]) == "file_not_found"
    assert await ada.error(complete, files=[{"id": "'; DROP"}]) == "file_not_found"
    assert await grace.error(complete, files=mine, channel_id=channel) == "file_not_found"
    assert await ada.error(complete, files=mine, channel_id="C00000000XX") == "channel_not_found"
    theirs = await uploaded(acme, grace, TEXT)
    assert await grace.error(complete, files=[{"id": theirs}], channel_id=channel) == "not_in_channel"
    assert await grace.error(complete, files=[{"id": theirs}], channels=f"{acme.general},{channel}") == "not_in_channel"
    bots = await uploaded(acme, helper, TEXT)
    assert await helper.error(complete, files=[{"id": bots}], channel_id=channel) == "not_in_channel"
    assert await ada.error(complete, files=mine, channel_id=channel, thread_ts="12.5") == "cannot_reply_to_message"
    await ada.ok("conversations.archive", channel=channel)
    assert await ada.error(complete, files=mine, channel_id=channel) == "is_archived"
    assert all("files" not in payload for payload in acme.payloads(channel))
    assert all("files" not in payload for payload in acme.payloads(acme.general))
    await ada.ok(complete, files=mine)


async def test_completing_again_posts_nothing_twice(acme: Office) -> None:
    """A client that lost the answer repeats the call; into another conversation is another post."""
    ada = acme["ada"]
    channel, other = await room(acme), await room(acme)
    file_id = await uploaded(acme, ada, TEXT)
    wanted = {"files": [{"id": file_id, "title": "one"}], "channel_id": channel, "initial_comment": "c"}
    first = await ada.ok("files.completeUploadExternal", **wanted)
    again = await ada.ok("files.completeUploadExternal", **wanted)
    assert first == again
    history = (await ada.ok("conversations.history", channel=channel))["messages"]
    assert len([message for message in history if "files" in message]) == 1
    more = await ada.ok("files.completeUploadExternal", files=[{"id": file_id}], channel_id=other)
    assert set(more["files"][0]["channels"]) == {channel, other}
    assert more["files"][0]["title"] == "one"
    assert (await newest(ada, other))["files"][0]["id"] == file_id


async def test_several_files_are_one_message_in_each_conversation(acme: Office) -> None:
    """Several channels, a direct message by the person's id, and a thread."""
    ada, linus = acme["ada"], acme["linus"]
    channel = await room(acme, "linus")
    parent = (await ada.ok("chat.postMessage", channel=channel, text="parent"))["ts"]
    ids = [await uploaded(acme, ada, data, name) for data, name in ((TEXT, "a.py"), (PNG, "b.png"))]
    entries = [{"id": each} for each in ids]
    reply = await ada.ok("files.completeUploadExternal", files=entries, channel_id=channel, thread_ts=parent)
    assert [file["id"] for file in reply["files"]] == ids
    replies = (await linus.ok("conversations.replies", channel=channel, ts=parent))["messages"]
    assert [file["id"] for file in replies[1]["files"]] == ids
    both = await ada.ok("files.completeUploadExternal", files=entries, channels=f"{acme.general},{linus.id}")
    direct = (await ada.ok("conversations.open", users=linus.id))["channel"]["id"]
    assert both["files"][0]["ims"] == [direct]
    for where in (acme.general, direct):
        message = await newest(linus, where)
        assert [file["id"] for file in message["files"]] == ids
        assert message["text"] == ""
    picture = both["files"][1]
    assert (picture["original_w"], picture["original_h"], picture["mode"]) == (640, 480, "hosted")
    assert (picture["thumb_360_w"], picture["thumb_360_h"]) == (360, 270)
    assert picture["thumb_64"] == picture["url_private"]
    assert (both["files"][0]["filetype"], both["files"][0]["mode"]) == ("python", "snippet")


async def test_a_file_without_a_conversation_is_its_owners_alone(acme: Office) -> None:
    """The owner is told; nobody else sees it."""
    ada, grace = acme["ada"], acme["grace"]
    file_id = await uploaded(acme, ada, TEXT)
    assert await ada.error("files.info", file=file_id) == "file_not_found"
    [file] = (await ada.ok("files.completeUploadExternal", files=[{"id": file_id}]))["files"]
    assert (file["is_public"], file["channels"], file["groups"], file["ims"]) == (False, [], [], [])
    assert acme.payloads(ada.id)[-1]["type"] == "file_created"
    assert (await ada.ok("files.info", file=file_id))["content"] == TEXT.decode()
    assert await grace.error("files.info", file=file_id) == "file_not_found"
    assert (await fetched(acme, grace, file["url_private"]))[0] == 404


async def test_what_a_snippet_is_written_in_may_be_said_when_it_is_completed(acme: Office) -> None:
    """Then it counts instead of the name; once it is complete, nothing changes it."""
    ada = acme["ada"]
    file_id = await uploaded(acme, ada, b"print('hello')\n", "hello.txt")
    entry = {"id": file_id, "title": "Hello", "highlight_type": "python"}
    [file] = (await ada.ok("files.completeUploadExternal", files=[entry]))["files"]
    assert (file["filetype"], file["mode"], file["title"]) == ("python", "snippet", "Hello")
    [file] = (await ada.ok("files.completeUploadExternal", files=[{**entry, "highlight_type": "go"}]))["files"]
    assert file["filetype"] == "python"
    assert (
        await ada.error("files.completeUploadExternal", files=[{**entry, "highlight_type": 7}]) == "invalid_arguments"
    )
