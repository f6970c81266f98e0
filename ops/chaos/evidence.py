"""What is stored once all is over: the whole log through the webapp's gRPC face, and history as any client reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import orjson

from ops.chaos.record import Entry, Shown, Standing, Told
from ops.chaos.stage import Api, Person, StageError
from ops.chaos.streams import key_of, place_of
from ops.local.mesh import Mesh
from parley.event.v1 import event_pb2
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1 import webapp_service_pb2_grpc as pb_grpc

PAGE = 999
"""Messages or events a call: the most that both faces give."""

GOT_MAX = 10
"""Messages of a conversation whose reactions are asked for one by one."""

CALL_TIMEOUT_S = 10.0
TRIES = 5


class LogReader:
    """Reads logs through one webapp, found anew for each try."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    async def heads(self, channels: Sequence[str]) -> dict[str, int]:
        """Return the highest offset of each conversation, 0 for an empty one."""
        answer = await self._call("ReadHeads", pb.ReadHeadsRequest(channel_ids=channels))
        return {**dict.fromkeys(channels, 0), **{head.channel_id: head.offset for head in answer.heads}}

    async def log(self, channel: str) -> tuple[tuple[Entry, ...], tuple[Mapping[str, Any], ...]]:
        """Return a whole log, and what clients get of its events."""
        found: list[event_pb2.Event] = []
        after = 0
        while True:
            position = event_pb2.ChannelPosition(channel_id=channel, offset=after)
            answer = (await self._call("ReadLog", pb.ReadLogRequest(after=[position], limit=PAGE))).logs[0]
            found.extend(answer.events)
            if not answer.events or answer.events[-1].offset >= answer.head_offset:
                payloads = [orjson.loads(event.payload) if event.payload else {} for event in found]
                return tuple(map(_entry, found, payloads)), tuple(payloads)
            after = answer.events[-1].offset

    async def _call(self, method: str, request: Any) -> Any:
        failure: Exception | None = None
        for _ in range(TRIES):
            for listed in await self._mesh.instances("webapp"):
                async with grpc.aio.insecure_channel(listed.instance.address) as channel:
                    call = getattr(pb_grpc.WebappServiceStub(channel), method)
                    try:
                        return await call(request, timeout=CALL_TIMEOUT_S)
                    except grpc.aio.AioRpcError as error:
                        failure = error
            await asyncio.sleep(1.0)
        raise StageError(f"no webapp answers {method}: {failure!r}")


def _entry(event: event_pb2.Event, payload: Mapping[str, Any]) -> Entry:
    if not payload:
        return Entry(event.offset, "", "", is_visible=False)
    place = place_of(payload)
    return Entry(event.offset, place.ts, place.key) if place else Entry(event.offset, "", key_of(payload))


async def history(api: Api, member: Person, channel: str) -> tuple[tuple[Told, ...], tuple[Shown, ...]]:
    """Return the run's messages of a conversation, newest first, as a member reads them; and all of it, once more what
    reactions.get says of some that have reactions.
    """
    found: list[Told] = []
    shown: list[Shown] = []
    cursor = ""
    while True:
        page = await api.ok(member, "conversations.history", channel=channel, limit=str(PAGE), cursor=cursor)
        found.extend(Told(message["ts"], key) for message in page["messages"] if (key := key_of(message)))
        shown.extend(map(_shown, page["messages"]))
        cursor = page.get("response_metadata", {}).get("next_cursor", "")
        if not cursor:
            break
    for each in [each for each in shown if each.reactions][:GOT_MAX]:
        got = await api.ok(member, "reactions.get", channel=channel, timestamp=each.ts)
        shown.append(_shown(got["message"]))
    return tuple(found), tuple(shown)


async def standing(api: Api, member: Person, channel: str) -> Standing:
    """Return who is in a conversation, and what it is called, as a member reads it."""
    members: set[str] = set()
    cursor = ""
    while True:
        page = await api.ok(member, "conversations.members", channel=channel, limit=str(PAGE), cursor=cursor)
        members.update(page["members"])
        cursor = page.get("response_metadata", {}).get("next_cursor", "")
        if not cursor:
            break
    found = (await api.ok(member, "conversations.info", channel=channel))["channel"]
    return Standing(frozenset(members), found.get("topic", {}).get("value", ""), found.get("name", ""))


def _shown(message: Mapping[str, Any]) -> Shown:
    reactions = tuple((each["name"], tuple(each["users"])) for each in message.get("reactions", ()))
    return Shown(message["ts"], message.get("text", ""), reactions)
