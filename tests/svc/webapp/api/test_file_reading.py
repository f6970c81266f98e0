"""Who sees which files, how their bytes are given out, and lists: over real HTTP, MariaDB and a folder."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from svc.webapp.domain.people.accounts import caller_of
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.uploads import PNG, TEXT, fetched, kept, room, shared, uploaded

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


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


async def test_a_file_for_everybody_is_seen_in_the_whole_workspace(acme: Office) -> None:
    """By people and bots, and by nobody of another one; it is deleted as others are."""
    ada, team_id = acme["ada"], acme["ada"].user.team_id
    me, files = caller_of(ada.user), acme.services.files
    kept = await files.uploaded(me, await uploaded(acme, ada, PNG, "me.png"))
    await files.show_to_all(me, kept)
    url = f"{acme.base.removesuffix('api/')}files-pri/{team_id}-{kept.id}/me.png"
    for name in ("ada", "grace", "helper"):
        assert (await fetched(acme, acme[name], url))[:2] == (200, PNG)
    info = (await acme["grace"].ok("files.info", file=kept.id))["file"]
    assert (info["original_w"], info["channels"], info["shares"]) == (640, [], {})
    team, _ = await acme.services.accounts.team("Initech", f"initech-{time.time_ns()}")
    bill = (await acme.hire(team.id, ["bill"]))["bill"]
    assert (await fetched(acme, bill, url))[0] == 404
    await ada.ok("files.delete", file=kept.id)
    assert (await fetched(acme, acme["grace"], url))[0] == 404


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
