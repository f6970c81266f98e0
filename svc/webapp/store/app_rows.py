"""Rows of apps in the workspace keyspace: what `rows` is for everything else, and by the same rules."""

from dataclasses import dataclass

__all__ = ["AppCode", "AppGrant", "AppRow", "ViewRow", "Webhook"]


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app as it is stored; svc.webapp.domain.apps.model makes an App of it."""

    team_id: str
    id: str
    name: str
    user_id: str
    """The user that its bot acts as."""
    bot_id: str
    creator_id: str
    """Who made it; "" for an operator."""
    secret_hash: bytes
    """SHA-256 of the client secret."""
    signing_secret: str
    verification_token: str
    scopes: str
    """What its bot may do, comma-separated; a token's own copy decides."""
    settings: bytes
    """A JSON object, at most 64 KiB."""
    deleted: bool = False
    created_s: int = 0
    version: int = 0
    """Offset of the workspace's channel at which this version was told; 0 when never."""
    revision_us: int = 0
    """Which write made this version; a lower one never replaces a higher one. The effect sets it."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address at which whoever knows it may post into one conversation."""

    team_id: str
    id: str
    """B…: what posts, as a bot has one."""
    app_id: str
    user_id: str
    """The app's bot's user, which is a member of the conversation."""
    channel_id: str
    name: str
    token_hash: bytes
    created_s: int = 0
    disabled_s: int = 0
    """0 while it works."""


@dataclass(frozen=True, slots=True)
class AppCode:
    """A code that is good for one token."""

    team_id: str
    code_hash: bytes
    app_id: str
    installer_id: str
    scopes: str
    redirect_uri: str
    until_s: int
    user_scopes: str = ""
    """What a token of the installer's own may; "": there is to be none."""
    channel_id: str = ""
    """The conversation that a webhook is to post into; "": there is to be none."""


@dataclass(frozen=True, slots=True)
class AppGrant:
    """Says that a person has given an app a token of its own at some time; whether one lives, the tokens say."""

    team_id: str
    app_id: str
    user_id: str
    given_s: int
    """When it did first."""


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A modal that a user has open, or what an app shows it at home."""

    team_id: str
    id: str
    user_id: str
    app_id: str
    kind: str
    """modal or home."""
    root_id: str
    """The first of its stack; its own id when it is that."""
    previous_id: str
    external_id: str
    """The app's own name of it, unique among its views; "" for none."""
    hash: str
    """Another one for each version."""
    body: bytes
    """JSON of the view as the app gave it, with the state that the user last gave."""
    until_s: int
    """When it is gone if nothing happens; 0: never."""
