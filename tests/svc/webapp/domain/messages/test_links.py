"""Permalinks, there and back."""

from __future__ import annotations

import pytest

from svc.webapp.domain.messages.links import MessageLink, parse_permalink, permalink

BASE = "https://parley.example/"
C = "C0000000001"


def test_a_link_is_written_as_slack_writes_it() -> None:
    """The ts without its point; of a reply also the thread."""
    assert permalink(BASE, MessageLink(C, 1_700_000_000_000_100)) == f"{BASE}archives/{C}/p1700000000000100"
    assert permalink(BASE, MessageLink(C, 1_700_000_005_000_200, 1_700_000_000_000_100)) == (
        f"{BASE}archives/{C}/p1700000005000200?thread_ts=1700000000.000100&cid={C}"
    )


@pytest.mark.parametrize("link", [MessageLink(C, 1_700_000_000_000_100), MessageLink("D0000000001", 17, 5)])
def test_what_was_written_is_read_back(link: MessageLink) -> None:
    """Whatever the host; a few microseconds since 1970 too."""
    assert parse_permalink(permalink(BASE, link)) == link
    assert parse_permalink(permalink("http://127.0.0.1:8080/", link)) == link


@pytest.mark.parametrize(
    "url",
    [
        "",
        "archives/C0000000001/p1700000000000100",
        f"ftp://x/archives/{C}/p1700000000000100",
        "https://x/archives/U0000000001/p1700000000000100",
        f"https://x/archives/{C}/1700000000000100",
        f"https://x/archives/{C}/p1700000000000100/more",
        f"https://x/archives/{C}/p1700000000000100?thread_ts=soon",
        f"https://x/archives/{C}/p1700000000000100?" + "x" * 1_000,
        "https://[x/archives",
    ],
)
def test_anything_else_is_no_permalink(url: str) -> None:
    """No error either: people paste what they like."""
    assert parse_permalink(url) is None
