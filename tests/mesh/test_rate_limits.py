"""Rate limits of a mesh with two webapps: what one may is what both together allow."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from ops.local.spec import counts
from svc.webapp.limits.buckets import Rate
from svc.webapp.limits.tiers import RATES, Tier
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
LISTING = RATES[Tier.T2]
POSTING = RATES[Tier.POSTING]


async def statuses(there: Town, name: str, method: str, calls: int, **arguments: str) -> list[int]:
    """Call a method at the webapps in turn; return the statuses, having looked at every refusal."""
    found = []
    headers = {"Authorization": f"Bearer {there[name].token}"}
    urls = cycle(there.mesh.web_urls.values())
    for _ in range(calls):
        async with there.http.post(f"{next(urls)}/api/{method}", data=arguments, headers=headers) as answer:
            body = await answer.json()
            found.append(answer.status)
            if answer.status == 429:
                assert_refused(answer, body)
            else:
                assert (answer.status, body["ok"]) == (200, True), body
    return found


def assert_refused(answer: aiohttp.ClientResponse, body: object) -> None:
    """Check that clients understand it: whole seconds in the header, the one code in the body."""
    assert body == {"ok": False, "error": "ratelimited"}
    assert answer.headers["Retry-After"].isdigit()
    assert int(answer.headers["Retry-After"]) >= 1


def most(rate: Rate, began: float) -> int:
    """Return how many calls may have passed since a moment: a burst, and what time has given besides."""
    return rate.burst + 1 + int((time.monotonic() - began) * 1_000_000 / rate.interval_us)


async def test_two_webapps_share_an_apps_limits(tmp_path: Path) -> None:
    """Their sum is limited; others are not; posts have a limit for each conversation; without memcached each limits."""
    environ = {"PARLEY_WEBAPP_RATE_LIMITS": "slack"}
    async with town(tmp_path, counts=counts(webapp=2, channel=1, gateway=1), environ=environ) as there:
        assert len(there.mesh.web_urls) == 2
        began = time.monotonic()
        seen = Counter(await statuses(there, "ada", "conversations.list", 60))
        assert LISTING.burst - 1 <= seen[200] <= most(LISTING, began)
        assert seen[429] > 0
        # Another's calls, and other methods, are none of ada's.
        assert await statuses(there, "grace", "conversations.list", 4) == [200] * 4
        assert await statuses(there, "ada", "auth.test", 4) == [200] * 4
        began = time.monotonic()
        posts = Counter(await statuses(there, "ada", "chat.postMessage", 40, channel=there.general, text="x"))
        assert POSTING.burst - 1 <= posts[200] <= most(POSTING, began)
        assert await there.metric(next(iter(there.mesh.web_urls)), "parley_webapp_limits_total") > 0
        await asyncio.to_thread(slack_client_waits, there)
        await without_memcached(there)


def slack_client_waits(there: Town) -> None:
    """Slack's SDK says that it was limited, and for how long; told to, it waits for that long and goes on."""
    client = WebClient(there["helper"].token, base_url=f"{there.mesh.web_url}/api/")

    def list_on() -> None:
        for _ in range(10 * LISTING.burst):
            client.conversations_list()

    with pytest.raises(SlackApiError) as limited:
        list_on()
    answer = limited.value.response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert int(answer.headers["Retry-After"]) >= 1
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=5))
    assert client.conversations_list()["ok"]


async def without_memcached(there: Town) -> None:
    """Each webapp limits by itself as soon as the node is away, and answers all the same."""
    for name in there.mesh.names():
        if name.startswith("memcached"):
            await there.mesh.stop(name)
    began = time.monotonic()
    async with asyncio.timeout(30):
        seen = Counter(await statuses(there, "linus", "conversations.list", 80))
    assert LISTING.burst <= seen[200] <= 2 * most(LISTING, began)
    assert seen[429] > 0
