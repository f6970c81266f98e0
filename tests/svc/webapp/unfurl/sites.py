"""Web sites on the loopback for tests of previews, and names that lead there."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

from aiohttp import web

from svc.webapp.unfurl.addresses import Reach

LOOPBACK = ip_network("127.0.0.1/32")
"""One address of the loopback: the others stay forbidden, which is what redirects and names try."""
PAGE = "<head><title>{}</title><meta name=description content='about {}'></head>"


def page(name: str) -> web.Response:
    """Return a page with a title."""
    return web.Response(text=PAGE.format(name, name), content_type="text/html")


def reach(port: int) -> Reach:
    """Return what allows a site, and nothing else of this machine."""
    return Reach((LOOPBACK,), (port,))


class Names:
    """A resolver: each name's answers in turn, the last one for ever; the count of questions."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked = 0

    async def lookup(self, host: str, port: int) -> list[str]:
        """See Lookup."""
        self.asked += 1
        answers = self._answers.get(host)
        if answers is None:
            raise OSError(f"there is no {host}")
        return [answers.pop(0) if len(answers) > 1 else answers[0]]
