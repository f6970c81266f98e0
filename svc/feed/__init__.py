"""Following the channels: how a gateway or an edge gets every persisted event of what it follows, once and in order.

Owns: one Attach stream to each channel server of the ring; where each followed channel is subscribed; up to which
offset each has been handed on; the filling of holes from the log.
Forgets: everything with the process. Whoever follows a channel again says from which offset.
Bounds: events held while a hole is filled (`HoldBudget`), outstanding subscribe requests a server, channels and events
a log read, transient events waiting for a stream (the oldest are dropped first).

`follower`, `positions`, `plan` and `pulse` are pure; `lines`, `uplinks`, `filler` and `feed` are the shell around them.
"""
