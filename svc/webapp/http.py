"""The HTTP face: `/api/METHOD`, the bytes of files, the browser client, `/healthz`.

On uvicorn, in the loop that the gRPC server runs in.

Bounds: see HttpConfig; no answer ever holds a stack trace, and none redirects (several clients follow no redirect,
others repeat a POST as GET).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from svc.kit.lifecycle import background
from svc.kit.listening import listen, listeners
from svc.webapp.api import sayings
from svc.webapp.api.asgi import API_PREFIX, Api, HttpConfig, write
from svc.webapp.api.dispatch import Reply
from svc.webapp.api.file_routes import FORM_PATHS, file_apps
from svc.webapp.domain.apps.passes import RESPONSE_PATH
from svc.webapp.domain.apps.webhooks import WEBHOOK_PATH
from svc.webapp.domain.services import Services
from svc.webapp.gate import Gate
from svc.webapp.web.config import WebConfig
from svc.webapp.web.front import WEB_PREFIX, WebFront
from svc.webapp.web.static import Client

__all__ = ["HttpConfig", "http_server", "make_app"]

_GRACE_S = 5
"""How long requests under way may take to end when the server stops."""


class _Health:
    """`/healthz`: this process answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await write(send, Reply({"ok": True}))


class _Front:
    """Sends calls of the Web API straight to it: routes and middleware, which it needs not, cost a tenth of a boot."""

    def __init__(self, api: ASGIApp, by_prefix: Mapping[str, ASGIApp], others: ASGIApp) -> None:
        self._api = api
        self._by_prefix = by_prefix
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope)(scope, receive, send)

    def _app(self, scope: Scope) -> ASGIApp:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(API_PREFIX) and path not in FORM_PATHS:
            return self._api
        return next((app for prefix, app in self._by_prefix.items() if path.startswith(prefix)), self._others)


def make_app(services: Services, config: HttpConfig, gate: Gate, web: WebConfig | None = None) -> ASGIApp:
    """Return the whole HTTP app, whose calls pass `gate`."""
    web = web or WebConfig()
    api = Api(services, config, gate)
    client = Client(web.folder, services.connector.sources, api.origins)
    app = Starlette(
        routes=[
            Route("/healthz", _Health()),
            Route(f"/{WEBHOOK_PATH}{{rest:path}}", sayings.Webhooks(services, config, gate)),
            Route(f"/{RESPONSE_PATH}{{rest:path}}", sayings.Responses(services, config, gate)),
        ],
    )
    app.router.redirect_slashes = False
    app.router.default = client
    by_prefix = file_apps(services, api, gate, config.body_bytes_max)
    by_prefix[WEB_PREFIX] = WebFront(services, web, gate, api.origins, config.request_s)
    return _Front(api, by_prefix, app)


@asynccontextmanager
async def http_server(
    app: ASGIApp, bind_host: str, config: HttpConfig, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve `app` for the block and yield the port; on the way out finish what is under way, for _GRACE_S at most.

    With `tls` over TLS, and nothing plainly. Signals belong to the composition root. Raises OSError when the port is
    taken.
    """
    listener = listen(bind_host, config.port)
    sockets = listeners(listener)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=config.keep_alive_s,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    server.config.load()
    server.config.ssl = tls
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=sockets)
    try:
        # uvicorn's serve() would take the process's signals; its parts do not.
        async with background("http", server.main_loop()):
            yield listener.getsockname()[1]
    finally:
        await server.shutdown(sockets=sockets)
