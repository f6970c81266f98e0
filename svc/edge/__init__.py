"""The edge: workspace models near the clients, so that a boot asks no database.

Owns: the models of its share of the workspaces (team, users, public channels, emoji), each loaded once from the webapp
and kept fresh by nothing but the events of the workspace's channel. The edges of a zone are a ring; a workspace belongs
to one of them in each zone. Beside them, how far conversations have come and who is in them: read once when asked for,
told by their events from then on. One feed serves all three (following.py).

Forgets: everything with the process; the next edge of the ring loads again. A workspace that nobody asked for longest
is forgotten when there is no room, and when the ring gives it to another edge.

Names of users and channels are searched by prefix in the same memory; a model of 32,000 users and 10,000 channels
takes 22 MB with all (models/). Lookups and searches take a ms or less (boot.py).

Bounds: workspaces, bytes, users, channels and emoji a workspace, loads and whole models sent at once: all in
`EdgeConfig`, as are conversations and members; what one request may ask, in checks.py. A followed conversation takes
400 bytes, most of them the feed's, and 11 for each member. A model that missed a change is served for `stale_max_s`,
one whose changes would not be heard not at all (freshness.py): then callers do without the edge, because slow is better
than wrong.

| file | what |
|---|---|
| models/ | pure: the model of a workspace, loaded in pieces, searched, changed by events |
| conversations/ | how far conversations have come, and who is in them |
| workspaces.py, loader.py, source.py, refusals.py | the models held; loading them; those that cannot be loaded |
| following.py, freshness.py | what is followed; whether a change of it would have been heard |
| ownership.py, nearness.py | pure: which workspaces are ours; whom users deal with |
| boot.py, wire.py, checks.py | pure: answers, put together without parsing; what may be asked |
| servicer.py, interfaces.py, config.py, metrics.py, main.py | the gRPC boundary, and the composition root |
"""
