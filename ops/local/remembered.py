"""Which MariaDB of a mesh was the primary, and which have the data: remembered between two runs, by name.

Consul's KV is the truth while it is there; its addresses are this run's ports, which the next run does not have.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ops.local.errors import LocalError

FILE = "mariadb-roles.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the last run left. `whole` names the servers that have all data up to some point of the log.

    `addresses` maps names to the ports of that run.
    """

    epoch: int = 0
    primary: str = "mariadb"
    whole: tuple[str, ...] = ("mariadb",)
    addresses: dict[str, str] = field(default_factory=dict)
    is_lossy: bool = False
    """Whether a failover was forced, and the server that was replaced has not been seen since."""

    def save(self, var: Path) -> None:
        """Write it in one step."""
        half = var / f"{FILE}.half"
        half.write_text(json.dumps(asdict(self), indent=2) + "\n")
        half.rename(var / FILE)


def recall(var: Path) -> Remembered | None:
    """Return what the last run left; None when there never was a replica here. Raises LocalError on a broken file."""
    try:
        found = json.loads((var / FILE).read_text())
        fields = found["epoch"], found["primary"], tuple(found["whole"]), found["addresses"]
        return Remembered(*fields, bool(found.get("is_lossy")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LocalError(
            f"{var / FILE} cannot be read ({error!r}), so nobody knows which database has the newest data.",
            "Write it anew: epoch (a number higher than before), primary (a folder's name), whole (a list of them).",
        ) from error
