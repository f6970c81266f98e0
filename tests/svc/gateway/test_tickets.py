"""Tickets: only ours, only fresh, only for this gateway, and only once."""

from typing import Any

import pytest

from svc.gateway.tickets import Ticket, TicketGate, TicketRefused
from svc.kit.tokens import Signer

ME = "gateway-az1-0-abc123"
SIGNER = Signer("a secret of sixteen")
CLAIMS = {"jti": "j1", "team": "T1", "user": "U1", "bot": "B1", "gateway": ME, "kind": "rtm", "flags": ["x"]}


def ticket(ttl_s: float = 30.0, signer: Signer = SIGNER, kind: str = "ticket", **changes: Any) -> str:
    return signer.sign(kind, CLAIMS | changes, ttl_s, 1000.0)


def test_a_ticket_opens_the_door_once() -> None:
    """What it says is what the session knows of its user."""
    gate = TicketGate(SIGNER, ME)
    assert gate.admit(ticket(), 1001.0) == Ticket("T1", "U1", "B1", frozenset({"x"}))
    with pytest.raises(TicketRefused, match="has been used"):
        gate.admit(ticket(), 1002.0)


@pytest.mark.parametrize(
    ("presented", "why"),
    [
        (ticket(ttl_s=0.5), "expired"),
        (ticket(gateway="gateway-az1-0-old"), "another gateway"),
        (ticket(signer=Signer("somebody else's secret")), "not valid"),
        (ticket(kind="cursor"), "not valid"),
        (ticket(user=None), "not valid"),
        ("", "not valid"),
        ("x" * 5000, "not valid"),
        ("é\x80.x.y", "not valid"),
    ],
)
def test_any_other_ticket_is_refused(presented: str, why: str) -> None:
    """Each with its reason."""
    with pytest.raises(TicketRefused, match=why):
        TicketGate(SIGNER, ME).admit(presented, 1002.0)


def test_used_tickets_are_remembered_until_they_expire_and_within_a_bound() -> None:
    """At the bound nobody comes in, rather than somebody twice."""
    gate = TicketGate(SIGNER, ME, used_max=2)
    gate.admit(ticket(jti="a"), 1001.0)
    gate.admit(ticket(jti="b"), 1001.0)
    with pytest.raises(TicketRefused, match="too many"):
        gate.admit(ticket(jti="c"), 1001.0)
    assert gate.admit(ticket(jti="d", ttl_s=60.0), 1030.0).user_id == "U1"
