"""What a browser lets pages do with ours: the policy as served, the cookie's kind, and requests from other origins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import Response

from tests.browser.visits import PATIENCE_MS, Browsing, Visit

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

HOSTILE_PAGE = """<!doctype html><title>elsewhere</title>
<form id="post" method="post" target="result" action="{url}/api/chat.postMessage">
  <input name="channel" value="{channel}"><input name="text" value="forged by a form">
</form>
<form id="plain" method="post" target="result" action="{url}/web/signout" enctype="text/plain"></form>
<iframe name="result"></iframe>"""

FORGE = """async ([url, channel]) => {
  const body = new URLSearchParams({channel, text: "forged by fetch"});
  const told = [];
  for (const mode of ["no-cors", "cors"]) {
    const way = {mode, method: "POST", credentials: "include", body};
    told.push(await fetch(`${url}/api/chat.postMessage`, way).then((it) => it.type, () => "refused"));
  }
  const read = await fetch(`${url}/api/auth.test`, {credentials: "include"}).then((it) => it.json(), () => "refused");
  return [...told, read];
}"""


@asynccontextmanager
async def elsewhere(page: str) -> AsyncIterator[str]:
    """Serve a page from another host and port; give its address."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


async def opened(visit: Visit, path: str) -> Response:
    """Go to an address of ours; return what was answered."""
    answer = await visit.page.goto(path)
    assert answer is not None
    return answer


async def test_pages_are_served_with_a_strict_policy(browsing: Browsing) -> None:
    """No script but our own files, no frame around us, nothing guessed of a type; sockets to our gateways alone."""
    visit = await browsing.visit()
    answer = await opened(visit, "/")
    headers = await answer.all_headers()
    policy = {name: rest for name, _, rest in (each.partition(" ") for each in _directives(headers))}
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    connected = policy["connect-src"].split()
    assert all(each == "'self'" or each.startswith(("ws://127.0.0.1:", "wss://127.0.0.1:")) for each in connected)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer", "strict-origin")
    assert headers["cross-origin-opener-policy"] == "same-origin"


def _directives(headers: dict[str, str]) -> list[str]:
    return [each.strip() for each in headers["content-security-policy"].split(";")]


async def test_the_policy_stops_what_is_injected(browsing: Browsing) -> None:
    """Were there a hole in the client, an inline script, a handler and a script of another host would not run."""
    visit = await browsing.visit()
    visit.pardon("script-src", "Content Security Policy", "request to elsewhere: (http://127.0.0.1:9/|x:)", "img-src")
    await opened(visit, "/")
    # By the protocol's own word, which no policy holds back: as though a view had written it.
    await visit.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", `<img src="x:" onerror="window.__ran = 'handler'">
            <a id="hole" href="javascript:window.__ran='link'">.</a>`);
          for (const set of [{textContent: "window.__ran = 'inline'"}, {src: "http://127.0.0.1:9/x.js"}]) {
            document.body.append(Object.assign(document.createElement("script"), set));
          }
          document.getElementById("hole").click();
        }"""
    )
    # Not by wait_for_function, which needs eval.
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while await visit.page.evaluate("window.__breaches.length") < 4:
            await asyncio.sleep(0.05)
    assert await visit.page.evaluate("window.__ran ?? null") is None


async def test_the_cookie_is_kept_from_scripts_and_other_sites(browsing: Browsing) -> None:
    """HttpOnly and SameSite, for the whole host; the page cannot read it, and its token is good for nothing else."""
    visit = await browsing.signed_in("ada")
    (cookie,) = await visit.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["path"]) == ("parley", True, "/")
    assert cookie["sameSite"] in ("Lax", "Strict")
    await opened(visit, "/")
    assert await visit.page.evaluate("document.cookie") == ""
    mine = await visit.call("auth.test")
    assert mine["user_id"] == browsing.town["ada"].user_id
    async with browsing.town.http.post(
        f"{browsing.town.mesh.web_url}/api/auth.test", headers={"Authorization": f"Bearer {cookie['value']}"}
    ) as answer:
        assert not (await answer.json())["ok"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_another_origin_cannot_act_by_the_cookie(browsing: Browsing, host: str) -> None:
    """Forms and fetches, of the same site (another port) and of another: nothing is posted, nothing is read."""
    visit = await browsing.signed_in("ada")
    visit.pardon(
        "request to elsewhere", "CORS policy", "Failed to load resource", "Refused to (display|frame)", "X-Frame"
    )
    town = browsing.town
    before = await said(browsing)
    page = HOSTILE_PAGE.format(url=town.mesh.web_url, channel=town.general)
    async with elsewhere(page) as address:
        await visit.page.goto(address.replace("127.0.0.1", host))
        for form in ("post", "plain"):
            async with visit.page.expect_response(lambda answer: answer.request.method == "POST") as told:
                await visit.page.evaluate("(id) => document.getElementById(id).submit()", form)
            answer = await told.value
            assert 'ok":true' not in (await answer.text()).replace(" ", "")
        *told_by, read = await visit.page.evaluate(FORGE, [town.mesh.web_url, town.general])
        assert set(told_by) <= {"refused", "opaque"}
        assert read == "refused" or not read["ok"]
    assert await said(browsing) == before
    await opened(visit, "/")
    assert (await visit.call("auth.test"))["ok"], "signed out by another page"


async def said(browsing: Browsing) -> list[str]:
    """Return what is in the channel."""
    found = await browsing.town["ada"].ok("conversations.history", channel=browsing.town.general)
    return [message["text"] for message in found["messages"]]


async def test_uploads_run_nothing_when_opened(browsing: Browsing) -> None:
    """HTML and SVG that somebody uploaded are downloaded, or shown where nothing of them runs."""
    evil = "<script>window.__ran='file';fetch('/api/auth.test',{method:'POST'})</script>"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="window.__ran=1">{evil}</svg>'
    uploads = {"page.html": f"<!doctype html><body onload='window.__ran=1'>{evil}", "x.svg": svg, "x.xhtml": svg}
    visit = await browsing.signed_in("grace")
    visit.pardon("Failed to load resource", "Content Security Policy")
    await opened(visit, "/")
    for name, content in uploads.items():
        url = await upload(browsing, name, content)
        headers = await visit.page.evaluate(
            "async (url) => Object.fromEntries((await fetch(url)).headers.entries())", url
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert "html" not in headers["content-type"]
        page = await visit.tab()
        # As a link would: a download leaves the tab blank.
        await page.goto("/favicon.svg")
        async with visit.context.expect_event("response", lambda answer, url=url: answer.url == url):
            await page.evaluate("(url) => { location.href = url; }", url)
        await page.wait_for_load_state()
        assert await page.evaluate("window.__ran ?? null") is None
        await page.close()


async def upload(browsing: Browsing, name: str, content: str) -> str:
    """Upload a file into the channel; return where it is opened."""
    ada, raw = browsing.town["ada"], content.encode()
    place = await ada.ok("files.getUploadURLExternal", filename=name, length=len(raw))
    async with browsing.town.http.post(place["upload_url"], data=raw) as answer:
        assert answer.status == 200
    done = await ada.ok(
        "files.completeUploadExternal",
        files=[{"id": place["file_id"], "title": name}],
        channel_id=browsing.town.general,
    )
    return str(done["files"][0]["url_private"])
