"""The edge: workspace models near the clients, so that a boot asks no database.

Owns: the models of its share of the workspaces (team, users, public channels), each loaded once from the webapp and
kept fresh by nothing but the events of the workspace's channel. Workspaces belong to edges by a ring of their own.

Forgets: everything with the process; the next edge of the ring loads again. A workspace that nobody asked for longest
is forgotten when there is no room, and when the ring gives it to another edge.

Names of users and channels are searched by prefix in the same memory; a model of 32,000 users and 10,000 channels
takes 21 MB with all (model.py, names.py).

Bounds: workspaces, bytes, users and channels a workspace, loads at once, objects a request: all in `EdgeConfig`. A
model that cannot be refreshed is served for `stale_max_s` and then dropped: late is better than wrong.
"""
