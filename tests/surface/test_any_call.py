"""Whatever comes in at a method: an answer, in one of the words that it has, and nothing of our insides.

PARLEY_SURFACE_SEED chooses other calls than those of every day, PARLEY_SURFACE_CALLS how many a method gets.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from svc.webapp.api.call import Method
from svc.webapp.api.registry import METHODS
from svc.webapp.store.rows import TokenKind
from tests.surface.answers import listening, patiently, seen
from tests.surface.codes import codes_of
from tests.surface.guesses import Request, written
from tests.surface.houses import Houses, Things
from tests.svc.webapp.api.office import Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

SEED = int(os.environ.get("PARLEY_SURFACE_SEED", "20240229"))
AT_ONCE = 8
"""Calls that a method gets together: what waits for the disk waits once, and who is in whose way shows."""
CALLS = int(os.environ.get("PARLEY_SURFACE_CALLS", "24"))
ENDED = ("token_revoked", "account_inactive")

NAMES = {
    "channel": ("private", "public", "archived", "im", "mpim", "user"),
    "channel_id": ("private", "public", "im", "archived"),
    "channels": ("private", "public"),
    "user": ("user", "leaver"),
    "users": ("user", "leaver"),
    "user_id": ("user", "leaver"),
    "ts": ("message", "reply", "marked"),
    "thread_ts": ("message", "reply", "marked"),
    "timestamp": ("message", "reply", "marked"),
    "message_ts": ("message", "reply", "clickable"),
    "file": ("file", "public_file", "upload"),
    "upload": ("upload", "file"),
    "bot": ("bot",),
    "team": ("team",),
    "team_id": ("team",),
    "app_id": ("app", "home"),
    "reminder": ("reminder",),
    "usergroup": ("usergroup",),
    "bookmark_id": ("bookmark",),
    "scheduled_message_id": ("scheduled",),
    "view_id": ("view",),
    "external_id": ("external",),
    "trigger_id": ("trigger",),
    "client_id": ("client_id",),
    "client_secret": ("client_secret",),
    "code": ("code",),
    "email": ("email",),
    "domain": ("domain",),
    "alias_for": ("emoji",),
}
"""What there is for an argument of a name; the things of another workspace are tried besides."""
LASTING = ("chat.", "reactions.", "pins.", "stars.", "users.", "dnd.", "emoji.", "admin.", "oauth.", "auth.", "apps.")
"""Methods that write and leave things as useful as they were."""
ENDING: dict[str, dict[str, tuple[str, ...]]] = {
    "apps.uninstall": {},
    "admin.users.remove": {"user_id": ("leaver",)},
    "users.admin.setInactive": {"user": ("leaver",)},
}
"""For what would end somebody whom other calls need: what there is instead."""
LITERALS: dict[str, tuple[Any, ...]] = {
    "command": ("/deploy", "/me", "/invite", "/remind", "/topic", "/who", "/msg"),
    "type": ("link",),
    "presence": ("away", "auto"),
    "types": ("public_channel,im", "images"),
    "name": ("tada", "a-name", "general", "title", "muted_channels"),
    "post_at": (4_000_000_000, 1_900_000_000),
    "time": ("in 5 minutes", "tomorrow at 9am", "1900000000", "every weekday at 9am"),
    "recurrence": ({"frequency": "daily"}, {"frequency": "weekly", "weekdays": ["monday"]}, {"frequency": "never"}),
    "num_minutes": (10,),
    "length": (10,),
    "kinds": ("users", "channels"),
    "version": (0, 1),
    "callback_id": ("new", "about"),
}


async def words_for(method: Method, sides: list[Things]) -> dict[str, list[Any]]:
    """Return values that there are for the arguments of a method."""
    words: dict[str, list[Any]] = {name: list(values) for name, values in LITERALS.items()}
    for arg in method.args:
        for thing in ENDING.get(method.name, NAMES).get(arg.name, ()):
            words.setdefault(arg.name, []).extend([await side.get(thing) for side in sides])
    mine = sides[0]
    if method.name == "files.completeUploadExternal":
        words["files"] = [[{"id": await mine.get("upload"), "title": "t"}], [{"id": await mine.get("file")}]]
    if method.name.startswith("blocks."):
        place = {"channel_id": await mine.get("private"), "message_ts": await mine.get("clickable")}
        words["container"] = [{"type": "message", **place}, {"type": "view", "view_id": await mine.get("view")}]
        words["actions"] = [[{"block_id": "b1", "action_id": "go", "type": "button"}]]
    return words


async def callers(town: Houses, method: Method) -> list[Someone]:
    """Return one of each sort."""
    home = town.home
    app = await town.token(home.app_bot, TokenKind.APP, "connections:write", "xapp")
    people = [home["ada"], home["eve"], home["helper"], home.root, home.app_bot, town.other["ada"]]
    if method.name == "auth.revoke":
        people = [await town.again(each) for each in people]
    return [*people, app]


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
async def test_any_call_of_a_method_is_answered(town: Houses, method: Method) -> None:
    """By whomever, with arguments that are right, wrong or no arguments at all."""
    loop = asyncio.get_running_loop()
    known, people = codes_of(method), await callers(town, method)
    words = await words_for(method, town.lasting)
    outcomes: dict[str, int] = {}

    async def call(which: int, request: Request) -> None:
        caller = people[which]
        status, body = await patiently(town.office.http, caller.base + method.name, request, caller.token)
        answer = seen(status, body, request)
        code = "ok" if answer["ok"] else answer["error"]
        outcomes[code] = outcomes.get(code, 0) + 1
        assert code == "ok" or method.name == "api.test" or code in known, (code, request)
        if code in ENDED:
            people[which] = await town.again(caller)

    def wait(calls: list[tuple[int, Request]]) -> None:
        async def together() -> None:
            async with asyncio.TaskGroup() as group:
                for which, request in calls:
                    group.create_task(call(which, request))

        asyncio.run_coroutine_threadsafe(together(), loop).result()

    @seed(SEED)
    # Not made smaller: the first call that goes wrong says which it was.
    @settings(
        max_examples=max(1, CALLS // AT_ONCE),
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(
            st.tuples(st.integers(0, len(people) - 1), written(method.args, words)), min_size=AT_ONCE, max_size=AT_ONCE
        )
    )
    def explore(calls: list[tuple[int, Request]]) -> None:
        wait(calls)

    with listening() as heard:
        await asyncio.to_thread(explore)
        assert not heard, [record.getMessage() for record in heard]
    if method.writes and not method.name.startswith(LASTING):
        town.forget_things()
    sys.stdout.write(f"\nseed {SEED}: {method.name} {outcomes}\n")
