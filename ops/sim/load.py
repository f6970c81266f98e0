"""What people do in a run: they post, change what was said, come and go, leave things for later, and upload files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random

from ops.sim.changes import Changes
from ops.sim.clients import Device
from ops.sim.judge import Judge
from ops.sim.later import LaterLedger
from ops.sim.mesh import Mesh
from ops.sim.papers import PaperLedger
from ops.sim.programs import APPS

Action = Callable[[Device, str], None]


class Load:
    """Draws who does what, when."""

    def __init__(
        self, mesh: Mesh, judge: Judge, rng: Random, channels: Sequence[str], later: LaterLedger, papers: PaperLedger
    ) -> None:
        self._world = mesh.world
        self._scenario = mesh.scenario
        self._tables = mesh.mysql.tables
        self._judge = judge
        self._rng = rng
        self._errand_rng = mesh.world.rng("errands")
        """Of their own, so that a run without errands is as it would be without these lines."""
        self._channels = channels
        self._later = later
        self._papers = papers
        self._keys = 0
        self._errands = 0

    def begin(self) -> None:
        """Let people do things within the next seconds."""
        scenario = self._scenario
        for _ in range(scenario.posts):
            self._act(self._post)
        for _ in range(self._rng.choice((0, 1, 3))):
            self._act(self._move)
        self._act(self._type)
        for _ in range(scenario.changes):
            self._act(self._change)
        for _ in range(scenario.errands):
            errand = self._errand_rng.choice((self._schedule, self._remind, self._upload))
            self._act(errand, self._errand_rng)
        if scenario.has_apps and self._errand_rng.random() < 0.6:
            self._act(self._move_bot, self._errand_rng)

    def _act(self, action: Action, rng: Random | None = None) -> None:
        dice = rng or self._rng
        device = dice.choice(self._judge.devices)
        channel_id = dice.choice(self._channels)
        due = self._world.now + self._scenario.load_s * dice.random()
        self._world.at(due, device.host, action, device, channel_id)

    def _key(self, prefix: str) -> str:
        self._keys += 1
        return f"{prefix}{self._keys}"

    def _post(self, device: Device, channel_id: str) -> None:
        key = self._key("m")
        verb = device.say if self._rng.random() < 0.4 else device.post
        device.host.spawn(verb(channel_id, key), "post")

    def _change(self, device: Device, channel_id: str) -> None:
        """Let somebody do something to one of the newest messages, so that others do something to it, too."""
        said = self._judge.said.get(channel_id)
        if not said:
            return
        key, user_id, ts_us = self._key("k"), device.user_id, self._rng.choice(said[-3:])
        verb = self._rng.choice(("edit", "edit", "edit", "remove", "react", "react", "unreact", "pin", "save", "reply"))
        self._world.counts[f"changes: {verb}"] += 1
        if verb == "reply":
            device.host.spawn(device.post(channel_id, f"m{self._keys}", ts_us), "reply")
            return
        name, is_kept = self._rng.choice(("tada", "eyes")), self._rng.random() < 0.6

        async def work(changes: Changes) -> int:
            match verb:
                case "edit":
                    return await changes.edit(user_id, channel_id, ts_us, key)
                case "remove":
                    return await changes.remove(user_id, channel_id, ts_us, key)
                case "react":
                    return await changes.react(user_id, channel_id, ts_us, name, key)
                case "unreact":
                    return await changes.unreact(user_id, channel_id, ts_us, name, key)
                case "pin":
                    return await changes.pin(user_id, channel_id, ts_us, key)
                case _:
                    return await changes.save(user_id, channel_id, key, is_kept=is_kept)

        device.host.spawn(device.change(user_id if verb == "save" else channel_id, key, work), verb)

    def _move(self, device: Device, channel_id: str) -> None:
        is_member = (channel_id, device.user_id) in self._tables.members
        device.host.spawn((device.leave if is_member else device.join)(channel_id), "move")

    def _move_bot(self, device: Device, channel_id: str) -> None:
        """Let somebody take an app's bot into a conversation, or out of it."""
        bot_id = self._errand_rng.choice(APPS).user_id
        is_member = (channel_id, bot_id) in self._tables.members
        device.host.spawn(device.move(channel_id, bot_id, is_in=not is_member), "move")

    def _type(self, device: Device, channel_id: str) -> None:
        device.type_in(channel_id)

    def _schedule(self, device: Device, channel_id: str) -> None:
        dice = self._errand_rng
        takes_back = dice.random() < 0.5
        in_s, back_in_s = dice.choice((1, 1, 2, 4)), None
        if takes_back:
            in_s, back_in_s = dice.choice(
                ((8, 3.0 * dice.random()), (1, -0.6 * dice.random()), (1, -0.6 * dice.random()))
            )
        self._errand(device, self._later.schedule(device, channel_id, self._key("s"), in_s, back_in_s))

    def _remind(self, device: Device, _: str) -> None:
        dice = self._errand_rng
        in_s = dice.choice((1, 2, 3))
        done_in_s = dice.choice((None, 0.5 * in_s * dice.random(), -0.6 * dice.random(), -0.6 * dice.random()))
        self._errand(device, self._later.remind(device, self._key("r"), in_s, done_in_s))

    def _upload(self, device: Device, channel_id: str) -> None:
        dice = self._errand_rng
        end = dice.choice(("", "", "delete", "delete", "edit and delete", "remove"))
        in_s = dice.choice((0.0, 0.2, 1.5)) * dice.random()
        self._errand(device, self._papers.upload(device, channel_id, self._key("f"), end, in_s))

    def _errand(self, device: Device, work: Coroutine[None, None, None]) -> None:
        async def done() -> None:
            self._errands += 1
            await work
            self._errands -= 1

        device.host.spawn(done(), "errand")

    def waiting(self) -> str:
        """See judge.Ledger: some take back, after a while, what they have done."""
        return f"{self._errands} errands are under way" if self._errands else ""

    def final(self) -> None:
        """See judge.Ledger."""
