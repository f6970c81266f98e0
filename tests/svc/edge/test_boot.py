"""What the edge answers from a model."""

from __future__ import annotations

import pytest

from parley.boot.v1 import boot_pb2 as boot_pb
from parley.edge.v1 import edge_service_pb2 as pb
from svc.edge import boot
from svc.edge.model import Model
from svc.kit.errors import InvalidArgumentError, NotFoundError
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM


def model() -> Model:
    """Two users, one of them at version 3, and a channel at version 4."""
    made = Model(boot_pb.Team(id=TEAM, name="Acme"), 7)
    made.put(
        users=[boot_pb.User(id=ALICE, version=3), boot_pb.User(id=BOB)],
        channels=[boot_pb.Channel(id=GENERAL, kind=boot_pb.CHANNEL_KIND_PUBLIC, version=4)],
    )
    return made


def test_a_boot_has_the_team_oneself_and_the_public_channels() -> None:
    """And says how many users there are, and as of when."""
    response = boot.boot(model(), ALICE)
    assert (response.team.name, response.self.id, response.user_count, response.model_offset) == ("Acme", ALICE, 2, 7)
    assert [channel.id for channel in response.channels] == [GENERAL]


def test_who_is_not_in_the_workspace_cannot_boot() -> None:
    """A stranger is not found."""
    with pytest.raises(NotFoundError):
        boot.boot(model(), "U0000000009")


@pytest.mark.parametrize(
    ("known", "returned"),
    [
        (pb.KnownObject(id=ALICE), [ALICE]),
        (pb.KnownObject(id=ALICE, version=3), [ALICE]),
        (pb.KnownObject(id=ALICE, version=2, held=True), [ALICE]),
        (pb.KnownObject(id=ALICE, version=3, held=True), []),
        (pb.KnownObject(id=ALICE, version=9, held=True), []),
        (pb.KnownObject(id=BOB, version=0, held=True), []),
        (pb.KnownObject(id=BOB, version=0), [BOB]),
        (pb.KnownObject(id=GENERAL, version=3, held=True), [GENERAL]),
        (pb.KnownObject(id=GENERAL, version=4, held=True), []),
    ],
)
def test_an_object_that_the_caller_has_costs_nothing(known: pb.KnownObject, returned: list[str]) -> None:
    """Versions are compared only for what is held; version 0 is a version like any other."""
    response = boot.objects(model(), [known])
    assert [user.id for user in response.users] + [channel.id for channel in response.channels] == returned
    assert not response.unknown_ids


def test_unknown_ids_are_named() -> None:
    """So that the caller does not ask again."""
    response = boot.objects(
        model(), [pb.KnownObject(id=RANDOM), pb.KnownObject(id="U0000000009"), pb.KnownObject(id=BOB)]
    )
    assert list(response.unknown_ids) == [RANDOM, "U0000000009"]
    assert [user.id for user in response.users] == [BOB]


def test_requests_are_checked() -> None:
    """Too many objects and ids of other things are refused."""
    with pytest.raises(InvalidArgumentError) as refused:
        boot.check_objects([pb.KnownObject(id=ALICE)] * 501)
    assert (refused.value.limit, refused.value.actual) == (500, 501)
    for check, wrong in ((boot.check_team, ALICE), (boot.check_team, ""), (boot.check_user, TEAM)):
        with pytest.raises(InvalidArgumentError):
            check(wrong)
    with pytest.raises(InvalidArgumentError):
        boot.check_objects([pb.KnownObject(id="D0000000001")])
    assert len(boot.check_objects([pb.KnownObject(id=ALICE)] * 500)) == 500
