"""The settings of a channel server, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TailLimits:
    """How much of each channel is remembered, and how long a missing event is waited for."""

    hole_wait_s: float = setting(
        "PARLEY_CHANNEL_HOLE_WAIT_S",
        default=0.25,
        minimum=0,
        maximum=10,
        help="seconds that an event waits for missing earlier ones; more delays the channel after a lost publish",
    )
    held_events_max: int = setting(
        "PARLEY_CHANNEL_HELD_EVENTS_MAX", default=256, minimum=1, help="events of one channel that may wait like that"
    )
    tail_events_max: int = setting(
        "PARLEY_CHANNEL_TAIL_EVENTS_MAX",
        default=512,
        minimum=0,
        help="recent events kept for each channel; more spares re-attaching gateways a read of the log",
    )
    tail_channel_bytes_max: int = setting(
        "PARLEY_CHANNEL_TAIL_CHANNEL_BYTES_MAX", default=_MIB, minimum=0, help="bytes of recent events for each channel"
    )
    tail_bytes_max: int = setting(
        "PARLEY_CHANNEL_TAIL_BYTES_MAX",
        default=256 * _MIB,
        minimum=0,
        help="bytes of recent events for all channels; the least recently used channel is forgotten first",
    )
    channels_max: int = setting(
        "PARLEY_CHANNEL_CHANNELS_MAX",
        default=20_000_000,
        minimum=1,
        help="channels that are followed or whose head is remembered (about 55 bytes each); beyond, heads of channels "
        "that nobody follows are forgotten, which costs a look into the log, and then subscribes refused",
    )
    active_max: int = setting(
        "PARLEY_CHANNEL_ACTIVE_MAX",
        default=250_000,
        minimum=1,
        help="channels that have a tail (about 500 bytes each, and the tail); the least recently published to lose it",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutLimits:
    """What one attached gateway or edge may have pending, and for how long."""

    mailbox_events_max: int = setting(
        "PARLEY_CHANNEL_MAILBOX_EVENTS_MAX", default=65_536, minimum=2, help="events pending for one subscriber"
    )
    mailbox_bytes_max: int = setting(
        "PARLEY_CHANNEL_MAILBOX_BYTES_MAX",
        default=32 * _MIB,
        minimum=1024,
        help="bytes pending for one subscriber; beyond, it is cut off and comes back",
    )
    batch_events_max: int = setting(
        "PARLEY_CHANNEL_BATCH_EVENTS_MAX", default=1_024, minimum=1, maximum=65_536, help="events in one batch"
    )
    batch_bytes_max: int = setting(
        "PARLEY_CHANNEL_BATCH_BYTES_MAX",
        default=_MIB,
        minimum=1024,
        maximum=8 * _MIB,
        help="bytes in one batch (one event more may be in it); more makes the gateway's turns longer",
    )
    unacked_batches_max: int = setting(
        "PARLEY_CHANNEL_UNACKED_BATCHES_MAX",
        default=256,
        minimum=1,
        help="batches sent to one subscriber and not acknowledged; then the writer waits",
    )
    ack_timeout_s: float = setting(
        "PARLEY_CHANNEL_ACK_TIMEOUT_S",
        default=2.0,
        minimum=0.05,
        help="seconds without an acknowledgement that is owed, after which a subscriber is cut off",
    )
    linger_s: float = setting(
        "PARLEY_CHANNEL_LINGER_S",
        default=2.0,
        minimum=0,
        help="seconds, and up to a twelfth more, for which a channel is still delivered to a subscriber that left it; "
        "more than the fence time",
    )
    subscriptions_max: int = setting(
        "PARLEY_CHANNEL_SUBSCRIPTIONS_MAX", default=2_000_000, minimum=1, help="channels followed by one subscriber"
    )
    attachments_max: int = setting(
        "PARLEY_CHANNEL_ATTACHMENTS_MAX",
        default=1_024,
        minimum=1,
        maximum=1_500,
        help="subscribers attached at a time",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLimits:
    """What publishers may have under way."""

    publishers_max: int = setting(
        "PARLEY_CHANNEL_PUBLISHERS_MAX", default=256, minimum=1, help="publish streams open at a time"
    )
    window_batches: int = setting(
        "PARLEY_CHANNEL_PUBLISH_WINDOW",
        default=64,
        minimum=1,
        help="unanswered batches of one publish stream; then it is not read any more until one is answered",
    )
    in_flight_bytes_max: int = setting(
        "PARLEY_CHANNEL_IN_FLIGHT_BYTES_MAX",
        default=128 * _MIB,
        minimum=_MIB,
        help="bytes of all unanswered batches; further events are refused as overload",
    )
    publish_timeout_s: float = setting(
        "PARLEY_CHANNEL_PUBLISH_TIMEOUT_S",
        default=4.0,
        minimum=0.05,
        help="seconds after which a batch that waits for acknowledgements is answered with a refusal",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """A channel server: one owner for each channel by the ring, pub/sub in memory."""

    instance: InstanceConfig
    tail: TailLimits
    fanout: FanoutLimits
    publish: PublishLimits
    fence_s: float = setting(
        "PARLEY_CHANNEL_FENCE_S",
        default=1.0,
        minimum=0.1,
        help="seconds without a word from Consul after which ownership is in doubt",
    )
    drain_s: float = setting(
        "PARLEY_CHANNEL_DRAIN_S",
        default=1.0,
        minimum=0,
        help="seconds that attached subscribers get to move elsewhere when this server leaves",
    )
