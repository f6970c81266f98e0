"""The demo workspace, and the verbs that make workspaces, tokens and messages, against a real mesh."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ops import demo
from ops.demo_tokens import FILE
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from ops.setup.binaries import ROOT

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    """A webapp with its servers, and nothing that delivers: enough for what is stored."""
    os.environ.pop("PARLEY_CONSUL_ADDR", None)
    spec = MeshSpec(var=tmp_path_factory.mktemp("mesh"), counts=none(webapp=1), graceful=False)
    async with Mesh(spec) as running:
        yield running


async def parley(mesh: Mesh, *words: str, code: int = 0, stdin: str = "") -> Any:
    """Run a verb with --json; return what it printed."""
    command = (sys.executable, "-c", "from ops.cli.main import main; main()")
    process = await asyncio.create_subprocess_exec(
        *command,
        *words,
        "--json",
        "--var",
        str(mesh.spec.var),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    assert process.returncode == code, (words, out, err)
    return json.loads(out)


async def test_the_demo_is_made_once_and_its_tokens_stay(mesh: Mesh) -> None:
    """Two channels, three people, a bot, a welcome; the file with the tokens is for its owner alone."""
    first = await demo.ensure_demo(mesh, lambda _: None)
    assert await demo.ensure_demo(mesh, lambda _: None) == first
    assert [name for name, _, _ in first.users] == ["ada", "grace", "linus", "helper"]
    file = mesh.spec.var / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    again = await demo.ensure_demo(mesh, lambda _: None)
    assert (again.channel_id, [user[:2] for user in again.users]) == (
        first.channel_id,
        [user[:2] for user in first.users],
    )
    posted = await parley(mesh, "post", "#random", "hi", "--as", "grace")
    assert posted["ok"] is True


async def test_a_post_by_each_kind_of_token(mesh: Mesh) -> None:
    """A bot is made on the way; what is refused says why, in JSON too."""
    await demo.ensure_demo(mesh, lambda _: None)
    bot = await parley(mesh, "token", "create", "--bot", "ci")
    assert bot["token"].startswith("xoxb-")
    posted = await parley(mesh, "post", "#general", "-", "--token", bot["token"], stdin="from a pipe")
    assert posted["message"]["text"] == "from a pipe"
    refused = await parley(mesh, "post", "#random", "x", "--token", bot["token"], code=1)
    assert refused["error"] == "not_in_channel"
    unknown = await parley(mesh, "post", "#general", "x", "--as", "nobody", code=1)
    assert "no demo user" in unknown["error"]


async def test_a_revoked_token_is_listed_as_such_and_opens_nothing(mesh: Mesh) -> None:
    """By the token itself, or by the beginning of its hash."""
    await demo.ensure_demo(mesh, lambda _: None)
    made = await parley(mesh, "token", "create", "linus")
    await parley(mesh, "post", "#general", "x", "--token", made["token"])
    await parley(mesh, "token", "revoke", made["token"])
    assert (await parley(mesh, "post", "#general", "x", "--token", made["token"], code=1))["error"] == "token_revoked"
    listed = (await parley(mesh, "token", "list", "linus"))["tokens"]
    assert "revoked" in {entry["state"] for entry in listed}
    await parley(mesh, "token", "revoke", made["token"], code=1)
    other = await parley(mesh, "token", "create", "linus")
    valid = [
        entry["token"]
        for entry in (await parley(mesh, "token", "list", "linus"))["tokens"]
        if entry["state"] == "valid"
    ]
    assert len(valid) >= 2
    for beginning in valid[1:]:
        await parley(mesh, "token", "revoke", beginning, "--user", "linus")
    await parley(mesh, "token", "create", "nobody", code=1)
    assert other["user_id"] == made["user_id"]


async def test_a_seeded_workspace_is_what_was_asked_for(mesh: Mesh) -> None:
    """Its admin sees everybody and may post; the same name again is refused."""
    made = await parley(mesh, "seed", "--users", "120", "--channels", "9", "--messages", "40", "--name", "Big Corp")
    assert (made["domain"], made["users"], made["channels"], made["messages"]) == ("big-corp", 120, 9, 40)
    await parley(mesh, "post", "#general", "hello", "--token", made["admin"]["token"])
    await parley(mesh, "post", "#general", "beep", "--token", made["bot"]["token"])
    again = await parley(mesh, "seed", "--name", "big corp", code=1)
    assert "already" in again["error"]
    listed = await parley(mesh, "token", "list", "--workspace", "big-corp")
    assert [entry["user"] for entry in listed["tokens"]] == [made["admin"]["user_id"]]
