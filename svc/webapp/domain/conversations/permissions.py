"""Who may do what to a conversation: Slack's defaults, in one table. Pure.

    deed        who                                                            refused with
    create      everybody but guests                                           restricted_action
    invite      members but guests                                             not_in_channel, restricted_action
    describe    members (topic and purpose)                                    not_in_channel
    rename      members but guests; the general one: admins                    not_in_channel, not_authorized
    archive     members but guests, and admins; never the general one          not_in_channel, restricted_action
    unarchive   everybody but guests who sees it                               restricted_action
    kick        private: members but guests; public: admins and its creator    not_in_channel, restricted_action

A bot may what a person may who is no admin. Admins are a workspace's admins and owners. Who does not see a conversation
is told that there is none, before any of this is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from svc.webapp.domain.refusal import Refused

__all__ = ["Deed", "Standing", "check"]


class Deed(Enum):
    """What somebody wants to do."""

    CREATE = "create"
    INVITE = "invite"
    DESCRIBE = "describe"
    RENAME = "rename"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    KICK = "kick"


@dataclass(frozen=True, slots=True)
class Standing:
    """What matters of who asks, and of the conversation."""

    is_member: bool = False
    is_creator: bool = False
    is_admin: bool = False
    is_guest: bool = False
    is_private: bool = False
    is_general: bool = False


_FOR_MEMBERS = frozenset((Deed.INVITE, Deed.DESCRIBE, Deed.RENAME, Deed.KICK))
_FOR_GUESTS = frozenset((Deed.DESCRIBE,))


def check(deed: Deed, standing: Standing) -> None:
    """Raise Refused, with the code of the table above, unless the deed is allowed."""
    code = _refusal(deed, standing)
    if code:
        raise Refused(code)


def _refusal(deed: Deed, standing: Standing) -> str:
    forbidden = "not_authorized" if deed is Deed.RENAME else "restricted_action"
    is_for_members = deed in _FOR_MEMBERS or (deed is Deed.ARCHIVE and not standing.is_admin)
    if is_for_members and not standing.is_member:
        return "not_in_channel"
    if standing.is_guest and deed not in _FOR_GUESTS:
        return forbidden
    if deed is Deed.ARCHIVE and standing.is_general:
        return "cant_archive_general"
    if deed is Deed.RENAME and standing.is_general and not standing.is_admin:
        return forbidden
    is_trusted = standing.is_private or standing.is_creator or standing.is_admin
    return forbidden if deed is Deed.KICK and not is_trusted else ""
