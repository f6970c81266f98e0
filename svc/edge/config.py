"""The settings of an edge, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits:
    """How large one workspace may be."""

    users_max: int = setting(
        "PARLEY_EDGE_USERS_MAX", default=200_000, minimum=1, help="users of one workspace; a larger one is not loaded"
    )
    channels_max: int = setting(
        "PARLEY_EDGE_CHANNELS_MAX",
        default=100_000,
        minimum=1,
        help="public channels of one workspace; a larger one is not loaded",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLimits:
    """How many workspaces are held, and how hard they are loaded."""

    workspaces_max: int = setting(
        "PARLEY_EDGE_WORKSPACES_MAX", default=1_000, minimum=1, help="workspaces held; the idlest goes first"
    )
    bytes_max: int = setting(
        "PARLEY_EDGE_BYTES_MAX",
        default=1024 * _MIB,
        minimum=_MIB,
        help="estimated bytes of all models; the idlest goes first, the one just asked for stays whatever its size",
    )
    loads_max: int = setting(
        "PARLEY_EDGE_LOADS_MAX",
        default=4,
        minimum=1,
        help="loads at once; more fill a cold edge sooner, and the webapp",
    )
    load_timeout_s: float = setting(
        "PARLEY_EDGE_LOAD_TIMEOUT_S",
        default=15.0,
        minimum=0.1,
        help="seconds that a load may take with all its tries; whoever waits for it waits as long",
    )
    stale_max_s: float = setting(
        "PARLEY_EDGE_STALE_MAX_S",
        default=30.0,
        minimum=0,
        help="seconds that a model is served after a change was missed and while it cannot be loaded again",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """An edge: the workspace models of its share of the workspaces by the ring."""

    instance: InstanceConfig
    model: ModelLimits
    hold: HoldLimits
    drain_s: float = setting(
        "PARLEY_EDGE_DRAIN_S",
        default=0.3,
        minimum=0,
        maximum=60,
        help="seconds between leaving the ring and refusing calls, in which callers turn to the new owners",
    )
