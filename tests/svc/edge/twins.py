"""Twins of what surrounds an edge: worlds (workspaces), a source that loads them, a feed that follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from parley.boot.v1 import boot_pb2 as boot
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.workspaces import Workspaces
from svc.kit.errors import NotFoundError, ParleyError, UnavailableError

Object = TypeVar("Object", boot.User, boot.Channel)

TEAM = "T0000000001"
ALICE, BOB = "U0000000001", "U0000000002"
GENERAL, RANDOM = "C0000000001", "C0000000002"


@dataclass
class World:
    """The truth about one workspace: its objects, and the log of its channel."""

    team_id: str = TEAM
    users: dict[str, boot.User] = field(default_factory=dict)
    channels: dict[str, boot.Channel] = field(default_factory=dict)
    log: list[event_pb.Event] = field(default_factory=list)
    emoji: dict[str, boot.Emoji] = field(default_factory=dict)
    first_offset: int = 1

    @property
    def head(self) -> int:
        """The highest offset."""
        return self.first_offset - 1 + len(self.log)

    @property
    def team(self) -> boot.Team:
        """The workspace itself."""
        return boot.Team(id=self.team_id, name="Acme", domain="acme")

    def user(self, user_id: str, title: str = "") -> event_pb.Event:
        """Add or change a user, as a commit does; return the event."""
        user = boot.User(id=user_id, team_id=self.team_id, name=user_id.lower(), title=title, version=self.head + 1)
        self.users[user_id] = user
        return self._commit(boot.ModelChange(users=[user]))

    def channel(
        self, channel_id: str, topic: str = "", kind: boot.ChannelKind.ValueType = boot.CHANNEL_KIND_PUBLIC
    ) -> event_pb.Event:
        """Add or change a channel; return the event."""
        channel = boot.Channel(
            id=channel_id, team_id=self.team_id, name=channel_id.lower(), kind=kind, topic=topic, version=self.head + 1
        )
        self.channels[channel_id] = channel
        return self._commit(boot.ModelChange(channels=[channel]))

    def put_emoji(self, name: str, value: str) -> event_pb.Event:
        """Add or change a custom emoji; return the event."""
        emoji = self.emoji[name] = boot.Emoji(name=name, value=value)
        return self._commit(boot.ModelChange(emoji=[emoji]))

    def remove_emoji(self, name: str) -> event_pb.Event:
        """Remove a custom emoji; return the event."""
        self.emoji.pop(name, None)
        return self._commit(boot.ModelChange(removed_emoji=[name]))

    def nothing(self) -> event_pb.Event:
        """Commit an event that changes no object."""
        return self._commit(None)

    def public_channels(self) -> dict[str, boot.Channel]:
        """What a model should hold."""
        return {each.id: each for each in self.channels.values() if each.kind == boot.CHANNEL_KIND_PUBLIC}

    def parts(
        self, page: int = 2, place: webapp.LoadPlace | None = None, behind: int = 0
    ) -> list[webapp.LoadWorkspaceResponse]:
        """The parts of a load as of now, those after `place`; the versions of what changed last are `behind`."""
        place = place or webapp.LoadPlace()
        users = [
            self._behind(user, behind)
            for user_id, user in sorted(self.users.items())
            if user_id > place.after_user_id and not place.has_users
        ]
        channels = [
            self._behind(channel, behind)
            for channel_id, channel in sorted(self.public_channels().items())
            if channel_id > place.after_channel_id and not place.has_channels
        ]
        emoji = [each for _, each in sorted(self.emoji.items())]
        header = webapp.WorkspaceHeader(team=self.team, model_offset=self.head)
        trailer = webapp.WorkspaceTrailer(user_count=len(users), channel_count=len(channels), emoji_count=len(emoji))
        return [
            webapp.LoadWorkspaceResponse(header=header),
            *(
                webapp.LoadWorkspaceResponse(users=webapp.UserPage(users=users[at : at + page]))
                for at in range(0, len(users), page)
            ),
            *(
                webapp.LoadWorkspaceResponse(channels=webapp.ChannelPage(channels=channels[at : at + page]))
                for at in range(0, len(channels), page)
            ),
            *(
                webapp.LoadWorkspaceResponse(emoji=webapp.EmojiPage(emoji=emoji[at : at + page]))
                for at in range(0, len(emoji), page)
            ),
            webapp.LoadWorkspaceResponse(trailer=trailer),
        ]

    def changes(self, after: int, limit: int) -> list[boot.ModelChange]:
        """What the log says of objects."""
        events = [event for event in self.log if event.offset > after][:limit]
        return [event.model_change for event in events if event.HasField("model_change")]

    def _behind(self, held: Object, behind: int) -> Object:
        """Return an object as its row is before its version follows the event."""
        if held.version <= self.head - behind:
            return held
        row = type(held)()
        row.CopyFrom(held)
        row.version = 0
        return row

    def _commit(self, change: boot.ModelChange | None) -> event_pb.Event:
        event = event_pb.Event(
            channel_id=self.team_id, offset=self.head + 1, kind=event_pb.EVENT_KIND_WORKSPACE, model_change=change
        )
        self.log.append(event)
        return event


class TwinSource:
    """Loads worlds. `during` runs after the header was sent; `failures` are raised one a load, before anything else."""

    def __init__(self, *worlds: World) -> None:
        self.worlds = {world.team_id: world for world in worlds}
        self.loads: list[str] = []
        self.failures: list[ParleyError] = []
        self.during: Callable[[], None] = lambda: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.cut_after: int | None = None
        self.places: list[webapp.LoadPlace | None] = []
        self.behind = 0

    async def load(
        self, team_id: str, place: webapp.LoadPlace | None, timeout_s: float
    ) -> AsyncGenerator[webapp.LoadWorkspaceResponse, None]:
        """See loader.WorkspaceSource."""
        self.loads.append(team_id)
        self.places.append(place)
        if self.failures:
            raise self.failures.pop(0)
        if team_id not in self.worlds:
            raise NotFoundError(f"no workspace {team_id}")
        world = self.worlds[team_id]
        yield world.parts()[0]
        self.during()
        await self.gate.wait()
        for part in world.parts(place=place, behind=self.behind)[1 : self.cut_after]:
            yield part

    async def changes(self, team_id: str, after: int, limit: int, timeout_s: float) -> Sequence[boot.ModelChange]:
        """See loader.WorkspaceSource."""
        return self.worlds[team_id].changes(after, limit)


class TwinFreshness:
    """Vouches for what it is told to."""

    def __init__(self) -> None:
        self.doubted: set[str] = set()

    def check(self, channel_id: str) -> None:
        """See interfaces.Freshness."""
        if channel_id in self.doubted:
            raise UnavailableError(f"{channel_id} is not heard")

    async def level(self, channel_id: str, timeout_s: float) -> None:
        """See interfaces.Freshness."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while channel_id in self.doubted:
                    await asyncio.sleep(0.001)
        self.check(channel_id)


class TwinFeed:
    """Delivers the events of worlds to whoever follows them; a feed that lost something says so."""

    def __init__(self, *worlds: World) -> None:
        self.worlds = {world.team_id: world for world in worlds}
        self.positions: dict[str, int] = {}
        self.consumer: Workspaces | None = None

    def follow(self, channel_id: str, after: int) -> None:
        """See workspaces.Feed."""
        assert channel_id not in self.positions, "followed twice"
        self.positions[channel_id] = after

    def unfollow(self, channel_id: str) -> None:
        """See workspaces.Feed."""
        del self.positions[channel_id]

    def pump(self) -> None:
        """Deliver all that is new on followed channels."""
        assert self.consumer is not None
        for team_id, last in list(self.positions.items()):
            events = [event for event in self.worlds[team_id].log if event.offset > last]
            if events:
                self.positions[team_id] = events[-1].offset
                self.consumer.deliver(events)
