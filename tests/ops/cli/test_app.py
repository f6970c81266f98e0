"""`parley app` over real databases: what it makes works, and what it prints can be pasted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner
from slack_sdk import WebClient

from ops.cli import app
from ops.cli.app_lines import lines_to_change
from ops.cli.app_notes import notes
from ops.cli.output import CliError
from ops.cli.workspaces import DSN_VARIABLES
from svc.webapp.domain.apps.model import App, Command
from svc.webapp.domain.apps.settings import AppChange, changed
from tests.svc.webapp.api.office import Office, office
from tests.svc.webapp.api.uploads import PNG, TEXT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A workspace over real MariaDB and memcached."""
    async with office(tmp_path_factory.mktemp("cli")) as here:
        yield here


class Shell:
    """Runs the verb against an office's databases."""

    def __init__(self, acme: Office) -> None:
        dsns = acme.mesh.dsns
        self.environ = dict(zip(DSN_VARIABLES, (dsns.workspace, dsns.channel, dsns.user), strict=True))
        self.environ["PARLEY_MEMCACHED_ADDRS"] = ",".join(acme.mesh.memcached_addrs)
        self._url = acme.base.removesuffix("/api/")

    async def text(self, *words: str) -> str:
        """Run it; return what it prints. A failure fails the test."""
        result = await asyncio.to_thread(
            lambda: CliRunner().invoke(app.command, words, env=self.environ, catch_exceptions=False)
        )
        assert result.exit_code == 0, result.output
        return result.stdout

    async def fails(self, *words: str) -> str:
        """Run it; return what it says on failing, with the hint."""
        result = await asyncio.to_thread(
            lambda: CliRunner().invoke(app.command, words, env=self.environ, standalone_mode=False)
        )
        error = result.exception
        assert result.exit_code == 1, result.output
        assert isinstance(error, CliError), error
        return f"{error.message} {error.hint}"

    async def json(self, *words: str) -> dict[str, Any]:
        """Run it with --json."""
        found: dict[str, Any] = json.loads(await self.text(*words, "--json"))
        assert found.pop("ok") is True
        return found

    async def create(self, *words: str) -> dict[str, Any]:
        """Make an app of the workspace that the office has."""
        return await self.json("create", *words, "--base-url", self._url)


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_an_app_is_made_shown_changed_and_removed(acme: Office) -> None:
    """With all that a bot needs, shown once."""
    run = Shell(acme)
    made = await run.create("ci", "--socket-mode", "--events", "app_mention,message.channels", "--command", "/deploy")
    assert made["bot_token"].startswith("xoxb-")
    assert made["app_token"].startswith("xapp-")
    assert len(made["signing_secret"]) == len(made["client_secret"]) == 32
    assert any(line["line"] == f'WebClient(token=…, base_url="{acme.base}")' for line in made["lines"])
    client = WebClient(made["bot_token"], base_url=acme.base)
    who = await asyncio.to_thread(client.auth_test)
    assert (who["user_id"], who["bot_id"], who["user"]) == (made["bot"], made["bot_id"], "ci")
    shown = await run.json("show", "ci")
    assert (shown["events"], shown["commands"], shown["client_id"]) == (
        "app_mention,message.channels",
        "/deploy",
        made["client_id"],
    )
    assert not {"bot_token", "signing_secret", "client_secret"} & shown.keys()
    changed = await run.json(
        "set", made["app"], "--no-socket-mode", "--request-url", "http://bot:3000/", "--command", "/ship=http://bot/x"
    )
    assert (changed["socket_mode"], changed["request_url"]) == (False, "http://bot:3000/")
    assert (changed["commands"], changed["events"]) == ("/ship=http://bot/x", "app_mention,message.channels")
    assert (await run.json("set", "ci", "--command", "", "--request-url", ""))["commands"] == ""
    assert made["app"] in await run.text("list")
    more = await run.json("tokens", "ci", "--new-secrets", "--base-url", "https://chat.example.org")
    assert more["bot_token"] != made["bot_token"]
    assert more["signing_secret"] != made["signing_secret"]
    assert "app_token" not in more
    await run.text("delete", "ci")
    assert (await run.json("list"))["apps"] == []


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_a_webhook_and_a_code_work(acme: Office) -> None:
    """The address is posted to as it is printed; the code gives a token with its scopes."""
    run = Shell(acme)
    made = await run.create("pager", "--scopes", "chat:write", "--as-bot-name", "page-bot")
    assert made["bot_name"] == "page-bot"
    hook = await run.json("webhook", "pager", "#general", "--base-url", acme.base.removesuffix("/api/"))
    async with acme.http.post(hook["url"], json={"text": "fire"}) as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    history = await acme["ada"].ok("conversations.history", channel=acme.general)
    assert history["messages"][0]["text"] == "fire"
    await run.text("webhook", "pager", "--disable", hook["webhook"])
    async with acme.http.post(hook["url"], json={"text": "fire"}) as answer:
        assert answer.status == 404
    assert "disabled" in await run.text("show", "pager")
    code = await run.json("install", "pager", "--by", "ada")
    client = WebClient(base_url=acme.base)
    given = {"client_id": code["client_id"], "client_secret": made["client_secret"], "code": code["code"]}
    granted = await asyncio.to_thread(client.oauth_v2_access, **given)
    assert (granted["scope"], granted["authed_user"]["id"]) == ("chat:write", acme["ada"].id)
    await run.text("delete", "pager")


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_who_repeats_a_command_is_told_what_there_is(acme: Office) -> None:
    """Not given a second app; and a refusal says why."""
    run = Shell(acme)
    made = await run.create("twice", "--socket-mode", "--command", "/twice")
    assert f"has an app called 'twice' already ({made['app']})" in await run.fails("create", "twice")
    assert "There is no app 'thrice'" in await run.fails("show", "thrice")
    taken = await run.fails("create", "other", "--socket-mode", "--command", "/twice")
    assert f"/twice is a command of the app twice ({made['app']})" in taken
    assert "not an http or https address" in await run.fails("set", "twice", "--request-url", "here")
    await run.text("delete", "twice")


