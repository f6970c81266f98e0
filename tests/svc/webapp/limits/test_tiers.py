"""Which limits a call counts towards, and the setting that scales them."""

from __future__ import annotations

import pytest

from svc.kit.config import ConfigError, load
from svc.webapp.config import WebappConfig
from svc.webapp.limits.tiers import OFF, RATES, SLACK, Scale, Tier, limits_of

REQUIRED = {"PARLEY_SECRET": "s" * 32, "PARLEY_CONSUL_ADDR": "127.0.0.1:8500"}


@pytest.mark.parametrize(("raw", "times"), [("off", 0), ("slack", 1), ("x5", 5), ("x0.5", 0.5), ("x100", 100)])
def test_the_setting_is_a_word_or_a_factor(raw: str, times: float) -> None:
    """And is shown as it is written."""
    assert Scale.parse_setting(raw).times == times
    assert repr(Scale.parse_setting(raw)) == raw


@pytest.mark.parametrize("raw", ["", "on", "5", "x", "x0", "x-1", "x1e9", "X5", "slack x5"])
def test_anything_else_is_a_mistake_in_the_settings(raw: str) -> None:
    """Said at start-up, with what is allowed."""
    with pytest.raises(ConfigError, match="off, slack, or x and a number above 0"):
        load(WebappConfig, {**REQUIRED, "PARLEY_WEBAPP_RATE_LIMITS": raw})


def test_limits_are_by_method_app_and_workspace() -> None:
    """Any other of the three is another limit."""
    calls = [("a.b", "T1", "A1"), ("a.c", "T1", "A1"), ("a.b", "T2", "A1"), ("a.b", "T1", "A2")]
    limits = [limits_of(Tier.T2, *call) for call in calls]
    assert all(len(each) == 1 and each[0].rate == RATES[Tier.T2] for each in limits)
    assert len({each[0].key for each in limits}) == len(calls)


def test_posts_are_limited_by_conversation_and_all_together() -> None:
    """Whatever the conversation is called, its key is one that memcached takes; a name with and without # is one."""
    plain, other = limits_of(Tier.POSTING, "p", "T1", "A1", "general"), limits_of(Tier.POSTING, "p", "T1", "A1", "C1")
    assert plain == limits_of(Tier.POSTING, "p", "T1", "A1", " #general")
    assert (plain[0].key != other[0].key, plain[1]) == (True, other[1])
    odd = limits_of(Tier.POSTING, "p", "T1", "A1", "名前 \ud800\r\n" * 100)
    assert all(each.key.isascii() and " " not in each.key and len(each.key) < 100 for each in odd)


def test_every_tier_has_a_rate() -> None:
    """Also one that is added."""
    assert set(RATES) == set(Tier)
    assert (OFF.times, SLACK.times) == (0, 1)
