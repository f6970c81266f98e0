"""What a client asks for when it is about to show it: over the socket, and over HTTP while there is none.

Lazy queries only read, so any of them may be repeated: one whose socket broke, or that got no answer in time, goes by
HTTP; one that was over the client's rate waits and asks again. Answers are matched by id, whatever their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Any

from parley_client.actions import Json
from parley_client.errors import ConnectionLost, NotConnected, Refused, Unreachable
from parley_client.holding import Ask
from parley_client.retrying import LIMITED, RETRY_AFTER_MAX_S, TROUBLE, Backoff
from parley_client.webapi import WebApi
from parley_client.workspace import Workspace

DEADLINE_S = 10.0
"""How long a query is tried, unless told otherwise."""

SOCKET_S = 3.0
"""Longest wait for an answer over the socket: an edge answers in milliseconds, a gateway gives up after two seconds."""

BY_HTTP = TROUBLE | {"answer_too_large"}
"""What a socket cannot answer, and HTTP may."""

UNDER_WAY_MAX = 8
"""Queries at a time; more wait here. A gateway has a bound of its own for each connection."""

IDS_MAX = 500
"""Ids in one query, as the contract says."""

MEMBERS_PAGE = 1_000
"""Members in one page, the most that the contract allows."""

BASE_S, CAP_S = 0.1, 2.0
"""Waits of one who asks too fast."""

AskSocket = Callable[[str, Json, float], Awaitable[Json]]
"""Sends a frame of a kind with fields, and returns its answer within seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first."""

    users: tuple[Json, ...]
    channels: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class MembersPage:
    """A part of who is in a conversation."""

    user_ids: tuple[str, ...]
    """In order of id."""
    total: int
    cursor: str
    """For the next page; "" after the last."""


class Lazy:
    """Fills a workspace as it is shown. Methods raise Refused, or Unreachable after `deadline_s` seconds."""

    def __init__(self, workspace: Workspace, ask: AskSocket, api: Callable[[], WebApi], rng: Random) -> None:
        """`ask` raises NotConnected, ConnectionLost, TimeoutError or Refused; `api` is for when it does."""
        self._workspace = workspace
        self._ask = ask
        self._api = api
        self._rng = rng
        self._slots = asyncio.Semaphore(UNDER_WAY_MAX)

    async def load(self, ids: Iterable[str], *, deadline_s: float = DEADLINE_S) -> None:
        """Have these users and channels in the workspace, as they are now; what is held and fresh costs nothing.

        Ids that nobody has, or that the user may not see, stay unknown.
        """
        wanted = self._workspace.ask(ids)
        private = [each for each in wanted.ids if self._is_private(each)]
        versions = {each: version for each, version in wanted.ids.items() if each not in private and each[:1] in "UWC"}
        async with asyncio.TaskGroup() as group:
            for chunk in _chunks(versions):
                group.create_task(self._objects(Ask(chunk, wanted.generation), deadline_s))
            for channel_id in private:
                group.create_task(self._private(Ask({channel_id: 0}, wanted.generation), channel_id, deadline_s))

    async def search(
        self,
        prefix: str,
        *,
        kinds: Sequence[str] = ("users", "channels"),
        limit: int = 20,
        is_inactive_wanted: bool = False,
        deadline_s: float = DEADLINE_S,
    ) -> Found:
        """Return users and public channels by the beginning of a name, those the user deals with first."""
        fields = {"prefix": prefix, "kinds": list(kinds), "limit": limit, "near": self._workspace.near()}
        if is_inactive_wanted:
            fields["inactive"] = True
        answer = await self.query("search", fields, deadline_s=deadline_s)
        self._workspace.answered(Ask({}, -1), answer)
        return Found(tuple(answer.get("users") or ()), tuple(answer.get("channels") or ()))

    async def members(
        self, channel: str, *, cursor: str = "", limit: int = 200, deadline_s: float = DEADLINE_S
    ) -> MembersPage:
        """Return a page of who is in a conversation."""
        fields = {"channel": channel, "cursor": cursor, "limit": limit}
        answer = await self.query("members", fields, deadline_s=deadline_s)
        return MembersPage(tuple(answer["members"]), int(answer["total"]), str(answer.get("cursor") or ""))

    async def all_members(self, channel: str, *, deadline_s: float = DEADLINE_S) -> list[str]:
        """Return everybody who is in a conversation, page by page; `deadline_s` is for each."""
        found: list[str] = []
        cursor = ""
        while True:
            page = await self.members(channel, cursor=cursor, limit=MEMBERS_PAGE, deadline_s=deadline_s)
            found += page.user_ids
            cursor = page.cursor
            if not cursor:
                return found

    async def emoji(self, *, deadline_s: float = DEADLINE_S) -> Mapping[str, str]:
        """Return the custom emoji, asking only when they may have changed."""
        workspace = self._workspace
        if workspace.is_emoji_old or workspace.emoji is None:
            version = workspace.emoji_version if workspace.emoji is not None else 0
            workspace.take_emoji(await self.query("emoji", {"version": version}, deadline_s=deadline_s))
        return workspace.emoji or {}

    async def query(self, kind: str, fields: Json, *, deadline_s: float = DEADLINE_S) -> Json:
        """Return the answer to any lazy query: objects, search, members, emoji."""
        deadline = monotonic() + deadline_s
        backoff = Backoff(BASE_S, CAP_S, self._rng)
        async with self._slots:
            while (left := deadline - monotonic()) > 0:
                try:
                    return await self._ask(kind, fields, min(SOCKET_S, left))
                except (NotConnected, ConnectionLost, TimeoutError):
                    return await self._by_http(kind, fields, deadline)
                except Refused as refused:
                    if refused.code in BY_HTTP:
                        return await self._by_http(kind, fields, deadline)
                    if refused.code not in LIMITED:
                        raise
                    asked_s = _retry_after_s(refused.body)
                wait_s = max(backoff.next_s(), asked_s * self._rng.uniform(1.0, 1.5))
                await asyncio.sleep(min(wait_s, max(0.0, deadline - monotonic())))
        raise Unreachable(f"{kind}: asked too fast, for {deadline_s:g} s")

    async def _by_http(self, kind: str, fields: Json, deadline: float) -> Json:
        left = deadline - monotonic()
        return await self._api().call(f"client.{kind}", fields, deadline_s=left, is_repeatable=True)

    async def _objects(self, ask: Ask, deadline_s: float) -> None:
        left = dict(ask.ids)
        while left:
            answer = await self.query("objects", {"ids": left}, deadline_s=deadline_s)
            # Those for which there was no room: nothing is said of them, not even that they did not change.
            more = {each: left[each] for each in answer.get("more") or () if each in left}
            if len(more) == len(left):
                answer, more = await self._by_http("objects", {"ids": left}, monotonic() + deadline_s), {}
            answered = {each: version for each, version in left.items() if each not in more}
            self._workspace.answered(Ask(answered, ask.generation), answer)
            left = more

    async def _private(self, ask: Ask, channel_id: str, deadline_s: float) -> None:
        """Load a private conversation: edges know of public ones only."""
        async with self._slots:
            arguments = {"channel": channel_id}
            answer = await self._api().call("conversations.info", arguments, deadline_s=deadline_s, is_repeatable=True)
        self._workspace.answered(ask, {"channels": [answer["channel"]]})

    def _is_private(self, object_id: str) -> bool:
        conversation = self._workspace.conversation(object_id)
        return conversation is not None and conversation.kind == "private"


def _retry_after_s(body: Mapping[str, Any]) -> float:
    """Return the seconds that a refusal over the socket asks to wait; 0 when it says nothing."""
    error = body.get("error")
    after_s = error.get("retry_after") if isinstance(error, dict) else None
    return min(float(after_s), RETRY_AFTER_MAX_S) if isinstance(after_s, int | float) else 0.0


def _chunks(ids: Mapping[str, int | None]) -> Iterator[dict[str, Any]]:
    items = list(ids.items())
    for start in range(0, len(items), IDS_MAX):
        yield dict(items[start : start + IDS_MAX])
