"""A presence server in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import grpc

from parley.presence.v1 import presence_service_pb2 as presence_pb

PRESENCE_SERVER = "presence-test"


class TwinPresence:
    """A presence server: remembers what is reported, answers watches, and tells changes."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.reported: dict[str, presence_pb.UserConnections] = {}
        self.history: list[tuple[str, int, bool]] = []
        """(user, sessions, away by hand) of everything that was reported."""
        self.watched: set[str] = set()
        self.heartbeats = 0
        self._out: asyncio.Queue[object] = asyncio.Queue()

    def report(self, server_id: str) -> TwinPresence:
        assert server_id == PRESENCE_SERVER
        return self

    async def states(self, user_ids: Sequence[str], team_id: str) -> Mapping[str, bool]:
        here = {user_id for user_id, user in self.reported.items() if user.count and user.team_id == team_id}
        return {user_id: user_id in here for user_id in user_ids}

    async def write(self, request: presence_pb.ReportRequest, /) -> None:
        kind = request.WhichOneof("frame")
        if kind == "hello":
            self._out.put_nowait(presence_pb.ReportResponse(lease=presence_pb.Lease(lease_ms=300)))
        elif kind == "connections":
            for user in request.connections.users:
                self.counts[user.user_id] = user.count
                self.reported[user.user_id] = user
                self.history.append((user.user_id, user.count, user.is_away_by_hand))
                self.tell([user.user_id])
        elif kind == "watch":
            self.watched |= set(request.watch.added_user_ids)
            self.watched -= set(request.watch.removed_user_ids)
            self.tell(request.watch.added_user_ids)
        else:
            self.heartbeats += 1

    async def read(self) -> object:
        return await self._out.get()

    def cancel(self) -> bool:
        return True

    def break_line(self) -> None:
        """End the stream; the gateway opens another."""
        self._out.put_nowait(grpc.aio.EOF)

    def tell(self, user_ids: Sequence[str]) -> None:
        users = [
            presence_pb.UserPresence(
                user_id=user_id,
                presence=presence_pb.PRESENCE_ACTIVE if self.counts.get(user_id) else presence_pb.PRESENCE_AWAY,
                team_id=self.reported[user_id].team_id if user_id in self.reported else "",
            )
            for user_id in user_ids
            if user_id in self.watched
        ]
        if users:
            self._out.put_nowait(presence_pb.ReportResponse(changes=presence_pb.Changes(users=users)))
