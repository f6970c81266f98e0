"""`parley invite` and `parley password` over real databases; what `parley up` says to who has just started it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import click
import pytest
import pytest_asyncio
from click.testing import CliRunner

from ops.cli import invite, password
from ops.cli.output import CliError
from ops.cli.summary import print_summary
from ops.cli.workspaces import DSN_VARIABLES
from tests.svc.webapp.api.office import Office, office
from tests.svc.webapp.web.browsers import opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A workspace over real MariaDB and memcached."""
    async with office(tmp_path_factory.mktemp("people")) as here:
        yield here


async def run(acme: Office, verb: click.Command, *words: str, typed: str = "") -> tuple[str, BaseException | None]:
    """Run a verb against the office's databases; return what it prints, and how it failed."""
    dsns = acme.mesh.dsns
    environ = dict(zip(DSN_VARIABLES, (dsns.workspace, dsns.channel, dsns.user), strict=True))
    environ["PARLEY_MEMCACHED_ADDRS"] = ",".join(acme.mesh.memcached_addrs)
    result = await asyncio.to_thread(
        lambda: CliRunner().invoke(verb, words, input=typed, env=environ, standalone_mode=False)
    )
    return result.stdout, result.exception


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_an_operator_asks_somebody_to_join(acme: Office) -> None:
    """The link works, is listed while it does, and a withdrawn one does not."""
    base = acme.base.removesuffix("/api/")
    said, failure = await run(acme, invite.command, "New@acme.example", "--name", "New One", "--base-url", base)
    assert failure is None
    assert said.startswith(f"{base}/join/")
    listed = json.loads((await run(acme, invite.command, "--json"))[0])["invitations"]
    assert [(each["email"], each["name"]) for each in listed] == [("new@acme.example", "New One")]
    code = said.strip().rpartition("/")[2]
    async with opened(base) as here:
        await here.ok("/web/join", code=code, name="newone", real_name="", password="correct horse battery")
        again, _ = await run(acme, invite.command, "other@acme.example", "--base-url", base)
        assert (await run(acme, invite.command, "other@acme.example", "--withdraw"))[0] == "1 withdrawn\n"
        _, found = await here.get(f"/web/invitation?code={again.strip().rpartition('/')[2]}")
        assert found["error"] == "invitation_revoked"
    _, failure = await run(acme, invite.command, "new@acme.example")
    assert isinstance(failure, CliError)
    assert "already_in_team" in failure.message


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_an_operator_gives_somebody_a_password(acme: Office) -> None:
    """One that is made and shown, or one that is typed twice; a short one is refused."""
    made = (await run(acme, password.command, "ada", "--generate"))[0].strip()
    async with opened(acme.base) as here:
        await here.ok("/web/signin", login="ada", password=made)
        typed = "as typed by hand\nas typed by hand\n"
        said, failure = await run(acme, password.command, "ada", typed=typed)
        assert (said.splitlines()[-1], failure) == ("ada signs in with it from now on", None)
        assert (await here.get("/web/session"))[1]["signed_in"] is False
        await here.ok("/web/signin", login="ada", password="as typed by hand")
    _, failure = await run(acme, password.command, "ada", typed="short\nshort\n")
    assert isinstance(failure, CliError)
    assert "password_too_short" in failure.message


def test_who_starts_a_mesh_is_told_where_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    """The address for a browser, and whom one may be there: the people, not the bots."""
    users = [("ada", "xoxp-1"), ("grace", "xoxp-2"), ("helper", "xoxb-3")]
    facts: dict[str, Any] = {
        "instances": [],
        "web_url": "http://localhost:8080",
        "ws_urls": {},
        "consul_ui_url": "",
        "logs": "",
        "var": "",
        "demo": {
            "workspace": "Demo",
            "channel_id": "C1",
            "users": [{"name": name, "user_id": "U1", "token": token} for name, token in users],
        },
    }
    print_summary(facts, 1.0)
    said = capsys.readouterr().out
    assert "Browser    http://localhost:8080/\n" in said
    assert "Open http://localhost:8080/ and be ada or grace: no password is needed.\n" in said
