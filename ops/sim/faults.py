"""What goes wrong: each fault is drawn, happens at its time, lasts, and is mended."""

from __future__ import annotations

from collections.abc import Callable

from ops.sim.clients import Device
from ops.sim.database import Trouble
from ops.sim.judge import Judge
from ops.sim.mesh import TIERS, Mesh, Process

Kinds = tuple[tuple[int, Callable[[], None]], ...]
"""Faults, each with how often it happens beside the others."""


class Faults:
    """Draws faults for a mesh, and mends them."""

    def __init__(self, mesh: Mesh, judge: Judge) -> None:
        self._mesh = mesh
        self._judge = judge
        self._world = mesh.world
        self._rng = mesh.world.rng("faults")
        self._host = mesh.network.watcher
        self._paused: list[Process] = []
        self._extra: list[Process] = []
        self._asleep: list[Device] = []
        self._kinds: Kinds = (
            (6, self.kill),
            (3, self.stop),
            (4, self.pause),
            (3, self.cut_from_consul),
            (1, self.stop_consul),
            (1, self.stop_mysql),
            (2, self.cut_line),
            (3, self.reset_line),
            (2, self.trim),
            (3, self.vanish),
            (2, self.read_slowly),
            (1, self.restart_device),
            (2, self.sleep),
            (3, self.kill_after_commit),
            (2, self.join_ring),
            (3, self.leave_behind),
            (3, self.avalanche),
        )
        if mesh.scenario.errands:
            self._kinds += ((4, self.kill_at_errand),)

    def add(self, kinds: Kinds) -> None:
        """Let these happen as well."""
        self._kinds += kinds

    def schedule(self, count: int, within_s: float) -> None:
        """Let `count` faults begin at some time within the next seconds."""
        self._mesh.mysql.trouble = self._mesh.scenario.trouble
        weights = [weight for weight, _ in self._kinds]
        for _, fault in self._rng.choices(self._kinds, weights, k=count):
            self._world.at(self._world.now + within_s * self._rng.random(), self._host, self._begin, fault)

    def mend(self) -> None:
        """End everything that lasts; the dead are replaced."""
        mesh = self._mesh
        for process in self._paused:
            process.host.resume()
            mesh.consul.recovered(process.host)
        self._paused.clear()
        for device in self._asleep:
            device.host.resume()
        self._asleep.clear()
        for program in mesh.programs.values():
            program.host.resume()
        mesh.network.mend_all()
        if mesh.consul.is_down:
            mesh.consul.start()
        for process in list(mesh.processes.values()):
            if process.host.is_alive and not mesh.consul.reaches(process.host):
                mesh.consul.mend(process.host)
        mesh.mysql.is_down = False
        mesh.mysql.trouble = Trouble()
        mesh.mysql.on_commit = lambda _: None
        for device in self._judge.devices:
            if device.socket is not None:
                device.socket.read_on()

    def _begin(self, fault: Callable[[], None]) -> None:
        self._world.counts[f"fault: {fault.__name__}"] += 1
        fault()

    def later(self, low: float, high: float, work: Callable[[], object]) -> None:
        """Do something between `low` and `high` seconds from now."""
        self._world.at(self._world.now + self._rng.uniform(low, high), self._host, work)

    def _one(self, tiers: tuple[str, ...] = TIERS) -> Process | None:
        """Return a running process; of the tiers that matter most, more often."""
        living = [each for tier in tiers for each in self._mesh.living(tier) if each.host.is_running]
        return self._rng.choice(living) if living else None

    # Processes

    def kill(self) -> None:
        """kill -9, and a new instance after a while."""
        victim = self._one()
        if victim is not None:
            self.kill_one(victim)

    def kill_one(self, victim: Process) -> None:
        """Kill this one, and start another in its place."""
        if victim.host.is_alive:
            self._world.trace(victim, "is killed")
            self._world.counts[f"killed: {victim.tier}"] += 1
            victim.host.kill()
            self.later(0.05, 2.0, lambda: self._mesh.again(victim))

    def kill_after_commit(self) -> None:
        """Kill the webapp that commits next, before it can tell anybody."""
        mysql = self._mesh.mysql

        def on_commit(host: object) -> None:
            mysql.on_commit = lambda _: None
            victim = next(each for each in self._mesh.living("webapp") if each.host is host)
            self.kill_one(victim)

        mysql.on_commit = on_commit

    def kill_at_errand(self) -> None:
        """Kill the webapp that next commits something of what is due or uploaded, with the rest still to be done."""
        mysql = self._mesh.mysql

        def on_commit(host: object) -> None:
            if any(host in those for those in self._mesh.doing.values()):
                mysql.on_commit = lambda _: None
                self.kill_one(next(each for each in self._mesh.living("webapp") if each.host is host))

        mysql.on_commit = on_commit

    def stop(self) -> None:
        """A planned stop, and a new instance at about the same time."""
        self.stop_one(self._one(("admin", "channel", "gateway")))

    def stop_one(self, victim: Process | None) -> None:
        """Stop this one, and start another in its place."""
        if victim is not None:
            self._world.trace(victim, "is stopped")
            self.later(0.0, 1.0, lambda: self._mesh.again(victim))
            victim.host.spawn(self._mesh.stop(victim), "stop")

    def pause(self) -> None:
        """SIGSTOP, and SIGCONT later."""
        victim = self._one(("webapp", "admin", "channel", "channel", "channel", "gateway"))
        if victim is None:
            return
        self._world.trace(victim, "is paused")
        victim.host.pause()
        self._paused.append(victim)

        def go_on() -> None:
            if victim in self._paused:
                self._world.trace(victim, "goes on")
                self._paused.remove(victim)
                victim.host.resume()
                self._mesh.consul.recovered(victim.host)

        self.later(0.1, 5.0, go_on)

    def join_ring(self) -> None:
        """One more channel server, for a while."""
        self._extra.append(self._mesh.start("channel", 10 + len(self._extra)))
        if self._rng.random() < 0.5:
            extra = self._extra[-1]

            def go() -> None:
                if extra.host.is_running:
                    extra.host.spawn(self._mesh.stop(extra), "stop")

            self.later(0.5, 3.0, go)

    # One after another

    def leave_behind(self) -> None:
        """Let a channel server, and perhaps the routers with it, hear nothing of Consul while the ring changes."""
        victim = self._one(("channel",))
        if victim is None:
            return
        is_checked = self._rng.random() < 0.5
        if is_checked:
            self.later(0.0, 0.6, self.join_ring)
        lasts_s = self._rng.uniform(1.0, 7.0)
        self._leave_behind(victim, lasts_s, is_checked=is_checked)
        if self._rng.random() < 0.5:
            for router in self._mesh.living("admin"):
                self._leave_behind(router, lasts_s, is_checked=True)

    def _leave_behind(self, process: Process, lasts_s: float, *, is_checked: bool) -> None:
        self._world.trace(process, "is left behind")
        self._mesh.consul.cut(process.host, is_checked=is_checked)
        self.later(lasts_s, lasts_s, lambda: self._mesh.consul.mend(process.host))

    def avalanche(self) -> None:
        """Let a device go, a webapp die with something to say, and the owner die before it is said."""
        self._rng.choice((self.sleep, self.vanish))()
        self.later(0.0, 0.2, self.kill_after_commit)
        self.later(0.1, 0.8, self._kill_channel)

    def _kill_channel(self) -> None:
        victim = self._one(("channel",))
        if victim is not None:
            self.kill_one(victim)

    # What they stand on

    def cut_from_consul(self) -> None:
        """Let a process hear nothing of Consul; in half of the cases its health checks go on passing."""
        victim = self._one(("channel", "channel", "channel", "gateway", "admin", "webapp"))
        if victim is not None:
            is_checked = self._rng.random() < 0.5
            self._world.trace(victim, "is cut from consul", "but checked" if is_checked else "")
            self._mesh.consul.cut(victim.host, is_checked=is_checked)
            self.later(0.5, 6.0, lambda: self._mesh.consul.mend(victim.host))

    def stop_consul(self) -> None:
        """Let Consul answer nobody."""
        consul = self._mesh.consul
        if not consul.is_down:
            self._world.trace("consul is down")
            consul.stop()
            self.later(0.5, 6.0, lambda: consul.start() if consul.is_down else None)

    def stop_mysql(self) -> None:
        """Let MySQL answer nobody."""
        self._world.trace("mysql is down")
        self._mesh.mysql.is_down = True
        self.later(0.05, 1.5, self._start_mysql)

    def _start_mysql(self) -> None:
        self._mesh.mysql.is_down = False

    def trim(self) -> None:
        """Let retention take the beginning of a log, but nothing that waits to be published."""
        channels = sorted(self._mesh.mysql.tables.log)
        if channels:
            self.trim_log(self._rng.choice(channels), self._rng.choice((0, 1, 3)))

    def trim_log(self, channel_id: str, kept: int) -> None:
        """Let retention leave only the newest events of a log; none goes that waits to be published."""
        tables = self._mesh.mysql.tables
        if any(channel_id == waiting for waiting, _ in tables.outbox):
            return
        up_to = self._judge.head(channel_id) - kept
        if tables.drop_log(channel_id, up_to):
            self._judge.trimmed_to[channel_id] = up_to
            self._world.trace("retention", channel_id, up_to)
            self._judge.trimmed.add(channel_id)

    # Lines

    def cut_line(self) -> None:
        """Let nothing through between two processes."""
        one, other = self._pair()
        if one is not None and other is not None:
            self._world.trace(one, other, "are cut off from each other")
            self._mesh.network.cut(one.host, other.host)
            self.later(0.1, 4.0, lambda: self._mesh.network.mend(one.host, other.host))

    def reset_line(self) -> None:
        """Break the streams between two processes."""
        one, other = self._pair()
        if one is not None and other is not None:
            self._world.trace("line", one, other, "breaks")
            self._mesh.network.reset(one.host, other.host)

    def _pair(self) -> tuple[Process | None, Process | None]:
        tiers = self._rng.choice((("channel", "gateway"), ("channel", "admin"), ("admin", "webapp")))
        return self._one((tiers[0],)), self._one((tiers[1],))

    # Devices

    def vanish(self) -> None:
        """Let a device's line go dead."""
        device = self._rng.choice(self._judge.devices)
        if device.socket is not None:
            self._world.trace(device.host.name, "vanishes")
            device.socket.vanish()

    def read_slowly(self) -> None:
        """Let a device read nothing for a while."""
        device = self._rng.choice(self._judge.devices)
        socket = device.socket
        if socket is not None:
            self._world.trace(device.host.name, "stops reading")
            socket.stop_reading()
            self.later(0.2, 3.0, socket.read_on)

    def sleep(self) -> None:
        """Let a device sleep, and in most cases its past be forgotten before it wakes."""
        device = self._rng.choice(self._judge.devices)
        if device.host.is_paused:
            return
        self._world.trace(device.host.name, "falls asleep")
        if device.socket is not None:
            device.socket.vanish()
        device.host.pause()
        self._asleep.append(device)

        def wake() -> None:
            if device in self._asleep:
                self._asleep.remove(device)
                self._world.trace(device.host.name, "wakes up")
                if self._rng.random() < 0.7:
                    for channel_id in sorted(self._mesh.mysql.tables.log):
                        self.trim_log(channel_id, self._rng.choice((0, 1)))
                device.host.resume()

        self.later(0.5, 3.0, wake)

    def restart_device(self) -> None:
        """Start a device's program anew."""
        self._rng.choice(self._judge.devices).restart()
