"""Loads put together from their parts, from several calls when they break, and refused when they are not whole."""

from __future__ import annotations

import pytest

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.names import Query, search
from svc.kit.errors import FailedPreconditionError, InternalError, ParleyError, UnavailableError
from tests.svc.edge.loads import CHANNELS, EMOJI, HEADER, OTHER_TEAM, TRAILER, USERS, build
from tests.svc.edge.twins import ALICE, BOB, GENERAL, TEAM


def test_a_whole_load_gives_a_model() -> None:
    """The header says as of when, the pages what, the trailer that it is all."""
    model = build(HEADER, USERS, CHANNELS, TRAILER)
    assert (model.offset, len(model.users), len(model.channels)) == (5, 2, 1)
    assert [user.id for user in model.users] == [ALICE, BOB]


def test_the_end_of_a_load_can_be_taken_in_pieces() -> None:
    """Whoever loads lets others have their turns between them; each piece is work that finishing need not do."""
    builder = ModelBuilder(TEAM, ModelLimits())
    assert not builder.settle()
    assert not builder.work()
    named = webapp.UserPage(users=[boot.User(id=ALICE, name="alice"), boot.User(id=BOB, name="bob")])
    for part in (HEADER, webapp.LoadWorkspaceResponse(users=named), CHANNELS, TRAILER):
        builder.take(part)
    assert [builder.work(), builder.work()] == [True, False]
    assert [builder.settle(), builder.settle(), builder.settle()] == [True, True, False]
    assert search(Query(prefix="b"), builder.finish().user_names) == [BOB]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], UnavailableError),
        ([HEADER, USERS, CHANNELS], UnavailableError),
        ([USERS], InternalError),
        ([OTHER_TEAM], InternalError),
        ([HEADER, HEADER], InternalError),
        ([HEADER, TRAILER], InternalError),
        ([HEADER, USERS, CHANNELS, EMOJI, TRAILER], InternalError),
        ([HEADER, USERS, CHANNELS, TRAILER, USERS], InternalError),
    ],
    ids=[
        "nothing",
        "no trailer",
        "no header",
        "another workspace",
        "two headers",
        "wrong counts",
        "emoji not counted",
        "after the trailer",
    ],
)
def test_a_load_that_is_not_whole_is_no_model(
    parts: list[webapp.LoadWorkspaceResponse], expected: type[ParleyError]
) -> None:
    """A broken stream may be tried again; a defect of the sender is named."""
    with pytest.raises(expected):
        build(*parts)


def test_a_part_of_a_kind_yet_unknown_is_passed_over() -> None:
    """A newer webapp may send more than this edge understands."""
    newer = webapp.LoadWorkspaceResponse.FromString(b"\xfa\x01\x00")
    assert len(build(HEADER, USERS, newer, CHANNELS, TRAILER).users) == 2


@pytest.mark.parametrize(
    "limits",
    [ModelLimits(users_max=1), ModelLimits(channels_max=0), ModelLimits(emoji_max=0)],
    ids=["users", "channels", "emoji"],
)
def test_a_workspace_that_is_too_large_is_refused_with_the_numbers(limits: ModelLimits) -> None:
    """Trying again does not help, and the message says which limit to raise."""
    with pytest.raises(FailedPreconditionError) as refused:
        build(HEADER, USERS, CHANNELS, EMOJI, TRAILER, limits=limits)
    assert refused.value.subject in ("users_max", "channels_max", "emoji_max")
    assert refused.value.actual == refused.value.limit + 1


def test_a_broken_load_goes_on_with_the_first_header() -> None:
    """What was received stays; counts are of each call; emoji are sent again from the beginning."""
    later = webapp.LoadWorkspaceResponse(header=webapp.WorkspaceHeader(team=boot.Team(id=TEAM), model_offset=9))
    other = webapp.LoadWorkspaceResponse(emoji=webapp.EmojiPage(emoji=[boot.Emoji(name="tada", value="https://e/2")]))
    builder = ModelBuilder(TEAM, ModelLimits())
    assert builder.resume() is None
    for part in (HEADER, USERS):
        builder.take(part)
    place = builder.resume()
    assert place == webapp.LoadPlace(after_user_id=BOB)
    for part in (later, CHANNELS, EMOJI):
        builder.take(part)
    with pytest.raises(UnavailableError):
        builder.check_whole()
    assert builder.resume() == webapp.LoadPlace(after_user_id=BOB, has_users=True, after_channel_id=GENERAL)
    with pytest.raises(InternalError):
        builder.take(USERS)
    counts = webapp.WorkspaceTrailer(emoji_count=1)
    for part in (later, other, webapp.LoadWorkspaceResponse(trailer=counts)):
        builder.take(part)
    model = builder.finish()
    assert (model.offset, len(model.users), len(model.channels), model.emoji.names()) == (5, 2, 1, ["tada"])


def test_a_webapp_that_begins_again_does_no_harm() -> None:
    """An older one does not know of places: what it sends again is had already, and not counted twice."""
    builder = ModelBuilder(TEAM, ModelLimits(users_max=4))
    for part in (HEADER, USERS):
        builder.take(part)
    assert not builder.work()
    assert builder.resume() is not None
    for part in (HEADER, USERS, CHANNELS, TRAILER):
        builder.take(part)
    assert (len(builder.finish().users), len(builder.finish().channels)) == (2, 1)
