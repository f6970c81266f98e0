"""Streams from Socket Mode connections to the webapps that own their apps; opened again wherever an app goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Protocol

from discovery.ring_watcher import RingWatcher
from discovery.stubs import StubPools
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.feed.lines import Line, Stream
from svc.gateway.apps import frames
from svc.gateway.apps.connection import AppConnection
from svc.gateway.apps.session import AppAck
from svc.gateway.close_codes import CloseCode
from svc.kit.clock import Clock

ACKS_MAX = 256
"""Acknowledgements that wait for an owner; beyond, the oldest go: what they were for comes once more."""

MOVE_S = 4.0
"""How long a stream may stand at an owner that the ring does not name any more: it waits for answers, then ends it."""

AppStream = Stream[pb.AppStreamRequest, pb.AppStreamResponse]
AppLine = Line[pb.AppStreamRequest, pb.AppStreamResponse]


class Owners(Protocol):
    """The webapps, by the apps that they own."""

    def owner(self, app_id: str) -> str:
        """Return the instance id of an app's owner. Raises LookupError when there is none."""
        ...

    def stream(self, owner_id: str) -> AppStream:
        """Open a stream to a webapp. Raises LookupError when it is not there."""
        ...


class RemoteOwners:
    """The webapps of the mesh (see Owners)."""

    def __init__(self, pools: StubPools, ring: RingWatcher) -> None:
        """Find owners by `ring`, which `pools` must follow."""
        self._pools = pools
        self._ring = ring

    def owner(self, app_id: str) -> str:
        """See Owners."""
        if not self._ring.ring.members:
            raise LookupError("no webapp is known")
        return self._ring.ring.owner(app_id)

    def stream(self, owner_id: str) -> AppStream:
        """See Owners."""
        instance = self._ring.instance(owner_id)
        if instance is None:
            raise LookupError(f"{owner_id} is not on the ring any more")
        return self._pools.stub(WebappServiceStub, instance).AppStream()


class OwnerEnd:
    """Our end of the line from one connection to its app's owner (see svc.feed.lines.LineEnd)."""

    def __init__(self, connection: AppConnection, owners: Owners, clock: Clock, rng: Random | None = None) -> None:
        self._connection = connection
        self._owners = owners
        self._clock = clock
        self._acks: deque[AppAck] = deque(maxlen=ACKS_MAX)
        self._has_said_leaving = False
        self._stream: AppStream | None = None
        self._owner_id = ""
        self._strayed_at: float | None = None
        self.line: AppLine = Line(f"owner of {connection.ticket.app_id}", self._connect, self, clock, rng)

    @property
    def heartbeat_s(self) -> float | None:
        """See LineEnd: gRPC's keepalive finds dead peers."""
        return None

    def ack(self, ack: AppAck) -> None:
        """Pass an acknowledgement on, to the owner of then."""
        self._acks.append(ack)
        self.line.wake()

    def check_owner(self) -> None:
        """Leave an owner that the ring has not named for a while; called now and then."""
        try:
            is_right = not self._owner_id or self._owners.owner(self._connection.ticket.app_id) == self._owner_id
        except LookupError:
            is_right = True  # better an old owner than none
        now = self._clock.now()
        if is_right or self._stream is None:
            self._strayed_at = None
        elif self._strayed_at is None:
            self._strayed_at = now
        elif now - self._strayed_at > MOVE_S:
            self._stream.cancel()

    def _connect(self) -> AppStream:
        self._owner_id = self._owners.owner(self._connection.ticket.app_id)
        self._stream = self._owners.stream(self._owner_id)
        self._strayed_at = None
        return self._stream

    def hello(self) -> pb.AppStreamRequest:
        """See LineEnd."""
        ticket = self._connection.ticket
        return pb.AppStreamRequest(
            open=pb.AppOpen(
                app_id=ticket.app_id,
                team_id=ticket.team_id,
                bot_user_id=ticket.user_id,
                connection_id=self._connection.id,
                token_hash_prefix=ticket.token_prefix,
            )
        )

    def opened(self, first: pb.AppStreamResponse) -> None:
        """See LineEnd."""
        self._has_said_leaving = False
        if first.WhichOneof("frame") == "opened":
            self._connection.connection_count = first.opened.connection_count
            self._connection.greet()
        else:
            self.received(first)

    def received(self, response: pb.AppStreamResponse) -> None:
        """See LineEnd."""
        kind = response.WhichOneof("frame")
        if kind == "envelope":
            self._connection.deliver(response.envelope.frame)
        elif kind == "disconnect":
            self.line.is_wanted = False
            self._connection.greet()
            if response.disconnect.reason == pb.DISCONNECT_REASON_TOO_MANY_WEBSOCKETS:
                self._connection.dismiss(CloseCode.TOO_MANY, frames.TOO_MANY)
            else:
                self._connection.dismiss(CloseCode.TOKEN_REVOKED, frames.LINK_DISABLED)

    def outgoing(self) -> Iterator[pb.AppStreamRequest]:
        """See LineEnd."""
        if self._connection.is_leaving and not self._has_said_leaving:
            self._has_said_leaving = True
            yield pb.AppStreamRequest(leaving=pb.AppLeaving())
        while self._acks:
            ack = self._acks.popleft()
            yield pb.AppStreamRequest(ack=pb.AppAck(envelope_id=ack.envelope_id, payload=ack.payload))

    def closed(self) -> None:
        """See LineEnd."""
        self._stream = None
