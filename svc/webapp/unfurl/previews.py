"""What is shown of what a link leads to: an attachment as Slack's clients know it. Pure.

Everything in it was written by strangers. Marks of ours (`<!channel>`, `<https://…|…>`) are escaped, so that they are
read as what they look like; addresses are such as could be fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from svc.webapp.unfurl.addresses import ForbiddenError, Reach
from svc.webapp.unfurl.offers import Wish
from svc.webapp.unfurl.pages import Page

__all__ = ["Picture", "Preview", "is_preview", "of_page", "of_picture", "still_linked", "wanted"]

Json: TypeAlias = dict[str, Any]

LARGE_PX = 500
"""From this width on a picture is shown large; a smaller one beside the words."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a link leads to by itself."""

    bytes: int
    """0: its server does not say."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an address leads to."""

    attachment: Json
    is_media: bool


def wanted(preview: Preview, wish: Wish) -> bool:
    """Tell whether an author wants it shown."""
    return wish.media if preview.is_media else wish.links


def of_page(url: str, page: Page, reach: Reach) -> Preview | None:
    """Return the preview of a page that `url` leads to; None for one that says nothing of itself."""
    if not page.title and not page.text:
        return None
    title = page.title or page.text[:80]
    site = page.site or (urlsplit(page.url).hostname or "").removeprefix("www.")
    made: Json = {"from_url": url, "original_url": url, "service_name": _escaped(site)}
    if _is_shown(page.icon, reach):
        made["service_icon"] = page.icon
    made |= {"title": _escaped(title), "title_link": url}
    if page.text:
        made["text"] = _escaped(page.text)
    if _is_shown(page.image, reach):
        is_large = page.is_large or page.is_media or page.image_width >= LARGE_PX
        name = "image" if is_large else "thumb"
        made[f"{name}_url"] = page.image
        if page.image_width and page.image_height:
            made |= {f"{name}_width": page.image_width, f"{name}_height": page.image_height}
    made["fallback"] = _escaped(f"{site}: {title}" if site else title)
    return Preview(made, page.is_media)


def of_picture(url: str, picture: Picture) -> Preview:
    """Return the preview of a picture that `url` leads to."""
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2])
    title = name[:100] if name.isprintable() and name else parts.hostname or "image"
    made: Json = {"from_url": url, "original_url": url, "title": _escaped(title), "title_link": url, "image_url": url}
    kind = "image"
    if picture.width and picture.height:
        made |= {"image_width": picture.width, "image_height": picture.height}
        kind = f"{picture.width}x{picture.height}px image"
    if picture.bytes:
        made["image_bytes"] = picture.bytes
    return Preview(made | {"fallback": kind}, is_media=True)


def is_preview(attachment: Mapping[str, Any]) -> bool:
    """Tell whether an attachment was made of a link by us, rather than written or made by an app."""
    return "original_url" in attachment and not attachment.get("is_app_unfurl") and "from_url" in attachment


def still_linked(attachments: list[Json], gone: frozenset[str]) -> list[Json]:
    """Return the attachments without previews of addresses that the message names no more."""
    return [each for each in attachments if not (is_preview(each) and each["from_url"] in gone)]


def _is_shown(url: str, reach: Reach) -> bool:
    """Tell whether others may be told to fetch this: a page is not to have its readers ask their own routers."""
    try:
        reach.check(url)
    except ForbiddenError:
        return False
    return True


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
