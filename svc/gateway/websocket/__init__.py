"""WebSockets, the server's end of RFC 6455: the HTTP upgrade, and the frames that a client sends.

Thousands of connections do nothing most of the time, so one that is idle has no buffer, no parser and no task: it is
the protocol of its own transport, and what has come of a frame that is not whole is all that is kept of what it reads.
What it writes is svc.gateway.writing's business. Owns the handshakes under way: each ends within HANDSHAKE_S, with at
most HEAD_BYTES_MAX read.
"""
