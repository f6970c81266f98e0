"""The workspace and its custom emoji. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from parley.boot.v1 import boot_pb2 as boot

__all__ = ["emoji", "team"]

_ICON_SIZES = (34, 44, 68, 88, 102, 132, 230)


def team(model: boot.Team) -> dict[str, Any]:
    """Return the team object of team.info."""
    return {
        "id": model.id,
        "name": model.name,
        "domain": model.domain,
        "email_domain": "",
        "icon": _icon(model.icon_url),
        "is_verified": False,
    }


def _icon(url: str) -> dict[str, Any]:
    """Return the picture, which is there in one size that clients scale; `image_default` says that there is none."""
    icon: dict[str, Any] = dict.fromkeys((f"image_{size}" for size in _ICON_SIZES), url)
    return icon | ({"image_original": url} if url else {"image_default": True})


def emoji(models: Iterable[boot.Emoji]) -> dict[str, str]:
    """Return custom emoji as emoji.list does: name to the picture's address, or to `alias:NAME`."""
    return {model.name: model.value for model in models}
