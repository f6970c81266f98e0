"""Previews of links over HTTP, on real MariaDB and memcached, of pages on the loopback."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from svc.kit.clock import SystemClock
from svc.kit.ids import us_from_ts
from svc.webapp.commit.log import Json
from svc.webapp.unfurl.config import Networks, PreviewConfig
from svc.webapp.unfurl.running import Line, run_previews
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_edits import newest, told
from tests.svc.webapp.api.test_unread import mentions, posted
from tests.svc.webapp.api.uploads import room
from tests.svc.webapp.unfurl.sites import LOOPBACK, Names
from tests.svc.webapp.unfurl.test_running import tea
from tests.svc.webapp.websites import site

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 60.0
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Web:
    """A site, and what makes previews of it."""

    acme: Office
    line: Line
    port: int

    def url(self) -> str:
        """Return an address that nobody has asked for yet."""
        return f"http://a.example:{self.port}/{next(_NUMBERS)}"

    def waiting(self, channel: str) -> int:
        """Return how many messages of a channel wait to be looked at."""
        return sum(each.channel_id == channel for each in self.acme.linked)

    async def look(self, channel: str) -> None:
        """Let all messages of a channel that wait be looked at."""
        mine = [each for each in self.acme.linked if each.channel_id == channel]
        self.acme.linked[:] = [each for each in self.acme.linked if each.channel_id != channel]
        done = self.line.outcomes.total() + len(mine)
        for each in mine:
            self.line.offer(each)
        async with asyncio.timeout(PATIENCE_S):
            while self.line.outcomes.total() < done:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def webbed(acme: Office) -> AsyncIterator[Web]:
    """Make previews in an office while the block runs."""
    line, services = Line(), acme.services
    async with site(tea) as port:
        config = PreviewConfig(is_on=True, networks=Networks((LOOPBACK,)), ports=(port,))
        lookup = Names(a_example=["127.0.0.1"]).lookup
        read, add = services.channels.message, services.edits.preview
        async with run_previews(config, line, read, add, SystemClock(), lookup):
            yield Web(acme, line, port)


@pytest_asyncio.fixture(loop_scope="session")
async def web(acme: Office) -> AsyncIterator[Web]:
    """Previews, and a site for them."""
    async with webbed(acme) as there:
        yield there


async def titles(by: Someone, channel: str) -> list[str]:
    """Return what is shown of the links of the newest message."""
    [message] = await newest(by, channel, 1)
    return [each["title"] for each in message.get("attachments", [])]


async def test_what_a_person_links_is_shown(web: Web) -> None:
    """Hidden, unedited, numbered behind what was attached; nobody has to read it twice."""
    acme, ada, grace = web.acme, web.acme["ada"], web.acme["grace"]
    channel = await room(acme, "grace")
    first, second = web.url(), web.url()
    text = f"<@{grace.id}> see <{first}> and {second}"
    ts = await posted(ada, channel, text, attachments=[{"text": "mine"}])
    badge = await mentions(acme, grace, channel)
    await web.look(channel)
    [message] = await newest(grace, channel, 1)
    path = first.rpartition("/")[2]
    assert message["attachments"][0] == {"text": "mine", "id": 1, "fallback": "mine"}
    assert message["attachments"][1] == {
        "from_url": first,
        "original_url": first,
        "service_name": "a.example",
        "title": f"/{path}",
        "title_link": first,
        "text": f"about /{path}",
        "fallback": f"a.example: /{path}",
        "id": 2,
    }
    assert [each["id"] for each in message["attachments"]] == [1, 2, 3]
    assert (message["text"], message["ts"], "edited" in message) == (text, ts, False)
    [event] = told(acme, channel, "message_changed")
    assert (event["hidden"], event["message"], event["previous_message"]["ts"]) == (True, message, ts)
    assert await mentions(acme, grace, channel) == badge


@pytest.mark.parametrize(
    ("by", "flags", "is_shown"),
    [
        ("ada", {}, True),
        ("ada", {"unfurl_links": False}, False),
        ("ada", {"unfurl_links": "0", "unfurl_media": "0"}, False),
        ("ada", {"unfurl_media": False}, True),
        ("helper", {}, False),
        ("helper", {"unfurl_links": True}, True),
    ],
)
async def test_who_posts_decides(web: Web, by: str, flags: Json, is_shown: bool) -> None:
    """By Slack's defaults: pages that people link, and such of bots as they ask for."""
    channel = await room(web.acme, "helper")
    await posted(web.acme[by], channel, web.url(), **flags)
    await web.look(channel)
    assert len(await titles(web.acme["ada"], channel)) == is_shown