@pytest.mark.mesh
@pytest.mark.asyncio(loop_scope="module")
async def test_an_app_gets_a_picture(acme: Office, tmp_path: Path) -> None:
    """Out of a file, into the folder that the settings name; what is no picture is refused in words."""
    run = Shell(acme)
    run.environ["PARLEY_WEBAPP_FILES_DIR"] = str(tmp_path)
    made = await run.create("painted", "--socket-mode")
    (tmp_path / "icon.png").write_bytes(PNG)
    (tmp_path / "icon.txt").write_bytes(TEXT)
    given = await run.json("icon", "painted", str(tmp_path / "icon.png"), "--base-url", "https://chat.example.org")
    assert given["picture"].startswith("https://chat.example.org/files-pri/T")
    shown = await acme["ada"].ok("bots.info", bot=made["bot_id"])
    assert shown["bot"]["icons"]["image_72"] == given["picture"]
    assert "bad_image" in await run.fails("icon", "painted", str(tmp_path / "icon.txt"))
    run.environ["PARLEY_WEBAPP_FILES_DIR"] = str(tmp_path / "nowhere")
    assert "no folder for files" in await run.fails("icon", "painted", str(tmp_path / "icon.png"))
    await run.text("delete", "painted")


def test_settings_that_are_likely_not_meant_are_said() -> None:
    """An app that hears of nothing is made in silence by nobody."""
    app = App("T1", "A1", "ci", "U1", "B1", "", b"", "", "")
    deaf = changed(app, AppChange(event_types=["message.channel"], commands=[Command("/ship")]))
    said = " ".join(notes(deaf))
    assert "hears of no events" in said
    assert "Its commands reach nobody" in said
    assert "There are no events called message.channel;" in said
    assert "until some are named" in " ".join(notes(changed(app, AppChange(is_socket_mode=True))))
    fine = AppChange(event_types=["message.channels", "app_mention"], is_socket_mode=True, commands=[Command("/ship")])
    assert notes(app) == notes(changed(app, fine)) == []


def test_the_line_to_change_is_told_for_each_language() -> None:
    """Python, Node.js and Go; Socket Mode where the app has it."""
    lines = lines_to_change("https://chat.example.org/", is_socket_mode=False)
    assert {line["client"].partition(",")[0] for line in lines} == {"Python", "Node.js", "Go"}
    assert all("https://chat.example.org/api/" in line["line"] for line in lines)
    more = lines_to_change("http://localhost:8080", is_socket_mode=True)
    assert [line["client"] for line in more if "Socket" in line["client"]] == [
        "Python, Socket Mode",
        "Node.js, Socket Mode",
    ]
    assert [line["client"] for line in lines if "RTM" in line["client"]] == ["Python, RTM", "Node.js, RTM"]
