"""rtm.start: what its arguments leave out, put elsewhere or add."""

from __future__ import annotations

import pytest

from tests.svc.webapp.api.office import Office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_clients_say_what_of_the_whole_model_they_want(acme: Office) -> None:
    """Group messages are private channels to who knows no others; languages are told to who asks; nothing is unread."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    group = (await ada.ok("conversations.open", users=f"{grace.id},{linus.id}"))["channel"]["id"]
    await ada.ok("conversations.open", users=grace.id)
    await ada.ok("conversations.create", name="starting", is_private=True)
    start = await ada.ok("rtm.start")
    assert (group in {each["id"] for each in start["groups"]}, start["mpims"]) == (True, [])
    aware = await ada.ok("rtm.start", mpim_aware=1, no_unreads=1, no_latest=1, simple_latest=1)
    assert group in {each["id"] for each in aware["mpims"]}
    assert all(not each["is_mpim"] for each in aware["groups"])
    kinds = ("users", "channels", "groups", "ims")
    assert all("locale" not in each for kind in kinds for each in start[kind])
    assert not {"latest", "unread_count"} & {name for each in start["channels"] for name in each}
    spoken = await ada.ok("rtm.start", include_locale=1)
    assert {each["locale"] for kind in kinds for each in spoken[kind]} == {"en-US"}
