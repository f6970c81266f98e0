"""Settings of the browser client."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from svc.kit.config import setting

__all__ = ["WebConfig"]

_BUILT = Path(__file__).parent.parent / "static"
"""Where the client's build puts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """The browser client."""

    static_dir: str = setting(
        "PARLEY_WEBAPP_STATIC_DIR",
        default="",
        help="folder of the built browser client; empty: where make run builds it",
    )
    demo: str = setting(
        "PARLEY_WEBAPP_DEMO",
        default="",
        help="domains of workspaces, with commas between, that anybody may enter as any of their people; empty: none",
    )
    session_days: int = setting(
        "PARLEY_WEBAPP_SESSION_DAYS",
        default=30,
        minimum=1,
        maximum=400,
        help="days that a browser that is not used stays signed in",
    )
    invitation_days: int = setting(
        "PARLEY_WEBAPP_INVITATION_DAYS", default=7, minimum=1, maximum=90, help="days that an invitation is good for"
    )

    @property
    def session_s(self) -> int:
        """How long a browser stays signed in, in seconds."""
        return 86_400 * self.session_days

    @property
    def folder(self) -> Path:
        """Where the built client is, if it is built."""
        return Path(self.static_dir) if self.static_dir else _BUILT

    def is_demo(self, domain: str) -> bool:
        """Tell whether anybody may enter this workspace."""
        return domain in {each.strip() for each in self.demo.split(",") if each.strip()}
