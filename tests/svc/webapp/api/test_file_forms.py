"""files.upload, the old way: text in an argument, or a file in a form that is larger than any call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from tests.svc.webapp.api.office import FILES, Office
from tests.svc.webapp.api.uploads import fetched, kept, newest, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


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
