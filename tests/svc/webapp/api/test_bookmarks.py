"""bookmarks.* over HTTP."""

from __future__ import annotations

import pytest

from svc.webapp.domain.conversations.bookmarks import BOOKMARKS_MAX, LINK_CHARS_MAX, TITLE_CHARS_MAX, checked
from svc.webapp.domain.refusal import Refused
from tests.svc.webapp.api.office import Office

LINK = "https://example.org/a?b=c#d"


def test_what_is_stored_of_a_bookmark() -> None:
    """Only what was given, trimmed; an emoji with its colons."""
    assert checked({"title": " t ", "emoji": "tada"}) == {"title": "t", "emoji": ":tada:"}
    assert checked({"link": LINK, "emoji": ":wave::skin-tone-2:"})["emoji"] == ":wave::skin-tone-2:"
    assert checked({"emoji": ""}) == {"emoji": ""}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": "x" * (TITLE_CHARS_MAX + 1)}, "invalid_arguments"),
        ({"link": "javascript:alert(1)"}, "invalid_link"),
        ({"link": "https://a b"}, "invalid_link"),
        ({"link": "https://" + "x" * LINK_CHARS_MAX}, "invalid_link"),
        ({"emoji": "no emoji"}, "invalid_emoji"),
    ],
)
def test_what_is_no_bookmark(fields: dict[str, str], code: str) -> None:
    """Links are of the web alone: clients show them to be clicked on."""
    with pytest.raises(Refused) as refused:
        checked(fields)
    assert refused.value.code == code


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="session")
async def test_members_keep_links_and_others_do_not(acme: Office) -> None:
    """Added, changed, listed in order, removed; each is an event of the conversation."""
    ada, grace = acme["ada"], acme["grace"]
    room = (await ada.ok("conversations.create", name="with-bookmarks"))["channel"]["id"]
    first = (await ada.ok("bookmarks.add", channel_id=room, title="One", type="link", link=LINK))["bookmark"]
    assert (first["title"], first["link"], first["channel_id"], first["type"]) == ("One", LINK, room, "link")
    assert first["id"].startswith("Bk")
    second = (await ada.ok("bookmarks.add", channel_id=room, title="Two", type="link", link=LINK, emoji=":tada:"))[
        "bookmark"
    ]
    edited = (await ada.ok("bookmarks.edit", channel_id=room, bookmark_id=first["id"], title="Uno"))["bookmark"]
    assert (edited["title"], edited["link"], edited["date_updated"] > 0) == ("Uno", LINK, True)
    listed = (await ada.ok("bookmarks.list", channel_id=room))["bookmarks"]
    assert [each["title"] for each in listed] == ["Uno", "Two"]
    assert (await grace.ok("bookmarks.list", channel_id=room))["bookmarks"] == listed
    await ada.ok("bookmarks.remove", channel_id=room, bookmark_id=second["id"])
    assert await ada.error("bookmarks.remove", channel_id=room, bookmark_id=second["id"]) == "not_found"
    assert await ada.error("bookmarks.edit", channel_id=room, bookmark_id=second["id"], title="x") == "not_found"
    told = [e["type"] for e in acme.payloads(room)][2:]
    assert told == ["bookmark_added", "bookmark_added", "bookmark_updated", "bookmark_removed"]
    for method, arguments in (
        ("bookmarks.add", {"title": "x", "type": "link", "link": LINK}),
        ("bookmarks.edit", {"bookmark_id": first["id"], "title": "x"}),
        ("bookmarks.remove", {"bookmark_id": first["id"]}),
    ):
        assert await grace.error(method, channel_id=room, **arguments) == "not_in_channel"
        assert await ada.error(method, channel_id="C0000000000", **arguments) == "channel_not_found"
    assert await ada.error("bookmarks.add", channel_id=room, title="x", type="file") == "invalid_bookmark_type"
    assert await ada.error("bookmarks.add", channel_id=room, title="x", type="link") == "invalid_link"
    assert await ada.error("bookmarks.add", channel_id=room, link=LINK, type="link") == "invalid_arguments"
    await ada.ok("conversations.archive", channel=room)
    assert await ada.error("bookmarks.remove", channel_id=room, bookmark_id=first["id"]) == "is_archived"


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="session")
async def test_a_conversation_has_no_more_bookmarks_than_it_may(acme: Office) -> None:
    """The hundred and first is refused."""
    ada = acme["ada"]
    room = (await ada.ok("conversations.create", name="many-bookmarks"))["channel"]["id"]
    for number in range(BOOKMARKS_MAX):
        await ada.ok("bookmarks.add", channel_id=room, title=f"{number}", type="link", link=LINK)
    assert await ada.error("bookmarks.add", channel_id=room, title="x", type="link", link=LINK) == "too_many_bookmarks"
