"""The conversation object as one user sees it. Pure."""

from __future__ import annotations

from typing import Any

from parley.boot.v1 import boot_pb2 as boot

__all__ = ["channel"]


def channel(model: boot.Channel, *, is_member: bool, peer_user_id: str = "") -> dict[str, Any]:
    """Return a conversation as one user sees it; `peer_user_id` is the other person of an IM."""
    if model.kind == boot.CHANNEL_KIND_IM:
        return _im(model, peer_user_id)
    is_mpim = model.kind == boot.CHANNEL_KIND_MPIM
    return {
        "id": model.id,
        "name": model.name,
        "name_normalized": model.name,
        "is_channel": not is_mpim,
        "is_group": is_mpim,
        "is_im": False,
        "is_mpim": is_mpim,
        "is_private": model.kind != boot.CHANNEL_KIND_PUBLIC,
        "is_archived": model.is_archived,
        "is_general": model.is_general,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "is_member": is_member,
        "created": model.created_unix_s,
        "updated": _updated_ms(model),
        "creator": model.creator_id,
        "unlinked": 0,
        "topic": {"value": model.topic, "creator": model.topic_creator_id, "last_set": model.topic_set_unix_s},
        "purpose": {
            "value": model.purpose,
            "creator": model.purpose_creator_id,
            "last_set": model.purpose_set_unix_s,
        },
        "previous_names": list(model.previous_names),
        "context_team_id": model.team_id,
        "shared_team_ids": [model.team_id],
    }


def _im(model: boot.Channel, peer_user_id: str) -> dict[str, Any]:
    return {
        "id": model.id,
        "is_im": True,
        "user": peer_user_id,
        "created": model.created_unix_s,
        "updated": _updated_ms(model),
        "is_archived": model.is_archived,
        "is_user_deleted": False,
        "is_org_shared": False,
        "priority": 0,
        "context_team_id": model.team_id,
    }


def _updated_ms(model: boot.Channel) -> int:
    return model.updated_unix_ms or model.created_unix_s * 1000
