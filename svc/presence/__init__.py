"""Presence: who is online, told only to those who look.

Owns: the open sessions of its share of the users by the gateway that reported them, which of them are idle, and whether
the user set itself away; how long a silent gateway is still believed (its lease); and for each gateway the users whose
changes it wants to see. Users belong to presence servers by a ring of their own.

Forgets: everything with the process. Gateways report and watch anew at whichever server the ring names, so a death
costs a moment in which nothing changes for those who look: a new owner says "away" only after a time of settling.

Bounds: gateways, users, watched users a gateway, users a frame, changes a batch: all in `PresenceConfig`. The latest
state of a user replaces what was still to be told, so a slow gateway costs one entry a user that it watches.
"""
