"""What a browser may do with a page of ours. Pure.

The policy names where scripts, styles and sockets may come from, so text that a person wrote runs nowhere even should
it end up in the page as markup. Sources: Content Security Policy Level 3; OWASP's HTTP headers cheat sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["page_headers", "policy"]

_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' https: data: blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
)
_FIXED = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
    ),
)


def policy(sockets: Sequence[str]) -> str:
    """Return the Content-Security-Policy of a page whose sockets may go to these sources."""
    return "; ".join((*_DIRECTIVES, " ".join(("connect-src 'self'", *sockets))))


def page_headers(sockets: Sequence[str]) -> dict[str, str]:
    """Return the headers that go with everything that is served of the client."""
    return {"content-security-policy": policy(sockets), **dict(_FIXED)}
