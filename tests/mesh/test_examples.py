"""The bots of docs/examples as readers run them: unmodified, told by the environment where Parley is; each answers."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from ops.setup import go_packages
from ops.setup.binaries import ROOT
from svc.webapp.domain.apps.model import Command
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import Made, make_app
from tests.mesh.people import Json
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

EXAMPLES = ROOT / "docs" / "examples"
PYTHON = ROOT / ".venv" / "bin" / "python"
PATIENCE_S = 90.0
"""Processes that have just begun, on a machine that has other things to do."""
AGAIN_S = 2.0
"""A bot over RTM hears what is said once it is connected, so it is spoken to until it answers."""

NODE_PACKAGES = {
    "bolt": "slack-bolt-4",
    "rtm-api": "slack-rtm-api-7",
    "socket-mode": "slack-socket-mode-2",
    "web-api": "slack-web-api-7",
}
"""What examples call Slack's packages, and what package.json calls them, which has several versions of each."""


@pytest_asyncio.fixture(loop_scope="session")
async def room(shared: Town) -> str:
    """A conversation of its own, so that bots of other tests do not answer."""
    made = await shared["ada"].ok("conversations.create", name=f"examples-{time.time_ns()}")
    return str(made["channel"]["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def app(shared: Town, room: str) -> Made:
    """An app as the page makes it, its bot in the room; the command is its own, as no two apps have one alike."""
    change = AppChange(is_socket_mode=True, event_types=["message.channels"], commands=[Command(command_of(room))])
    return await make_app(shared, room, change, room)


@pytest.fixture
def node_path(tmp_path: Path) -> Path:
    """Slack's packages by their own names."""
    scope = tmp_path / "node_modules" / "@slack"
    scope.mkdir(parents=True)
    for name, installed in NODE_PACKAGES.items():
        (scope / name).symlink_to(ROOT / "node_modules" / installed)
    return scope.parent


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Awaitable[Path]]:
    """Builds an example with Debian's slack-go, without a network."""
    folder, go = tmp_path_factory.mktemp("go"), go_packages.find_go(ROOT)
    if go is None or not go_packages.has_packages(ROOT):
        pytest.skip("no Go, or no slack-go, on this machine; ./parley bootstrap --dev takes both from Debian")

    async def build_one(name: str) -> Path:
        program = folder / name
        source = EXAMPLES / "go" / f"{name}.go"
        command = ["nice", str(go), "build", "-o", str(program), str(source)]
        environ = os.environ | go_packages.environ(ROOT)
        building = await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=STDOUT)
        said, _ = await building.communicate()
        assert building.returncode == 0, said.decode()
        return program

    return build_one


@pytest.mark.parametrize("name", ["socket_mode", "rtm", "bolt_app"])
async def test_python_examples_answer(shared: Town, app: Made, room: str, name: str) -> None:
    """slack_sdk over both kinds of socket, and slack_bolt."""
    async with running(shared, app, [str(PYTHON), str(EXAMPLES / "python" / f"{name}.py")]) as bot:
        await bot.answers(room, "ping", lambda answer: answer["text"] == "pong")


@pytest.mark.parametrize("name", ["socket_mode", "rtm", "bolt_app"])
async def test_node_examples_answer(shared: Town, app: Made, room: str, name: str, node_path: Path) -> None:
    """Slack's packages for Node.js."""
    command = ["node", str(EXAMPLES / "node" / f"{name}.js")]
    async with running(shared, app, command, NODE_PATH=str(node_path)) as bot:
        await bot.answers(room, "ping", lambda answer: answer["text"] == "pong")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["socket_mode", "rtm"])
async def test_go_examples_answer(
    shared: Town, app: Made, room: str, name: str, build: Callable[[str], Awaitable[Path]]
) -> None:
    """slack-go; the first build compiles Go's own library, which takes minutes on a busy machine."""
    program = await build(name)
    async with running(shared, app, [str(program)]) as bot:
        await bot.answers(room, "ping", lambda answer: answer["text"] == "pong")


@pytest.mark.parametrize("language", ["python", "node"])
async def test_bolt_examples_send_a_file_and_take_a_command(
    shared: Town, app: Made, room: str, language: str, node_path: Path, tmp_path: Path
) -> None:
    """What else the page shows of the frameworks. The command is said in the file, and is this app's alone here."""
    suffix = {"python": ".py", "node": ".js"}[language]
    example = tmp_path / f"bolt_app{suffix}"
    text = (EXAMPLES / language / example.name).read_text()
    assert text.count("'/echo'") + text.count('"/echo"') == 1
    example.write_text(text.replace("/echo", command_of(room)))
    runner = {"python": str(PYTHON), "node": "node"}[language]
    async with running(shared, app, [runner, str(example)], NODE_PATH=str(node_path)) as bot:
        await bot.answers(room, "report", lambda answer: [each["name"] for each in answer.get("files", ())] != [])
        said = await bot.person.call("chat.command", channel=room, command=command_of(room), text="hi there")
        assert said["ok"], (said, bot.said)
        await bot.hears(room, lambda answer: answer["text"] == "hi there")


def command_of(room: str) -> str:
    """Return a command that no other app has."""
    return f"/echo-{room.lower()}"


class Bot:
    """A bot's process as those see it who talk to it."""

    def __init__(self, town: Town, app: Made, process: asyncio.subprocess.Process) -> None:
        self.person = town["ada"]
        self.said: list[str] = []
        self._app = app
        self._process = process

    async def listen(self) -> None:
        """Keep what it prints, for when it fails."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(line.decode(errors="replace").rstrip())

    async def answers(self, channel: str, text: str, is_wanted: Callable[[Json], bool]) -> None:
        """Say `text` again and again until the bot has posted what is wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            await self.person.post(channel, text)
            if await self._has_posted(channel, is_wanted, AGAIN_S):
                return
        raise AssertionError(f"{text!r} was not answered within {PATIENCE_S} s; the bot said {self.said[-20:]}")

    async def hears(self, channel: str, is_wanted: Callable[[Json], bool]) -> None:
        """Wait until the bot has posted what is wanted."""
        assert await self._has_posted(channel, is_wanted, PATIENCE_S), self.said[-20:]

    async def _has_posted(self, channel: str, is_wanted: Callable[[Json], bool], within_s: float) -> bool:
        until = time.monotonic() + within_s
        while True:
            assert self._process.returncode is None, f"the bot has ended: {self.said[-20:]}"
            history = await self.person.ok("conversations.history", channel=channel, limit=100)
            if any(each.get("user") == self._app.app.user_id and is_wanted(each) for each in history["messages"]):
                return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.2)


@asynccontextmanager
async def running(town: Town, app: Made, command: Sequence[str], **more: str) -> AsyncIterator[Bot]:
    """Run an example for the length of a block."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    environ = os.environ | {
        "SLACK_API_URL": f"{town.mesh.web_url}/api/",
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        **more,
    }
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=STDOUT)
    bot = Bot(town, app, process)
    listening = asyncio.create_task(bot.listen())
    try:
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
