"""A client that loses nothing: connects, resumes, comes back, and posts so that a repeated post is one message.

    async with Client(token, base_url="http://127.0.0.1:8080/api/") as client:
        async for event in client.events():
            if isinstance(event, Event) and event.json.get("text") == "ping":
                await client.post(event.json["channel"], "pong")

One task reads the socket into a bounded queue. An application that is slower than its events fills the queue; then the
socket is not read, the gateway's writes wait, and after a while it ends the connection with a code that says to come
back: the client does so once there is room, and gets what it missed from the log. Nothing is dropped here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random, SystemRandom
from types import TracebackType
from typing import Any

import aiohttp

from parley_client import tokens
from parley_client.actions import Booted, Event, Json, Leave, ResumeFailed, Step
from parley_client.connecting import Connecting, OnStatus
from parley_client.errors import ClientError, ConnectionLost, NotConnected, Refused
from parley_client.lazy import Lazy
from parley_client.link import Link
from parley_client.session import Session
from parley_client.webapi import WebApi
from parley_client.workspace import Workspace

QUEUE_MAX = 1_000
"""Events that wait for the application."""

SENDS_MAX = 64
"""Frames whose answer is awaited; the gateway queues as many posts of one connection."""

DEADLINE_S = 30.0
"""How long calls and posts are tried, unless told otherwise."""

log = logging.getLogger(__name__)


class Client:
    """One user's connection to Parley. Belongs to the event loop that entered it.

    `state`, as `resume_token` gives it, is what the application has been handed: a bot that stores it, dies and begins
    again with it gets what it missed meanwhile.
    """

    def __init__(
        self,
        token: str,
        base_url: str = "http://127.0.0.1:8080/api/",
        *,
        resume_token: str = "",
        queue_max: int = QUEUE_MAX,
        http: aiohttp.ClientSession | None = None,
        on_status: OnStatus = lambda status, detail: None,
        rng: Random | None = None,
        boots: bool = False,
        on_boot: Callable[[Booted], None] = lambda boot: None,
        avoid: Sequence[str] = (),
    ) -> None:
        """Raises tokens.TokenMalformed for a `resume_token` that is none.

        `http` is used and left open when given; its connector must allow for a socket a client (aiohttp's: 100). With
        `boots`, each connection begins with client.boot, and `workspace` is what the user sees: the first screen
        before the socket is open, then kept right by events; `on_boot` is told whenever it was told anew. `avoid`:
        gateways not to be sent to the first time, if there are others.
        """
        self._token = token
        self._base_url = base_url
        self._session = Session(resume_token)
        self._handed = dict(self._session.positions)
        self._steps: asyncio.Queue[Step | _End] = asyncio.Queue(queue_max)
        self._given_http = http
        self._on_status = on_status
        self._rng = rng or SystemRandom()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._api: WebApi | None = None
        self._connecting: Connecting | None = None
        self._ready = asyncio.Event()
        self._presence: list[str] = []
        self._end: ClientError | None = None
        self._up = contextlib.AsyncExitStack()
        self._boots = boots
        self._on_boot = on_boot
        self._has_boot = False
        self._avoid = tuple(avoid)
        self.workspace = Workspace()
        """What the user sees; with `boots` only. Changed as `events` hands out, before the event itself."""
        self.lazy = Lazy(self.workspace, self._query, self._web, self._rng)
        """Loads into `workspace` what is about to be shown."""

    async def __aenter__(self) -> Client:
        """Connect. Returns once the gateway delivers, so that whatever is posted from now on comes as an event.

        Raises Refused when the token is not accepted; an absent server is waited for.
        """
        http = self._given_http
        if http is None:
            http = await self._up.enter_async_context(aiohttp.ClientSession())
        self._api = WebApi(http, self._base_url, self._token, self._rng)
        self._connecting = Connecting(
            http, self._api, self._session, self, self._on_status, self._rng, avoid=self._avoid
        )
        await self._up.enter_async_context(self._running(self._connecting))
        try:
            await self._ready.wait()
            if self._end is not None:
                raise self._end
        except BaseException:
            await self._up.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave. Events that wait for the application are not in `resume_token`, and would come again."""
        await self._up.aclose()
        while not self._steps.empty():
            self._steps.get_nowait()
        self._steps.put_nowait(_End(None))

    @property
    def is_ready(self) -> bool:
        """Whether a connection stands and delivers."""
        return self._link() is not None

    @property
    def connections(self) -> int:
        """How many connections there were so far."""
        return self._connecting.count if self._connecting is not None else 0

    @property
    def returns(self) -> int:
        """How many of the connections came about without a question to anybody (see returning.py)."""
        return self._connecting.returns if self._connecting is not None else 0

    @property
    def session(self) -> Session:
        """The rules at work, with their counters; for tests and reports."""
        return self._session

    def resume_token(self) -> str:
        """Return what the application has been handed, the event at hand included; a few bytes a channel."""
        return tokens.encode(self._handed)

    async def events(self) -> AsyncIterator[Event | ResumeFailed]:
        """Yield what happens, until the client is left. For one consumer.

        Persisted events exactly once and in the order of their channel; transient ones as they come; `ResumeFailed`
        where some can never be had. Raises Refused when the token is no longer accepted or the user is gone.
        """
        while True:
            step = await self._steps.get()
            if isinstance(step, _End):
                if step.error is not None:
                    raise step.error
                return
            event = self._taken(step)
            if event is not None:
                yield event

    async def call(
        self, method: str, /, *, deadline_s: float = DEADLINE_S, is_repeatable: bool = False, **arguments: Any
    ) -> Json:
        """Call a Web API method; return its answer.

        Tried again while it was certainly not done (rate limits are obeyed), and after unknown outcomes too when
        `is_repeatable`, as reads are. Raises Refused or Unreachable.
        """
        return await self._web().call(method, arguments, deadline_s=deadline_s, is_repeatable=is_repeatable)

    async def post(self, channel: str, text: str, *, deadline_s: float = DEADLINE_S, **arguments: Any) -> Json:
        """Post a message over HTTP; return the answer, whose `ts` and `position` say where it is stored.

        Each post has a `client_msg_id`, so trying again stores it once. It comes as an event too. Raises Refused, or
        Unreachable: then it may or may not have been stored.
        """
        arguments = {"client_msg_id": str(uuid.uuid4()), **arguments, "channel": channel, "text": text}
        return await self._web().call("chat.postMessage", arguments, deadline_s=deadline_s, is_repeatable=True)

    async def send(self, kind: str = "message", *, timeout_s: float = 10.0, **fields: Any) -> Json:
        """Send a frame over the socket: message (the default), typing, presence_sub, presence_query, tickle, ping.

        A message is answered, and its event left out on this connection. Returns the answer, {} where there is none.
        Raises NotConnected; Refused; ConnectionLost or TimeoutError when it may or may not have been stored.
        """
        link = self._link()
        if link is None or len(self._answers) >= SENDS_MAX:
            raise NotConnected("no connection, or too many answers outstanding")
        number = next(self._numbers)
        frame: Json = {"id": number, "type": kind, **fields}
        if kind == "presence_sub":
            self._presence = list(fields.get("ids", ()))
        if kind == "message":
            frame.setdefault("client_msg_id", str(uuid.uuid4()))
            self._session.posting(number, str(fields.get("channel", "")))
        elif kind != "ping":
            await link.send(frame)
            return {}
        return await self._asked(link, number, frame, timeout_s)

    async def _query(self, kind: str, fields: Json, timeout_s: float) -> Json:
        """Ask over the socket; see lazy.AskSocket."""
        link = self._link()
        if link is None or len(self._answers) >= SENDS_MAX:
            raise NotConnected("no connection, or too many answers outstanding")
        number = next(self._numbers)
        return await self._asked(link, number, {"id": number, "type": kind, **fields}, timeout_s)

    def reboot(self) -> None:
        """Come back with a whole boot, as after a doubt about what `workspace` holds. Nothing is lost meanwhile."""
        self._has_boot = False
        if self._connecting is None:
            return
        self._connecting.returning.forget()
        if self._connecting.link is not None:
            self._connecting.link.part("to boot anew")

    async def _asked(self, link: Link, number: int, frame: Json, timeout_s: float) -> Json:
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await link.send(frame)
                body: Json = await answer
        finally:
            del self._answers[number]
            if not answer.done() and any(isinstance(each, Leave) for each in self._session.gave_up(number)):
                link.part("an answer did not come")
        if body.get("ok") is False:
            error = body.get("error")
            raise Refused(str(frame["type"]), str(error.get("msg") if isinstance(error, dict) else error), body)
        return body

    async def deliver(self, step: Step) -> None:
        """See connecting.Owner."""
        if self._steps.empty() and (step.event is None or isinstance(step.event, Booted)):
            self._taken(step)
        else:
            await self._steps.put(step)

    def boot_arguments(self) -> Json | None:
        """See connecting.Owner."""
        if not self._boots:
            return None
        # What is queued for `events` comes before the boot in there, so `since` may name it.
        if self._has_boot:
            return {"lazy_aware": 1, "since": tokens.encode(self._session.positions)}
        return {"lazy_aware": 1, "reconnect": 1} if self.connections else {"lazy_aware": 1}

    async def booted(self, answer: Json) -> None:
        """See connecting.Owner."""
        self._has_boot = True
        await self.deliver(Step(Booted(answer)))

    def answered(self, number: int, frame: Json) -> None:
        """See connecting.Owner."""
        waiting = self._answers.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    async def began(self, link: Link) -> None:
        """See connecting.Owner."""
        self._ready.set()
        if self._presence:
            await link.send({"type": "presence_sub", "ids": self._presence})

    def broke(self) -> None:
        """See connecting.Owner."""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionLost("the connection broke before the answer"))

    @contextlib.asynccontextmanager
    async def _running(self, connecting: Connecting) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self._run(connecting), name="parley client")
            try:
                yield
            finally:
                running.cancel()

    async def _run(self, connecting: Connecting) -> None:
        try:
            await connecting.run()
        except Exception as error:
            if not isinstance(error, ClientError):
                log.exception("the client failed")
            self._end = error if isinstance(error, ClientError) else ClientError(f"the client failed: {error!r}")
            self._ready.set()
            await self._steps.put(_End(self._end))

    def _link(self) -> Link | None:
        """Return the connection that delivers, if there is one."""
        return self._connecting.link if self._connecting is not None and self._session.is_ready else None

    def _taken(self, step: Step) -> Event | ResumeFailed | None:
        """Take the next thing; return what of it the application is handed."""
        self._move(step)
        event = step.event
        if isinstance(event, Booted):
            self.workspace.boot(event.json)
            self._on_boot(event)
            return None
        if event is None or not self._boots:
            return event
        self.workspace.apply(event)
        if self.workspace.is_broken and self._has_boot:
            self.reboot()
        return None if isinstance(event, Event) and event.type == "user_objects" else event

    def _move(self, step: Step) -> None:
        for channel_id, offset in step.moves:
            if offset is None:
                self._handed.pop(channel_id, None)
            else:
                self._handed[channel_id] = offset

    def _web(self) -> WebApi:
        if self._api is None:
            raise NotConnected("the client is used outside of its `async with` block")
        return self._api


class _End:
    """No more events."""

    def __init__(self, error: ClientError | None) -> None:
        self.error = error
