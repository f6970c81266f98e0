"""users.setPhoto and users.deletePhoto, over HTTP."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from tests.svc.webapp.api.office import Json, Office, Someone
from tests.svc.webapp.api.uploads import PNG, TEXT, fetched, kept

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

_PEOPLE = itertools.count(1)
OTHER = PNG + b"another"


def png(width: int, height: int) -> bytes:
    """Return what begins as a picture of this size does."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0) + bytes(100)


async def somebody(acme: Office) -> Someone:
    """Return somebody new."""
    hired = await acme.hire(acme["ada"].user.team_id, [f"face-{next(_PEOPLE)}"])
    return next(iter(hired.values()))


async def send(acme: Office, who: Someone, data: bytes, **fields: str) -> Json:
    """Set a photo as Slack's clients do."""
    form = aiohttp.FormData()
    form.add_fields(*fields.items())
    form.add_field("image", data, filename="me.png", content_type="image/png")
    async with acme.http.post(acme.base + "users.setPhoto", data=form, headers=who.headers) as answer:
        assert answer.status == 200
        body: Json = await answer.json()
        return body


async def faces(acme: Office, of: Someone) -> list[Mapping[str, Any]]:
    """Return the profiles that the workspace was told of somebody."""
    told = [each["user"] for each in acme.payloads(of.user.team_id) if each["type"] == "user_change"]
    return [each["profile"] for each in told if each["id"] == of.id]


async def test_a_picture_is_set_shown_replaced_and_deleted(acme: Office) -> None:
    """Everybody of the workspace is told of it and may load it; what is shown no more is deleted."""
    me, grace = await somebody(acme), acme["grace"]
    body = await send(acme, me, PNG, crop_x="1", crop_y="1", crop_w="100")
    assert body["ok"] is True, body
    url = body["profile"]["image_original"]
    assert {body["profile"][f"image_{size}"] for size in (24, 32, 48, 72, 192, 512)} == {url}
    seen = (await grace.ok("users.info", user=me.id))["user"]["profile"]
    assert (seen["image_72"], seen["is_custom_image"]) == (url, True)
    assert (await faces(acme, me))[-1]["image_72"] == url
    assert (await fetched(acme, grace, url))[:2] == (200, PNG)
    assert (await fetched(acme, None, url))[0] == 401
    second = (await send(acme, me, OTHER))["profile"]["image_original"]
    assert second != url
    assert (await fetched(acme, grace, second))[:2] == (200, OTHER)
    assert (await fetched(acme, grace, url))[0] == 404
    await me.ok("users.deletePhoto")
    seen = (await grace.ok("users.info", user=me.id))["user"]["profile"]
    assert (seen["image_72"], "image_original" in seen, "is_custom_image" in seen) == ("", False, False)
    assert (await fetched(acme, grace, second))[0] == 404
    assert kept(acme, second.split("-F")[1].split("/")[0]) == []


async def test_what_is_no_picture_is_refused(acme: Office) -> None:
    """Too large in pixels, none at all, another's upload, from a bot: and the old one stays."""
    me = await somebody(acme)
    url = (await send(acme, me, PNG))["profile"]["image_original"]
    for data, code in ((TEXT, "bad_image"), (png(1025, 10), "too_large"), (png(10, 1025), "too_large")):
        assert (await send(acme, me, data))["error"] == code
    assert await me.error("users.setPhoto") == "bad_image"
    assert await me.error("users.setPhoto", image="text") == "bad_image"
    assert await me.error("users.setPhoto", upload="F0000000000") == "bad_image"
    assert (await send(acme, acme["helper"], PNG))["error"] == "not_allowed_token_type"
    assert (await me.ok("users.profile.get"))["profile"]["image_original"] == url
