"""files.*, and the two addresses by which bytes come in and go out, over real HTTP, MariaDB and a real folder."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from svc.kit.ids import id_from_number
from svc.webapp.files.config import PENDING_S
from svc.webapp.files.storage import FileKey
from svc.webapp.files.sweeping import sweep
from svc.webapp.files.tickets import TICKET_S, Upload, UploadTickets
from svc.webapp.store.file_rows import FileState
from tests.svc.webapp.api.office import FILES, SIGNER, Json, Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0) + bytes(200)
TEXT = "first line\nsecond, with an € in it\n".encode()


async def room(acme: Office, *others: str, private: bool = False) -> str:
    """Return a channel of ada's, with others in it."""
    name = f"files-{time.time_ns()}"
    channel = (await acme["ada"].ok("conversations.create", name=name, is_private=private))["channel"]["id"]
    if others:
        await acme["ada"].ok("conversations.invite", channel=channel, users=",".join(acme[name].id for name in others))
    return str(channel)


async def promised(who: Someone, data: bytes, name: str = "a.txt", **more: str) -> tuple[str, str]:
    """Return the id of a promised file, and where its bytes go."""
    answer = await who.ok("files.getUploadURLExternal", filename=name, length=str(len(data)), **more)
    return str(answer["file_id"]), str(answer["upload_url"])