async def test_nobody_looks_where_nothing_is_wanted(web: Web) -> None:
    """A text without links, both flags off, a note; a link in blocks is one."""
    ada, channel = web.acme["ada"], await room(web.acme, "grace")
    await posted(ada, channel, "no link at all: http, ://")
    web.acme.linked.clear()
    await posted(ada, channel, "none")
    await posted(ada, channel, web.url(), unfurl_links=0, unfurl_media=0)
    await ada.ok("chat.postEphemeral", channel=channel, user=web.acme["grace"].id, text=web.url())
    assert web.waiting(channel) == 0
    block = {"type": "section", "text": {"type": "mrkdwn", "text": f"<{web.url()}|tea>"}}
    await posted(ada, channel, "in a block", blocks=[block])
    await web.look(channel)
    assert len(await titles(ada, channel)) == 1


async def test_a_repeated_post_is_looked_at_once(web: Web) -> None:
    """So that what was removed in between does not come back."""
    ada, channel = web.acme["ada"], await room(web.acme, "grace")
    for _ in range(2):
        await posted(ada, channel, f"http://a.example:{web.port}/same", client_msg_id=channel)
    assert web.waiting(channel) == 1


async def test_a_preview_that_was_removed_stays_away(web: Web) -> None:
    """By its author, whatever becomes of the text; a link that is added gets one."""
    ada, channel, old, new = web.acme["ada"], await room(web.acme, "grace"), web.url(), web.url()
    ts = await posted(ada, channel, old)
    await web.look(channel)
    assert len(await titles(ada, channel)) == 1
    await ada.ok("chat.update", channel=channel, ts=ts, attachments=[])
    await ada.ok("chat.update", channel=channel, ts=ts, text=f"still {old}")
    await web.look(channel)
    assert await titles(ada, channel) == []
    await ada.ok("chat.update", channel=channel, ts=ts, text=f"{old} and {new}")
    await web.look(channel)
    assert await titles(ada, channel) == ["/" + new.rpartition("/")[2]]
    # It goes with its link, and the words of its author stay.
    await ada.ok("chat.update", channel=channel, ts=ts, text=f"only {old}")
    await web.look(channel)
    assert await titles(ada, channel) == []


async def test_a_message_that_is_gone_or_changed_gets_none(web: Web) -> None:
    """Removed, its link taken out, its conversation archived, before the page was there."""
    ada, channel = web.acme["ada"], await room(web.acme, "grace")
    gone = await posted(ada, channel, web.url())
    changed = await posted(ada, channel, web.url())
    await ada.ok("chat.delete", channel=channel, ts=gone)
    await ada.ok("chat.update", channel=channel, ts=changed, text="never mind")
    before = len(web.acme.payloads(channel))
    await web.look(channel)
    assert len(web.acme.payloads(channel)) == before
    assert not await web.acme.services.edits.preview(channel, us_from_ts(gone), {"x": {}})
    assert not await web.acme.services.edits.preview("C0000000000", 1, {"x": {}})
    url = web.url()
    await posted(ada, channel, url)
    await ada.ok("conversations.archive", channel=channel)
    await web.look(channel)
    assert [each["message"]["ts"] for each in told(web.acme, channel, "message_changed")] == [changed]


async def test_what_an_app_shows_of_a_link_stands(web: Web) -> None:
    """Before the preview, or instead of it."""
    ada, helper, channel = web.acme["ada"], web.acme["helper"], await room(web.acme, "helper")
    for is_first in (True, False):
        url = web.url()
        ts = await posted(ada, channel, f"see {url}")
        if not is_first:
            await web.look(channel)
        await helper.ok("chat.unfurl", channel=channel, ts=ts, unfurls={url: {"title": "the app's"}})
        if is_first:
            await web.look(channel)
        assert await titles(ada, channel) == ["the app's"]


async def test_a_reply_and_a_scheduled_message_get_theirs(web: Web) -> None:
    """What is posted by another way goes the same."""
    ada, helper, channel = web.acme["ada"], web.acme["helper"], await room(web.acme, "helper")
    parent = await posted(ada, channel, "parent")
    await posted(ada, channel, web.url(), thread_ts=parent)
    await web.look(channel)
    replies = (await ada.ok("conversations.replies", channel=channel, ts=parent))["messages"]
    assert [len(each.get("attachments", [])) for each in replies] == [0, 1]
    for flags, is_shown in (({"unfurl_links": True}, True), ({}, False)):
        await _scheduled(web, helper, channel, **flags)
        await web.look(channel)
        assert len(await titles(ada, channel)) == is_shown


async def _scheduled(web: Web, by: Someone, channel: str, **flags: bool) -> None:
    """Schedule a message with a link, and let its time come."""
    at = web.acme.services.clock.wall_us() // 1_000_000 + 1_000
    answer = await by.ok("chat.scheduleMessage", channel=channel, text=web.url(), post_at=at, **flags)
    store = web.acme.services.channels
    [row] = [
        each for each in await store.due_items((at + 1) * 1_000_000, 100) if each.id == answer["scheduled_message_id"]
    ]
    await web.acme.services.scheduled.due(row)
