"""The gRPC boundary of webapp: checks requests, hands them to the rules and the stores, answers by the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from parley.boot.v1 import boot_pb2
from parley.event.v1 import event_pb2
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1 import webapp_service_pb2_grpc as rpc
from svc.kit.errors import InvalidArgumentError, NotFoundError, UnauthenticatedError
from svc.kit.ids import is_id, us_from_ts
from svc.kit.rpc import Service, when_over
from svc.webapp.apps.calls import AppCalls, NoApps
from svc.webapp.cache.relay import Hearing, undelivered_of
from svc.webapp.domain.messages.messages import check_socket_text
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.services import Services
from svc.webapp.gate import Gate
from svc.webapp.limits.tiers import Tier
from svc.webapp.loading import load_members, load_workspace
from svc.webapp.priority import Priority, Turn, begin
from svc.webapp.store.channel import Activity
from svc.webapp.store.log_page import LogPage
from svc.webapp.store.rows import TokenKind

LOGS_MAX = 256
LOG_EVENTS_DEFAULT = 200
LOG_EVENTS_MAX = 1_000
HEADS_MAX = 4_096
"""The contract's limits; see webapp_service.proto."""

_Context = grpc.aio.ServicerContext[Any, Any]


class WebappServicer(rpc.WebappServiceServicer):
    """What gateways and edges ask of the tier that holds the truth."""

    def __init__(
        self,
        services: Services,
        gate: Gate | None = None,
        hearing: Hearing | None = None,
        apps: AppCalls | None = None,
    ) -> None:
        """`gate`: shared with the HTTP face; without one it has its own. `hearing`: this process's cache, if any.

        `apps`: the apps that this process owns, if it may own any.
        """
        self._services = services
        self._apps = apps or NoApps()
        self._hearing = hearing
        self._gate = gate or Gate()
        self._tracer = trace.get_tracer("parley.webapp")

    async def ListSubscriptions(  # noqa: N802 - the contract's name
        self, request: pb.ListSubscriptionsRequest, context: _Context
    ) -> pb.ListSubscriptionsResponse:
        """Return what a session of the user follows, each with its head, and whether the user says that it is away."""
        with self._gate.admitted(Turn(Priority.BOOT, is_patient=True)):
            return await self._subscriptions(request)

    async def _subscriptions(self, request: pb.ListSubscriptionsRequest) -> pb.ListSubscriptionsResponse:
        user = await self._services.lookups.user(request.team_id, request.user_id)
        if user is None:
            raise NotFoundError(f"there is no user {request.user_id} in {request.team_id}", subject="user_id")
        # The user's own channel is read first, from the database: a membership that comes after it is told there.
        own = [user.id, user.team_id]
        own_heads = await self._services.shared.heads(own)
        head = own_heads.get(user.id, 0)
        # After the head: what is revoked later is told above it.
        if not await self._is_valid(user.id, request.token_prefix):
            raise UnauthenticatedError("the token is valid no longer", subject="token_prefix")
        # Reads for many first: those who come together stay together until a read takes few of them.
        prefs = await self._services.lookups.prefs(user.id, head)
        memberships = await self._services.lookups.followed(user.id, head)
        ids = [row.channel_id for row in memberships]
        heads = own_heads | await self._services.shared.heads(ids)
        return pb.ListSubscriptionsResponse(
            heads=[_position(i, heads.get(i, 0)) for i in (*own, *ids)], is_away_by_hand=prefs.away
        )

    async def _is_valid(self, user_id: str, token_prefix: bytes) -> bool:
        """Tell whether a token is, as the database has it; True for none."""
        if not token_prefix:
            return True
        token = await self._services.shared.token_by_prefix(user_id, token_prefix)
        now_s = self._services.clock.wall_us() // 1_000_000
        return token is not None and not token.revoked_s and not 0 < token.expires_s <= now_s

    async def PostMessage(self, request: pb.PostMessageRequest, context: _Context) -> pb.PostMessageResponse:  # noqa: N802
        """Post as chat.postMessage does; the rules' refusals are answers."""
        turn = Turn(Priority.POST)
        with self._gate.admitted(turn), self._tracer.start_as_current_span("webapp.PostMessage", kind=SpanKind.SERVER):
            caller = _caller(request)
            try:
                await self._check_pace(caller, request.channel_id)
                if not await self._is_valid(request.user_id, request.token_prefix):
                    return pb.PostMessageResponse(error="token_revoked")
                check_socket_text(request.text)
                posted = await self._services.messages.post(caller, request.channel_id, _post(request))
            except Refused as refusal:
                return pb.PostMessageResponse(error=refusal.code)
        text = str(posted.message.get("text", ""))
        return pb.PostMessageResponse(ts=posted.ts, text=text, offset=posted.offset)

    async def _check_pace(self, caller: Caller, channel_id: str) -> None:
        """Count a post to what chat.postMessage is counted to. Raises RateLimited, which is a refusal too."""
        if caller.is_bot:
            # The app's calls and its socket share their limit.
            user = await self._services.lookups.user(caller.team_id, caller.user_id)
            caller = replace(caller, app_id=user.app_id if user is not None else "")
        await self._services.limits.check(Tier.POSTING, "chat.postMessage", caller, channel_id)

    async def ReadLog(self, request: pb.ReadLogRequest, context: _Context) -> pb.ReadLogResponse:  # noqa: N802
        """Return what the log holds after each position."""
        _check_size("after", len(request.after), LOGS_MAX)
        _check_size("limit", request.limit, LOG_EVENTS_MAX)
        after = {position.channel_id: position.offset for position in request.after}
        with self._gate.admitted(Turn(Priority.READ)):
            pages = await self._services.channels.logs(after, request.limit or LOG_EVENTS_DEFAULT) if after else {}
        return pb.ReadLogResponse(logs=[_log(pages[position.channel_id]) for position in request.after])

    async def ReadHeads(self, request: pb.ReadHeadsRequest, context: _Context) -> pb.ReadHeadsResponse:  # noqa: N802
        """Return the heads of channels that have events."""
        _check_size("channel_ids", len(request.channel_ids), HEADS_MAX)
        with self._gate.admitted(Turn(Priority.READ)):
            heads = await self._services.shared.heads(request.channel_ids)
        return pb.ReadHeadsResponse(heads=[_position(channel_id, offset) for channel_id, offset in heads.items()])

    async def ReadActivity(self, request: pb.ReadActivityRequest, context: _Context) -> pb.ReadActivityResponse:  # noqa: N802
        """Return how far channels have come, unknown ones too."""
        _check_size("channel_ids", len(request.channel_ids), HEADS_MAX)
        with self._gate.admitted(Turn(Priority.BOOT)):
            found = await self._services.shared.activity(request.channel_ids)
        return pb.ReadActivityResponse(activities=[_activity(each, found.get(each)) for each in request.channel_ids])

    async def ListMembers(  # noqa: N802
        self, request: pb.ListMembersRequest, context: _Context
    ) -> AsyncIterator[pb.ListMembersResponse]:
        """Stream who is in a conversation. Somebody looks at the list and waits for it."""
        self._begin(Turn(Priority.READ), context)
        async for part in load_members(self._services, request.team_id, request.channel_id):
            yield part

    async def LoadWorkspace(  # noqa: N802
        self, request: pb.LoadWorkspaceRequest, context: _Context
    ) -> AsyncIterator[pb.LoadWorkspaceResponse]:
        """Stream the model: header, users, public channels, emoji, trailer."""
        self._begin(Turn(Priority.BOOT), context)
        async for part in load_workspace(self._services, request.team_id, request.resume):
            yield part

    def _begin(self, turn: Turn, context: _Context) -> None:
        """Let a stream be under way until its call is over, however it ends."""
        self._gate.enter(turn)
        when_over(context, self._gate.leave)
        begin(turn)

    async def ForgetCached(self, request: pb.ForgetCachedRequest, context: _Context) -> pb.ForgetCachedResponse:  # noqa: N802
        """Take deletions that another webapp could not deliver. Passes no gate: a write waits for it."""
        undelivered = undelivered_of(request)
        if self._hearing is not None:
            self._hearing.hear(undelivered)
        return pb.ForgetCachedResponse()

    async def AppStream(  # noqa: N802
        self, requests: AsyncIterator[pb.AppStreamRequest], context: _Context
    ) -> AsyncIterator[pb.AppStreamResponse]:
        """Serve one Socket Mode connection of an app. Passes no gate: an idle line costs nothing."""
        async for response in self._apps.stream(requests, context):
            yield response

    async def DeliverToApp(self, request: pb.DeliverToAppRequest, context: _Context) -> pb.DeliverToAppResponse:  # noqa: N802
        """Give an app what a person waits for. Passes no gate: the call behind it has passed one."""
        return await self._apps.deliver(request)


