"""dnd.* over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.svc.webapp.api.office import Office

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


def told(office: Office, channel_id: str, kind: str) -> list[dict[str, Any]]:
    """What was heard of it."""
    return [each for each in office.payloads(channel_id) if each.get("type") == kind]


async def test_snoozing_is_told_to_oneself_and_to_the_others(acme: Office) -> None:
    """To oneself with its end; a second end is refused."""
    team, _ = await acme.services.accounts.team("Quiet", "quiet")
    people = await acme.hire(team.id, ["ada", "bob"])
    ada, bob = people["ada"], people["bob"]
    assert await ada.error("dnd.endSnooze") == "snooze_not_active"
    assert await ada.error("dnd.setSnooze") == "missing_duration"
    assert await ada.error("dnd.setSnooze", num_minutes=0) == "missing_duration"
    assert await ada.error("dnd.setSnooze", num_minutes="x") == "snooze_failed"
    assert await ada.error("dnd.setSnooze", num_minutes=10**7) == "snooze_failed"
    before_s = int(time.time())
    own = await ada.ok("dnd.setSnooze", num_minutes=60)
    assert own["snooze_enabled"] is True
    assert 3600 <= own["snooze_endtime"] - before_s <= 3660
    seen = await bob.ok("dnd.info", user=ada.id)
    assert "snooze_enabled" not in seen
    assert seen["next_dnd_end_ts"] == own["snooze_endtime"]
    several = (await bob.ok("dnd.teamInfo", users=[ada.id, bob.id, "U0000000000"]))["users"]
    assert several.keys() == {ada.id, bob.id}
    assert several[bob.id]["dnd_enabled"] is False
    assert (await ada.ok("dnd.endSnooze"))["snooze_enabled"] is False
    await ada.ok("dnd.endDnd")
    assert [each["dnd_status"]["snooze_enabled"] for each in told(acme, ada.id, "dnd_updated")] == [True, False, False]
    others = told(acme, team.id, "dnd_updated_user")
    assert [each["dnd_status"]["dnd_enabled"] for each in others] == [True, False, False]
    assert all(each["user"] == ada.id and "snooze_enabled" not in each["dnd_status"] for each in others)
    assert await bob.error("dnd.info", user="U0000000000") == "user_not_found"
    assert await bob.error("dnd.teamInfo") == "users_list_not_supplied"
    assert await bob.error("dnd.teamInfo", users=[f"U{n:010d}" for n in range(51)]) == "too_many_users"


async def test_every_night_is_a_preference(acme: Office) -> None:
    """And what dnd.* keeps among the preferences is not shown, nor set by name."""
    people = await acme.hire((await acme.services.accounts.team("Night", "night"))[0].id, ["ada"])
    ada = people["ada"]
    await ada.ok("users.prefs.set", prefs={"dnd_enabled": True, "dnd_start_hour": "00:00", "dnd_end_hour": "23:59"})
    running = await ada.ok("dnd.info")
    assert running["dnd_enabled"] is True
    assert running["next_dnd_start_ts"] > 1
    await ada.ok("dnd.endDnd")
    assert (await ada.ok("dnd.info"))["next_dnd_start_ts"] > running["next_dnd_start_ts"]
    assert "dnd" not in (await ada.ok("users.prefs.get"))["prefs"]
    assert await ada.error("users.prefs.set", name="dnd", value="x") == "invalid_name"
