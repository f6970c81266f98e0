"""Pictures of results, as PNG. matplotlib draws them, in a folder of its own: no other part of the project needs it."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.fanout_figures import FLOOR, OURS
from ops.setup.binaries import ROOT
from ops.setup.console import Console
from ops.setup.pip_folders import PipFolder, ensure_pip_folder

__all__ = ["draw", "ensure_matplotlib"]

REQUIREMENTS = "requirements-plots.txt"
INSTALLED = Path(".local") / "plots"
SIZE_INCHES = (7.0, 3.6)
DPI = 110

COLOURS: Mapping[str, str] = {
    OURS: "#24406b",
    "nats-server": "#c98b3c",
    "nchan": "#7a9a57",
    "ws": "#9a86b8",
    "socket.io": "#b9b9b9",
}
KINDS: Mapping[str, str] = {
    "protocol": "a bare protocol",
    "session": "with a session",
    "20": "with 20 subscriptions",
    "aware": "with all that our clients ask for",
}

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
            figure = pyplot.figure(figsize=SIZE_INCHES, layout="constrained")
            picture(figure, results[name])
            for axes in figure.axes:
                axes.spines[["top", "right"]].set_visible(False)
            drawn[name] = folder / f"{name}.png"
            # Without the date that a PNG usually holds, equal pictures are equal files.
            figure.savefig(drawn[name], dpi=DPI, metadata={"Software": None})
            pyplot.close(figure)
    return drawn


def _post(figure: Any, result: Json) -> None:
    axes = figure.subplots()
    stages = result["stages_per_s"]
    bars = axes.barh(list(stages)[::-1], list(stages.values())[::-1], color="#4a6fa5")
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_title(f"Posts a second by stage, {result['cores']} cores for everything")
    axes.set_xlabel("requests a second that get through the stage")


def _latency(figure: Any, result: Json) -> None:
    axes = figure.subplots()
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


def _fanout(figure: Any, result: Json) -> None:
    """A panel for each number of sockets: servers side by side in each window; those without figures have no bar."""
    panels = result["figures"]
    for number, (axes, (sockets, windows)) in enumerate(
        zip(figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items(), strict=True)
    ):
        servers = list(dict.fromkeys(server for found in windows.values() for server in found if server != FLOOR))
        width = 0.8 / max(1, len(servers))
        for place, server in enumerate(servers):
            heights = [found.get(server, {}).get("ratio_cpu", math.nan) for found in windows.values()]
            places = [index + (place - (len(servers) - 1) / 2) * width for index in range(len(windows))]
            bars = axes.bar(places, heights, width, label=server, color=COLOURS.get(server))
            if server == OURS:
                labels = ["" if math.isnan(each) else f"{each:.2g}" for each in heights]
                axes.bar_label(bars, labels, padding=1, fontsize=7)
        axes.axhline(1.0, color="#555555", linewidth=1, linestyle="--")
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xticks(range(len(windows)), list(windows))
        axes.set_title(f"{int(sockets):,} sockets", fontsize=10)
        axes.set_xlabel("events in flight")
        if number == 0:
            axes.set_ylabel("times a C loop of send()")
            axes.legend(frameon=False, fontsize=8)
    figure.suptitle("Deliveries for a second of the server's processor", fontsize=11)


def _streams(figure: Any, result: Json) -> None:
    axes = figure.subplots()
    found = result["by_events_in_flight"]
    for end, colour in (("server", "#4a6fa5"), ("gateway", "#c98b3c")):
        heights = [each[f"{end}_events_per_core_s"] / 1_000 for each in found.values()]
        axes.plot(
            list(found), heights, marker="o", label=f"{end}'s core".replace("server", "channel server"), color=colour
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title("Events from channel server to gateway")
    axes.set_xlabel("events in flight")
    axes.set_ylabel("thousands a second of a core")
    axes.legend(frameon=False)


def _memory(figure: Any, result: Json) -> None:
    axes = figure.subplots()
    kinds = {KINDS.get(kind, kind): each for kind, each in result["bytes"].items()}
    bars = axes.barh(list(kinds)[::-1], list(kinds.values())[::-1], color="#4a6fa5")
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.axvline(result["bars"]["bytes"], color="#b04a4a", linewidth=1, linestyle="--")
    axes.set_title(f"An idle connection at a gateway, {result['connections']:,} of each kind")
    axes.set_xlabel("bytes of resident memory")


PICTURES: Mapping[str, Callable[[Any, Json], None]] = {
    "fanout": _fanout,
    "post": _post,
    "latency": _latency,
    "streams": _streams,
    "memory": _memory,
}
