"""What search instances hold, as `parley search status` and `parley doctor` show it."""

from __future__ import annotations

import time

import pytest

from discovery.view import Instance
from ops import search_instances
from ops.cli.checkup import search_finding
from ops.search_instances import Shelf
from parley.search.v1 import search_service_pb2 as pb

INSTANCE = Instance("search-az1-1-abcdef", "search", "127.0.0.1:1", "az1")


def info(**changes: object) -> pb.GetIndexInfoResponse:
    """Return what an instance says that is well, but for `changes`; until when it is fed is said in the test."""
    return pb.GetIndexInfoResponse(**{"documents": 12, "is_whole": True, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "state", "is_well", "doctor"),
    [
        (info(), "ok", True, "ok"),
        (info(is_building=True, built=5), "rebuilding, 5 read", True, "ok"),
        (info(is_whole=False, built=5), "building, 5 read; answers with what there is", False, "warning"),
        (info(fed_until_unix_us=1), "behind", False, "warning"),
        (info(trouble="the disk is full"), "the disk is full", False, "problem"),
        (None, "silent", False, "warning"),
    ],
)
def test_an_instance_is_well_or_says_why_not(
    said: pb.GetIndexInfoResponse | None, state: str, is_well: bool, doctor: str
) -> None:
    """In a word for people, in numbers for programs."""
    if said is not None and not said.fed_until_unix_us:
        said.fed_until_unix_us = int(time.time() * 1e6)
    shelf = Shelf(INSTANCE, said)
    assert (shelf.state, shelf.is_well) == (state, is_well)
    assert search_finding(shelf).state == doctor
    assert shelf.describe()["documents"] == (None if said is None else 12)
    assert shelf.row()[0] == INSTANCE.id


async def test_an_instance_that_does_not_answer_is_shown_without_numbers() -> None:
    """The status is asked for when something is wrong, so nothing that is wrong may break it."""
    others = Instance("edge-1", "edge", "127.0.0.1:1", "az1")
    (shelf,) = await search_instances.survey([others, INSTANCE])
    assert shelf.row()[2:] == ("-", "-", "silent")
