"""The fence: open only while Consul's last word is fresh."""

import math

import pytest

from discovery.fence import Fence


def test_the_fence_is_closed_until_the_first_word_and_again_after_silence() -> None:
    """Silence longer than the fence time closes it; a word opens it; exactly the fence time is still open."""
    fence = Fence(3.0)
    assert fence.is_fenced(10.0)
    assert fence.silence_s(10.0) == math.inf
    fence.heard(10.0)
    assert not fence.is_fenced(13.0)
    assert fence.is_fenced(13.1)
    assert fence.silence_s(13.1) == pytest.approx(3.1)
    fence.heard(14.0)
    assert not fence.is_fenced(14.5)


def test_old_news_does_not_shorten_the_trust_and_a_denial_ends_it() -> None:
    """Answers may overtake each other; "I do not know you" closes the fence at once."""
    fence = Fence(3.0)
    fence.heard(10.0)
    fence.heard(8.0)
    assert fence.silence_s(11.0) == 1.0
    fence.forget()
    assert fence.is_fenced(11.0)


def test_a_fence_needs_a_time() -> None:
    """Zero would never open."""
    with pytest.raises(ValueError, match="positive"):
        Fence(0)
