"""Workspaces' models read from the rows, for as long as no edge serves them: the same answers, for more work.

What is cached comes from the cache; how far conversations have come, public channels with their versions, and what
changed since an offset are queries. A search has no index here: it is UnavailableError.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from parley.event.v1 import event_pb2
from svc.kit.errors import NotFoundError, UnavailableError
from svc.shapes.recency import recent_peers
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.models import channel_model, team_model, user_model
from svc.webapp.store.channel import Activity, ChannelStore
from svc.webapp.store.rows import ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["RowModels"]

CHANGES_MAX = 1_000
"""Events of a workspace that are read for a delta; the contract's limit of ids that changed."""

PAGE = 500
"""Objects in a part of a model, and ids in one query."""

MEMBERS_PAGE = 200

COUNTS_MAX = 1_000
"""Workspaces whose users and channels stay counted while nothing changes in them: 5 ms for 32,000."""


class RowModels:
    """Models from the stores. Methods raise the stores' errors, and NotFoundError for what is not in the workspace."""

    def __init__(
        self,
        lookups: Lookups,
        workspaces: WorkspaceStore,
        channels: ChannelStore,
        directory: Directory,
    ) -> None:
        self._lookups = lookups
        self._workspaces = workspaces
        self._channels = channels
        self._directory = directory
        self._counts: dict[str, tuple[int, int, int]] = {}

    async def boot(self, request: edge.BootRequest) -> edge.BootResponse:
        """See Models. What is read first is how far the workspace has come: what is read after it is no older."""
        team_id = request.team_id
        found = await self._lookups.shared.activity([*request.channel_ids, team_id])
        head = found[team_id].last_offset if team_id in found else 0
        team = await self._lookups.team(team_id)
        own = await self._lookups.user(team_id, request.user_id)
        if team is None or own is None:
            raise NotFoundError(f"workspace {team_id} has no user {request.user_id}", subject="user_id")
        changed = await self._changed(team_id, request.since_model_offset, head)
        answer = edge.BootResponse(self=user_model(own), model_offset=head)
        wanted: Iterable[str] = (each for each in request.channel_ids if each.startswith("C"))
        answer.activities.extend(_activity(each, found.get(each)) for each in request.channel_ids)
        recent = recent_peers(request.peer_ids, answer.activities, request.recent_max)
        people: Iterable[str] = dict.fromkeys(request.user_ids) | recent
        if changed is not None:
            answer.is_delta, answer.has_changed_emoji = True, changed.has_emoji
            answer.changed_ids.extend(changed.ids)
            wanted = [each for each in wanted if each in changed.ids]
            people = [each for each in people if each in changed.ids]
        if changed is None or changed.has_team:
            answer.team.CopyFrom(team_model(team))
        answer.channels.extend(await self._public(team_id, list(wanted)))
        users = await self._lookups.users(team_id, list(people))
        answer.users.extend(user_model(user) for user in users.values())
        answer.user_count, answer.channel_count = await self._count(team_id, head)
        return answer

    async def objects(self, request: edge.GetObjectsRequest) -> edge.GetObjectsResponse:
        """See Models."""
        held = {each.id: each.version for each in request.objects if each.held}
        ids = [each.id for each in request.objects]
        channels = await self._public(request.team_id, [each for each in ids if each.startswith("C")])
        found = await self._lookups.users(request.team_id, [each for each in ids if not each.startswith("C")])
        users = [user_model(row) for row in found.values()]
        known = {each.id for each in users} | {each.id for each in channels}
        return edge.GetObjectsResponse(
            users=[each for each in users if held.get(each.id, -1) < each.version],
            channels=[each for each in channels if held.get(each.id, -1) < each.version],
            unknown_ids=[each for each in ids if each not in known],
        )

    async def search(self, request: edge.SearchRequest) -> edge.SearchResponse:
        """Refuse: nothing here finds names by their beginning."""
        raise UnavailableError("search has to wait for an edge")

    async def members(self, request: edge.ListMembersRequest) -> edge.ListMembersResponse:
        """See Models."""
        try:
            sight = await self._directory.see(Caller(request.team_id, request.user_id), request.channel_id)
        except Refused:
            raise NotFoundError(f"there is no conversation {request.channel_id}", subject="channel_id") from None
        limit = request.limit or MEMBERS_PAGE
        found = await self._directory.members(sight, request.after_user_id, limit + 1)
        counts = await self._lookups.count_members([request.channel_id])
        return edge.ListMembersResponse(
            user_ids=found[:limit], has_more=len(found) > limit, total_count=counts[request.channel_id]
        )

    async def emoji(self, request: edge.ListEmojiRequest) -> edge.ListEmojiResponse:
        """See Models. The version is how far the workspace has come."""
        team_id = request.team_id
        head = (await self._lookups.shared.heads([team_id])).get(team_id, 0)
        if request.version and request.version >= head:
            return edge.ListEmojiResponse(version=request.version, is_unchanged=True)
        return edge.ListEmojiResponse(emoji=[each async for each in self._emoji(team_id)], version=head)

    async def model(self, request: edge.ReadModelRequest) -> AsyncIterator[edge.ReadModelResponse]:
        """See Models."""
        team_id = request.team_id
        heads = await self._lookups.shared.heads([team_id])
        team = await self._lookups.team(team_id)
        if team is None:
            raise NotFoundError(f"there is no workspace {team_id}", subject="team_id")
        yield edge.ReadModelResponse(team=team_model(team), model_offset=heads.get(team_id, 0))
        is_quiet = bool(await self._channels.quiet([team_id]))
        after = ""
        while users := await self._workspaces.users(team_id, after, PAGE, is_quiet=is_quiet):
            after = users[-1].id
            yield edge.ReadModelResponse(users=[user_model(row) for row in users])
        after = ""
        while channels := await self._workspaces.directory(team_id, after_id=after, limit=PAGE, is_quiet=is_quiet):
            after = channels[-1].id
            yield edge.ReadModelResponse(channels=[channel_model(row) for row in channels])

    async def _emoji(self, team_id: str) -> AsyncIterator[boot_pb2.Emoji]:
        after = ""
        while rows := await self._workspaces.emoji(team_id, after, PAGE):
            after = rows[-1].name
            for row in rows:
                yield boot_pb2.Emoji(name=row.name, value=row.value)

    async def _public(self, team_id: str, channel_ids: Sequence[str]) -> list[boot_pb2.Channel]:
        """Return those of the conversations that are public, with the versions that the directory has."""
        found: list[boot_pb2.Channel] = []
        for start in range(0, len(channel_ids), PAGE):
            rows = await self._workspaces.conversations_by_id(team_id, channel_ids[start : start + PAGE])
            found.extend(channel_model(row) for row in rows if row.kind is ConversationKind.PUBLIC)
        return found

    async def _changed(self, team_id: str, since: int, head: int) -> _Changed | None:
        """Return what changed after an offset; None when that is not known, or too much."""
        if not since or head - since > CHANGES_MAX:
            return None
        if since >= head:
            return _Changed(())
        page = (await self._channels.logs({team_id: since}, CHANGES_MAX))[team_id]
        changed = None if page.truncated else _Changed(page.events)
        return changed if changed is not None and len(changed.ids) <= CHANGES_MAX else None

    async def _count(self, team_id: str, head: int) -> tuple[int, int]:
        kept = self._counts.get(team_id)
        if kept is None or kept[0] < head:
            counts = await self._workspaces.count_users(team_id), await self._workspaces.count_public(team_id)
            self._counts.pop(team_id, None)
            if len(self._counts) >= COUNTS_MAX:
                del self._counts[next(iter(self._counts))]
            kept = self._counts[team_id] = (head, *counts)
        return kept[1], kept[2]


class _Changed:
    """What events of a workspace's channel changed."""

    def __init__(self, events: Iterable[bytes]) -> None:
        ids: dict[str, None] = {}
        self.has_emoji = self.has_team = False
        for each in events:
            change = event_pb2.Event.FromString(each).model_change
            ids.update(dict.fromkeys(user.id for user in change.users))
            ids.update(dict.fromkeys(channel.id for channel in change.channels))
            self.has_emoji |= bool(change.emoji or change.removed_emoji)
            self.has_team |= change.HasField("team")
        self.ids = ids


def _activity(channel_id: str, found: Activity | None) -> boot_pb2.ConversationActivity:
    if found is None:
        return boot_pb2.ConversationActivity(channel_id=channel_id)
    return boot_pb2.ConversationActivity(
        channel_id=channel_id, head_offset=found.last_offset, latest_message_ts_us=found.last_message_us
    )
