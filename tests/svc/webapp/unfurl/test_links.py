"""Which addresses of a message are shown a preview of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.unfurl.links import LINKS_MAX, links_in, may_link, previewed_links


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("<https://a.example/x?b=1&amp;c=2|this> <http://b.example>", ["https://a.example/x?b=1&c=2", "http://b.example"]),
        ("bare https://a.example/x, (http://b.example/y).", ["https://a.example/x", "http://b.example/y"]),
        ("*https://c.example* _http://d.example_", ["https://c.example", "http://d.example"]),
        ("`https://a.example` ```\nhttp://b.example\n``` <https://c.example>", ["https://c.example"]),
        ("<mailto:a@b.example> <@U012> <#C012|x> <!here> ftp://a.example", []),
        ("<https://a.example/x|a.example> <https://a.example/x|a.example/x> <https://b.example|the site>", ["https://b.example"]),
        ("<https://a.example|https://a.example>", ["https://a.example"]),
        ("<https://a.example> and https://a.example again", ["https://a.example"]),
        ("xhttps://a.example <http://[> http://", []),
        ("", []),
    ],
)  # fmt: skip
def test_links_of_a_text(text: str, urls: list[str]) -> None:
    """As Slack's clients write them, bare ones too; none in code, none that merely names a site."""
    assert list(previewed_links(text)) == urls


def test_no_more_than_the_first_few_get_one() -> None:
    """The rest are links like any."""
    text = " ".join(f"https://a.example/{number}" for number in range(40))
    assert len(list(links_in(text))) == 40
    assert previewed_links(text) == tuple(f"https://a.example/{number}" for number in range(LINKS_MAX))


def test_links_of_blocks() -> None:
    """Elements of rich text and what is shown as mrkdwn, after those of the text."""
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
        {"type": "text", "text": "https://no.example"},
        {"type": "link", "url": "https://a.example"},
        {"type": "link", "url": "https://b.example/x", "text": "b.example"},
        {"type": "link", "url": "mailto:x@y.example"},
    ]}]}  # fmt: skip
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "<https://c.example|see>"}}
    button = {
        "type": "button",
        "url": "https://button.example",
        "text": {"type": "plain_text", "text": "https://p.example"},
    }
    blocks = [rich, section, {"type": "actions", "elements": [button]}]
    assert previewed_links("<https://t.example>", blocks) == (
        "https://t.example",
        "https://a.example",
        "https://c.example",
    )


@given(st.text(alphabet="<>|`https:/.a&; \n[]@%", max_size=300))
def test_any_text_has_links_or_none(text: str) -> None:
    """Each whole, of the web, and foreseen by the cheap question."""
    for link in links_in(text):
        assert may_link(text)
        assert link.url.lower().startswith(("http://", "https://"))
        assert link.domain
        assert not set("<>| \n").intersection(link.url)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "text", "url", "x"]), inner),
    max_leaves=20,
)


@given(json_like)
def test_any_blocks_are_looked_through(blocks: object) -> None:
    """Whatever an app has put there."""
    assert len(previewed_links("", blocks)) <= LINKS_MAX
