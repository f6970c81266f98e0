"""Pure: resume tokens, what a client has of every channel in a few bytes a channel.

A token is parley.gateway.v1.Positions, serialised, compressed with zlib, in URL-safe base64 without padding. It is no
secret and proves nothing: whoever resumes gets what its user is a member of, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from parley.gateway.v1 import resume_pb2

CHANNELS_MAX = 20_000
"""Channels in one token, as the contract says."""

RAW_BYTES_MAX = 1024 * 1024
"""A token unpacked; 20,000 channels are some 400 KB."""


class TokenMalformed(ValueError):
    """This is no resume token."""


def encode(positions: Mapping[str, int]) -> str:
    """Return a token. Beyond CHANNELS_MAX the user's and the workspace's own channels are kept, and whatever fits."""
    chosen = positions if len(positions) <= CHANNELS_MAX else _most_needed(positions)
    message = resume_pb2.Positions(channel_ids=chosen.keys(), offsets=chosen.values())
    packed = zlib.compress(message.SerializeToString())
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(token: str) -> dict[str, int]:
    """Return the positions in a token; none for an empty one. Raises TokenMalformed."""
    if not token:
        return {}
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, RAW_BYTES_MAX)
        message = resume_pb2.Positions.FromString(raw)
    except (binascii.Error, ValueError, zlib.error, DecodeError) as error:
        raise TokenMalformed(f"not a resume token: {error}") from None
    if not unpacker.eof or len(message.channel_ids) != len(message.offsets):
        raise TokenMalformed("not a resume token: incomplete")
    return dict(zip(message.channel_ids, message.offsets, strict=True))


def _most_needed(positions: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(positions, key=lambda channel_id: channel_id[:1] not in "UWT")
    return {channel_id: positions[channel_id] for channel_id in ordered[:CHANNELS_MAX]}
