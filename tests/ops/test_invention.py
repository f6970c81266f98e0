"""Invented workspaces: plausible, repeatable, and never the same name twice."""

from __future__ import annotations

from random import Random

from ops import invention
from svc.webapp.domain.conversations.names import conversation_name


def test_handles_and_channel_names_never_repeat_and_are_allowed() -> None:
    """However many are asked for: later ones get a number."""
    handles = [handle for handle, _ in invention.people(20_000, Random(1))]
    assert len(set(handles)) == 20_000
    names = list(invention.channels(1_000, Random(1)))
    assert len(set(names)) == 1_000
    assert all(conversation_name(name) == name for name in names)


def test_the_same_seed_invents_the_same() -> None:
    """And another seed something else."""
    assert list(invention.people(50, Random(7))) == list(invention.people(50, Random(7)))
    assert list(invention.people(50, Random(7))) != list(invention.people(50, Random(8)))


def test_few_channels_are_large_and_most_are_small() -> None:
    """As in real workspaces; never more members than there are people."""
    sizes = invention.channel_sizes(100, 1_000)
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (400, 4)
    assert invention.channel_sizes(3, 1) == [1, 1, 1]
    assert invention.channel_sizes(0, 5) == []
