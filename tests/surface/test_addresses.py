"""Whatever comes in beside the methods: uploads, files, webhooks, response addresses, and where there is nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.surface.answers import INNER, asked, listening, patiently
from tests.surface.guesses import Request, bodies, deep
from tests.surface.houses import House, Houses
from tests.surface.test_any_call import SEED
from tests.svc.webapp.api.apps.test_actions import BUTTON
from tests.svc.webapp.api.office import Someone
from tests.svc.webapp.api.uploads import TEXT, promised

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

CALLS = 60
STATUSES: Mapping[str, frozenset[int]] = {
    "upload": frozenset({200, 400, 403, 404, 405, 408, 409, 429}),
    "file": frozenset({200, 206, 304, 401, 403, 404, 405, 416, 429}),
    "webhook": frozenset({200, 400, 403, 404, 410, 413, 429}),
    "response": frozenset({200, 400, 404, 429}),
    "form": frozenset({200, 429}),
    "nothing": frozenset({200, 404, 405, 429}),
}
"""What docs say that each sort of address answers."""
PAYLOADS = st.dictionaries(
    st.sampled_from(
        ["text", "blocks", "attachments", "channel", "username", "response_type", "replace_original", "thread_ts"]
    ),
    st.text(max_size=20) | st.integers() | st.lists(st.just(BUTTON), max_size=2) | st.booleans() | deep(),
    max_size=4,
)


@st.composite
def payloads(draw: st.DrawFn) -> Request:
    """Return something that might be said."""
    return Request(content_type="application/json", body=json.dumps(draw(PAYLOADS)).encode())


@dataclass(frozen=True)
class Address:
    """Where something can be sent."""

    sort: str
    url: str


@pytest_asyncio.fixture(loop_scope="session")
async def addresses(town: Houses) -> list[Address]:
    """Good ones, such as were good once, and such as look like them."""
    home, root = town.home, town.office.base.removesuffix("api/")
    ada, things = home["ada"], town.things(home)
    hooks = town.office.services.apps.webhooks
    conversation = await town.office.services.channels.conversation(await things.get("private"))
    assert conversation is not None
    hook = root + (await hooks.create(home.made.app, conversation)).path
    await ada.ok("chat.command", channel=await things.get("private"), command="/deploy")
    response = str(home.told[-1]["response_url"])
    _, upload = await promised(ada, TEXT)
    file = (await ada.ok("files.info", file=await things.get("file")))["file"]["url_private"]
    odd = ["", "/", "%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "a" * 3_000, "T1/B1/x", "%ED%A0%80", "x.y.z"]
    return [
        *(Address("upload", each) for each in (upload, upload + "x", *(f"{root}upload/v1/{each}" for each in odd))),
        *(Address("file", each) for each in (file, file + "/x", *(f"{root}files-pri/{each}" for each in odd))),
        *(Address("webhook", each) for each in (hook, hook[:-1], *(f"{root}services/{each}" for each in odd))),
        *(
            Address("response", each)
            for each in (response, response + "0", *(f"{root}response/{each}" for each in odd))
        ),
        Address("form", f"{root}api/files.upload"),
        *(Address("nothing", f"{root}{path}{each}") for path in ("api/", "") for each in odd),
        Address("nothing", f"{root}healthz"),
    ]


async def test_any_request_anywhere_is_answered(town: Houses, addresses: list[Address]) -> None:
    """With a status that the address may answer with, no word of our insides, and no fault in the log."""
    loop, http = asyncio.get_running_loop(), town.office.http
    people = [town.home["ada"].token, town.home["eve"].token, town.other["ada"].token, "", "ÿ", "xoxb-1-2-3"]
    outcomes: dict[tuple[str, int], int] = {}

    async def call(address: Address, token: str, request: Request) -> None:
        status, body = await patiently(http, address.url, request, token)
        outcomes[address.sort, status] = outcomes.get((address.sort, status), 0) + 1
        assert status in STATUSES[address.sort], (address, status, body[:300], request)
        assert not INNER.search(body.decode(errors="replace")), (address, body[:2_000], request)

    @seed(SEED)
    @settings(
        max_examples=CALLS,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(
            st.tuples(st.sampled_from(addresses), st.sampled_from(people), bodies() | payloads()),
            min_size=8,
            max_size=8,
        )
    )
    def explore(calls: list[tuple[Address, str, Request]]) -> None:
        async def together() -> None:
            async with asyncio.TaskGroup() as group:
                for each in calls:
                    group.create_task(call(*each))

        asyncio.run_coroutine_threadsafe(together(), loop).result()

    with listening() as heard:
        await asyncio.to_thread(explore)
        assert not heard, [logging.Formatter().format(record) for record in heard]
    sys.stdout.write(f"\nseed {SEED}: {outcomes}\n")


async def _answer(who: Someone | None, url: str, http: Houses) -> tuple[int, bytes]:
    headers = who.headers if who else {}
    async with http.office.http.get(url, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_the_bytes_of_a_file_are_for_who_sees_it(town: Houses) -> None:
    """For everybody else it is as if there were none; tokens that open nothing open no file either."""
    home, other = town.home, town.other
    things = town.things(home)
    url = str((await home["ada"].ok("files.info", file=await things.get("file")))["file"]["url_private"])
    file_id = await things.get("file")
    nothing = url.replace(file_id, town.mint.mint("F"))
    assert await _answer(home["ada"], url, town) == (200, TEXT)
    assert await _answer(home["grace"], url, town) == (200, TEXT)
    for stranger in home["eve"], home["helper"], other["ada"], other.root, other.app_bot:
        answer = await _answer(stranger, url, town)
        assert answer[0] == 404
        assert answer == await _answer(stranger, nothing, town)
    gone = await _revoked(town, home)
    for person in None, gone, home["zed"]:
        answer = await _answer(person, url, town)
        assert answer[0] == 401
        assert answer == await _answer(person, nothing, town)


async def _revoked(town: Houses, house: House) -> Someone:
    """Return ada with a token that was good until now."""
    gone = await town.again(house["ada"])
    await gone.ok("auth.revoke")
    return gone


async def test_a_form_with_a_file_is_refused_with_a_spent_token(town: Houses) -> None:
    """Before its bytes are kept."""
    gone = await _revoked(town, town.home)
    body = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--X--\r\n'
    request = Request(content_type="multipart/form-data; boundary=X", body=body)
    _, answer, _ = await asked(town.office.http, gone.base + "files.upload", request, gone.token)
    assert b'"token_revoked"' in answer
