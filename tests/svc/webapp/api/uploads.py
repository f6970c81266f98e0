"""Files as the tests handle them: promised, sent, completed, fetched."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.svc.webapp.api.office import Json, Office, Someone

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
