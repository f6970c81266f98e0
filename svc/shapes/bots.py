"""What is shown of a bot's picture, which is its user's. Pure."""

from __future__ import annotations

from typing import Any

from parley.boot.v1 import boot_pb2 as boot

__all__ = ["bot", "icons"]

_SIZES = (36, 48, 72)


def icons(picture_url: str) -> dict[str, str]:
    """Return the `icons` of a bot: one picture, which clients scale; none without one."""
    return dict.fromkeys((f"image_{size}" for size in _SIZES), picture_url) if picture_url else {}


def bot(model: boot.User) -> dict[str, Any]:
    """Return a bot as the user says that it acts as: for lists of bots, and for `bot_changed`."""
    return {
        "id": model.bot_id,
        "app_id": model.app_id,
        "name": model.real_name or model.name,
        "deleted": model.deleted,
        "updated": model.updated_unix_s,
        "icons": icons(model.picture_url),
    }
