"""Who may do what to a conversation."""

from __future__ import annotations

import pytest

from svc.webapp.domain.conversations.permissions import Deed, Standing, check
from svc.webapp.domain.refusal import Refused

NOBODY = Standing()
MEMBER = Standing(is_member=True)
INSIDER = Standing(is_member=True, is_private=True)
MAKER = Standing(is_member=True, is_creator=True)
ADMIN = Standing(is_admin=True)
CHAIR = Standing(is_admin=True, is_member=True)
GUEST = Standing(is_member=True, is_guest=True, is_private=True)

TABLE = {
    # deed: (nobody, member of a public one, of a private one, its maker, an admin outside, an admin inside, a guest)
    Deed.CREATE: ("", "", "", "", "", "", "restricted_action"),
    Deed.INVITE: ("not_in_channel", "", "", "", "not_in_channel", "", "restricted_action"),
    Deed.DESCRIBE: ("not_in_channel", "", "", "", "not_in_channel", "", ""),
    Deed.RENAME: ("not_in_channel", "", "", "", "not_in_channel", "", "not_authorized"),
    Deed.ARCHIVE: ("not_in_channel", "", "", "", "", "", "restricted_action"),
    Deed.UNARCHIVE: ("", "", "", "", "", "", "restricted_action"),
    Deed.KICK: ("not_in_channel", "restricted_action", "", "", "not_in_channel", "", "restricted_action"),
}
WHO = (NOBODY, MEMBER, INSIDER, MAKER, ADMIN, CHAIR, GUEST)


def refusal(deed: Deed, standing: Standing) -> str:
    """Return the code, "" when it is allowed."""
    try:
        check(deed, standing)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("deed", Deed, ids=lambda deed: deed.value)
def test_the_table_of_deeds(deed: Deed) -> None:
    """Every deed, by everybody."""
    assert tuple(refusal(deed, standing) for standing in WHO) == TABLE[deed]


def test_the_general_conversation_is_for_admins_to_rename_and_for_nobody_to_archive() -> None:
    """Everybody is in it and stays there."""
    member, chair = Standing(is_member=True, is_general=True), Standing(is_member=True, is_general=True, is_admin=True)
    assert (refusal(Deed.RENAME, member), refusal(Deed.RENAME, chair)) == ("not_authorized", "")
    assert {refusal(Deed.ARCHIVE, each) for each in (member, chair)} == {"cant_archive_general"}
