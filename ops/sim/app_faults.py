"""What goes wrong between apps and the webapps that own them."""

from __future__ import annotations

from functools import partial

from ops.sim.faults import Faults, Kinds
from ops.sim.mesh import Mesh, Process
from ops.sim.programs import URL_APP, SocketProgram
from ops.sim.webapps import WebappProcess


class AppFaults:
    """Faults of a mesh that has apps."""

    def __init__(self, mesh: Mesh, faults: Faults, program: SocketProgram) -> None:
        self._mesh = mesh
        self._faults = faults
        self._program = program
        self._rng = mesh.world.rng("app faults")

    @property
    def kinds(self) -> Kinds:
        """See Faults.add."""
        return (
            (5, self.kill_owner),
            (2, self.stop_webapp),
            (2, self.app_vanishes),
            (1, self.app_comes_anew),
            (1, self.app_sleeps),
            (3, self.cut_request_url),
            (1, self.reset_owner_line),
            (2, self.trim_unheard),
        )

    def _owner(self) -> Process | None:
        """Return a running webapp that serves an app."""
        living = [each for each in self._mesh.living("webapp") if each.host.is_running]
        owners = [each for each in living if isinstance(each, WebappProcess) and each.serving.owner.app_count]
        return self._rng.choice(owners) if owners else None

    def kill_owner(self) -> None:
        """Kill a webapp that serves an app, twice in half of the cases."""
        victim = self._owner()
        if victim is not None:
            self._faults.kill_one(victim)
            if self._rng.random() < 0.5:
                self._faults.later(0.1, 3.0, lambda: self._faults.kill_one(self._owner() or victim))

    def stop_webapp(self) -> None:
        """A planned stop of a webapp that serves an app."""
        self._faults.stop_one(self._owner())

    def app_vanishes(self) -> None:
        """Let an app's line go dead."""
        self._program.vanish()

    def app_comes_anew(self) -> None:
        """Start an app's program anew."""
        self._program.come_anew()

    def app_sleeps(self) -> None:
        """Let an app's program do nothing for a while."""
        self._program.host.pause()
        self._faults.later(0.5, 4.0, self._program.host.resume)

    def cut_request_url(self) -> None:
        """Let no request reach an app's URL, or no answer come back."""
        owner, network = self._owner(), self._mesh.network
        if owner is not None:
            program = self._mesh.programs[URL_APP.request_url]
            network.cut(owner.host, program.host)
            self._faults.later(0.1, 4.0, partial(network.mend, owner.host, program.host))

    def reset_owner_line(self) -> None:
        """Break the streams between a gateway and a webapp that serves an app."""
        owner, gateway = self._owner(), self._rng.choice([None, *self._mesh.living("gateway")])
        if owner is not None and gateway is not None:
            self._mesh.network.reset(owner.host, gateway.host)

    def trim_unheard(self) -> None:
        """Let retention take what an app has not heard, while nobody owns it."""
        owner = self._owner()
        if owner is not None:
            self._faults.kill_one(owner)
            for channel_id in sorted(self._mesh.mysql.tables.log):
                self._faults.trim_log(channel_id, self._rng.choice((1, 3)))
