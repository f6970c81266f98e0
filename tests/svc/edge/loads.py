"""Parts of a small load, and the model that they make."""

from __future__ import annotations

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.model import Model
from tests.svc.edge.twins import ALICE, BOB, GENERAL, TEAM

HEADER = webapp.LoadWorkspaceResponse(header=webapp.WorkspaceHeader(team=boot.Team(id=TEAM), model_offset=5))
USERS = webapp.LoadWorkspaceResponse(users=webapp.UserPage(users=[boot.User(id=ALICE), boot.User(id=BOB)]))
CHANNELS = webapp.LoadWorkspaceResponse(
    channels=webapp.ChannelPage(channels=[boot.Channel(id=GENERAL, kind=boot.CHANNEL_KIND_PUBLIC)])
)
EMOJI = webapp.LoadWorkspaceResponse(emoji=webapp.EmojiPage(emoji=[boot.Emoji(name="shipit", value="https://e/1")]))
TRAILER = webapp.LoadWorkspaceResponse(trailer=webapp.WorkspaceTrailer(user_count=2, channel_count=1))
OTHER_TEAM = webapp.LoadWorkspaceResponse(header=webapp.WorkspaceHeader(team=boot.Team(id="T0000000009")))


def build(*parts: webapp.LoadWorkspaceResponse, limits: ModelLimits | None = None) -> Model:
    """Load a model from parts."""
    builder = ModelBuilder(TEAM, limits or ModelLimits())
    for part in parts:
        builder.take(part)
    return builder.finish()
