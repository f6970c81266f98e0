"""The desk: where connections report, and where what they ask for is handed to whoever does it."""

from __future__ import annotations

from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import frames
from svc.gateway.close_codes import CloseCode
from svc.gateway.door import Connections
from svc.gateway.hub import Hub
from svc.gateway.members import Member
from svc.gateway.openings import Openings
from svc.gateway.posts import Posts
from svc.gateway.reports import Presence
from svc.gateway.session import Action, Post, PresenceQuery, PresenceSub, Resume, Typing
from svc.gateway.sockets import Connection
from svc.kit.clock import Clock


class Channels(Protocol):
    """What is used of the feed (see feed.Feed)."""

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Follow it no longer."""
        ...

    def publish_transient(self, event: event_pb.Event) -> None:
        """Fan out an event that is never stored."""
        ...


class FrontDesk:
    """Joins connections with the hub, webapp and presence (see sockets.Desk)."""

    def __init__(
        self,
        connections: Connections,
        feed: Channels,
        openings: Openings,
        posts: Posts,
        presence: Presence,
        clock: Clock,
    ) -> None:
        """Make the hub that everything meets in."""
        self.hub = Hub(feed, clock.now, self._behind, self._stale)
        self._connections = connections
        self._feed = feed
        self._openings = openings
        self._posts = posts
        self._presence = presence

    def opened(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._connections.add(connection)
        self.hub.enter(connection)
        self._presence.connected(connection)
        self._openings.open(connection, self.hub)

    def act(self, connection: Connection, action: Action) -> None:
        """See sockets.Desk."""
        if isinstance(action, Post):
            self._posts.post(connection, action)
        elif isinstance(action, Typing):
            self._typing(connection, action)
        elif isinstance(action, PresenceSub):
            self._presence.subscribe(connection, action.user_ids)
        elif isinstance(action, PresenceQuery):
            self._presence.query(connection, action.user_ids)
        elif isinstance(action, Resume):
            self._openings.resume(connection, action.token)

    def stirred(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._presence.stirred(connection)

    def closed(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._connections.remove(connection)
        self.hub.leave(connection)
        self._openings.closed(connection)
        self._presence.disconnected(connection)

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
