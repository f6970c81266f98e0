"""Pictures of apps and workspaces, over HTTP."""

from __future__ import annotations

import aiohttp
import pytest

from tests.svc.webapp.api.apps.workshop import Workshop
from tests.svc.webapp.api.office import Json, Someone
from tests.svc.webapp.api.uploads import PNG, TEXT, fetched, shared, uploaded

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

OTHER = PNG + b"another"
BOT_SIZES = ("image_36", "image_48", "image_72")


async def send(shop: Workshop, who: Someone, method: str, data: bytes, **fields: str) -> Json:
    """Call with a picture in a form, as clients do."""
    form = aiohttp.FormData()
    form.add_fields(*fields.items())
    form.add_field("file", data, filename="icon.png", content_type="image/png")
    async with shop.office.http.post(shop.office.base + method, data=form, headers=who.headers) as answer:
        assert answer.status == 200
        body: Json = await answer.json()
        return body


async def test_an_apps_picture_is_its_bots(shop: Workshop) -> None:
    """Told as the bot's and as its user's; what it says afterwards carries it; another one takes its place."""
    app, pat = shop.app, shop.pat
    assert (await pat.ok("bots.info", bot=app.bot_id))["bot"]["icons"] == {}
    body = await send(shop, shop.root, "apps.icon.set", PNG, app_id=app.id)
    assert body["ok"] is True, body
    bot = (await pat.ok("bots.info", bot=app.bot_id))["bot"]
    url = bot["icons"]["image_48"]
    assert bot["icons"] == dict.fromkeys(BOT_SIZES, url)
    assert (await fetched(shop.office, pat, url))[:2] == (200, PNG)
    [told] = shop.events(shop.team_id, "bot_changed")
    assert (
        told["bot"].items() >= {"id": app.bot_id, "app_id": app.id, "name": "Ci Runner", "icons": bot["icons"]}.items()
    )
    assert shop.events(shop.team_id, "user_change")[-1]["user"]["profile"]["image_72"] == url
    assert (await pat.ok("users.info", user=app.user_id))["user"]["profile"]["image_512"] == url
    await shop.bot.ok("conversations.join", channel=shop.room)
    said = (await shop.bot.ok("chat.postMessage", channel=shop.room, text="here"))["message"]
    assert said["bot_profile"]["icons"] == bot["icons"]
    starts = await pat.ok("rtm.start")
    assert next(each for each in starts["bots"] if each["id"] == app.bot_id)["icons"] == bot["icons"]
    again = await uploaded(shop.office, shop.root, OTHER, "other.png")
    await shop.root.ok("apps.icon.set", app_id=app.id, upload=again)
    second = (await pat.ok("bots.info", bot=app.bot_id))["bot"]["icons"]["image_36"]
    assert (await fetched(shop.office, pat, second))[:2] == (200, OTHER)
    assert (await fetched(shop.office, pat, url))[0] == 404


async def test_who_may_not_gives_an_app_no_picture(shop: Workshop) -> None:
    """Nor is what is none one, nor what lies elsewhere."""
    app, root, method = shop.app, shop.root, "apps.icon.set"
    assert (await send(shop, shop.pat, method, PNG, app_id=app.id))["error"] == "not_an_admin"
    assert (await send(shop, shop.bot, method, PNG, app_id=app.id))["error"] == "not_allowed_token_type"
    assert (await send(shop, root, method, TEXT, app_id=app.id))["error"] == "error_bad_format"
    assert (await send(shop, root, method, PNG, app_id="A0000000000"))["error"] == "invalid_app"
    assert (await send(shop, root, method, PNG, app_id=app.id, url="https://e.org/"))["error"] == "invalid_parameters"
    assert await root.error(method, app_id=app.id) == "missing_arguments"
    assert await root.error(method) == "invalid_app_id"
    for url in ("https://e.org/a.png", "http://169.254.169.254/", shop.root_url + "files-pri/T1-F1/x", "nonsense"):
        assert await root.error(method, app_id=app.id, url=url) == "unable_to_open_file", url
    assert (await shop.pat.ok("bots.info", bot=app.bot_id))["bot"]["icons"] == {}
    assert shop.events(shop.team_id, "bot_changed") == []


async def test_a_workspace_has_a_picture(shop: Workshop) -> None:
    """Of a file that an admin sees, which stays as it was; or of one that comes along."""
    pat, root, method = shop.pat, shop.root, "admin.teams.settings.setIcon"
    assert (await pat.ok("team.info"))["team"]["icon"]["image_default"] is True
    posted = await shared(shop.office, pat, shop.room, PNG, "posted.png")
    room = (await pat.ok("conversations.create", name="hidden", is_private=True))["channel"]["id"]
    hidden = await shared(shop.office, pat, room, PNG, "hidden.png")
    assert await root.error(method, image_url=hidden["url_private"]) == "invalid_url"
    await root.ok(method, image_url=posted["url_private"], team_id=shop.team_id)
    icon = (await pat.ok("team.info"))["team"]["icon"]
    url = icon["image_original"]
    assert url != posted["url_private"]
    assert icon == dict.fromkeys((f"image_{n}" for n in (34, 44, 68, 88, 102, 132, 230, "original")), url)
    assert (await fetched(shop.office, pat, url))[:2] == (200, PNG)
    assert (await pat.ok("rtm.start"))["team"]["icon"] == icon
    body = await send(shop, root, method, OTHER)
    assert body["ok"] is True, body
    second = (await pat.ok("team.info"))["team"]["icon"]["image_34"]
    assert (await fetched(shop.office, pat, second))[:2] == (200, OTHER)
    assert (await fetched(shop.office, pat, url))[0] == 404
    assert (await fetched(shop.office, pat, posted["url_private"]))[0] == 200
    assert (await send(shop, pat, method, PNG))["error"] == "not_an_admin"
    assert (await send(shop, root, method, TEXT))["error"] == "bad_image"
    assert (await send(shop, root, method, PNG, team_id="T0000000000"))["error"] == "team_not_found"
    assert await root.error(method, image_url="https://e.org/a.png") == "invalid_url"
    assert await root.error(method) == "invalid_url"
    assert (await pat.ok("team.info"))["team"]["icon"]["image_34"] == second
