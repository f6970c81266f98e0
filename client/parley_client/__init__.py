"""Parley's client for Python: connects, resumes, loses nothing, repeats nothing.

Owns: the positions of one user's channels; one socket at a time; a bounded queue of events.
Forgets: everything with the process, unless the application keeps `Client.resume_token()`.
Bounds: events that wait for the application (then the socket is not read), answers outstanding, events held while an
answer is awaited, tries by a deadline, waits by a cap.

| file | what |
|---|---|
| session.py, actions.py, tokens.py, retrying.py | pure: what frames mean, resume tokens, when to try again |
| client.py | the front door |
| connecting.py | one connection after the other |
| link.py, webapi.py | a WebSocket; calls over HTTP |
| errors.py | what can go wrong |
"""

from parley_client.actions import Event, ResumeFailed
from parley_client.client import Client
from parley_client.connecting import Status
from parley_client.errors import ClientError, ConnectionLost, NotConnected, Refused, Unreachable
from parley_client.tokens import TokenMalformed

__all__ = [
    "Client",
    "ClientError",
    "ConnectionLost",
    "Event",
    "NotConnected",
    "Refused",
    "ResumeFailed",
    "Status",
    "TokenMalformed",
    "Unreachable",
]
