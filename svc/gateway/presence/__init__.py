"""Presence as a gateway sees it: its users' sessions go up to the presence servers, changes on screen come down.

Owns: who has sessions here, who of them has done nothing for long, and whose presence each connection wants to know.
Forgets: all of it with the process; the servers believe it for a lease, and clients report from where they come back.
Bounds: interests a connection; nothing queues up, because what is to be said is kept as sets of users.

| file | what |
|---|---|
| attendance.py, idleness.py | pure: the sessions of each user; whose time of doing nothing is over |
| interests.py | pure: what presence is told, and whom it tells us of |
| reports.py | the lines to the presence servers |
"""