async def sent(
    acme: Office, url: str, data: Any, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> tuple[int, str]:
    """Send bytes to an address; return status and text."""
    async with acme.http.request(method, url, data=data, headers=headers) as answer:
        assert answer.content_type == "text/plain"
        return answer.status, await answer.text()


async def uploaded(acme: Office, who: Someone, data: bytes, name: str = "a.txt", **more: str) -> str:
    """Upload bytes as a client does; return the file's id."""
    file_id, url = await promised(who, data, name, **more)
    assert await sent(acme, url, data, {"Content-Type": "application/octet-stream"}) == (200, f"OK - {len(data)}")
    return file_id


async def shared(
    acme: Office, who: Someone, channel: str, data: bytes = TEXT, name: str = "a.txt", **more: str
) -> Json:
    """Upload and post a file; return its object."""
    file_id = await uploaded(acme, who, data, name)
    done = await who.ok("files.completeUploadExternal", files=[{"id": file_id}], channel_id=channel, **more)
    file: Json = done["files"][0]
    return file


async def fetched(acme: Office, who: Someone | None, url: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Get an address with somebody's token."""
    told = {**(who.headers if who else {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with acme.http.get(url, headers=told) as answer:
        return answer.status, await answer.read(), answer.headers


async def newest(who: Someone, channel: str) -> Json:
    """Return the newest message of a channel."""
    message: Json = (await who.ok("conversations.history", channel=channel, limit="1"))["messages"][0]
    return message


def kept(acme: Office, file_id: str) -> list[Path]:
    """Return where a file's bytes lie."""
    return list((acme.mesh.spec.var / "files").rglob(f"*{file_id}*"))


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


async def test_who_sees_a_file(acme: Office) -> None:
    """Members; everybody where it is public, but bots; nobody of another workspace, and nobody without a token."""
    ada, grace, linus, helper = (acme[name] for name in ("ada", "grace", "linus", "helper"))
    private, public = await room(acme, "grace", private=True), await room(acme)
    secret = await shared(acme, ada, private)
    known = await shared(acme, ada, public)
    assert (secret["groups"], secret["is_public"], list(secret["shares"])) == ([private], False, ["private"])
    team, _ = await acme.services.accounts.team("Globex", f"globex-{time.time_ns()}")
    hank = (await acme.hire(team.id, ["hank"]))["hank"]
    expected = [
        (secret, ada, 200),
        (secret, grace, 200),
        (secret, linus, 404),
        (secret, helper, 404),
        (secret, hank, 404),
        (known, linus, 200),
        (known, helper, 404),
        (known, hank, 404),
    ]
    for file, who, status in expected:
        assert (await fetched(acme, who, file["url_private"]))[0] == status, (file["id"], who.user.name)
        found = await who.call("files.info", file=file["id"])
        assert found["ok"] is (status == 200)
        assert found.get("error", "file_not_found") == "file_not_found"
    # What somebody may see shows no place that it may not.
    await ada.ok("files.completeUploadExternal", files=[{"id": secret["id"]}], channel_id=public)
    seen = (await linus.ok("files.info", file=secret["id"]))["file"]
    assert (seen["channels"], seen["groups"]) == ([public], [])
    await grace.ok("conversations.leave", channel=private)
    status, body, headers = await fetched(acme, None, secret["url_private"])
    assert (status, body, headers["WWW-Authenticate"]) == (401, b"not_authed", "Bearer")
    async with acme.http.get(secret["url_private"], headers={"Authorization": "Bearer xoxb-1-1-nonsense"}) as answer:
        assert answer.status == 401
    async with acme.http.get(secret["url_private"], headers={"Authorization": "Bearer xapp-1-1-nonsense"}) as answer:
        assert answer.status in (401, 403)
    async with acme.http.get(secret["url_private"] + f"?token={ada.token}") as answer:
        assert answer.status == 401


async def test_the_headers_let_no_browser_run_anything(acme: Office) -> None:
    """Whatever the file says that it is."""
    ada = acme["ada"]
    channel = await room(acme)
    page = b"<!doctype html><script>alert(1)</script>"
    expected = [
        ("page.html", page, "application/octet-stream", "attachment"),
        ("image.svg", b"<svg onload='alert(1)'/>", "application/octet-stream", "attachment"),
        ("feed.xml", page, "application/octet-stream", "attachment"),
        ("app.js", b"alert(1)", "application/octet-stream", "attachment"),
        ("paper.pdf", b"%PDF-1.7", "application/pdf", "attachment"),
        ("notes.txt", page, "text/plain; charset=utf-8", "inline"),
        ("code.py", b"print(1)", "text/plain; charset=utf-8", "inline"),
        ("picture.png", PNG, "image/png", "inline"),
        ("polyglot.png", page, "image/png", "inline"),
        ("unknown.xyz", b"\0\1", "application/octet-stream", "attachment"),
    ]
    for name, data, content_type, disposition in expected:
        file = await shared(acme, ada, channel, data, name)
        status, body, headers = await fetched(acme, ada, file["url_private"])
        assert (status, body, headers["Content-Type"]) == (200, data, content_type), name
        assert headers["Content-Disposition"].startswith(f'{disposition}; filename="{name}"')
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert headers["Cross-Origin-Resource-Policy"] == "same-site"
        assert "no-cache" in headers["Cache-Control"]
        saved = (await fetched(acme, ada, file["url_private_download"]))[2]
        assert saved["Content-Disposition"].startswith("attachment; ")


async def test_names_that_mean_something_elsewhere_are_only_names(acme: Office) -> None:
    """In the object, the headers and the folder."""
    ada = acme["ada"]
    channel = await room(acme)
    file = await shared(acme, ada, channel, TEXT, '../../etc/pass"wd\r\nX-Evil: 1 €.txt')
    assert file["name"] == "pass_wdX-Evil_ 1 €.txt"
    status, _, headers = await fetched(acme, ada, file["url_private"])
    assert status == 200
    assert "X-Evil" not in headers
    assert headers["Content-Disposition"].endswith("filename*=UTF-8''pass_wdX-Evil_%201%20%E2%82%AC.txt")
    assert [path.name for path in kept(acme, file["id"])] == [file["id"]]
    for path in ("..%2f..%2fsecret", "../../secret", f"{ada.user.team_id}-../x", f"{ada.user.team_id}-{file['id']}"):
        async with acme.http.get(acme.base.removesuffix("api/") + "files-pri/" + path, headers=ada.headers) as answer:
            assert answer.status == 404, path


async def test_parts_of_a_file(acme: Office) -> None:
    """Ranges, HEAD, and versions that the client has."""
    ada = acme["ada"]
    data = os.urandom(600_000)
    file = await shared(acme, ada, await room(acme), data, "data.bin")
    url = file["url_private"]
    status, body, headers = await fetched(acme, ada, url, Range="bytes=300000-300009")
    assert (status, body) == (206, data[300_000:300_010])
    assert headers["Content-Range"] == "bytes 300000-300009/600000"
    etag = headers["ETag"]
    assert (await fetched(acme, ada, url, Range="bytes=-5", If_Range=etag))[:2] == (206, data[-5:])
    assert (await fetched(acme, ada, url, Range="bytes=0-5", If_Range='"old"'))[:2] == (200, data)
    status, body, headers = await fetched(acme, ada, url, Range="bytes=600000-")
    assert (status, body, headers["Content-Range"]) == (416, b"", "bytes */600000")
    assert (await fetched(acme, ada, url, If_None_Match=etag))[:2] == (304, b"")
    assert (await fetched(acme, acme["grace"], url, If_None_Match=etag))[0] == 304
    async with acme.http.head(url, headers=ada.headers) as answer:
        assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (200, "600000", b"")
    async with acme.http.post(url, headers=ada.headers) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


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


async def test_lists(acme: Office) -> None:
    """By channel, person, kind and time; by page and by cursor; only what the caller sees."""
    ada, grace, helper = acme["ada"], acme["grace"], acme["helper"]
    channel, private = await room(acme, "grace"), await room(acme, private=True)
    made = [
        await shared(acme, ada, channel, TEXT, "a.txt"),
        await shared(acme, ada, channel, PNG, "b.png"),
        await shared(acme, grace, channel, PNG, "c.png"),
        await shared(acme, ada, channel, b"%PDF", "d.pdf"),
        await shared(acme, ada, private, PNG, "e.png"),
    ]
    ids = [file["id"] for file in made]

    async def listed(who: Someone, **arguments: Any) -> list[str]:
        answer = await who.ok("files.list", **arguments)
        return [file["id"] for file in answer["files"]]

    newest_first = ids[3::-1]
    assert await listed(ada, channel=channel) == newest_first
    assert await listed(ada, channel=channel, user=grace.id) == [ids[2]]
    assert await listed(ada, channel=channel, types="images") == [ids[2], ids[1]]
    assert await listed(ada, channel=channel, types="snippets,pdfs") == [ids[3], ids[0]]
    assert await listed(ada, channel=channel, types="all") == newest_first
    assert await listed(ada, channel=channel, types="gdocs") == []
    assert await ada.error("files.list", types="nonsense") == "unknown_type"
    assert await ada.error("files.list", channel="C00000000XX") == "channel_not_found"
    assert await grace.error("files.list", channel=private) == "channel_not_found"
    assert await helper.error("files.list", channel=channel) == "not_in_channel"
    assert await ada.error("files.list", user="U00000000XX") == "user_not_found"
    assert await ada.error("files.list", cursor="nonsense") == "invalid_cursor"
    everything = await listed(ada)
    assert everything[:5] == [ids[4], *newest_first]
    assert ids[4] not in await listed(grace)
    assert await listed(grace, user=ada.id, channel=channel) == [ids[3], ids[1], ids[0]]
    assert (await listed(ada, user=ada.id))[0] == ids[4]
    created = made[0]["created"]
    assert await listed(ada, channel=channel, ts_from=str(created), ts_to=str(created + 3_600)) == newest_first
    assert await listed(ada, channel=channel, ts_to=str(created - 1)) == []
    assert await listed(ada, channel=channel, ts_from=str(created + 3_600)) == []
    page = await ada.ok("files.list", channel=channel, count="3", page="2")
    assert [file["id"] for file in page["files"]] == [ids[0]]
    assert page["paging"] == {"count": 3, "total": 4, "page": 2, "pages": 2}
    found, cursor = [], ""
    while True:
        page = await ada.ok("files.list", channel=channel, limit="3", cursor=cursor)
        found += [file["id"] for file in page["files"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert found == newest_first


async def test_the_old_way_uploads_and_posts_in_one_call(acme: Office) -> None:
    """Text in `content`, or a file in a form, with its fields before or after it."""
    ada = acme["ada"]
    channel = await room(acme)
    text = (await ada.ok("files.upload", content="print(1)", filename="x.py", channels=channel, title="T"))["file"]
    assert (text["name"], text["title"], text["filetype"], text["channels"]) == ("x.py", "T", "python", [channel])
    assert (await fetched(acme, ada, text["url_private"]))[1] == b"print(1)"
    typed = (await ada.ok("files.upload", content="{}", filetype="json"))["file"]
    assert (typed["filetype"], typed["channels"]) == ("json", [])
    assert await ada.error("files.upload", channels=channel) == "no_file_data"
    assert await ada.error("files.upload", content="", channels=channel) == "invalid_arguments"
    data = os.urandom(1_500_000)
    for fields_first in (True, False):
        form = aiohttp.FormData()
        fields = {"channels": channel, "initial_comment": "from a form", "filename": "data.bin"}
        if fields_first:
            form.add_fields(*fields.items())
        form.add_field("file", data, filename="local.bin", content_type="application/octet-stream")
        if not fields_first:
            form.add_fields(*fields.items())
        async with acme.http.post(acme.base + "files.upload", data=form, headers=ada.headers) as answer:
            body = await answer.json()
        assert body["ok"] is True, body
        assert (body["file"]["size"], body["file"]["channels"]) == (len(data), [channel])
        assert body["file"]["name"] == ("data.bin" if fields_first else "local.bin")
        assert (await newest(ada, channel))["text"] == "from a form"
        assert (await fetched(acme, ada, body["file"]["url_private"]))[1] == data


async def test_the_old_way_refuses_what_the_new_one_does(acme: Office) -> None:
    """Without a token before the file, too large, no file, a broken form: and nothing is left."""
    ada = acme["ada"]

    async def error(data: bytes | None, headers: Mapping[str, str], token: str = "", body: bytes = b"") -> str:
        form: Any = body
        if not body:
            form = aiohttp.FormData()
            if token:
                form.add_field("token", token)
            form.add_field("title", "t", content_type="text/plain")
            if data is not None:
                form.add_field("file", data, filename="a.bin")
        async with acme.http.post(acme.base + "files.upload", data=form, headers=headers) as answer:
            assert answer.status == 200
            assert answer.content_type == "application/json"
            return str((await answer.json()).get("error", "ok"))

    assert await error(b"data", ada.headers) == "ok"
    assert await error(b"data", {}, ada.token) == "ok"
    before = sorted(path.name for path in kept(acme, "F"))
    assert await error(b"data", {}) == "not_authed"
    assert await error(b"data", {"Authorization": "Bearer xoxb-1-1-x"}) == "invalid_auth"
    assert await error(b"x" * (FILES["file_bytes_max"] + 1), ada.headers) == "file_upload_size_restricted"
    assert await error(b"", ada.headers) == "no_file_data"
    assert await error(None, ada.headers) == "no_file_data"
    broken = {**ada.headers, "Content-Type": "multipart/form-data; boundary=b"}
    assert await error(None, broken, body=b"--b\r\nContent-Dis") == "invalid_form_data"
    assert sorted(path.name for path in kept(acme, "F")) == before


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
        async with asyncio.timeout(10):
            while not kept(acme, file_id):
                await asyncio.sleep(0.01)
        upload.cancel()
        await asyncio.wait({upload})
    async with asyncio.timeout(10):
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
        async with asyncio.timeout(10):
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
