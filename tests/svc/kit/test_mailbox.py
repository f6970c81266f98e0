"""A mailbox is bounded in items and bytes, keeps order, and hands over what is pending at once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.kit.mailbox import Mailbox, MailboxClosed, Overflow


async def test_a_taker_gets_everything_that_is_pending_in_order() -> None:
    """Batches form by themselves."""
    box: Mailbox[int] = Mailbox(items_max=10)
    for number in range(5):
        assert box.put(number, size=1)
    assert await box.take() == [0, 1, 2, 3, 4]
    assert box.bytes == 0


async def test_a_waiting_taker_is_woken_by_the_first_item_and_by_close() -> None:
    """Nothing waits for company when idle."""
    box: Mailbox[str] = Mailbox(items_max=10)
    taker = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    box.put("a")
    assert await taker == ["a"]
    taker = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    box.close()
    with pytest.raises(MailboxClosed):
        await taker
    with pytest.raises(MailboxClosed):
        box.put("b")


async def test_what_is_pending_at_close_can_still_be_taken() -> None:
    """Closing refuses the new and loses nothing of the old."""
    box: Mailbox[int] = Mailbox(items_max=10)
    box.put(1)
    box.close()
    assert await box.take() == [1]
    with pytest.raises(MailboxClosed):
        await box.take()


@pytest.mark.parametrize(("overflow", "kept"), [(Overflow.REJECT, [0, 1, 2]), (Overflow.DROP_OLDEST, [2, 3, 4])])
def test_a_full_mailbox_follows_its_stated_policy(overflow: Overflow, kept: list[int]) -> None:
    """And counts what it dropped."""
    box: Mailbox[int] = Mailbox(items_max=3, overflow=overflow)
    taken = [box.put(number) for number in range(5)]
    assert box.take_nowait() == kept
    assert taken == [True] * 3 + [overflow is Overflow.DROP_OLDEST] * 2
    assert box.dropped == 2


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=60), st.sampled_from(list(Overflow)))
def test_bytes_never_pass_the_limit_and_are_counted_right(sizes: list[int], overflow: Overflow) -> None:
    """Whatever is put, the bound holds; an item larger than the whole mailbox is never taken."""
    box: Mailbox[int] = Mailbox(items_max=8, bytes_max=30, overflow=overflow)
    for size in sizes:
        assert box.put(size, size) or overflow is Overflow.REJECT or size > 30
        assert box.bytes <= 30
        assert len(box) <= 8
    assert box.bytes == sum(box.take_nowait())


def test_a_taker_can_limit_its_batch_and_the_first_item_always_fits() -> None:
    """A limit below one item would stop the stream for ever."""
    box: Mailbox[str] = Mailbox(items_max=8)
    for item in ("aaaa", "b", "c"):
        box.put(item, len(item))
    assert box.take_nowait(bytes_max=2) == ["aaaa"]
    assert box.take_nowait(items_max=1) == ["b"]
    assert box.take_nowait() == ["c"]
    assert box.take_nowait() == []
