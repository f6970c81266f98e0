"""People's devices: the client library's own rules on a simulated socket, and an application that believes each word.

A device connects, resumes and comes back as `parley_client` does; its `Session` is the library's. What the session
hands over goes to the application, which keeps of each channel how far it is, and tells the judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from ops.sim.changes import Changes
from ops.sim.door import TRIES, ask
from ops.sim.gateways import GatewayProcess
from ops.sim.invitations import invite
from ops.sim.judge import Judge
from ops.sim.lookups import TEAM
from ops.sim.mesh import Mesh
from ops.sim.sockets import Socket
from ops.sim.webapps import WebappProcess
from ops.sim.world import Host
from parley_client import tokens
from parley_client.actions import Action, Answer, Event, Leave, ResumeFailed, Say, Step
from parley_client.retrying import Backoff
from parley_client.returning import Returning
from parley_client.session import Return, Session
from svc.kit.errors import ParleyError, UnavailableError
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

ANSWER_S = 6.0


class Device:
    """One client of one person."""

    def __init__(self, mesh: Mesh, judge: Judge, user_id: str, number: int) -> None:
        """Come on at once."""
        self.mesh = mesh
        self.user_id = user_id
        self.host = Host(mesh.world, f"{user_id}-{number}")
        self.session = Session()
        self.shown: dict[str, int] = {}
        """Up to which offset the application has each channel."""
        self.told: dict[str, int] = {}
        """Up to which offset this connection has told of each channel."""
        self.texts: dict[tuple[str, int], str] = {}
        """What messages said."""
        self.socket: Socket | None = None
        self._judge = judge
        self._rng = mesh.world.rng(self.host.name)
        self._starts = ""
        self._returning = Returning(self._rng)
        self._backoff = Backoff(0.1, 2.0, self._rng)
        self._ended: asyncio.Future[int | None] | None = None
        self._numbers = 0
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        judge.devices.append(self)
        self.host.spawn(self._run(), "client")

    @property
    def is_ready(self) -> bool:
        """Whether a connection stands and delivers."""
        return self.socket is not None and self.session.is_ready

    # Connections

    async def _run(self) -> None:
        while True:
            began = self.mesh.world.now
            wait_s = await self._connection()
            if self.mesh.world.now - began > 5.0:
                self._backoff.reset()
            await asyncio.sleep(max(wait_s, self._backoff.next_s()))

    async def _connection(self) -> float:
        session = self.session
        arguments = session.connecting()
        way = self._returning.way(self.mesh.world.now, ()) if "resume" in arguments else None
        self._starts = way.starts if way is not None else ""
        try:
            since = session.positions if "resume" in arguments else {}
            if way is not None:
                gateway_id, vouched = way.gateway_id, None
            else:
                gateway_id, vouched = await self.http(lambda webapp: invite(webapp, TEAM, self.user_id, since), tries=1)
        except ParleyError:
            return 0.0
        if session is not self.session:
            return 0.0  # the program was started anew, and this is not its attempt
        self.mesh.world.trace(self.host.name, "connects to", gateway_id, *arguments)
        gateway = cast(GatewayProcess, self.mesh.processes[gateway_id])
        self._ended = asyncio.get_running_loop().create_future()
        self.told = dict(self.session.positions) if "resume" in arguments else {}
        network, world = self.mesh.network, self.mesh.world
        socket = self.socket = Socket(network, self.host, gateway.host, self._frame, self._over)
        flags = frozenset(arguments)
        if gateway.host.is_alive:
            delay = network.delay(self._rng)
            if way is not None:
                world.at(world.now + delay, gateway.host, gateway.take_back, socket, way.url.rpartition("/")[2])
            else:
                world.at(world.now + delay, gateway.host, gateway.admit, socket, self.user_id, flags, vouched)
        else:
            self._over(None)
        code = await self._ended
        self.socket = None
        self._returning.left(world.now)
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(UnavailableError("the connection broke before the answer"))
        world.counts[f"client: closed with {code}"] += 1
        world.trace(self.host.name, "is closed with", code)
        return 1.0 if self.session.closed(code) is Return.LATER else 0.0

    def _over(self, code: int | None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(code)

    def _frame(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        if kind in ("resumed", "resume_failed", "position", "positions_dropped", "user_typing"):
            self.mesh.world.counts[f"client: {kind}"] += 1
        if kind == "return":
            self._returning.take(frame, self.mesh.world.now)
            return
        self._judge.arrived(self, frame)
        self._do(self.session.take(frame))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Step):
                self._take(action)
            elif isinstance(action, Say):
                if self.socket is not None:
                    self.socket.send({**action.frame, "starts": self._starts})
            elif isinstance(action, Answer):
                waiting = self._asked.get(action.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(action.frame)
            else:
                self._leave(action)
                return

    def _leave(self, action: Leave) -> None:
        self.mesh.world.trace(self.host.name, "leaves:", action.reason)
        self.mesh.world.counts["client: left by itself"] += 1
        if self.socket is not None:
            self.socket.close()
        self._over(None)

    def restart(self) -> None:
        """Be started anew with a token of what the application had been handed."""
        self.mesh.world.trace(self.host.name, "restarts")
        self.session = Session(tokens.encode(self.shown))
        self._returning.forget()
        if self.socket is not None:
            self.socket.close()
        self._over(None)

    # The application

    def _take(self, step: Step) -> None:
        if isinstance(step.event, ResumeFailed):
            self._judge.resume_failed(self, step.event.starts)
            for channel_id in step.event.starts:
                self.shown.pop(channel_id, None)
        is_event = isinstance(step.event, Event) and step.event.offset > 0
        for channel_id, offset in step.moves:
            if offset is None:
                self.shown.pop(channel_id, None)
                continue
            shown = self.shown.get(channel_id)
            if shown is None and not is_event:
                self._judge.started(self, channel_id, offset)
            else:
                self._judge.handed(self, channel_id, offset, shown)
            self.shown[channel_id] = offset
        if isinstance(step.event, Event) and "text" in step.event.json:
            self.texts[step.event.channel_id, step.event.offset] = str(step.event.json["text"])

    # What a person does

    async def http(self, work: Callable[[WebappProcess], Awaitable[Any] | Any], tries: int = TRIES) -> Any:
        """See door.ask."""
        return await ask(self.mesh, self.host, self._rng, work, tries)

    async def post(self, channel_id: str, key: str, thread_ts_us: int = 0) -> None:
        """Post over HTTP, until the outcome is known or nobody hopes any more."""
        post = Post(text=key, client_msg_id=key, thread_ts_us=thread_ts_us)
        caller = Caller(TEAM, self.user_id, TokenKind.USER, "")
        try:
            posted = await self.http(lambda webapp: webapp.rules.post(caller, channel_id, post))
        except (Refused, ParleyError) as error:
            self.mesh.world.trace(self.host.name, "post", key, "failed:", error)
            return
        self._judge.acked(channel_id, self.user_id, key, posted.offset)

    async def say(self, channel_id: str, key: str) -> None:
        """Post over the socket, and once more over HTTP with the same key when the answer does not come."""
        socket = self.socket
        if socket is None or not self.session.is_ready:
            await self.post(channel_id, key)
            return
        self._numbers += 1
        number = self._numbers
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self.session.posting(number, channel_id)
        socket.send({"id": number, "type": "message", "channel": channel_id, "text": key, "client_msg_id": key})
        try:
            async with asyncio.timeout(ANSWER_S):
                body = await answer
        except (TimeoutError, ParleyError):
            self.mesh.world.counts["client: socket post without answer"] += 1
            if self.socket is socket:
                self._do(self.session.gave_up(number))
            await self.post(channel_id, key)
            return
        finally:
            del self._asked[number]
        if body.get("ok"):
            self._judge.acked(channel_id, self.user_id, key, int(body["position"].rpartition(":")[2]))
        elif body["error"]["msg"] == "service_unavailable":
            await self.post(channel_id, key)

    async def change(self, channel_id: str, key: str, work: Callable[[Changes], Awaitable[int]]) -> None:
        """Change something over HTTP, once, however often it takes to hear so."""
        try:
            offset: int = await self.http(lambda webapp: work(webapp.changes))
        except (Refused, ParleyError) as error:
            self.mesh.world.trace(self.host.name, "change", key, "failed:", error)
            return
        self._judge.changed(channel_id, self.user_id, key, offset)

    def type_in(self, channel_id: str) -> None:
        """Let the others see that somebody types."""
        if self.socket is not None:
            self.socket.send({"type": "typing", "channel": channel_id})

    async def note(self, channel_id: str) -> None:
        """Have something change that clients need not see."""
        await self._move(lambda webapp: webapp.rules.note(channel_id), "note", channel_id)

    async def join(self, channel_id: str) -> None:
        """Join a conversation."""
        await self._move(lambda webapp: webapp.rules.join(self.user_id, channel_id), "join", channel_id)

    async def leave(self, channel_id: str) -> None:
        """Leave it."""
        await self._move(lambda webapp: webapp.rules.leave(self.user_id, channel_id), "leave", channel_id)

    async def move(self, channel_id: str, user_id: str, *, is_in: bool) -> None:
        """Take somebody else into a conversation, or out of it."""
        verb = "join" if is_in else "leave"
        await self._move(lambda webapp: getattr(webapp.rules, verb)(user_id, channel_id), verb, channel_id)

    async def _move(self, work: Callable[[WebappProcess], Awaitable[object]], verb: str, channel_id: str) -> None:
        try:
            is_done = await self.http(work)
        except (Refused, ParleyError) as error:
            self.mesh.world.trace(self.host.name, verb, channel_id, "failed:", error)
        else:
            self.mesh.world.trace(self.host.name, verb, channel_id, is_done)
