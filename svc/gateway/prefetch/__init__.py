"""Prefetch: who wrote a message, and whom it mentions, reach a lazy client just before the message does.

Owns: users encoded for sockets, once for all connections; whom each connection has met; output that waits for a user.
Forgets: all of it with the process, and of a connection with the connection: a user may come twice, and a client that
was not told of one asks for it.
Bounds: bytes of users (`PARLEY_GATEWAY_PREFETCH_BYTES_MAX`), 8 KiB a connection for whom it has met, fetches under way,
50 ms for which output waits. While an edge is away nothing waits.

| file | what |
|---|---|
| memory.py, audience.py | pure: what is remembered; which connections of a channel may lack somebody |
| fetches.py | users that are missing, asked of the edge, each once for everybody |
| prefetch.py | what is pushed, what is held, and until when |
"""
