"""Writes that require how their conversation is: as it was read, and not archived."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from svc.webapp.commit.log import Committed, Guard, Write
from svc.webapp.commit.plan import State, Version, plan
from svc.webapp.store.rows import Conversation, ConversationKind
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, note, post

NOW_US = 1_700_000_000_000_000
ROOM = Conversation(CHANNEL, TEAM, ConversationKind.PUBLIC, "room", ALICE)


def guards(state: State, *writes: Write) -> list[Guard | None]:
    """Return what refused each write, planned together."""
    results = plan(state, writes, NOW_US).results
    assert all(isinstance(each, Committed) for each in results)
    return [each.refused_by for each in results if isinstance(each, Committed)]


def changing(revision_us: int, **change: str | bool) -> Write:
    """Return a write that changes the conversation as it was at a revision."""
    return Write(CHANNEL, (note(),), change=change, if_revision_us=revision_us)


def test_of_two_changes_of_what_both_read_the_second_is_refused() -> None:
    """Within a batch as well as between batches; who reads again succeeds."""
    state = State(conversations={CHANNEL: Version(7, is_archived=False)})
    assert guards(state, changing(7, name="a"), changing(7, name="b")) == [None, Guard.CHANGED]
    assert guards(state, changing(7, name="a"), changing(NOW_US, name="b")) == [None, None]
    assert guards(state, changing(6, name="a"), changing(7, name="b")) == [Guard.CHANGED, None]
    assert guards(State(), changing(7, name="a")) == [Guard.CHANGED]


def test_nothing_is_said_after_the_archiving() -> None:
    """A post planned behind it in the same batch is refused, and one after unarchiving is not."""
    said = replace(post(CHANNEL, "late"), unless_archived=True)
    state = State(conversations={CHANNEL: Version(7, is_archived=False)})
    archive, unarchive = changing(7, is_archived=True), changing(NOW_US, is_archived=False)
    assert guards(state, said, archive, said) == [None, None, Guard.ARCHIVED]
    assert guards(state, archive, said, unarchive, said) == [None, Guard.ARCHIVED, None, None]
    archived = State(conversations={CHANNEL: Version(7, is_archived=True)})
    assert guards(archived, said, replace(said, if_member=ALICE)) == [Guard.ARCHIVED, Guard.MEMBER]
    assert guards(archived, changing(7, topic="still"), said) == [None, Guard.ARCHIVED]
    assert guards(archived, post(CHANNEL, "of those who ask for nothing")) == [None]


@pytest.mark.mesh
async def test_an_archiving_among_posts_is_the_last_of_them(running: Webapp) -> None:
    """Posts of two at once with the archiving: those before it are there, those after it are refused, none is lost."""
    commit = running.committer.commit
    made = await commit(Write(CHANNEL, (note(),), create=ROOM, members_added=(ALICE, BOB)))
    posts = [replace(post(CHANNEL, f"{n}"), if_member=ALICE, unless_archived=True) for n in range(40)]
    results = await asyncio.gather(
        *map(commit, posts[:20]), commit(changing(made.ts_us, is_archived=True)), *map(commit, posts[20:])
    )
    archived = results[20].places[0].offset
    for result in (*results[:20], *results[21:]):
        if result.refused:
            assert result.refused_by is Guard.ARCHIVED
        else:
            assert result.places[0].offset < archived
    assert (await commit(posts[0])).refused_by is Guard.ARCHIVED
    head = (await running.stores.channels.heads([CHANNEL]))[CHANNEL]
    assert head == archived
    found = await running.stores.channels.conversation(CHANNEL)
    assert found is not None
    assert (found.is_archived, found.revision_us) == (True, results[20].ts_us)


@pytest.mark.mesh
async def test_of_many_who_change_it_at_once_one_succeeds(running: Webapp) -> None:
    """The others are told so, and nothing of theirs happened."""
    commit = running.committer.commit
    made = await commit(Write(CHANNEL, (note(),), create=ROOM))
    results = await asyncio.gather(*(commit(changing(made.ts_us, name=f"n{n}")) for n in range(8)))
    winners = [n for n, result in enumerate(results) if not result.refused]
    assert len(winners) == 1
    assert {result.refused_by for result in results if result.refused} == {Guard.CHANGED}
    found = await running.stores.channels.conversation(CHANNEL)
    assert found is not None
    assert found.name == f"n{winners[0]}"
