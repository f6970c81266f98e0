"""The settings of an edge, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits:
    """How large one workspace may be."""

    users_max: int = setting(
        "PARLEY_EDGE_USERS_MAX",
        default=200_000,
        minimum=1,
        help="users of one workspace, half a KB each; a larger one is not loaded, and served without an edge",
    )
    channels_max: int = setting(
        "PARLEY_EDGE_CHANNELS_MAX",
        default=100_000,
        minimum=1,
        help="public channels of one workspace, half a KB each; a larger one is not loaded, and served without an edge",
    )
    emoji_max: int = setting(
        "PARLEY_EDGE_EMOJI_MAX",
        default=20_000,
        minimum=0,
        help="custom emoji of one workspace, 0.3 KB each; one with more is not loaded, and served without an edge",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLimits:
    """How many workspaces are held, and how hard they are loaded."""

    workspaces_max: int = setting(
        "PARLEY_EDGE_WORKSPACES_MAX",
        default=1_000,
        minimum=1,
        help="workspaces held and followed; more cost memory and events; the idlest goes first",
    )
    bytes_max: int = setting(
        "PARLEY_EDGE_BYTES_MAX",
        default=1024 * _MIB,
        minimum=_MIB,
        help="estimated bytes of all models; more is that much memory of the process; the idlest goes first, the "
        "one just asked for stays whatever its size",
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
        default=0.5,
        minimum=0,
        help="seconds that a model is served after a change was missed and while it is loaded again; then calls are "
        "refused until it is; more answers more of them wrong",
    )
    refresh_timeout_s: float = setting(
        "PARLEY_EDGE_REFRESH_TIMEOUT_S",
        default=60.0,
        minimum=0,
        help="seconds for which a model that missed a change is tried to be loaded again before it is let go; longer "
        "keeps its memory, and asks a webapp that does not answer for longer",
    )
    level_timeout_s: float = setting(
        "PARLEY_EDGE_LEVEL_TIMEOUT_S",
        default=1.0,
        minimum=0,
        help="seconds that the callers of a first load wait, after it, for the feed to be level with the workspace; "
        "longer keeps them waiting where they could be served without an edge",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLimits:
    """What is remembered of those who boot, and how many read a whole model."""

    near_users_max: int = setting(
        "PARLEY_EDGE_NEAR_USERS_MAX",
        default=50_000,
        minimum=0,
        help="users whose nearest are remembered from their boots, for searches; more cost memory; who booted "
        "longest ago goes first",
    )
    near_bytes_max: int = setting(
        "PARLEY_EDGE_NEAR_BYTES_MAX",
        default=32 * _MIB,
        minimum=0,
        help="bytes of that, at most; 200 ids take 2.5 KB",
    )
    reads_max: int = setting(
        "PARLEY_EDGE_READS_MAX",
        default=32,
        minimum=1,
        help="whole models being sent at once; each holds 8 bytes an object, and more slow each other down",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLimits:
    """How much is held of conversations; all of it is followed."""

    conversations_max: int = setting(
        "PARLEY_EDGE_CONVERSATIONS_MAX",
        default=200_000,
        minimum=1,
        help="conversations of which it is known how far they have come; each is followed and takes 400 bytes, and all "
        "their events come here; the idlest goes first",
    )
    members_max: int = setting(
        "PARLEY_EDGE_MEMBERS_MAX",
        default=2_000_000,
        minimum=1,
        help="members of all conversations whose members are held, 11 bytes each, with 50 more for each conversation; "
        "the one asked for longest ago goes first, and one that is larger than all room is not held",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """An edge: the workspace models of its share of the workspaces by the ring."""

    instance: InstanceConfig
    model: ModelLimits
    hold: HoldLimits
    answers: AnswerLimits
    follow: FollowLimits
    drain_s: float = setting(
        "PARLEY_EDGE_DRAIN_S",
        default=0.3,
        minimum=0,
        maximum=60,
        help="seconds between leaving the ring and refusing calls, in which callers turn to the new owners",
    )
