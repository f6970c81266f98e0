"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from svc.webapp.store.rows import TokenKind

CLASSIC_SCOPES = frozenset({"bot", "bot:basic", "client", "post", "read"})
"""Of the family before granular ones: a token with one of them may what its owner may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that a token, or a session over a socket, speaks for. Everything it may see lies in its team."""

    team_id: str
    user_id: str
    kind: TokenKind = TokenKind.USER
    bot_id: str = ""
    """B…, for bots."""
    app_id: str = ""
    scopes: str = ""
    """Comma-separated, without spaces."""
    guest_of: str = ""
    """A conversation that it may speak in though it need not be in it: an app's, where somebody has asked it to."""
    token_hash: bytes = b""
    """Of the token that was shown; b"" for a session over a socket, and for who needs none."""
    token_ends_s: int = 0
    """When that token ends by itself; 0: never."""

    @property
    def is_bot(self) -> bool:
        """Whether it acts as a bot's user."""
        return self.bot_id != ""


ANONYMOUS = Caller("", "")
"""Nobody: the caller of the few methods that need no token."""
