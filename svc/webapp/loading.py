"""Answers too long for one message, part by part: a workspace's model, a conversation's members.

Both say first at which offset of their channel they begin, read before anything else: what changes while the parts are
read is told by events after it, and applied on top. So a load that broke off may go on from its place any time later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import NotFoundError
from svc.webapp.domain.services import Services
from svc.webapp.models import channel_model, emoji_model, team_model, user_model

__all__ = ["MEMBERS_PAGE", "MODEL_PAGE", "load_members", "load_workspace"]

MODEL_PAGE = 500
"""Objects in one part of a model."""
MEMBERS_PAGE = 5_000
"""Ids in one part of a conversation's members: 65 KB."""


async def load_workspace(
    services: Services, team_id: str, place: pb.LoadPlace
) -> AsyncIterator[pb.LoadWorkspaceResponse]:
    """Yield header, users, public channels, emoji, trailer, from `place` on. Raises NotFoundError."""
    heads = await services.shared.heads([team_id])
    team = await services.workspaces.team(team_id)
    if team is None:
        raise NotFoundError(f"there is no workspace {team_id}", subject="team_id")
    header = pb.WorkspaceHeader(team=team_model(team), model_offset=heads.get(team_id, 0))
    yield pb.LoadWorkspaceResponse(header=header)
    # A replica knows all up to the header then; what it lacks of later is told by events.
    is_quiet = bool(await services.channels.quiet([team_id]))
    trailer = pb.WorkspaceTrailer()
    if not place.has_users:
        async for users in _users(services, team_id, place.after_user_id, is_quiet=is_quiet):
            trailer.user_count += len(users.users)
            yield pb.LoadWorkspaceResponse(users=users)
    if not place.has_channels:
        async for channels in _channels(services, team_id, place.after_channel_id, is_quiet=is_quiet):
            trailer.channel_count += len(channels.channels)
            yield pb.LoadWorkspaceResponse(channels=channels)
    async for emoji in _emoji(services, team_id, is_quiet=is_quiet):
        trailer.emoji_count += len(emoji.emoji)
        yield pb.LoadWorkspaceResponse(emoji=emoji)
    yield pb.LoadWorkspaceResponse(trailer=trailer)


async def load_members(services: Services, team_id: str, channel_id: str) -> AsyncIterator[pb.ListMembersResponse]:
    """Yield who is in a conversation of the workspace, in order of id; at least one part. Raises NotFoundError."""
    conversation = await services.lookups.conversation(channel_id)
    if conversation is None or conversation.team_id != team_id:
        raise NotFoundError(f"there is no conversation {channel_id} in {team_id}", subject="channel_id")
    heads = await services.shared.heads([channel_id])
    page = await services.channels.members(channel_id, limit=MEMBERS_PAGE)
    yield pb.ListMembersResponse(user_ids=page, head_offset=heads.get(channel_id, 0))
    while len(page) == MEMBERS_PAGE:
        page = await services.channels.members(channel_id, page[-1], MEMBERS_PAGE)
        if page:
            yield pb.ListMembersResponse(user_ids=page)


async def _users(services: Services, team_id: str, after: str, *, is_quiet: bool) -> AsyncIterator[pb.UserPage]:
    while page := await services.workspaces.users(team_id, after, MODEL_PAGE, is_quiet=is_quiet):
        yield pb.UserPage(users=[user_model(row) for row in page])
        after = page[-1].id


async def _channels(services: Services, team_id: str, after: str, *, is_quiet: bool) -> AsyncIterator[pb.ChannelPage]:
    while page := await services.workspaces.directory(team_id, after_id=after, limit=MODEL_PAGE, is_quiet=is_quiet):
        yield pb.ChannelPage(channels=[channel_model(row) for row in page])
        after = page[-1].id


async def _emoji(services: Services, team_id: str, *, is_quiet: bool) -> AsyncIterator[pb.EmojiPage]:
    after = ""
    while page := await services.workspaces.emoji(team_id, after, MODEL_PAGE, is_quiet=is_quiet):
        yield pb.EmojiPage(emoji=[emoji_model(row) for row in page])
        after = page[-1].name
