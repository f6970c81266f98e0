"""Writes that require how their conversation is: as it was read, not archived, with its messages and members there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from svc.webapp.commit.changes import Known, Standing
from svc.webapp.commit.guarded import Asked, asked_of
from svc.webapp.commit.log import Committed, Guard, MessageRemoval, Write
from svc.webapp.commit.plan import State, Version, plan
from svc.webapp.store.rows import Conversation, ConversationKind
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note, post

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


def reply(parent_us: int) -> Write:
    """Return a reply that requires its parent."""
    return Write(CHANNEL, (message("reply", thread_ts_us=parent_us),), if_message_us=parent_us)


def leaving(user_id: str) -> Write:
    """Return somebody's leaving of a conversation in which somebody has to stay."""
    return Write(CHANNEL, (note(),), members_removed=(user_id,), if_member=user_id, unless_last=True)


def coming(*user_ids: str) -> Write:
    """Return an invitation of some who are not there."""
    return Write(CHANNEL, (note(),), members_added=user_ids, unless_members=user_ids)


def test_a_reply_needs_its_parent() -> None:
    """One behind the removal in the same batch is refused; one before it keeps the parent where it is."""
    state = State(messages={(CHANNEL, 5)}, known=Known({(CHANNEL, 5): Standing(1, 0)}))
    removal = Write(CHANNEL, (note(),), removed=(MessageRemoval(5, 1),))
    assert guards(state, removal, reply(5)) == [None, Guard.MESSAGE]
    assert guards(state, reply(5), removal) == [None, Guard.MESSAGE]
    assert guards(State(), reply(5)) == [Guard.MESSAGE]


def test_the_last_members_do_not_leave_together() -> None:
    """The second of two stays, unless somebody else has come between them."""
    state = State(members={(CHANNEL, ALICE), (CHANNEL, BOB), ("C0000000009", "U0000000009")})
    assert guards(state, leaving(ALICE), leaving(BOB)) == [None, Guard.LAST]
    assert guards(state, leaving(ALICE), coming("U0000000003"), leaving(BOB)) == [None, None, None]
    alone = State(members={(CHANNEL, ALICE)})
    assert guards(alone, leaving(ALICE), replace(leaving(ALICE), unless_last=False)) == [Guard.LAST, None]


def test_of_two_invitations_of_one_person_the_second_is_refused() -> None:
    """Whoever else it is for: it is asked again who is missing."""
    assert guards(State(), coming(ALICE, BOB), coming(BOB, "U0000000003")) == [None, Guard.MEMBER]
    assert guards(State(members={(CHANNEL, BOB)}), coming(ALICE, BOB), coming(ALICE)) == [Guard.MEMBER, None]


def test_a_batch_asks_what_its_guards_need() -> None:
    """And about nothing else; of a conversation that must keep somebody, about more than leave it."""
    assert asked_of([post(CHANNEL, "x"), Write("C2", (note(),), members_removed=(ALICE,))]) == Asked()
    asked = asked_of([reply(5), leaving(ALICE), leaving(BOB), coming("U3"), changing(7, name="a")])
    assert asked.members == {(CHANNEL, ALICE), (CHANNEL, BOB), (CHANNEL, "U3")}
    assert (asked.leaving, asked.conversations, asked.messages) == ({CHANNEL: 2}, {CHANNEL}, {(CHANNEL, 5)})


@pytest.mark.mesh
async def test_replies_among_their_parents_removals_hang_below_nothing(running: Webapp) -> None:
    """Whoever comes first, in one batch or in several: no reply is left without its parent."""
    commit, channels = running.committer.commit, running.stores.channels
    for _ in range(10):
        parent = (await commit(post(CHANNEL, "parent"))).places[0]
        removal = Write(CHANNEL, (note(),), removed=(MessageRemoval(parent.ts_us, parent.offset),))
        first, removed, second = await asyncio.gather(
            commit(reply(parent.ts_us)), commit(removal), commit(reply(parent.ts_us))
        )
        is_there = await channels.message(CHANNEL, parent.ts_us) is not None
        assert is_there is removed.refused
        assert [first.refused, second.refused] == [not is_there] * 2


@pytest.mark.mesh
async def test_of_all_who_leave_at_once_one_stays(running: Webapp) -> None:
    """And of all who are invited at once each joins once."""
    commit, channels = running.committer.commit, running.stores.channels
    people = [f"U000000010{n}" for n in range(8)]
    invited = await asyncio.gather(*(commit(coming(ALICE, user_id)) for user_id in people))
    assert [each.refused for each in invited].count(False) == 1
    await commit(replace(coming(*people), unless_members=()))
    here = await channels.members_among(CHANNEL, [ALICE, *people])
    assert here == {ALICE, *people}
    left = await asyncio.gather(*(commit(leaving(user_id)) for user_id in (ALICE, *people)))
    assert [each.refused_by for each in left] == [None] * 8 + [Guard.LAST]
    assert len(await channels.members_among(CHANNEL, [ALICE, *people])) == 1


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