def webapp_service(
    services: Services, gate: Gate, hearing: Hearing | None = None, apps: AppCalls | None = None
) -> Service:
    """Return the service for the kit's gRPC server; its calls pass `gate`, deletions of others go to `hearing`, and
    what concerns apps to `apps`."""
    servicer = WebappServicer(services, gate, hearing, apps)
    name = pb.DESCRIPTOR.services_by_name["WebappService"].full_name
    return Service(name, lambda server: rpc.add_WebappServiceServicer_to_server(servicer, server))


def _caller(request: pb.PostMessageRequest) -> Caller:
    if not (is_id(request.team_id, "T") and is_id(request.user_id, "UW")):
        raise InvalidArgumentError("team_id and user_id are needed", subject="user_id")
    kind = TokenKind.BOT if request.bot_id else TokenKind.USER
    return Caller(request.team_id, request.user_id, kind, request.bot_id)


def _post(request: pb.PostMessageRequest) -> Post:
    try:
        thread_ts_us = us_from_ts(request.thread_ts) if request.thread_ts else 0
    except ValueError:
        raise Refused("cannot_reply_to_message") from None
    return Post(
        text=request.text,
        thread_ts_us=thread_ts_us,
        reply_broadcast=request.reply_broadcast,
        client_msg_id=request.client_msg_id,
        origin_connection_id=request.origin_connection_id,
    )


def _check_size(subject: str, actual: int, limit: int) -> None:
    if actual > limit:
        raise InvalidArgumentError(f"{subject}: at most {limit}", subject=subject, limit=limit, actual=actual)


def _position(channel_id: str, offset: int) -> event_pb2.ChannelPosition:
    return event_pb2.ChannelPosition(channel_id=channel_id, offset=offset)


def _activity(channel_id: str, found: Activity | None) -> boot_pb2.ConversationActivity:
    if found is None:
        return boot_pb2.ConversationActivity(channel_id=channel_id)
    return boot_pb2.ConversationActivity(
        channel_id=channel_id, head_offset=found.last_offset, latest_message_ts_us=found.last_message_us
    )


def _log(page: LogPage) -> pb.ChannelLog:
    log = pb.ChannelLog(channel_id=page.channel_id, head_offset=page.head_offset, truncated=page.truncated)
    for event in page.events:
        log.events.add().ParseFromString(event)
    return log
