"""The built client over real HTTP: what is served, how it is kept, and what a browser may do with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from yarl import URL

from tests.svc.webapp.api.office import Office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PAGES = (
    "/",
    "/signin",
    "/signin/",
    "/join/1-ab",
    "/oauth/authorize",
    "/oauth/v2/authorize",
    "/join/%2e%2e%2f",
    "/client",
    "/client/T1/C2/thread",
    "/archives/C1/p1",
)
SCRIPT = "x" * 3_000


@pytest.fixture
def built(folder: Path) -> Iterator[Path]:
    """Put a client into the folder, and something beside it that is nobody's business."""
    files = {
        "index.html": "<!doctype html>",
        "favicon.svg": "<svg/>",
        ".env": "secret",
        "secret.pem": "secret",
        "assets/app-1a.js": SCRIPT,
        "assets/app-1a.js.br": "br",
        "assets/app-1a.js.gz": "gz",
        "assets/app-1a.css": "p{}",
        "../outside.js": "secret",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "link.js").symlink_to(folder.parent / "outside.js")
    yield folder
    for name in (*files, "link.js"):
        (folder / name).unlink()
    (folder / "assets").rmdir()


async def fetched(acme: Office, path: str, verb: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Ask for a path as it is written, and take the answer as it comes."""
    url = URL(acme.base.removesuffix("/api/") + path, encoded=True)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    async with acme.http.request(verb, url, headers=told, auto_decompress=False) as answer:
        return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def test_before_the_client_is_built_a_page_says_how(acme: Office) -> None:
    """At every address of the client; nothing has to be started again afterwards."""
    for page in PAGES:
        status, body, headers = await fetched(acme, page, Accept_Encoding="")
        assert (status, headers["content-type"]) == (503, "text/html; charset=utf-8"), page
        assert b"npm run build" in body
        assert "content-security-policy" in headers


async def test_pages_are_asked_for_again_and_assets_never(acme: Office, built: Path) -> None:
    """ETags say that nothing changed; the smaller form goes to who takes it; HEAD says all but the bytes."""
    for page in PAGES:
        status, body, headers = await fetched(acme, page)
        assert (status, body, headers["cache-control"]) == (200, b"<!doctype html>", "no-cache"), page
        again = await fetched(acme, page, If_None_Match=headers["etag"])
        assert (again[0], again[1], again[2]["etag"]) == (304, b"", headers["etag"])
        assert again[2]["content-security-policy"] == headers["content-security-policy"]
    for taken, coding, size in (
        ("identity", None, 3_000),
        ("gzip", "gzip", 2),
        ("gzip, deflate, br", "br", 2),
        ("br;q=0, gzip", "gzip", 2),
    ):
        status, body, headers = await fetched(acme, "/assets/app-1a.js", Accept_Encoding=taken)
        assert (status, len(body), headers.get("content-encoding")) == (200, size, coding)
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (headers["content-type"], headers["vary"]) == ("text/javascript; charset=utf-8", "accept-encoding")
        head = await fetched(acme, "/assets/app-1a.js", "HEAD", Accept_Encoding=taken)
        assert (head[0], head[1], head[2]["content-length"]) == (200, b"", str(size))
        assert head[2]["etag"] == headers["etag"]
    for path, kind in (("/favicon.svg", "image/svg+xml"), ("/assets/app-1a.css", "text/css; charset=utf-8")):
        assert (await fetched(acme, path))[2]["content-type"] == kind


@pytest.mark.parametrize(
    "path",
    [
        "/elsewhere",
        "/assets/",
        "/assets/gone.js",
        "/assets/../favicon.svg",
        "/assets/%2e%2e/favicon.svg",
        "/../outside.js",
        "/%2e%2e/outside.js",
        "/..%2foutside.js",
        "/assets/..%2f..%2foutside.js",
        "/%2e%2e%5coutside.js",
        "//outside.js",
        "/%2fetc%2fpasswd",
        "/%2fetc/hosts.txt",
        "/link.js",
        "/.env",
        "/secret.pem",
        "/assets/app-1a.js.br",
        "/a%00.js",
        "/%ff.js",
        "/" + "a" * 3_000 + ".js",
        "/index.html/x.js",
    ],
)
async def test_nothing_else_is_there(acme: Office, built: Path, path: str) -> None:
    """Outside of the folder, not of the client, or of no name that a file can have."""
    status, body, headers = await fetched(acme, path, Accept_Encoding="identity")
    assert (status, body) == (404, b'{"ok":false,"error":"not_found"}')
    assert headers["x-content-type-options"] == "nosniff"


async def test_only_reading_is_allowed(acme: Office, built: Path) -> None:
    """Whatever else is asked of a page."""
    for verb in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, _, headers = await fetched(acme, "/", verb)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
        assert "access-control-allow-origin" not in headers


async def test_a_browser_may_do_what_the_client_needs_and_no_more(acme: Office, built: Path) -> None:
    """The whole set of headers, and the policy word by word; sockets go where this client's sockets go."""
    _, _, headers = await fetched(acme, "/client", Host="chat.lan:8080")
    policy = {}
    for directive in headers["content-security-policy"].split("; "):
        name, *sources = directive.split()
        policy[name] = set(sources)
    assert policy == {
        "default-src": {"'none'"},
        "script-src": {"'self'"},
        "style-src": {"'self'"},
        "img-src": {"'self'", "https:", "data:", "blob:"},
        "media-src": {"'self'", "blob:"},
        "font-src": {"'self'"},
        "manifest-src": {"'self'"},
        "worker-src": {"'self'"},
        "connect-src": {"'self'", "ws://chat.lan:*"},
        "base-uri": {"'none'"},
        "form-action": {"'self'"},
        "frame-ancestors": {"'none'"},
        "object-src": {"'none'"},
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "chat.example.org"}
    _, _, headers = await fetched(acme, "/client", **forwarded)
    assert "connect-src 'self' wss://chat.example.org" in headers["content-security-policy"].split("; ")
