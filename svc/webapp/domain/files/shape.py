"""The file object that clients see, and what is noted of a file for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from svc.kit.ids import ts_from_us
from svc.webapp.commit.log import Json
from svc.webapp.files.kinds import (
    PREVIEW_CHARS,
    PREVIEW_LINES,
    SNIPPET_BYTES_MAX,
    Kind,
    is_text,
    kind_of,
    kind_of_type,
)
from svc.webapp.files.names import url_name
from svc.webapp.files.pictures import dimensions
from svc.webapp.store.file_rows import File, FileShare
from svc.webapp.store.rows import ConversationKind

__all__ = ["ALT_TEXT_CHARS_MAX", "described", "file_object", "private_path", "tombstone"]

ALT_TEXT_CHARS_MAX = 1_000
"""Slack's limit."""
THUMBNAILS = (64, 80, 160, 360, 480, 720, 960, 1024)
_LISTS = {
    ConversationKind.PUBLIC: "channels",
    ConversationKind.PRIVATE: "groups",
    ConversationKind.IM: "ims",
    ConversationKind.MPIM: "groups",
}


def described(name: str, snippet_type: str, alt_text: str, size: int, head: bytes) -> tuple[str, str]:
    """Return a file's filetype and its extra, by its name, what its owner says, and its first bytes."""
    is_readable = is_text(head, is_whole=len(head) >= size)
    kind = _kind(name, snippet_type, is_readable)
    extra: Json = {"mode": "hosted"}
    if alt_text:
        extra["alt_txt"] = alt_text[:ALT_TEXT_CHARS_MAX]
    if kind.family == "snippets" and size <= SNIPPET_BYTES_MAX:
        extra |= {"mode": "snippet"} | _preview(head, is_whole=len(head) >= size)
    found = dimensions(head)
    if found:
        extra["width"], extra["height"] = found
    return kind.filetype, orjson.dumps(extra).decode()


def _kind(name: str, snippet_type: str, is_readable: bool) -> Kind:
    kind = kind_of_type(snippet_type) if snippet_type else kind_of(name)
    if kind.family == "snippets" and not is_readable:
        return kind_of("")
    return kind_of_type("text") if kind.filetype == "binary" and is_readable else kind


def _preview(head: bytes, *, is_whole: bool) -> Json:
    text = head.decode(errors="ignore").removeprefix("\ufeff")
    lines = text.split("\n")
    shown = "\n".join(lines[:PREVIEW_LINES])[:PREVIEW_CHARS]
    return {
        "preview": shown,
        "lines": len(lines),
        "lines_more": max(0, len(lines) - PREVIEW_LINES),
        "preview_is_truncated": not is_whole or len(shown) < len(text),
    }


def private_path(file: File, *, is_download: bool = False) -> str:
    """Return the path by which those who see a file get its bytes."""
    middle = "download/" if is_download else ""
    return f"files-pri/{file.team_id}-{file.id}/{middle}{url_name(file.name)}"


def tombstone(file_id: str) -> Json:
    """Return what is left of a file in a message."""
    return {"id": file_id, "mode": "tombstone"}


def file_object(file: File, base_url: str, shares: Iterable[FileShare] | None = None) -> Json:
    """Return the object. `base_url`: of this installation, with a slash at the end. `shares`: those that the reader may
    know of; None leaves out what says where it was posted, as within a message.
    """
    kind, extra = kind_of_type(file.filetype), orjson.loads(file.extra)
    url = base_url + private_path(file)
    shape: Json = {
        "id": file.id,
        "created": file.created_s,
        "timestamp": file.created_s,
        "name": file.name,
        "title": file.title,
        "mimetype": kind.mimetype,
        "filetype": kind.filetype,
        "pretty_type": kind.pretty,
        "user": file.user_id,
        "user_team": file.team_id,
        "editable": extra["mode"] == "snippet",
        "size": file.size,
        "mode": extra["mode"],
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": url,
        "url_private_download": base_url + private_path(file, is_download=True),
        "permalink": f"{base_url}files/{file.user_id}/{file.id}/{url_name(file.name)}",
        "has_rich_preview": False,
        "file_access": "visible",
        "is_starred": False,
        "comments_count": 0,
    }
    shape |= {name: extra[name] for name in ("alt_txt", "lines", "lines_more", "preview_is_truncated") if name in extra}
    if "preview" in extra:
        shape |= {"preview": extra["preview"], "preview_highlight": ""}
    if "width" in extra:
        shape |= _picture(url, extra)
    return shape if shares is None else shape | _seen(shares)


def _picture(url: str, extra: Mapping[str, Any]) -> Json:
    """Return what clients look for in a picture. It is its own thumbnail in every size that it has."""
    width, height = extra["width"], extra["height"]
    shape: Json = {"original_w": width, "original_h": height}
    for size in THUMBNAILS:
        if size > THUMBNAILS[3] and size >= max(width, height):
            break
        shape[f"thumb_{size}"] = url
        if size >= THUMBNAILS[3]:
            scale = min(1.0, size / max(width, height))
            shape |= {f"thumb_{size}_w": max(1, int(width * scale)), f"thumb_{size}_h": max(1, int(height * scale))}
    return shape


def _seen(shares: Iterable[FileShare]) -> Json:
    """Return where a file was posted."""
    seen: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
    places: dict[str, dict[str, list[Json]]] = {}
    for share in shares:
        if not share.kind or share.channel_id == share.team_id:
            continue
        kind = ConversationKind(share.kind)
        if share.channel_id not in seen[_LISTS[kind]]:
            seen[_LISTS[kind]].append(share.channel_id)
        where = places.setdefault("public" if kind is ConversationKind.PUBLIC else "private", {})
        where.setdefault(share.channel_id, []).append(
            {"ts": ts_from_us(share.ts_us), "team_id": share.team_id, "share_user_id": share.user_id}
        )
    return {**seen, "is_public": "public" in places, "shares": places}
