"""The rows: what a channel server knows of each channel that somebody follows or that was published to.

Owns who follows each channel, and the run of offsets of those that are quiet; some 55 bytes a channel, so that one
process holds 16 million. Bounded by its `rows_max`. In C where a compiler was when Parley was set up (_rows.c), in
Python elsewhere (plain.py), at some 500 bytes; both keep the same contract, in tests/svc/channel/rows. The C reads and
writes the frames of subscribes as they are on the wire: a million channels are not worth a million objects each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from svc.channel.rows import plain
from svc.channel.rows.plain import STAMPS, Left

if TYPE_CHECKING:
    from svc.channel.rows.plain import Rows
else:
    try:
        from svc.channel.rows._rows import Rows
    except ImportError:
        from svc.channel.rows.plain import Rows

__all__ = ["IS_NATIVE", "STAMPS", "Left", "Rows"]

IS_NATIVE = Rows is not plain.Rows
"""Whether the rows are those in C."""
