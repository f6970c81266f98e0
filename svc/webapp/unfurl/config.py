"""Settings of previews."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import NamedTuple

from svc.kit.config import setting
from svc.webapp.unfurl.addresses import Network, Reach

__all__ = ["Networks", "PreviewConfig"]


class Networks(NamedTuple):
    """Networks of an operator's own."""

    all: tuple[Network, ...]

    @classmethod
    def parse_setting(cls, raw: str) -> Networks:
        """Return networks as CIDR blocks or addresses, separated by commas. Raises ValueError."""
        parts = [part.strip() for part in raw.split(",") if part.strip()]
        try:
            return cls(tuple(ip_network(part) for part in parts))
        except ValueError as error:
            raise ValueError(f"networks such as 10.1.0.0/16 are allowed: {error}") from None

    def __repr__(self) -> str:
        return repr(",".join(map(str, self.all)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewConfig:
    """What is fetched for previews of links."""

    is_on: bool = setting(
        "PARLEY_WEBAPP_PREVIEWS",
        default=True,
        help="whether webapps fetch pages that messages link to and show previews of them",
    )
    networks: Networks = setting(
        "PARLEY_WEBAPP_PREVIEW_NETWORKS",
        default=Networks(()),
        help="networks whose pages are fetched though they are not of the public internet, as 10.1.0.0/16,fd00::/8:"
        " whoever can write a message learns what is there",
    )
    ports: tuple[int, ...] = setting(
        "PARLEY_WEBAPP_PREVIEW_PORTS", default=(80, 443), help="ports that pages are fetched from"
    )

    @property
    def reach(self) -> Reach:
        """How far fetches go."""
        return Reach(self.networks.all, self.ports)
