"""Socket Mode: the connections of apps. Each is a pipe between a WebSocket and the webapp that owns its app.

Owns: the WebSockets, and a stream from each to the app's owner, opened again when the owner moves or dies.
Forgets: everything with the connection. What was under way is the owner's to send again.
Bounds: acknowledgements that wait for an owner, the age of a connection, the frames that a client may send.

`session` and `frames` are pure; `connection`, `lines` and `desk` are the shell around them.
"""
