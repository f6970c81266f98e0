"""What a write brings about in other keyspaces: the values of its effects, which `effects` carries out.

They are stored with the write, by name, and outlive the process that wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from svc.webapp.store.rows import ConversationKind

__all__ = [
    "Effect",
    "Follow",
    "Json",
    "Mention",
    "MentionEverybody",
    "PutApp",
    "PutDirectory",
    "PutEmoji",
    "PutFile",
    "PutPassword",
    "PutTeamIcon",
    "PutUser",
    "PutUserGroup",
    "Revoke",
    "Unfollow",
    "Unmention",
    "UnmentionEverybody",
    "Unshare",
    "decode_effect",
    "encode_effect",
]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Follow:
    """Effect: the user is in the conversation, and its sessions follow it from before this write's first event on.

    `payload` is what its own sockets get (channel_joined, group_joined, im_created…), None: no frame for clients.
    """

    user_id: str
    team_id: str
    kind: ConversationKind
    peer_user_id: str = ""
    payload: Json | None = None


@dataclass(frozen=True, slots=True)
class Unfollow:
    """Effect: the user is out, its sessions stop following; `payload` as for Follow (channel_left, group_left)."""

    user_id: str
    payload: Json | None = None


@dataclass(frozen=True, slots=True)
class PutDirectory:
    """Effect: the workspace's directory takes the conversation as it is now.

    Of a public one the team's sockets and edges hear: `payload` is the clients' JSON (channel_created, channel_rename,
    channel_archive…); None: only the model changes.
    """

    team_id: str
    payload: Json | None = None


@dataclass(frozen=True, slots=True)
class PutUser:
    """Effect of a write on a T… channel: the user's row becomes this, its team hears (team_join, user_change)."""

    user: Mapping[str, Any]
    """`dataclasses.asdict` of a rows.User."""
    payload: Json | None = None
    over_us: int | None = None
    """Revision of the user that this one was made of: the step is refused for good (FailedPreconditionError) when the
    user was changed since. None: whatever is there is replaced."""


@dataclass(frozen=True, slots=True)
class PutUserGroup:
    """Effect of a write on a T… channel: a user group becomes this, its team hears, and so do who came and who left.

    Refused for good (FailedPreconditionError) when the group was changed since it was read.
    """

    group: Mapping[str, Any]
    """`dataclasses.asdict` of a rows.UserGroup."""
    over_us: int
    """Revision of the group that this one was made of; 0: there is none."""
    payloads: tuple[Json, ...] = ()
    """What the team's sockets get."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revoke:
    """Effect of a write on a U… channel: tokens of this user are valid no longer, and sessions begun with them end."""

    user_id: str
    token_hashes: tuple[str, ...] = ()
    """As hex; (): all that the user has when the step is carried out."""


@dataclass(frozen=True, slots=True)
class PutEmoji:
    """Effect of a write on a T… channel: custom emoji become these, and the team hears of it (emoji_changed)."""

    emoji: Mapping[str, str]
    """Value by name, "" for one that is removed; 1 to 50."""


@dataclass(frozen=True, slots=True)
class PutTeamIcon:
    """Effect of a write on a T… channel: the workspace's picture is there, and who holds its model hears."""

    url: str
    """"" for none."""


@dataclass(frozen=True, slots=True)
class PutApp:
    """Effect of a write on a T… channel: an app becomes this, and the team hears of it (apps_changed)."""

    app: Mapping[str, Any]
    """Cells of a svc.webapp.store.app_rows.AppRow by name, bytes as hex."""


@dataclass(frozen=True, slots=True)
class PutPassword:
    """Effect: a user signs in with another password. Nobody hears of it: sessions are ended by a Revoke beside it."""

    team_id: str
    user_id: str
    hash: str
    """Argon2's; what it is of is stored nowhere."""
    changed_s: int


@dataclass(frozen=True, slots=True)
class PutFile:
    """Effect: a file becomes this, and those see it who are in the conversation that the write posts it to.

    Once it is deleted, the messages that brought it say so, and nobody sees it any more.
    """

    file: Mapping[str, Any]
    """`dataclasses.asdict` of a file_rows.File; `revision_us` is that of the version which it replaces."""
    family: str
    shared_as: int = 0
    """The ConversationKind of the write's conversation, whose first draft is the message; 0: it is posted nowhere."""
    message_ts_us: int = 0
    """ts of a message that was there before, and shows the file from now on; 0: the write's first draft does."""


@dataclass(frozen=True, slots=True)
class Unshare:
    """Effect: a message of the conversation was removed, or shows some files no more; nobody sees these by it."""

    team_id: str
    ts_us: int
    """Of the message."""
    file_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """Effect: the write's first draft is a message that is meant for these users; it counts as one mention of each."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmention:
    """Effect: a message of the conversation was removed; it counts as a mention of these users no longer."""

    ts_us: int
    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MentionEverybody:
    """Effect: the write's first draft is a message that is meant for all members of a large conversation but one. Left
    to the sweepers: the author does not wait for it.
    """

    but: str = ""


@dataclass(frozen=True, slots=True)
class UnmentionEverybody:
    """Effect: a message that was meant for all members was removed. Left to the sweepers."""

    ts_us: int


Effect = (
    Follow
    | Unfollow
    | PutDirectory
    | PutUser
    | PutUserGroup
    | Revoke
    | PutEmoji
    | PutTeamIcon
    | PutFile
    | Unshare
    | PutApp
    | PutPassword
    | Mention
    | Unmention
    | MentionEverybody
    | UnmentionEverybody
)

_EFFECTS: dict[str, type[Effect]] = {
    "follow": Follow,
    "unfollow": Unfollow,
    "directory": PutDirectory,
    "user": PutUser,
    "group": PutUserGroup,
    "revoke": Revoke,
    "emoji": PutEmoji,
    "team_icon": PutTeamIcon,
    "file": PutFile,
    "unshare": Unshare,
    "app": PutApp,
    "password": PutPassword,
    "mention": Mention,
    "unmention": Unmention,
    "mention_everybody": MentionEverybody,
    "unmention_everybody": UnmentionEverybody,
}
"""Names of effects as stored; never reused for another meaning, because rows outlive the process that wrote them."""
_NAMES = {kind: name for name, kind in _EFFECTS.items()}


def encode_effect(effect: Effect) -> bytes:
    """Return an effect as it is stored."""
    return orjson.dumps({"op": _NAMES[type(effect)], **asdict(effect)})


def decode_effect(blob: bytes) -> Effect:
    """Return an effect from its stored form. Raises ValueError, KeyError or TypeError for anything else."""
    cells = orjson.loads(blob)
    kind = _EFFECTS[cells.pop("op")]
    if "kind" in cells:
        cells["kind"] = ConversationKind(cells["kind"])
    for name in ("user_ids", "file_ids", "token_hashes", "payloads", "added", "removed"):
        if name in cells:
            cells[name] = tuple(cells[name])
    return kind(**cells)
