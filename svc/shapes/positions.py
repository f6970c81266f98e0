"""Tokens that say up to where a client has what it follows: parley.gateway.v1.Positions, made and read. Pure.

A token proves nothing and opens nothing: what a client follows is what its user is in, whatever the token names.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable

from google.protobuf.message import DecodeError

from parley.gateway.v1 import resume_pb2
from svc.kit.ids import is_id

__all__ = ["CHANNELS_MAX", "OFFSET_MAX", "RAW_BYTES_MAX", "TOKEN_CHARS_MAX", "TokenMalformed", "decode", "encode"]

CHANNELS_MAX = 20_000
"""Channels in a token, as the contract says."""

TOKEN_CHARS_MAX = 256 * 1024
RAW_BYTES_MAX = 1024 * 1024
"""A token packed and unpacked: a small one must not become a large message."""

OFFSET_MAX = 2**62

PACKING = 1
"""Level of compression: ids are random, so that working harder at it saves a hundredth for four times the time."""


class TokenMalformed(ValueError):
    """This is no resume token."""


def encode(positions: Iterable[tuple[str, int]]) -> str:
    """Return a token; at most CHANNELS_MAX positions."""
    told = list(positions)
    message = resume_pb2.Positions(channel_ids=[each for each, _ in told], offsets=[offset for _, offset in told])
    return base64.urlsafe_b64encode(zlib.compress(message.SerializeToString(), PACKING)).rstrip(b"=").decode()


def decode(token: str) -> dict[str, int]:
    """Return the positions in a token. Raises TokenMalformed, whatever it is given."""
    if len(token) > TOKEN_CHARS_MAX:
        raise TokenMalformed("too long")
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        message = resume_pb2.Positions.FromString(unpacker.decompress(packed, RAW_BYTES_MAX))
    except (binascii.Error, ValueError, zlib.error, DecodeError) as error:
        raise TokenMalformed(str(error)) from None
    if not unpacker.eof or len(message.channel_ids) > CHANNELS_MAX:
        raise TokenMalformed("too large, or incomplete")
    positions = dict(zip(message.channel_ids, message.offsets, strict=False))
    if not len(message.offsets) == len(message.channel_ids) == len(positions):
        raise TokenMalformed("channels and offsets do not match")
    if any(not is_id(channel_id) or offset > OFFSET_MAX for channel_id, offset in positions.items()):
        raise TokenMalformed("not a position")
    return positions
