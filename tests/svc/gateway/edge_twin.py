"""An edge in this process: one workspace that tests fill, and answers that come when they may."""

from __future__ import annotations

import asyncio
from typing import Any

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge_pb
from svc.kit.errors import NotFoundError, ParleyError

TEAM = "T0000000001"


class TwinEdge:
    """An edge with one workspace; remembers what it was asked, and answers when it may."""

    def __init__(self) -> None:
        self.users: dict[str, boot_pb2.User] = {}
        self.channels: dict[str, boot_pb2.Channel] = {}
        self.membership: dict[str, list[str]] = {}
        self.custom: list[boot_pb2.Emoji] = []
        self.asked: list[Any] = []
        self.cancelled = 0
        self.error: ParleyError | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def add(self, user_id: str, name: str, version: int = 0, **fields: Any) -> boot_pb2.User:
        """Let there be a user."""
        self.users[user_id] = boot_pb2.User(id=user_id, team_id=TEAM, name=name, version=version, **fields)
        return self.users[user_id]

    async def _take(self, request: Any, timeout_s: float) -> None:
        self.asked.append(request)
        assert request.team_id == TEAM
        try:
            async with asyncio.timeout(timeout_s):
                await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error

    async def objects(self, request: edge_pb.GetObjectsRequest, timeout_s: float) -> edge_pb.GetObjectsResponse:
        await self._take(request, timeout_s)
        answer = edge_pb.GetObjectsResponse()
        for known in request.objects:
            user, channel = self.users.get(known.id), self.channels.get(known.id)
            if user is not None and (not known.held or known.version < user.version):
                answer.users.append(user)
            elif channel is not None and (not known.held or known.version < channel.version):
                answer.channels.append(channel)
            elif user is None and channel is None:
                answer.unknown_ids.append(known.id)
        return answer

    async def search(self, request: edge_pb.SearchRequest, timeout_s: float) -> edge_pb.SearchResponse:
        await self._take(request, timeout_s)
        found = [user for user in self.users.values() if user.name.startswith(request.prefix)]
        return edge_pb.SearchResponse(users=found[: request.limit or 20])

    async def members(self, request: edge_pb.ListMembersRequest, timeout_s: float) -> edge_pb.ListMembersResponse:
        await self._take(request, timeout_s)
        ids = sorted(self.membership.get(request.channel_id, ()))
        if request.user_id not in ids:
            raise NotFoundError("no such conversation")
        after = [user_id for user_id in ids if user_id > request.after_user_id]
        limit = request.limit or 200
        return edge_pb.ListMembersResponse(user_ids=after[:limit], has_more=len(after) > limit, total_count=len(ids))

    async def emoji(self, request: edge_pb.ListEmojiRequest, timeout_s: float) -> edge_pb.ListEmojiResponse:
        await self._take(request, timeout_s)
        if request.version == 7:
            return edge_pb.ListEmojiResponse(version=7, is_unchanged=True)
        return edge_pb.ListEmojiResponse(emoji=self.custom, version=7)
