"""Parley's client for Python: connects, resumes, loses nothing, repeats nothing.

Owns: the positions of one user's channels; one socket at a time; a bounded queue of events.
Forgets: everything with the process, unless the application keeps `Client.resume_token()`.
Bounds: events that wait for the application (then the socket is not read), answers outstanding, events held while an
answer is awaited, tries by a deadline, waits by a cap, objects held, lazy queries under way.

| file | what |
|---|---|
| session.py, actions.py, tokens.py, retrying.py | pure: what frames mean, resume tokens, when to try again |
| client.py | the front door |
| connecting.py | one connection after the other |
| workspace.py, conversations.py, holding.py | pure: what a client holds and can show: boot, deltas, objects, events |
| lazy.py | loads what is about to be shown: over the socket, else over HTTP |
| link.py, webapi.py | a WebSocket; calls over HTTP |
| errors.py | what can go wrong |
"""

from parley_client.actions import Booted, Event, ResumeFailed
from parley_client.client import Client
from parley_client.connecting import Status
from parley_client.conversations import Conversation
from parley_client.errors import ClientError, ConnectionLost, NotConnected, Refused, Unreachable
from parley_client.lazy import Found, Lazy, MembersPage
from parley_client.tokens import TokenMalformed
from parley_client.workspace import Workspace

__all__ = [
    "Booted",
    "Client",
    "ClientError",
    "ConnectionLost",
    "Conversation",
    "Event",
    "Found",
    "Lazy",
    "MembersPage",
    "NotConnected",
    "Refused",
    "ResumeFailed",
    "Status",
    "TokenMalformed",
    "Unreachable",
    "Workspace",
]
