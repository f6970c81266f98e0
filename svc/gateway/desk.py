"""The desk: where connections report, and where what they ask for is handed to whoever does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.door import Connections
from svc.gateway.hub import Hub
from svc.gateway.lazy.lazy import Lazy
from svc.gateway.lazy.queries import Query
from svc.gateway.members import Member, PushAll
from svc.gateway.openings import Openings
from svc.gateway.posts import Posts
from svc.gateway.prefetch.prefetch import Prefetch
from svc.gateway.presence.reports import Presence
from svc.gateway.return_tickets import ReturnTickets
from svc.gateway.session import Post, PresenceQuery, PresenceSub, Resume, Typing
from svc.gateway.sockets import Connection
from svc.gateway.talk import AnyAction
from svc.kit.clock import Clock

EARLY_MAX = 64
"""Frames of a client that returns which wait until it is known to be welcome: more than a client begins with."""


class Channels(Protocol):
    """What is used of the feed (see feed.Feed)."""

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Follow it no longer."""
        ...

    def is_level(self, channel_id: str) -> bool:
        """Tell whether all that its owner has of a followed channel was handed on."""
        ...

    def publish_transient(self, event: event_pb.Event) -> None:
        """Fan out an event that is never stored."""
        ...


class FrontDesk:
    """Joins connections with the hub, webapp, the edge and presence (see sockets.Desk, members.Onlooker)."""

    def __init__(
        self,
        connections: Connections,
        feed: Channels,
        openings: Openings,
        posts: Posts,
        lazy: Lazy,
        prefetch: Prefetch,
        presence: Presence,
        clock: Clock,
        push_all: PushAll,
    ) -> None:
        """Make the hub that everything meets in."""
        self.hub = Hub(feed, clock.now, self._behind, self._stale, self, push_all)
        self._connections = connections
        self._feed = feed
        self._openings = openings
        self._posts = posts
        self._lazy = lazy
        self._prefetch = prefetch
        self._presence = presence
        self._early: dict[Connection, list[AnyAction]] = {}
        self.tickets: ReturnTickets | None = None
        """Who gives sessions tickets to come back with; without it there are none."""
        openings.on_known = self._known

    def opened(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._connections.add(connection)
        self.hub.enter(connection)
        self._presence.connected(connection)
        self._openings.open(connection, self.hub)

    def act(self, connection: Connection, action: AnyAction) -> None:
        """See sockets.Desk."""
        if isinstance(action, Resume):
            self._openings.resume(connection, action)
        elif isinstance(action, Post):
            # Webapp looks at the token of a post whose session is not known yet.
            self._posts.post(connection, action)
        elif connection.ticket.returned is not None and not connection.is_known:
            early = self._early.setdefault(connection, [])
            if len(early) < EARLY_MAX:
                early.append(action)
        elif isinstance(action, Typing):
            self._typing(connection, action)
        elif isinstance(action, Query):
            self._lazy.ask(connection, action)
        elif isinstance(action, PresenceSub):
            self._presence.subscribe(connection, action.user_ids)
        elif isinstance(action, PresenceQuery):
            self._presence.query(connection, action.user_ids)

    def stirred(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._presence.stirred(connection)

    def closed(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._connections.remove(connection)
        self.hub.leave(connection)
        self._openings.closed(connection)
        self._early.pop(connection, None)
        if self.tickets is not None:
            self.tickets.closed(connection)
        self._lazy.closed(connection)
        self._prefetch.closed(connection)
        self._presence.disconnected(connection)

    def introduce(self, event: event_pb.Event, user_ids: Iterable[str], members: Iterable[Member]) -> bool:
        """See members.Onlooker."""
        return self._prefetch.introduce(event, user_ids, members)

    def passed(self, event: event_pb.Event) -> None:
        """See members.Onlooker."""
        if event.HasField("away_change"):
            self._presence.set_away(event.channel_id, event.away_change.is_away_by_hand, event.offset)
        self._prefetch.passed(event)

    def unfollowed(self, channel_id: str) -> None:
        """See members.Onlooker."""
        self._prefetch.unfollowed(channel_id)

    def moved(self, member: Member) -> None:
        """See members.Onlooker."""
        if self.tickets is not None and isinstance(member, Connection):
            self.tickets.changed(member)

    def leaving(self, connection: Connection) -> None:
        """Learn that a connection is about to be sent away."""
        if self.tickets is not None:
            self.tickets.renew(connection)

    def _known(self, connection: Connection) -> None:
        for action in self._early.pop(connection, ()):
            self.act(connection, action)
        if self.tickets is not None:
            self.tickets.begun(connection)

    def _typing(self, connection: Connection, typing: Typing) -> None:
        if typing.channel_id not in connection.channels:
            return  # not a member, or not yet: typing is never worth an error
        event = event_pb.Event(
            channel_id=typing.channel_id,
            kind=event_pb.EVENT_KIND_TYPING,
            sender_id=connection.user_id,
            payload=frames.typing_payload(typing.channel_id, connection.user_id, typing.thread_ts),
        )
        self._feed.publish_transient(event)

    def _behind(self, member: Member) -> None:
        if isinstance(member, Connection):
            self._openings.catch_up(member, self.hub)

    def _stale(self, member: Member) -> None:
        if isinstance(member, Connection):
            member.close(CloseCode.STALE, "what this session follows was lost: come back")
