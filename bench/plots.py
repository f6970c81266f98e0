"""Pictures of results, as PNG. matplotlib draws them, in a folder of its own: no other part of the project needs it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ops.setup.binaries import ROOT
from ops.setup.console import Console
from ops.setup.pip_folders import PipFolder, ensure_pip_folder

__all__ = ["draw", "ensure_matplotlib"]

REQUIREMENTS = "requirements-plots.txt"
INSTALLED = Path(".local") / "plots"
SIZE_INCHES = (7.0, 3.6)
DPI = 110

Json = Mapping[str, Any]


def ensure_matplotlib(root: Path = ROOT) -> None:
    """Install what draws, once. Raises SetupError."""
    ensure_pip_folder(
        root, PipFolder("what draws plots", REQUIREMENTS, INSTALLED), Console(root / ".local" / "plots.log")
    )


def draw(results: Mapping[str, Json], folder: Path) -> dict[str, Path]:
    """Draw what there is a picture of, and return the files by benchmark. Raises ImportError without matplotlib."""
    installed = str(ROOT / INSTALLED)
    if installed not in sys.path:
        # Behind everything else, so that nothing of ours is replaced.
        sys.path.append(installed)
    importlib.import_module("matplotlib").use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    folder.mkdir(exist_ok=True)
    drawn = {}
    for name, picture in PICTURES.items():
        if name in results:
            figure, axes = pyplot.subplots(figsize=SIZE_INCHES, layout="constrained")
            picture(axes, results[name])
            axes.spines[["top", "right"]].set_visible(False)
            drawn[name] = folder / f"{name}.png"
            # Without the date that a PNG usually holds, equal pictures are equal files.
            figure.savefig(drawn[name], dpi=DPI, metadata={"Software": None})
            pyplot.close(figure)
    return drawn


def _post(axes: Any, result: Json) -> None:
    stages = result["stages_per_s"]
    bars = axes.barh(list(stages)[::-1], list(stages.values())[::-1], color="#4a6fa5")
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_title(f"Posts a second by stage, {result['cores']} cores for everything")
    axes.set_xlabel("requests a second that get through the stage")


def _latency(axes: Any, result: Json) -> None:
    fractions = list(result["at"])
    for number, share in enumerate(("p50", "p99", "p999")):
        heights = [result["at"][each][share] for each in fractions]
        places = [index + (number - 1) * 0.27 for index in range(len(fractions))]
        bars = axes.bar(
            places, heights, 0.25, label=share.replace("p999", "p99.9"), color=("#9db4d6", "#4a6fa5", "#24406b")[number]
        )
        axes.bar_label(bars, fmt="{:.0f}", padding=2)
    axes.axhline(result["bars"]["p99_ms_at_half"], color="#b04a4a", linewidth=1, linestyle="--")
    axes.set_xticks(
        range(len(fractions)), [f"{each} ({result['at'][each]['posts_per_s']:.0f}/s)" for each in fractions]
    )
    axes.set_title(f"From a post to the last of {result['clients']:,} sockets")
    axes.set_xlabel("of capacity")
    axes.set_ylabel("ms")
    axes.legend(frameon=False)


def _fanout(axes: Any, result: Json) -> None:
    sockets, windows = next(iter(result["figures"].items()))
    servers = list(dict.fromkeys(server for found in windows.values() for server in found))
    width = 0.8 / len(servers)
    for number, server in enumerate(servers):
        heights = [found.get(server, {}).get("ratio_wall", 0.0) for found in windows.values()]
        places = [index + (number - (len(servers) - 1) / 2) * width for index in range(len(windows))]
        axes.bar(places, heights, width, label=server)
    axes.set_xticks(range(len(windows)), list(windows))
    axes.set_title(f"Deliveries a second to {int(sockets):,} sockets, by wall clock")
    axes.set_xlabel("events in flight")
    axes.set_ylabel("times a C loop of send()")
    axes.legend(frameon=False, ncols=2)


PICTURES: Mapping[str, Callable[[Any, Json], None]] = {"fanout": _fanout, "post": _post, "latency": _latency}
